"""The highest and the lowest mark of a rolling window, without looking at all of them.

A mark counts until the next one took its place: each entry is (when it ended, the mark). Of two entries the older one
is of no use once the younger one is further out.
"""

from __future__ import annotations

from collections import deque

from events.units import UNIT


class Swing:
    """The marks before the present one, as far as they may be the highest or the lowest of the window, ns."""

    __slots__ = ("highs", "lows", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.highs: deque[tuple[int, int]] = deque()
        self.lows: deque[tuple[int, int]] = deque()

    def add(self, now: int, mark: int) -> None:
        """A mark ended. For `apply` only."""
        for kept, sign in ((self.highs, 1), (self.lows, -1)):
            while kept and kept[-1][1] * sign <= mark * sign:
                kept.pop()
            kept.append((now, mark))
            while kept[0][0] < now - self.window:
                kept.popleft()

    def clear(self) -> None:
        """Begin anew. For `apply` only."""
        self.highs.clear()
        self.lows.clear()

    def leapt(self, mark: int, jump: int) -> int:
        """The highest mark of the window where this one is more than a share of it (a Rate) away, else likewise the
        lowest; 0 for neither.
        """
        for kept in (self.highs, self.lows):
            if kept and abs(mark - kept[0][1]) * UNIT > kept[0][1] * jump:
                return kept[0][1]
        return 0

    def check(self) -> None:
        """Assert that both ends stand in order of time and of distance."""
        for kept, sign in ((self.highs, -1), (self.lows, 1)):
            ends = [end for end, _ in kept]
            assert ends == sorted(ends)
            marks = [mark * sign for _, mark in kept]
            assert marks == sorted(set(marks))
        assert bool(self.highs) == bool(self.lows)
