"""Icebergs: orders of which the book shows a part at a time.

The part that an iceberg shows stands in the queue like any order. Once it is used up the next one joins at the back, so
that it has the time priority of that moment. No trade takes more of an order than it shows: what happens to the parts
follows from the trades. Source: CME Globex, "Display Quantity"; Kraken, "Iceberg Orders".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchange.core.book import BookSide, Level, Order


def show(order: Order) -> None:
    """The order shows its next part, all that is open of it at most."""
    order.shown = min(order.visible, order.lots)


def traded(side: BookSide, order: Order, lots: int) -> None:
    """So many lots of what an iceberg shows have just traded; where that was all the next part joins the queue."""
    if not order.lots:
        return
    order.shown -= lots
    if not order.shown:
        show(order)
        _to_back(side.levels[order.price], order)


def _to_back(level: Level, order: Order) -> None:
    """The order, which is the first of the traders' or one of few behind it, goes to the back of the queue."""
    level.first()  # without the dead ahead of it, which a long uncrossing leaves many of, its place is found at once
    queue = level.queue
    del queue[next(place for place, entry in enumerate(queue) if entry is order)]
    queue.append(order)


def parts_behind(hidden: Iterable[tuple[Order, int]]) -> Iterator[tuple[Order, int]]:
    """What icebergs of a level, as they stand in its queue, show once all that it shows is used up: (order, lots) one
    after the other, of each no more than so many lots.
    """
    left = [(order, lots) for order, lots in hidden if lots > 0]
    while left:
        for order, lots in left:
            yield order, min(order.visible, lots)
        left = [(order, lots - order.visible) for order, lots in left if lots > order.visible]
