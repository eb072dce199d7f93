"""Which markets have trades and no book, and what fills orders there unless the user says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.commands import SessionOptions, TradeFills
from events.instruments import InstrumentId
from exchange.core.contract import Contract
from exchange.core.matching.made_up import BOOKLESS, PRINT
from replay.sources import Source
from replay.sources.bars import Bars
from replay.streams import beginning


def trade_fills(sources: Iterable[Source]) -> TradeFills:
    """Trades through the price of an order, where the beginnings of the sources show trades of an instrument and
    nothing of a book; else what the book says.
    """
    traded: dict[InstrumentId, None] = {}
    booked: dict[InstrumentId, None] = {}
    for chunk in (chunk for source in sources for chunk in beginning(source)):
        if PRINT in chunk.kind:
            traded[chunk.instrument] = None
        if any(kind not in BOOKLESS for kind in chunk.kind):
            booked[chunk.instrument] = None
    return TradeFills.THROUGH if any(name not in booked for name in traded) else TradeFills.BOOK


def without_made_up_books(sources: Sequence[Source]) -> None:
    """Let bars make no books, so that only trades along their path fill orders."""
    for source in sources:
        if isinstance(source, Bars):
            source.makes_books = False


def settled(options: SessionOptions, sources: Sequence[Source], is_said: bool) -> SessionOptions:
    """The options with what fills orders, found out where it is not said."""
    if not is_said:
        return options.__replace__(trade_fills=trade_fills(sources))
    if options.trade_fills is not TradeFills.BOOK:
        without_made_up_books(sources)
    return options


def has_no_book(contract: Contract) -> bool:
    """Whether history traded there and never stated a book."""
    feed, book = contract.feed, contract.book
    return feed.prints > 0 and (book.by_trades or not (feed.stated or feed.last_id))
