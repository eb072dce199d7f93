"""Synthetix Perps V3: fills priced by the skew, the margin of a cross account, and funding whose rate has a velocity.

Source: Synthetixio/synthetix-v3, markets/perps-market: storage/AsyncOrder.sol, PerpsMarket.sol, PerpsAccount.sol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from exchange.calculator.amounts import CalculatorError


def fill_price(price: Fraction, size: Fraction, skew: Fraction, skew_scale: Fraction) -> Fraction:
    """The price of a trade of a signed size: the mean of the premiums before and after it on top of the oracle's.

    The premium is skew / skew scale; without a scale there is none.
    """
    if skew_scale < 0:
        raise CalculatorError("a skew scale must not be below 0")
    if not skew_scale:
        return price
    return price * (1 + (skew + (skew + size)) / 2 / skew_scale)


@dataclass(frozen=True)
class SkewedPosition:
    """A position of a signed size, opened at `price` of the oracle in a market with a skew, and marked at `mark`."""

    size: Fraction
    price: Fraction
    mark: Fraction
    skew_scale: Fraction
    skew: Fraction = Fraction(0)

    @property
    def pnl(self) -> Fraction:
        """PnL against the fill price."""
        return self.size * (self.mark - fill_price(self.price, self.size, self.skew, self.skew_scale))


def available_margin(collateral: Fraction, positions: Iterable[SkewedPosition]) -> Fraction:
    """Collateral and the PnL of all positions: below the maintenance margin of the account it is due."""
    return collateral + sum(position.pnl for position in positions)


class Step(NamedTuple):
    """So many days pass, then the skew changes."""

    days: Fraction
    skew_delta: Fraction


@dataclass(frozen=True)
class VelocityFunding:
    """A market whose daily funding rate moves by skew / skew scale (within -1 and 1) x max velocity in a day."""

    skew_scale: Fraction
    max_velocity: Fraction

    def velocity(self, skew: Fraction) -> Fraction:
        """The change of the daily rate in a day."""
        if not self.skew_scale:
            return Fraction(0)
        return max(Fraction(-1), min(Fraction(1), skew / self.skew_scale)) * self.max_velocity

    def accrued(
        self,
        size: Fraction,
        price: Fraction,
        skew: Fraction,
        steps: Iterable[Step],
        rate: Fraction = Fraction(0),
    ) -> Iterator[Fraction]:
        """What a position of a signed size owes after each step (below 0: is owed), at a price that stays.

        In each step the rate moves in a straight line, so that what accrues is its mean x time.
        """
        owed = Fraction(0)
        for step in steps:
            before, rate = rate, rate + self.velocity(skew) * step.days
            owed += (before + rate) / 2 * size * price * step.days
            skew += step.skew_delta
            yield owed
