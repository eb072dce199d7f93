"""Orders, fills with what they realised, and income of every account: folded from batches and from nothing else.

It tracks positions itself, so that each fill's realised PnL is that of the core. Of each account the newest ended
orders, fills and entries of income are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import TypeVar

import msgspec

from events.commands import AccountId
from events.instruments import Leg, RulePack, position_name
from gateway.serving.blotter_book import KEPT_MAX, AccountBook, Rows
from gateway.serving.blotter_fold import FOLD, Folding
from gateway.serving.blotter_rows import Amendment, Fill, Held, Income, Move, OrderRow
from gateway.serving.models import Moment

__all__ = ["Amendment", "Blotter", "Fill", "Held", "Income", "Move", "OrderRow"]

Row = TypeVar("Row", OrderRow, Fill, Income, Move, Amendment)


class Blotter:
    """The read model of what accounts did. Times are session time, ns; numbers are those of the core."""

    name = "blotter"
    version = 1

    def __init__(self, pack: RulePack, kept_max: int = KEPT_MAX) -> None:
        self._folding = Folding(pack, kept_max)
        self._kept_max = kept_max
        self._books = self._folding.books

    # As a model

    def fold(self, moment: Moment) -> None:
        """Take a batch into account."""
        folding, batch = self._folding, moment.batch
        folding.batch = batch
        for record in batch.records:
            if (fold := FOLD.get(type(record.message))) is not None:
                fold(folding, record.seq, record.message)
        if folding.forced:
            folding.end_forced()

    def dump(self) -> bytes:
        """All that is kept."""
        return msgspec.json.encode({name: book.rows() for name, book in self._books.items()})

    def load(self, data: bytes) -> None:
        """Hold what was dumped."""
        rows = msgspec.json.decode(data, type=dict[AccountId, Rows])
        self._books.clear()
        self._books.update((name, AccountBook.of(kept, self._kept_max)) for name, kept in rows.items())

    # What it knows

    def order(self, account: AccountId, number: int) -> OrderRow | None:
        """The order of that number, as long as it is kept."""
        book = self._books.get(account)
        return book.orders.get(number) if book else None

    def by_client(self, account: AccountId, client: str, instrument: str | None = None) -> OrderRow | None:
        """The newest order with that client id."""
        book = self._books.get(account)
        if book is None or (number := book.clients.get(client)) is None:
            return None
        row = book.orders[number]
        return row if instrument is None or row.instrument == instrument else None

    def open_orders(self, account: AccountId, instrument: str | None = None) -> list[OrderRow]:
        """What is open or waits, oldest first."""
        book = self._books.get(account)
        return _of(book.open.values(), instrument) if book else []

    def orders(self, account: AccountId, instrument: str | None = None) -> list[OrderRow]:
        """All orders that are kept, oldest first."""
        book = self._books.get(account)
        return _of(book.orders.values(), instrument) if book else []

    def fills(self, account: AccountId, instrument: str | None = None) -> list[Fill]:
        """Fills, oldest first."""
        book = self._books.get(account)
        return _of(book.fills, instrument) if book else []

    def fills_since(self, account: AccountId, seq: int) -> list[Fill]:
        """The fills of that record and later ones, oldest first."""
        book = self._books.get(account)
        found = takewhile(lambda fill: fill.id >= seq, reversed(book.fills)) if book else ()
        return list(found)[::-1]

    def income(self, account: AccountId, instrument: str | None = None) -> list[Income]:
        """What wallets gained and lost, oldest first."""
        book = self._books.get(account)
        return _of(book.income, instrument) if book else []

    def moves(self, account: AccountId, instrument: str | None = None) -> list[Move]:
        """Moves of margin, oldest first."""
        book = self._books.get(account)
        return _of(book.moves, instrument) if book else []

    def amendments(self, account: AccountId, instrument: str | None = None) -> list[Amendment]:
        """What orders were amended to, oldest first."""
        book = self._books.get(account)
        return _of(book.amendments, instrument) if book else []

    def held(self, account: AccountId, instrument: str, leg: Leg = Leg.NET) -> Held:
        """The position as its fills made it."""
        book = self._books.get(account)
        return (book.held.get(position_name(instrument, leg)) if book else None) or Held()


def _of(rows: Iterable[Row], instrument: str | None) -> list[Row]:
    return [row for row in rows if instrument is None or row.instrument == instrument]
