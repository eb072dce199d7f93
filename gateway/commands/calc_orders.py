"""Orders: what one costs, and the largest that available balance carries."""

from __future__ import annotations

from fractions import Fraction

from events.units import UNIT
from exchange.calculator import Holding, market_price, max_size, order_cost
from gateway.commands.calc_given import Given
from gateway.commands.calc_text import Answer


def cost(given: Given) -> tuple[Answer, str]:
    """Cost of an open order."""
    order, mark = _order(given, given.size())
    needed = order_cost(order, mark, given.leverage(), given.taker_fee())
    return {
        "cost": needed.cost,
        "initial_margin": needed.initial_margin,
        "open_loss": needed.open_loss,
        "fee": needed.fee,
        "reserve": needed.reserve,
        "notional": order.entry_value,
        "price": order.entry,
    }, ""


def largest(given: Given) -> tuple[Answer, str]:
    """The largest order, in whole lots where the lot is known."""
    one, mark = _order(given, Fraction(1))
    terms, leverage = given.terms, given.leverage()
    lot = given.positive("lot") if "lot" in given else Fraction(terms.lot, UNIT) if terms else None
    caps = [Fraction(b.cap, UNIT) for b in terms.brackets if b.max_leverage >= leverage] if terms else None
    size = max_size(
        one,
        given.need("available"),
        mark,
        leverage,
        given.taker_fee(),
        lot=lot,
        max_notional=None if caps is None else max(caps, default=Fraction(0)),
        largest=Fraction(terms.max_lots * terms.lot, UNIT) if terms else None,
    )
    answer: dict[str, Fraction | int | None] = {"max_size": size, "price": one.entry}
    if size:
        order = Holding(one.sign, size, one.entry, one.contract, one.inverse)
        needed = order_cost(order, mark, leverage, given.taker_fee())
        answer |= {"cost": needed.cost, "fee": needed.fee, "reserve": needed.reserve, "notional": order.entry_value}
    return answer, ""


def _order(given: Given, size: Fraction) -> tuple[Holding, Fraction]:
    """The order as a position entered at its price, and the mark: the price where none is given."""
    sign = given.sign()
    if "price" in given:
        price = given.positive("price")
        mark = given.positive("mark") if "mark" in given else price
    else:
        mark = given.positive("mark", "ask" if sign > 0 else "bid")
        slippage = Fraction(given.pack.market_buy_slippage, UNIT)
        price = market_price(sign, mark, bid=given.maybe("bid"), ask=given.maybe("ask"), slippage=slippage)
    return Holding(sign, size, price, given.contract, given.is_inverse), mark
