"""Who runs the tasks of a sweep. Another engine is another `Executor`: it takes tasks, and hands back what they came
to, in any order.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Protocol

from replay.loading import failure
from replay.sweep.play import Place, run
from replay.sweep.task import Done, Outcome, Status, Task


class Executor(Protocol):
    """Runs tasks. What it yields for a task is what `run(task, place)` returns, or that it crashed."""

    def run(self, tasks: Sequence[Task], place: Place) -> Generator[Done, None, None]:
        """Each task once, in any order; when the iteration is closed early, what is under way is given up."""
        ...


class InProcess:
    """One task after the other, here."""

    def run(self, tasks: Sequence[Task], place: Place) -> Generator[Done, None, None]:
        """See `Executor.run`."""
        for task in tasks:
            try:
                yield run(task, place)
            except (Exception, SystemExit) as error:
                yield _crashed(task, error)


class Processes:
    """So many processes of this machine, started afresh, each of which runs one task at a time.

    `prepare` is called once in each of them; it has to be importable from there. If a process dies, whatever was under
    way is run again, each task alone, so that only the one that is to blame crashes.
    """

    def __init__(self, workers: int, prepare: Callable[[], None] | None = None) -> None:
        self._workers = workers
        self._prepare = prepare

    def run(self, tasks: Sequence[Task], place: Place) -> Generator[Done, None, None]:
        """See `Executor.run`."""
        left = list(reversed(tasks))
        while left:
            suspects: list[Task] = []
            yield from self._run(left, place, self._workers, suspects)
            for task in suspects:
                alone: list[Task] = []
                yield from self._run([task], place, 1, alone)
                for one in alone:
                    yield _crashed(one, None)

    def _run(self, left: list[Task], place: Place, workers: int, suspects: list[Task]) -> Iterator[Done]:
        """Take tasks off the end of `left` until there are none, or a process died: then those that were under way are
        the suspects.
        """
        others = multiprocessing.active_children()
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(workers, len(left)), context, _begin, (self._prepare,))
        under_way: dict[Future[Done], Task] = {}
        is_whole = True
        try:
            while (left and is_whole) or under_way:
                while left and is_whole and len(under_way) < workers:
                    try:
                        under_way[pool.submit(run, left[-1], place)] = left[-1]
                        left.pop()
                    except BrokenProcessPool:
                        is_whole = False
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    task = under_way.pop(future)
                    error = future.exception()
                    if isinstance(error, BrokenProcessPool):
                        suspects.append(task)
                        is_whole = False
                    else:
                        yield _crashed(task, error) if error else future.result()
        finally:
            if under_way:
                _end_those_but(others)
            pool.shutdown(cancel_futures=True)


def _end_those_but(others: Sequence[BaseProcess]) -> None:
    """End the processes that were started since, whatever they are at."""
    for process in multiprocessing.active_children():
        if process not in others:
            process.terminate()


def _crashed(task: Task, error: BaseException | None) -> Done:
    """A task without an outcome: a bug of ours or of the strategy, or a process that died of it."""
    why = failure(error) if error else "the process that ran it died; it may have been short of memory"
    return Done(outcome=Outcome(id=task.id, status=Status.CRASHED, error=" ".join(why.split())))


def _begin(prepare: Callable[[], None] | None) -> None:
    """The first thing that a process does: it leaves Ctrl-C to its parent, and goes when that one goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_go_with_parent, daemon=True).start()
    if prepare:
        prepare()


def _go_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
