"""Clocks of those who play: the wall's, and one that a test moves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic_ns
from typing import Protocol

from events.units import SECOND


class Clock(Protocol):
    """Wall time, and a way to wait for it."""

    def now(self) -> int:
        """Ns; never goes back."""
        ...

    async def wait(self, ns: int | None, stirred: asyncio.Event) -> None:
        """Wait for so long, None for as long as it takes, but no longer than until the event is set."""
        ...


class WallClock:
    """The clock of this machine."""

    def now(self) -> int:
        """See `Clock.now`."""
        return monotonic_ns()

    async def wait(self, ns: int | None, stirred: asyncio.Event) -> None:
        """See `Clock.wait`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(stirred.wait(), None if ns is None else ns / SECOND)


class ManualClock:
    """A clock for tests: whoever waits for a time has it at once. waited: how long each wait was, ns."""

    def __init__(self) -> None:
        self.waited: list[int] = []
        self._now = 0

    def now(self) -> int:
        """See `Clock.now`."""
        return self._now

    def advance(self, ns: int) -> None:
        """Let time pass."""
        self._now += ns

    async def wait(self, ns: int | None, stirred: asyncio.Event) -> None:
        """See `Clock.wait`."""
        if ns is None:
            await stirred.wait()
            return
        await asyncio.sleep(0)
        if not stirred.is_set():
            self.waited.append(ns)
            self._now += ns
