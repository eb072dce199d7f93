"""Session time as it is shown: shifted to the wall's by a constant that is another one after each start of the server.

A session's time stands still while nobody serves it. What was shown once is shown the same again, so each stretch of
session time keeps the shift that it was served with.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from events.units import SECOND, Nanos

MINUTE = 60 * SECOND
"""Shifts are whole minutes, so that candles keep their boundaries."""

MS = 1_000_000

NOTE = "calendar"
"""The session's note that holds its calendar."""


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """From this session time on, ns, what happens is shown so much later, ns."""

    since: int
    shift: int


class Calendar:
    """The stretches of a session, in order of time; before the first one the shift is that of the first one."""

    def __init__(self, stretches: list[Stretch] | None = None) -> None:
        self.stretches = stretches or []
        self._since = [stretch.since for stretch in self.stretches]

    @classmethod
    def read(cls, text: str) -> Calendar:
        """The calendar that a note holds. Raises msgspec.MsgspecError."""
        return cls(msgspec.json.decode(text, type=list[Stretch]))

    def text(self) -> str:
        """What to note."""
        return msgspec.json.encode(self.stretches).decode()

    def resume(self, at: int, wall: int) -> int:
        """The session goes on at this session time while the wall says so, both ns: a new stretch.

        Returns the session time that is shown as the wall's now: up to a minute ahead, for the market to hurry there.
        """
        shift = (wall - at) // MINUTE * MINUTE
        if self.stretches:
            shift = max(shift, self.stretches[-1].shift)
        self.stretches.append(Stretch(at, shift))
        self._since.append(at)
        return wall - shift

    def shown(self, at: int) -> Nanos:
        """When a session time is shown to have been, ns since the epoch."""
        place = bisect_right(self._since, at) - 1
        return Nanos(at + self.stretches[max(0, place)].shift) if self.stretches else Nanos(at)

    def shown_ms(self, at: int) -> int:
        """As `shown`, in whole ms."""
        return self.shown(at) // MS

    def session(self, shown: int) -> Nanos:
        """The session time that is shown so, ns; of a time between two stretches, when the later one began."""
        for stretch in reversed(self.stretches):
            if shown >= stretch.since + stretch.shift or stretch is self.stretches[0]:
                later = self._since[bisect_right(self._since, stretch.since) :]
                at = shown - stretch.shift
                return Nanos(min(at, later[0]) if later else at)
        return Nanos(shown)
