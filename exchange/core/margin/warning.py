"""Maintenance margin / warning ratio as a function of notional: what a pool needs for not being warned, or, by the
ratio below which it recovered, for being warned no longer.

Source: `docs/margin.md`, section "Liquidation", step 1.
"""

from __future__ import annotations

from bisect import bisect_right

from events.units import UNIT
from exchange.core.margin.brackets import BracketTable, FlatRate, Schedule, SteppedRate


class WarningLine:
    """A bound of MM(N) / warning from above, N in grains, `warning` a Rate: straight in each bracket, and convex.

    Less than `slack` + 1 grains above it. N - the bound rises with N, as both ratios of a pack are above every MMR.
    """

    __slots__ = ("_cums", "_falling_keys", "_floors", "_rates", "_rising_keys", "_whole", "slack", "warning")

    def __init__(self, schedule: Schedule, warning: int) -> None:
        self.warning = warning
        floors, rates, cums, whole, rounded = _lines(schedule)
        self._floors = floors
        self._rates = [rate * UNIT for rate in rates]
        self._cums = [cum * whole * UNIT for cum in cums]
        self._whole = whole * warning
        self.slack = -(-rounded * UNIT // warning)
        self._rising_keys = [floor - self.maintenance(floor) for floor in floors]
        self._falling_keys = [floor + self.maintenance(floor) for floor in floors]

    def maintenance(self, notional: int) -> int:
        """MM(notional) / warning, at least."""
        b = bisect_right(self._floors, notional) - 1
        return -((self._cums[b] - notional * self._rates[b]) // self._whole) + self.slack

    def lowest_notional(self, target: int) -> int:
        """The smallest N >= 0 from which on N - the bound >= target."""
        b = max(0, bisect_right(self._rising_keys, target) - 1)
        wanted = (target + self.slack) * self._whole - self._cums[b]
        return max(0, -(-wanted // (self._whole - self._rates[b])))

    def highest_notional(self, target: int) -> int:
        """The largest N up to which N + the bound <= target; below 0 where there is none."""
        b = max(0, bisect_right(self._falling_keys, target) - 1)
        return ((target - self.slack) * self._whole + self._cums[b]) // (self._whole + self._rates[b])


def _lines(schedule: Schedule) -> tuple[list[int], list[int], list[int], int, int]:
    """Floors, rates, cums, what a rate of 1 is, and how many grains the schedule rounds up by at most."""
    if isinstance(schedule, BracketTable):
        return schedule.floors, schedule.mmrs, schedule.cums, schedule.whole, 1
    if isinstance(schedule, FlatRate):
        return [0], [schedule.rate], [0], UNIT, 1
    assert isinstance(schedule, SteppedRate)
    return [0], [schedule.rate * schedule.fraction], [0], UNIT * UNIT, 2 * schedule.step
