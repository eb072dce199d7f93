"""How deep a profit fell from its highest, and for how long: folded value by value. Amounts are grains.

Definitions: `docs/report.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from events.units import UNIT


class Decline(NamedTuple):
    """A fall of the profit from a peak: how deep (grains), as a share of what there was at the peak (10^-8, rounded up;
    None where there was nothing), when it was at the peak, at the lowest, and back (None: not yet).
    """

    depth: int
    share: int | None
    peak_at: int
    lowest_at: int
    back_at: int | None = None


@dataclass(slots=True)
class Drawdown:
    """The deepest fall in money and the deepest as a share of a profit over time, and the longest time below a peak."""

    deepest: Decline | None = None
    steepest: Decline | None = None
    longest: int = 0
    peak: int = 0
    peak_at: int = 0
    is_below: bool = False
    _started: bool = False

    def add(self, at: int, profit: int, capital: int) -> None:
        """The profit is this from now on, and so much money is in the account beside it."""
        if not self._started:
            self.peak, self.peak_at, self._started = profit, at, True
        if profit >= self.peak:
            self._back(at)
            self.peak, self.peak_at = profit, at
            return
        self.is_below = True
        depth, base = self.peak - profit, self.peak + capital
        share = -(-depth * UNIT // base) if base > 0 else None
        found = Decline(depth, share, self.peak_at, at)
        if self.deepest is None or depth > self.deepest.depth:
            self.deepest = found
        if share is not None and (self.steepest is None or share > (self.steepest.share or 0)):
            self.steepest = found

    def _back(self, at: int) -> None:
        if not self.is_below:
            return
        self.is_below = False
        self.longest = max(self.longest, at - self.peak_at)
        for name in ("deepest", "steepest"):
            decline: Decline | None = getattr(self, name)
            if decline is not None and decline.peak_at == self.peak_at and decline.back_at is None:
                setattr(self, name, decline._replace(back_at=at))

    def end(self, at: int) -> None:
        """The session ended then."""
        if self.is_below:
            self.longest = max(self.longest, at - self.peak_at)
