"""Who bears what a liquidation leaves: what a fill brings the insurance fund, and the queue for auto-deleveraging.

Source: BitMEX and its kin, "Insurance Fund" (sat.is, "System Gains and Losses"); ZUBR, "Auto-Deleveraging";
`docs/margin.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from exchange.calculator.amounts import CalculatorError
from exchange.calculator.holding import Holding


def fund_gain(leg: Holding, bankruptcy: Fraction, fill: Fraction) -> Fraction:
    """What closing a position at a price brings a fund that gets all beyond bankruptcy; below 0 what it has to pay."""
    return leg.direction * (leg.value(fill) - leg.value(bankruptcy))


def fund_after(leg: Holding, bankruptcy: Fraction, fills: Iterable[Fraction], start: Fraction) -> Iterator[Fraction]:
    """The fund after each of several liquidations of such a position."""
    for fill in fills:
        start += fund_gain(leg, bankruptcy, fill)
        yield start


def deleveraging_rank(profit: Fraction, leverage: Fraction) -> Fraction:
    """The place in the queue: profit (a rate of the entry value) x effective leverage, a loss / effective leverage.

    Effective leverage is notional / equity, above 0; the highest rank is deleveraged first.
    """
    if leverage <= 0:
        raise CalculatorError("an effective leverage must be above 0")
    return profit * leverage if profit > 0 else profit / leverage


def deleveraging_order(ranks: Sequence[Fraction]) -> list[int]:
    """The place of each rank in the queue, 1 for the first to be deleveraged; ties in the order given."""
    queue = sorted(range(len(ranks)), key=lambda n: -ranks[n])
    places = {n: place for place, n in enumerate(queue, 1)}
    return [places[n] for n in range(len(ranks))]
