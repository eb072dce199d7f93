"""What LOBSTER's books show: which levels a message explains, and which only came into view."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

NOBODY = 9_999_999_999
"""Stands for the price of a level that there is none of, with either sign."""

Side = dict[int, int]
"""Price -> shares, best price first."""


class Levels(NamedTuple):
    """A line of the file of books: `width` levels a side, of which the last ones may be empty."""

    bids: Side
    asks: Side
    width: int


def levels_of(line: bytes, width: int) -> Levels | None:
    """The levels of a line; None where it is no book, or one of another width, 0 for any."""
    try:
        numbers = list(map(int, line.split(b",")))
    except ValueError:
        return None
    levels, rest = divmod(len(numbers), 4)
    if rest or not levels or (width and width != levels):
        return None
    asks, bids = (dict(zip(numbers[n::4], numbers[n + 1 :: 4], strict=True)) for n in (0, 2))
    for side in (asks, bids):
        side.pop(NOBODY, None)
        side.pop(-NOBODY, None)
    return Levels(bids, asks, levels)


class Look(NamedTuple):
    """What messages do not say, as (price, shares in all): before the message, and after it. is_odd says that a level
    which was in view is not what it was, with the message.
    """

    before: list[tuple[int, int]]
    after: list[tuple[int, int]]
    is_odd: bool


SAME = Look([], [], False)


class View:
    """One side as the latest line shows it; volume that went out of view is believed to be there still."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self._seen: Side | None = None
        self._far = 0
        self._believed: list[int] = []

    def look(self, levels: Levels, price: int, change: int) -> Look:
        """The next line, whose message changes the volume at a price of this side."""
        now = levels.bids if self.sign > 0 else levels.asks
        if now == self._seen and not change:
            return SAME
        far = self._far_of(now, levels.width)
        before: list[tuple[int, int]] = []
        after: list[tuple[int, int]] = []
        for at, size in now.items():
            left = size - (change if at == price else 0)
            if self._was_in_view(at):
                after += [(at, size)] if left != self._before(at) else []
            elif left >= 0:
                before.append((at, left))
            else:
                after.append((at, size))
        after += [(at, 0) for at in self._vanished(now, far, price, change)]
        before += [(at, -change if at == price else 0) for at in self._come_up(now, far)]
        if change < 0 and price not in now and not self._was_in_view(price) and (price, -change) not in before:
            before.append((price, -change))
        odd = self._seen is not None and bool(after)
        self._seen, self._far = now, far
        return Look(before, after, odd)

    def lose(self) -> None:
        """Lose sight: what comes next is new."""
        for at in self._seen or ():
            heappush(self._believed, -self.sign * at)
        self._seen = None

    def _far_of(self, side: Side, width: int) -> int:
        """Down to which price, up to which for asks, a line shows all there is."""
        return next(reversed(side)) if len(side) == width else -self.sign * NOBODY

    def _was_in_view(self, at: int) -> bool:
        return self._seen is not None and at * self.sign >= self._far * self.sign

    def _before(self, at: int) -> int:
        return self._seen.get(at, 0) if self._seen else 0

    def _vanished(self, now: Side, far: int, price: int, change: int) -> Iterator[int]:
        """The prices that were in view and are not there though they should be; those out of view are kept in mind."""
        for at, size in (self._seen or {}).items():
            if at not in now and size + (change if at == price else 0) > 0:
                if at * self.sign >= far * self.sign:
                    yield at
                else:
                    heappush(self._believed, -self.sign * at)

    def _come_up(self, now: Side, far: int) -> Iterator[int]:
        """The prices that were out of view, are in it now, and have nothing."""
        believed = self._believed
        while believed and -believed[0] >= far * self.sign:
            at = -self.sign * heappop(believed)
            if at not in now and not self._was_in_view(at):
                yield at
