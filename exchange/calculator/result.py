"""What a position came to once it is closed: PnL, fees, funding, and the penalty of a liquidation.

Amounts are what they add to the wallet, so that fees and penalties are below 0 and all of them add up to the realised
PnL. Source: OKX, fields pnl, fee, fundingFee, liqPenalty and realizedPnl of a positions-history row.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from exchange.calculator.holding import Holding


class Result(NamedTuple):
    """What a closed position added to the wallet, part by part, in the settle asset."""

    pnl: Fraction
    open_fee: Fraction
    close_fee: Fraction
    funding: Fraction
    liquidation_penalty: Fraction

    @property
    def fees(self) -> Fraction:
        """Both trading fees."""
        return self.open_fee + self.close_fee

    @property
    def realised(self) -> Fraction:
        """All of it."""
        return sum(self, Fraction(0))


def result_of(
    leg: Holding,
    close: Fraction,
    *,
    open_fee: Fraction = Fraction(0),
    close_fee: Fraction = Fraction(0),
    penalty: Fraction = Fraction(0),
    funding: Fraction = Fraction(0),
) -> Result:
    """The result of closing at a price. Fees and penalty are rates of the value at entry and at the close."""
    value = leg.value(close)
    return Result(leg.pnl(close), -open_fee * leg.entry_value, -close_fee * value, funding, -penalty * value)
