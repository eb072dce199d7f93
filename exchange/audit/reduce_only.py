"""Rules of reduce-only orders that shrink with their position, where the pack says so.

Each that shrinks or goes is looked for anew among all of its position; when a batch ends, the rest of them is added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.commands import Side
from events.rules import ReduceOnly
from exchange.audit.books import SIGN, Books, Order, Position
from exchange.audit.trading import order_of


def shrunk(books: Books, fact: f.OrderShrunk) -> None:
    """By as much as is beyond the position, and something of it is left."""
    p, order = order_of(books, fact.account, fact.number)
    books.check("lots beyond the position", _beyond_of_first(books, p, fact.number, order), fact.lots)
    books.check("lots left open", order.lots - fact.lots, fact.left)
    books.hold("something is left of what shrinks", fact.lots > 0 and fact.left > 0, fact)
    order.lots -= fact.lots
    order.total -= fact.lots
    order.shown = min(order.shown, order.lots)


def of_exceeding(books: Books, p: Position, number: int, order: Order) -> None:
    """All of it is beyond the position."""
    beyond = _beyond_of_first(books, p, number, order)
    books.hold("all of the order is beyond the position", order.lots <= beyond, (order, beyond))


def _beyond_of_first(books: Books, p: Position, number: int, order: Order) -> int:
    """How many lots are beyond the position, of which this order has to be the first to lose some."""
    books.hold("reduce-only orders shrink", books.rules.reduce_only is ReduceOnly.SHRINK, order)
    side = {n: one for n, one in p.reducing.items() if one.side is order.side}
    sign = SIGN[order.side]
    first = min(side, key=lambda n: (sign * side[n].price, -n), default=None)  # type: ignore[operator]
    books.check("the one that is furthest from the market, then youngest", first, number)
    return _beyond(p, order.side)


def _beyond(p: Position, side: Side) -> int:
    resting = sum(order.lots for order in p.reducing.values() if order.side is side)
    return resting - max(0, -SIGN[side] * p.lots)


def check_end_of_batch(books: Books, may_wait: bool) -> None:
    """No position is less than its resting reduce-only orders close, unless the batch was full, or refused."""
    if books.unmeasured and books.rules.reduce_only is ReduceOnly.CAP:
        books.unmeasured.clear()
    for p in list(books.unmeasured):
        beyond = max(_beyond(p, side) for side in Side)
        books.hold(f"reduce-only orders of {p.account} close no more than {p.name}", beyond <= 0 or may_wait, beyond)
        if beyond <= 0:
            del books.unmeasured[p]


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {f.OrderShrunk: shrunk}
"""Fact -> what it has to agree with, and what it changes."""
