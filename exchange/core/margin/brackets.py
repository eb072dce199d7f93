"""Leverage brackets as sorted integer tables: maintenance margin of a notional, and the inverse questions of the watch.

All amounts are grains. With b the bracket of notional N: MM(N) = ceil(N x mmr[b]) - cum[b], continuous and convex, so
both N - MM(N) and N + MM(N) rise with N and can be inverted bracket by bracket.
Source: Binance USD-M, "Leverage and Margin of USDⓈ-M Futures" and its leverage bracket table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from events.instruments import Bracket
from events.units import UNIT


class BracketTable:
    """The brackets of one instrument. `floors`, `caps` and `cums` are grains, `mmrs` Rates."""

    __slots__ = ("_long_keys", "_short_keys", "caps", "cums", "floors", "leverages", "mmrs")

    def __init__(self, brackets: Sequence[Bracket]) -> None:
        self.floors = [b.floor * UNIT for b in brackets]
        self.caps = [b.cap * UNIT for b in brackets]
        self.cums = [b.cum * UNIT for b in brackets]
        self.mmrs: list[int] = [b.mmr for b in brackets]
        self.leverages = [b.max_leverage for b in brackets]
        self._long_keys = [floor - self.maintenance(floor) for floor in self.floors]
        self._short_keys = [floor + self.maintenance(floor) for floor in self.floors]

    def maintenance(self, notional: int) -> int:
        """MM(notional), rounded up."""
        b = bisect_right(self.floors, notional) - 1
        return -(-notional * self.mmrs[b] // UNIT) - self.cums[b]

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 with N - MM(N) >= target."""
        if target <= 0:
            return 0
        b = bisect_right(self._long_keys, target) - 1
        return -(-(target - self.cums[b]) * UNIT // (UNIT - self.mmrs[b]))

    def highest_notional(self, target: int) -> int:
        """The largest N >= 0 with N + MM(N) <= target, which is not negative."""
        assert target >= 0
        b = bisect_right(self._short_keys, target) - 1
        return (target + self.cums[b]) * UNIT // (UNIT + self.mmrs[b])

    def max_notional(self, leverage: int) -> int:
        """The largest position that may be held at this leverage, 0 where the leverage is not offered at all."""
        return max(
            (cap for cap, offered in zip(self.caps, self.leverages, strict=True) if offered >= leverage), default=0
        )

    @property
    def max_leverage(self) -> int:
        """The highest leverage on offer."""
        return self.leverages[0]
