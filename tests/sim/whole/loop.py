"""An event loop whose time is made up, and whose dice say which of all that is ready goes next.

asyncio promises turns in the order in which they were asked for, to callbacks of one task as well as to different ones;
programs may rely on the former alone, so every order of what is ready is a possible world.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import sys
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

TURN_SECONDS = 20e-6
"""So long takes a turn."""

TURNS_MAX = 30_000
"""Who takes more turns goes round in circles."""


class Crashed(Exception):
    """The process is gone."""


class Stuck(AssertionError):
    """Everybody waits for somebody else, or goes round in circles."""


class SeededLoop(asyncio.AbstractEventLoop):
    """Runs one coroutine, and what it starts, until it is done or the process crashes.

    `turns` counts what was run; `now` goes on where an earlier life left it; `trace`, if set, is told of every turn,
    `at_crash` of all tasks, where they stand. `watch`, if set, is shown every task that waits again, and says whether
    the process crashes there.
    """

    def __init__(self, dice: Random, now: float = 0.0, trace: Callable[[str], None] | None = None) -> None:
        self.turns = 0
        self.failures: list[BaseException] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._now = now
        self._dice = dice
        self._trace = trace
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0
        self._crash_at: int | None = None
        self._is_over = False
        self.at_crash: Callable[[list[asyncio.Task[Any]]], None] | None = None
        self.watch: Callable[[asyncio.Task[Any]], bool] | None = None

    def crash_at(self, turn: int) -> None:
        """The process is gone after so many turns."""
        self._crash_at = turn

    def crash(self) -> None:
        """The process is gone after this turn."""
        self._crash_at = self.turns

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it to its end. Raises Crashed, Stuck, and what it raises, or what nobody else was told of."""
        events._set_running_loop(self)
        try:
            task = self.create_task(work)
            while not task.done():
                if self._crash_at is not None and self.turns >= self._crash_at:
                    if self.at_crash:
                        self.at_crash(self.tasks)
                    raise Crashed
                self._turn()
                if self.failures:
                    raise self.failures[0]
            return task.result()
        finally:
            events._set_running_loop(None)
            self._end()

    def _turn(self) -> None:
        timers, ready = self._timers, self._ready
        if not ready:
            if not timers:
                raise Stuck("everybody waits, and nothing will ever happen")
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])
        chosen = int(self._dice.random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        handle = ready.pop()
        if handle.cancelled():
            return
        self.turns += 1
        self._now += TURN_SECONDS
        if self.turns > TURNS_MAX:
            raise Stuck(f"nothing came of {TURNS_MAX} turns")
        if self._trace:
            self._trace(f"turn {self.turns} of {len(ready) + 1}: {named(handle)}")
        handle._run()
        if self.watch and isinstance(owner := owner_of(handle), asyncio.Task) and self.watch(owner):
            self.crash()

    def _end(self) -> None:
        """What is not done stops where it stands; nothing that it still says is heard."""
        self._is_over = True
        for task in self.tasks:
            if not task.done():
                with suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        self._ready.clear()
        self._timers.clear()

    def time(self) -> float:
        """Seconds."""
        return self._now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        """See asyncio."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self._is_over:
            self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        """See asyncio."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self._is_over:
            self._count += 1
            heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """See asyncio."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """See asyncio."""
        options["name"] = f"{coro.__qualname__} {len(self.tasks)}"
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Something failed and nobody was told: the run fails."""
        failure = context.get("exception")
        if not self._is_over and isinstance(failure, BaseException):
            self.failures.append(failure)

    def get_debug(self) -> bool:
        """See asyncio."""
        return False

    def is_running(self) -> bool:
        """See asyncio."""
        return not self._is_over

    def is_closed(self) -> bool:
        """See asyncio."""
        return self._is_over


@contextmanager
def undisturbed() -> Iterator[None]:
    """What crashes leave behind, coroutines that will never be done, is cleared away at the end, and not before, as
    what runs then would run at a moment that no seed decides. What it complains of is heard by nobody.
    """
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        sys.unraisablehook = hook
        if was_enabled:
            gc.enable()


def named(handle: asyncio.Handle) -> str:
    """What goes on."""
    owner = owner_of(handle)
    return owner.get_name() if isinstance(owner, asyncio.Task) else handle._callback.__qualname__  # type: ignore[attr-defined]


def owner_of(handle: asyncio.Handle) -> object:
    """Whose turn it is."""
    return getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
