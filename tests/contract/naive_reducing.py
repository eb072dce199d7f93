"""Reduce-only orders that shrink with their position, easy to believe: all are looked at for each that goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.facts import Expiry

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange


def shrink(exchange: NaiveExchange) -> None:
    """Of each account and side, take lots off the worst order, then the youngest, until they close what there is."""
    if not exchange.rules.shrinks:
        return
    for account in sorted({order.account for order in exchange.orders}):
        for sign in (1, -1):
            _shrink(exchange, account, sign)


def _shrink(exchange: NaiveExchange, account: str, sign: int) -> None:
    own = [o for o in exchange.open_of(account) if o.reduces and o.rank and o.sign == sign]
    own.sort(key=lambda order: (sign * order.price, -order.number))
    for order in own:
        left = sum(other.lots for other in own) - exchange.reducible(account, sign)
        if left >= order.lots:
            exchange.expire(order, Expiry.EXCEEDS_POSITION)
        elif left > 0:
            exchange.lose(order, left)
            order.size -= left
            order.shown = min(order.shown, order.lots)
            exchange.said.append(("shrunk", *order.name, left, order.lots))
