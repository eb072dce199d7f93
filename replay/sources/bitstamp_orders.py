"""Bitstamp's order and trade events -> what happens to single orders, and prints.

An amount is what is left of the order, also where it is deleted: less than before, and the difference has traded. That
trade may come ahead of it or behind it, or never; what of the two comes second is no news. An order that is priced to
trade at once is announced like any other: it is none of the book's until it has traded, or found nobody for a second.
Source: the venue's "WebSocket API v2", and the documentation of obAnalytics, which reconstructs books from these events
("volume: remaining limit order volume"; events come out of order, and some never).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np

from events.instruments import Instrument
from events.observations import Action
from events.units import SECOND
from replay.sources.bitstamp_log import BOOK, CHANGED, CREATED, DELETED, EVENTS, LEVEL, TRADE
from replay.sources.cells import MEND, TIME_MAX, Cells, Ints, nanos
from replay.sources.order_events import Change, EventRows, Print
from replay.sources.report import Report
from replay.sources.rows import Rows
from replay.sources.sieve import Sieve
from replay.sources.standing import BUY, SELL, Order, Standing

REMEMBERED = 4_096
"""So many orders are remembered that left before they came, or that lost what no trade has told of yet."""

_BUYS, _SELLS = ("buy", "bid", "0", "b"), ("sell", "ask", "1", "s")
T = TypeVar("T")

_FETCH = "fetch the file again"


class Record(NamedTuple):
    """An event. order is the maker's in a trade, side the taker's; lots is what is left of an order, and the price of a
    market order 0; made is when the order was, ns, 0 for not stated.
    """

    line: int
    at: int
    transacted: int
    event: int
    side: int
    price: int
    lots: int
    order: int
    made: int


class Orders:
    """The events of one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._report = Report("", strict=False)
        self._rows = EventRows()
        self._book = Standing()
        self._held: dict[int, Order] = {}
        self._left: dict[int, None] = {}
        self._untold: dict[int, int] = {}
        self._began_at = self._whole_at = 0
        self._prints: list[Print] = []
        self._handle: dict[int, Callable[[Record], Iterator[Change]]] = {
            CREATED: self._created, CHANGED: self._changed, DELETED: self._deleted, TRADE: self._traded,
            BOOK: self._opened, LEVEL: self._level,
        }  # fmt: skip

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """The rows of a block: a line is an event."""
        self._report = report
        for _, lines in groupby(_records(cells, self._instrument, report), lambda record: record.line):
            self._event(list(lines))
        yield from self._rows.take()

    def finish(self) -> Iterator[Rows]:
        """Nothing: no line waits for another."""
        return iter(())

    def _event(self, records: list[Record]) -> None:
        first, changes = records[0], list[Change]()
        if not self._began_at:
            self._began_at = first.at
            changes.append(self._book.clear())
        if first.event != BOOK and first.transacted <= self._whole_at:
            self._report.skip("before_snapshot")
            return
        for record in records:
            changes += self._handle[record.event](record)
        changes += self._settled(first)
        self._rows.add(first.line, first.at, first.transacted or first.at, self._prints, changes)
        self._prints = []

    def _settled(self, record: Record) -> Iterator[Change]:
        """What was to trade at once, and is part of the book now: it crosses nothing any more, or found nobody."""
        for number, order in list(self._held.items()):
            if record.at > order.since + SECOND or not self._book.crosses(order):
                del self._held[number]
                if order.price:
                    yield self._book.add(number, order)

    # Events

    def _opened(self, record: Record) -> Iterator[Change]:
        self._whole_at = record.transacted
        self._held.clear()
        yield self._book.clear()

    def _level(self, record: Record) -> Iterator[Change]:
        if record.lots:
            yield self._book.add(record.order, _order(record))

    def _created(self, record: Record) -> Iterator[Change]:
        number, order = record.order, _order(record)
        if number in self._left:
            del self._left[number]
            self._report.skip("order_left_before")
        elif number in self._book.orders:
            self._tell(record, "known_order", f"order {number} is created and was there; {MEND}")
            yield self._book.add(number, order)
        elif self._book.crosses(order):
            self._held[number] = order
        else:
            yield self._book.add(number, order)

    def _changed(self, record: Record) -> Iterator[Change]:
        number, order = record.order, _order(record)
        if not record.lots:
            yield from self._deleted(record)
        elif number in self._held:
            order.since = self._held[number].since
            self._held[number] = order
        elif (was := self._book.orders.get(number)) is None:
            yield from self._unnamed(record)
            yield self._book.add(number, order)
        elif (was.price, was.lots) != (order.price, order.lots):
            self._remember(number, was.lots - order.lots)
            yield self._book.add(number, order)

    def _deleted(self, record: Record) -> Iterator[Change]:
        number = record.order
        if number in self._held:
            del self._held[number]
        elif (was := self._book.orders.get(number)) is not None:
            self._remember(number, was.lots - record.lots)
            yield from self._book.drop(number)
        else:
            yield from self._unnamed(record)
            _keep(self._left, number, None)

    def _unnamed(self, record: Record) -> Iterator[Change]:
        """An order of which nothing was told before: from before the file, or something is missing."""
        if 0 < record.made < self._began_at // SECOND * SECOND:
            self._report.skip("order_from_before")
        elif (record.side, record.price) not in self._book.unnamed:
            what = "deleted" if record.event == DELETED else "changed"
            self._tell(record, "unknown_order", f"order {record.order} is {what} and was not there; {_FETCH}")
        if gone := self._book.take_unnamed(record.side, record.price, record.lots):
            yield Change(Action.REDUCE, record.order, record.side, record.price, gone)

    def _traded(self, record: Record) -> Iterator[Change]:
        """A print. It names the maker where the book has it still, or volume known by size only that it was part of."""
        number, side, price, lots = record.order, -record.side, record.price, record.lots
        told = self._untold.pop(number, 0)
        order, named = self._book.orders.get(number), 0
        if told > lots:
            self._untold[number] = told - lots
        elif not told and order is not None and order.side == side:
            named = number
            order.lots = max(order.lots - lots, 0)
        elif not told and self._book.unnamed.get((side, price), 0) >= lots:
            named = number
            self._book.take_unnamed(side, price, lots)
        self._prints.append(Print(record.line, price, lots, record.side, named))
        return iter(())

    def _remember(self, number: int, lots: int) -> None:
        """An order lost lots of which no trade has told yet."""
        if lots > 0:
            _keep(self._untold, number, self._untold.pop(number, 0) + lots)

    def _tell(self, record: Record, reason: str, what: str) -> None:
        self._report.defect(record.line, reason, f"{self._instrument.id}: {what}")


def _order(record: Record) -> Order:
    return Order(record.side, record.price, record.lots, record.at)


def _keep(kept: dict[int, T], number: int, value: T) -> None:
    """Remember something of an order, and forget the oldest where that is too much."""
    kept[number] = value
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]


# Reading


def _records(cells: Cells, instrument: Instrument, report: Report) -> Iterator[Record]:
    """The events of a block that can be used, in their order."""
    sieve, numbers = Sieve(cells, instrument, report), cells.numbers
    event, side = (_numbered(cells, name, words) for name, words in (("event_type", _EVENTS), ("side", _SIDES)))
    sieve.refuse(event < 0, "odd_field", f"event_type is none of {' '.join(EVENTS[:TRADE])}; {MEND}")
    sieve.refuse((side == 0) & (event != BOOK), "odd_field", f"side is neither buy nor sell; {MEND}")
    price, lots = sieve.prices("price", 0), sieve.sizes("amount", 0)
    sieve.leave_out((event == TRADE) & ((price == 0) | (lots == 0)), "trade_zero")
    sieve.leave_out((event == CREATED) & (lots == 0), "order_of_nothing")
    at = numbers["at" if "at" in numbers else "timestamp_millis"]
    transacted = numbers.get("transacted", at)
    columns = (cells.lines, at, transacted, event, side, price, lots, numbers["order_id"], _made(cells))
    return map(Record._make, zip(*(column[sieve.good].tolist() for column in columns), strict=True))


def _numbered(cells: Cells, name: str, words: dict[str, int]) -> Ints:
    """A column of words as what they stand for."""
    column = cells.words[name]
    return np.array([words.get(value.lower(), words[""]) for value in column.values], np.int64)[column.codes]


_EVENTS = {"": -1} | {name: n for n, name in enumerate(EVENTS)}
_EVENTS |= {name.removeprefix("order_"): n for n, name in enumerate(EVENTS[:TRADE])}
_SIDES = {"": 0} | dict.fromkeys(_BUYS, BUY) | dict.fromkeys(_SELLS, SELL)


def _made(cells: Cells) -> Ints:
    """When orders were made, ns; 0 where it is not stated."""
    if (stated := cells.numbers.get("made")) is not None:
        return stated
    if (words := cells.words.get("order_datetime")) is None:
        return np.zeros(len(cells.lines), np.int64)
    return np.array([_time(value) for value in words.values], np.int64)[words.codes]


def _time(text: str) -> int:
    if text.isdecimal():
        return int(nanos(np.array([int(text)]))[0]) if int(text) < TIME_MAX else 0
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return 0
    made = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * SECOND
    return made if made < TIME_MAX else 0
