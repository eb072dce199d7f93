"""The book of an instrument as it was last made durable, and changes to it gathered for those who follow it."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from sortedcontainers import SortedDict

from gateway.serving.tape.look import Levels, Sight


class Top(NamedTuple):
    """The best bid and ask, ticks and lots; 0 where there is none."""

    bid: int = 0
    bid_lots: int = 0
    ask: int = 0
    ask_lots: int = 0


class Change(NamedTuple):
    """Levels that changed, as they are now, by the records after `previous` up to `last`."""

    previous: int
    last: int
    bids: Levels
    asks: Levels


class Depth:
    """Prices and what the book shows there. last is the last record that changed it, at when that was shown, ms."""

    def __init__(self) -> None:
        self.bids: SortedDict[int, int] = SortedDict()
        self.asks: SortedDict[int, int] = SortedDict()
        self.last = 0
        self.at = 0

    def see(self, sight: Sight, last: int, at: int) -> Change | None:
        """Take what was seen into account: what that changed, if it did."""
        bids = _see(self.bids, sight.bids, sight.whole)
        asks = _see(self.asks, sight.asks, sight.whole)
        if not bids and not asks:
            return None
        previous, self.last, self.at = self.last, last, at
        return Change(previous, last, bids, asks)

    def top(self) -> Top:
        """The best prices."""
        bid = self.bids.peekitem(-1) if self.bids else (0, 0)
        ask = self.asks.peekitem(0) if self.asks else (0, 0)
        return Top(*bid, *ask)

    def levels(self, limit: int) -> tuple[Levels, Levels]:
        """So many of the best levels of both sides, best first."""
        bids, asks = self.bids, self.asks
        return [(p, bids[p]) for p in islice(reversed(bids), limit)], [(p, asks[p]) for p in islice(asks, limit)]


def _see(side: SortedDict[int, int], levels: Levels, whole: bool) -> Levels:
    changed = [(price, lots) for price, lots in levels if side.get(price, 0) != lots]
    if whole:
        named = dict(levels)
        changed += [(price, 0) for price in side if price not in named]
    for price, lots in changed:
        if lots:
            side[price] = lots
        else:
            side.pop(price, None)
    return changed


class Gathered:
    """A chain of changes for those who hear of them only now and then: each begins where the one before it ended."""

    __slots__ = ("_asks", "_bids", "_last")

    def __init__(self, depth: Depth) -> None:
        self._last = depth.last
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def add(self, change: Change) -> None:
        """Something changed."""
        self._bids.update(change.bids)
        self._asks.update(change.asks)

    def take(self, depth: Depth) -> Change | None:
        """All that changed since it was taken last, if anything did."""
        if not self._bids and not self._asks:
            return None
        found = Change(self._last, depth.last, list(self._bids.items()), list(self._asks.items()))
        self._last, self._bids, self._asks = depth.last, {}, {}
        return found
