"""Maintenance schedules as sorted integer tables: maintenance margin of a notional, and the watch's inverse questions.

All amounts are grains. With b the bracket of notional N: MM(N) = ceil(N x mmr[b]) - cum[b], continuous and convex, so
both N - MM(N) and N + MM(N) rise with N and can be inverted bracket by bracket.
Source: Binance USD-M, "Leverage and Margin of USDⓈ-M Futures" and its leverage bracket table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from events.instruments import Bracket
from events.units import UNIT


class Schedule(Protocol):
    """Maintenance margin as a function of notional, and the notionals at which it uses up an amount."""

    def maintenance(self, notional: int) -> int:
        """MM(notional), rounded up."""

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 from which on N - MM(N) >= target."""

    def highest_notional(self, target: int) -> int:
        """The largest N >= 0 up to which N + MM(N) <= target, which is not negative."""


class BracketTable:
    """The brackets of one instrument. `floors`, `caps` and `cums` are grains, `mmrs` are parts of `whole`.

    extra, a Rate, is what every bracket asks for on top: the taker fee where closing at the mark is part of MM.
    divisor is the leverage where MM is a part of notional / leverage.
    """

    __slots__ = ("_long_keys", "_short_keys", "caps", "cums", "floors", "leverages", "mmrs", "whole")

    def __init__(self, brackets: Sequence[Bracket], extra: int = 0, divisor: int = 1) -> None:
        self.floors = [b.floor * UNIT for b in brackets]
        self.caps = [b.cap * UNIT for b in brackets]
        self.cums = [b.cum * UNIT // divisor for b in brackets]
        self.mmrs: list[int] = [b.mmr + extra * divisor for b in brackets]
        self.whole = UNIT * divisor
        self.leverages = [b.max_leverage for b in brackets]
        self._long_keys = [floor - self.maintenance(floor) for floor in self.floors]
        self._short_keys = [floor + self.maintenance(floor) for floor in self.floors]

    def maintenance(self, notional: int) -> int:
        """MM(notional), rounded up."""
        b = bisect_right(self.floors, notional) - 1
        return -(-notional * self.mmrs[b] // self.whole) - self.cums[b]

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 with N - MM(N) >= target."""
        if target <= 0:
            return 0
        b = bisect_right(self._long_keys, target) - 1
        return -(-(target - self.cums[b]) * self.whole // (self.whole - self.mmrs[b]))

    def highest_notional(self, target: int) -> int:
        """The largest N >= 0 with N + MM(N) <= target, which is not negative."""
        assert target >= 0
        b = bisect_right(self._short_keys, target) - 1
        return (target + self.cums[b]) * self.whole // (self.whole + self.mmrs[b])

    def max_notional(self, leverage: int) -> int:
        """The largest position that may be held at this leverage, 0 where the leverage is not offered at all."""
        return max(
            (cap for cap, offered in zip(self.caps, self.leverages, strict=True) if offered >= leverage), default=0
        )

    @property
    def max_leverage(self) -> int:
        """The highest leverage on offer."""
        return self.leverages[0]


class FlatRate:
    """One Rate of every notional, which may be 0: what moves with the mark where the rest of MM does not."""

    __slots__ = ("rate",)

    def __init__(self, rate: int) -> None:
        self.rate = rate

    def maintenance(self, notional: int) -> int:
        """MM(notional), rounded up."""
        return -(-notional * self.rate // UNIT)

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 with N - MM(N) >= target."""
        return max(0, -(-target * UNIT // (UNIT - self.rate)))

    def highest_notional(self, target: int) -> int:
        """The largest N >= 0 with N + MM(N) <= target, which is not negative."""
        assert target >= 0
        return target * UNIT // (UNIT + self.rate)


class SteppedRate:
    """A rate whose margins are rounded up to a step twice: IM = ceil(N x rate), MM = ceil(IM x fraction), in steps.

    N - MM(N) rises but for a fall of one step wherever MM gains one, so that the pool may be due, not due, and due
    again: `lowest_notional` is the first of these on the way down.
    Source: dYdX v4, x/perpetuals/types/liquidity_tier.go.
    """

    __slots__ = ("fraction", "rate", "step")

    def __init__(self, rate: int, fraction: int, step: int) -> None:
        self.rate = rate
        self.fraction = fraction
        self.step = step

    def maintenance(self, notional: int) -> int:
        """MM(notional), a whole number of steps."""
        initial = -(-notional * self.rate // (UNIT * self.step))
        return -(-initial * self.fraction // UNIT) * self.step

    def _reach(self, steps: int) -> int:
        """The largest N whose MM is at most so many steps."""
        return steps * UNIT // self.fraction * UNIT * self.step // self.rate

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 from which on N - MM(N) >= target."""
        part = self.rate * self.fraction
        highest = max(0, (target + 2 * self.step) * UNIT * UNIT // (UNIT * UNIT - part) + 1)
        steps = self.maintenance(highest) // self.step
        while steps > 0 and self._reach(steps - 1) + 1 - steps * self.step >= target:
            steps -= 1
        if steps == 0:
            return max(0, target)
        return min(self._reach(steps) + 1, max(target + steps * self.step, self._reach(steps - 1) + 1))

    def highest_notional(self, target: int) -> int:
        """The largest N >= 0 up to which N + MM(N) <= target, which is not negative."""
        assert target >= 0
        low, high = 0, target + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle + self.maintenance(middle) <= target else (low, middle)
        return low
