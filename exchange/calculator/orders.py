"""What an open order costs, and the largest that available balance carries.

Cost = initial margin at the order's price + open loss, which is what a fill would be down at once against the mark; the
exchange holds the taker fee back as well. Source: Binance, "Cost required to open a position in perpetual futures";
`docs/margin.md`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import NamedTuple

from events.units import UNIT
from exchange.calculator.amounts import GRAIN, CalculatorError, ceil_to
from exchange.calculator.holding import LONG, Holding
from exchange.calculator.margin import initial_margin

ATOM = MARK_UNIT = Fraction(1, UNIT)


class Cost(NamedTuple):
    """What an order needs: cost = initial margin + open loss; reserve = cost + taker fee."""

    initial_margin: Fraction
    open_loss: Fraction
    fee: Fraction

    @property
    def cost(self) -> Fraction:
        """What the venue shows as the cost of the order."""
        return self.initial_margin + self.open_loss

    @property
    def reserve(self) -> Fraction:
        """What is held back of the available balance."""
        return self.cost + self.fee


def order_cost(order: Holding, mark: Fraction, leverage: Fraction, taker_fee: Fraction = Fraction(0)) -> Cost:
    """The cost of an order that stands as a position entered at its price."""
    value = order.entry_value
    loss = max(Fraction(0), -order.pnl(mark))
    return Cost(initial_margin(value, leverage), loss, max(Fraction(0), value * taker_fee))


def market_price(
    sign: int, mark: Fraction, *, bid: Fraction | None, ask: Fraction | None, slippage: Fraction
) -> Fraction:
    """The price that a market order reserves at: best ask x (1 + slippage), rounded up to a mark unit, or max(best bid,
    mark); the mark where that side of the book is empty.
    """
    if sign == LONG:
        return mark if ask is None else ceil_to(ask * (1 + slippage), MARK_UNIT)
    return mark if bid is None else max(bid, mark)


def max_size(
    one: Holding,
    available: Fraction,
    mark: Fraction,
    leverage: Fraction,
    taker_fee: Fraction = Fraction(0),
    *,
    lot: Fraction | None = None,
    max_notional: Fraction | None = None,
    largest: Fraction | None = None,
) -> Fraction:
    """The largest size that available balance opens at the price, side and contract of `one`, in whole lots.

    Without a lot the size is exact. max_notional is the most that may be held at the leverage, largest the most that an
    order may have.
    """
    if available < 0:
        raise CalculatorError("available balance must not be below 0")
    unit = replace(one, size=Fraction(1))
    each = order_cost(unit, mark, leverage, taker_fee).reserve
    bounds = [available / each, largest]
    if max_notional is not None:
        bounds.append(max_notional / unit.entry_value)
    size = min(bound for bound in bounds if bound is not None)
    if lot is None:
        return size
    lots = floor(size / lot)
    while lots and _needed(replace(one, size=lot), lots, mark, leverage, taker_fee) > available:
        lots -= 1
    return lots * lot


def _needed(lot: Holding, lots: int, mark: Fraction, leverage: Fraction, taker_fee: Fraction) -> Fraction:
    """What so many lots need, on order and once they are filled, each amount rounded up as the core does."""
    each = order_cost(lot, mark, leverage, taker_fee)
    on_order = ceil_to(lots * each.initial_margin, GRAIN) + lots * (each.open_loss + ceil_to(each.fee, GRAIN))
    margin = ceil_to(initial_margin(lots * lot.value(mark), leverage), GRAIN)
    return max(on_order, margin - lots * lot.pnl(mark) + ceil_to(lots * each.fee, ATOM))
