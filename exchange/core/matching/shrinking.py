"""Reduce-only orders that would close more than their position has shrink, or expire, when a batch ends.

Until then they trade no more than there is to close, as everywhere. What a batch has no room for is due work.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.facts import Expiry, Fact, OrderExpired, OrderShrunk
from events.units import Lots
from exchange.core.reduce_only import ReduceOnlyOrders
from exchange.core.state import State


def shrink(state: State) -> Iterator[Fact]:
    """Take off what positions have too much of, by account and position, until the batch is full."""
    for position in sorted(state.exceeding, key=lambda position: position.id):
        orders = position.reducing
        assert orders is not None
        state.cause = state.exceeding[position]
        for sign in (1, -1):
            while beyond := orders.beyond(sign, position.lots):
                if state.seq >= state.full:
                    return
                yield _taken_off(orders, sign, beyond)


def _taken_off(orders: ReduceOnlyOrders, sign: int, beyond: int) -> OrderShrunk | OrderExpired:
    order = orders.first(sign)
    if order.lots <= beyond:
        return OrderExpired(order.account, order.number, Lots(order.lots), Expiry.EXCEEDS_POSITION)
    return OrderShrunk(order.account, order.number, Lots(beyond), Lots(order.lots - beyond))
