"""Orders of history among traders' orders: where a trader rests, each of them is a segment of the level's queue.

Where nobody rests, `History` keeps its orders as numbers, in their turn; volume that is known by size only stands ahead
of them, and what traders took is from the front.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from events.commands import MARKET

if TYPE_CHECKING:
    from exchange.core.book import BookSide, Level
    from exchange.core.history import History


def unnamed(history: History, price: int) -> int:
    """The lots at a price that are known by size only."""
    return history.stated.get(price, 0) - sum(history.queues.get(price, {}).values())


def line_up(side: BookSide, level: Level, price: int) -> None:
    """A trader is the first to rest at a price of which orders are known: each becomes a segment, as much of it as is
    left.
    """
    history = side.history
    taken = history.taken.get(price, 0)
    for number, lots in chain([(0, unnamed(history, price))], history.queues[price].items()):
        if lots > taken:
            segment = level.append_market(price, side.sign, lots - taken, number)
            if number:
                history.segments[number] = segment
        taken = max(0, taken - lots)


def refill(side: BookSide, level: Level, price: int, lots: int) -> None:
    """So many lots that traders took of a level's segments are there again: those of orders, the last one first, then
    those of which only the size is known.
    """
    history = side.history
    for number, had in reversed(history.queues[price].items()):
        segment = history.segments.get(number)
        missing = min(lots, had - (segment.lots if segment else 0))
        lots -= missing
        if segment is not None and segment.lots:
            segment.lots += missing
            level.market += missing
        elif missing:
            history.segments[number] = level.prepend_market(price, side.sign, missing, number)
    missing = min(lots, unnamed(history, price) - sum(e.lots for e in level.of_market() if not e.number))
    front = level.first()
    if front.account == MARKET and not front.number:
        front.lots += missing
        level.market += missing
    elif missing:
        level.prepend_market(price, side.sign, missing)
