"""Runs what a plan says and is not there yet, and hands out what all of it came to, in the order of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from replay.sweep.executors import Executor
from replay.sweep.ledger import Ledger
from replay.sweep.plan import Plan
from replay.sweep.play import Keep, Place
from replay.sweep.task import Done, Status, Task

SESSIONS = "sessions"
"""The folder of the sessions that are kept."""


SCRATCH = "scratch"
"""The folder of what runs leave for the next one, gone at the end."""


class Swept(NamedTuple):
    """Every task of a plan that was run, now or before, in order; how many were run now, and how many are left."""

    runs: tuple[tuple[Task, Done], ...]
    ran: int
    left: int


OnDone = Callable[[int, int], None]
"""Told how many tasks are done, and of how many."""


def sweep(plan: Plan, executor: Executor, on_done: OnDone, *, retry: bool = False) -> Swept:
    """Run what is not there yet; with `retry` what failed before too. Ctrl-C leaves what was run until then, and the
    rest for the next time. Raises SweepError.
    """
    into = plan.into.resolve()
    place = Place(plan.path.parent.resolve(), into / SESSIONS, plan.keep, into / SCRATCH)
    with Ledger(plan.into) as ledger:
        done = {task: run for task, run in ledger.done().items() if not (retry and _failed(run))}
        known = {task.id: run for task in plan.tasks if (run := done.get(task.id)) and _is_kept(task, run, place)}
        wanted = [task for task in plan.tasks if task.id not in known]
        before = len(known)
        on_done(before, len(plan.tasks))
        with _scratch(into / SCRATCH), closing(executor.run(wanted, place)) as running, suppress(KeyboardInterrupt):
            for run in running:
                if run.outcome.status is not Status.CRASHED:
                    ledger.add(run)
                known[run.outcome.id] = run
                on_done(len(known), len(plan.tasks))
    runs = tuple((task, known[task.id]) for task in plan.tasks if task.id in known)
    return Swept(runs, len(known) - before, len(plan.tasks) - len(known))


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """An empty folder for as long as that takes."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield
    finally:
        rmtree(folder)


def _failed(run: Done) -> bool:
    return run.outcome.status is Status.FAILED


def _is_kept(task: Task, run: Done, place: Place) -> bool:
    """Whether a session that is to be kept is there."""
    is_wanted = place.keep is Keep.ALL or (place.keep is Keep.LIQUIDATED and run.outcome.liquidations > 0)
    return not is_wanted or _failed(run) or place.session(task).exists()
