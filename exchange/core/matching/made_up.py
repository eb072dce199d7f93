"""The book of an instrument of which history has trades only: made up of the last one, for takers to trade with.

It has one level a side, a tick apart, each as deep as the trade was large: the trade is at its best ask if it was
bought, at its best bid if it was sold, as in the books that are made up around bars. How much more could have been
traded nobody knows, so there is no more. No resting order trades with it: those wait for history's trades.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import MARKET
from events.observations import Kind, Observations
from exchange.core.book import Book, BookSide, Level

PRINT = int(Kind.PRINT)
BOOKLESS = (PRINT, int(Kind.TICKER), int(Kind.MARK))


def make_way(book: Book, kinds: list[int]) -> None:
    """Where one of the rows to come is of a book, history has one after all: what was made up is gone, and nothing is
    known until that row is applied. For `apply` only.
    """
    if any(kind not in BOOKLESS for kind in kinds):
        _state(book.bids, {})
        _state(book.asks, {})
        book.by_trades = False
        book.stale = True


def follow(book: Book, columns: Observations, first: int, last: int) -> None:
    """Make the book up of the last trade among these rows, if there is one. For `apply` only."""
    for row in range(last, first - 1, -1):
        if columns.kind[row] == PRINT:
            i = columns.index[row]
            price, lots, side = columns.print_price[i], columns.print_lots[i], columns.print_side[i]
            bid, ask = (price - 1, price) if side > 0 else (price, price + 1)
            _state(book.bids, {bid: lots} if bid else {})
            _state(book.asks, {ask: lots})
            book.stale = False
            return


def reached(book: Book, price: int, touches: bool) -> Iterator[Level]:
    """The traders' orders that a trade at this price goes through, best first; where touching is enough, those at it
    too. Nobody knows what stands ahead of them.
    """
    for side in (book.bids, book.asks) if not book.shut else ():
        for level_price in side.own_prices():
            beyond = (level_price - price) * side.sign
            if beyond < 0 or not (beyond or touches):
                break
            yield side.levels[level_price]


def _state(side: BookSide, stated: dict[int, int]) -> None:
    before = side.history.stated
    side.history.state_all(stated)
    side.history.taken.clear()
    for price in {**before, **stated}:
        if (level := side.levels.get(price)) is not None:
            _restate(level, price, side.sign, stated.get(price, 0))


def _restate(level: Level, price: int, sign: int, lots: int) -> None:
    """MARKET has exactly so much, behind the traders' orders."""
    for entry in [entry for entry in level.queue if entry.lots and entry.account == MARKET]:
        level.shrink(entry, entry.lots)
    if lots:
        level.add_market(price, sign, lots)
