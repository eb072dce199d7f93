"""Returns at equal times: what Sharpe's and Sortino's ratios are made of.

A return is the profit of an interval over the equity at its beginning; it is kept in 10^-12, rounded down, so that sums
are exact integers. Nothing is annualised unless it is asked for. Definitions: `docs/report.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

FINE = 10**12
"""Parts of one in which a return is kept."""

FEWEST = 30
"""With fewer returns no ratio is told."""


@dataclass(slots=True)
class Samples:
    """The returns of intervals of equal length; undefined are those that began without equity."""

    count: int = 0
    undefined: int = 0
    sum: int = 0
    squares: int = 0
    below: int = 0
    _profit: int | None = None
    _equity: int = 0

    def sample(self, profit: int, equity: int, times: int = 1) -> None:
        """So many intervals ended with this profit in all and this equity, grains: nothing moved but in the first."""
        if self._profit is not None:
            self._add(profit - self._profit, 1)
        self._profit, self._equity = profit, equity
        if times > 1:
            self._add(0, times - 1)

    def _add(self, gained: int, times: int) -> None:
        if self._equity <= 0:
            self.undefined += times
            return
        one = gained * FINE // self._equity
        self.count += times
        self.sum += one * times
        self.squares += one * one * times
        self.below += min(0, one) ** 2 * times

    def sharpe(self, per_year: int = 1) -> Decimal | None:
        """Mean over standard deviation (n - 1) of the returns; times the root of the intervals of a year."""
        spread = self.count * self.squares - self.sum * self.sum
        if self.count < FEWEST or not spread:
            return None
        return Decimal(self.sum) * (Decimal((self.count - 1) * per_year) / (self.count * spread)).sqrt()

    def sortino(self, per_year: int = 1) -> Decimal | None:
        """Mean over the root of the mean square of the returns below 0; times the root of the intervals of a year."""
        if self.count < FEWEST or not self.below:
            return None
        return Decimal(self.sum) * (Decimal(per_year) / (self.count * self.below)).sqrt()
