"""Keeps the session's clock with the wall's: up to it at the start, and after a delay that nobody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from events.units import SECOND, Nanos
from gateway.serving.calendar import MINUTE, Calendar
from replay.control import Control

SLACK = SECOND // 10
"""A market that is so near to the wall's time is up to it."""

LATE = SECOND // 2
"""One that falls so far behind hurries."""

MISSED = 2 * MINUTE
"""What a machine that slept for longer has missed is not played any more."""

ON_TIME = SECOND
"""Session time is shown as the wall's as long as it is so near to it."""

POLL_SECONDS = 0.01


class Pace:
    """The clock of one session; wall tells the time, ns since the epoch."""

    def __init__(self, control: Control, calendar: Calendar, wall: Callable[[], int]) -> None:
        self._control = control
        self._calendar = calendar
        self._wall = wall
        self._strayed = False

    def begin(self, at: int) -> None:
        """The session goes on from this time: shown from now on as the wall's."""
        self._calendar.resume(at, self._wall())

    @property
    def due(self) -> Nanos:
        """The session time that is shown as the wall's now."""
        return Nanos(self._wall() - self._calendar.stretches[-1].shift)

    @property
    def lag(self) -> int:
        """How far the session's clock is behind that, ns."""
        return self.due - self._control.now

    @property
    def is_on_time(self) -> bool:
        """Whether session time is shown as the wall's."""
        return abs(self.lag) < ON_TIME

    async def catch_up(self, is_done: Callable[[], bool]) -> None:
        """Hurry to the wall's time, unless that has no end that comes."""
        while self.lag > SLACK and not is_done():
            self._control.hurry(self.due)
            await asyncio.sleep(POLL_SECONDS)
        if self._is_ordinary:
            self._control.moved(self.due)

    def look(self, at: int) -> bool:
        """Now and then: who paused or chose another speed is left behind, or ahead; who was merely held up hurries, the
        session being at this time. Whether it was held up for so long that what it missed is left out, as if nobody had
        served it: then its calendar is to be noted.
        """
        self._strayed = not (self._is_ordinary and (not self._strayed or self.is_on_time))
        if self._strayed or self.lag <= LATE:
            return False
        has_missed = self.lag > MISSED
        if has_missed:
            self.begin(max(at, self._control.now))
        self._control.hurry(self.due)
        return has_missed

    @property
    def _is_ordinary(self) -> bool:
        return self._control.is_playing and self._control.speed == 1
