"""Changes of the reduce-only orders that shrink with their position, and which positions are less than theirs close."""

from __future__ import annotations

from exchange.core.book import Order
from exchange.core.reduce_only import ReduceOnlyOrders
from exchange.core.state import Position, State


def rests(state: State, order: Order) -> None:
    """A reduce-only order rests where they shrink. For `apply` only."""
    position: Position = order.holder
    if position.reducing is None:
        position.reducing = ReduceOnlyOrders()
    position.reducing.add(order)
    measure(state, position)


def loses(state: State, order: Order, lots: int) -> None:
    """Such an order lost lots, at its last one it is gone. For `apply` only."""
    position: Position = order.holder
    assert position.reducing is not None
    position.reducing.lose(order, lots)
    if not position.reducing.queue:
        position.reducing = None
    measure(state, position)


def measure(state: State, position: Position) -> None:
    """Note whether the position is less than its reduce-only orders close, and since which record. For `apply` only."""
    if exceeds(position):
        state.exceeding.setdefault(position, state.seq)
    else:
        state.exceeding.pop(position, None)


def exceeds(position: Position) -> bool:
    """Whether the position has reduce-only orders for more than there is to close."""
    orders, held = position.reducing, position.lots
    return orders is not None and bool(orders.beyond(1, held) or orders.beyond(-1, held))
