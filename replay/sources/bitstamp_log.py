"""Recordings of Bitstamp's order and trade streams, `<local ms> <event> <json>` a line -> rows of orders.

Source of the fields: the venue's "WebSocket API v2", channels live_orders (id, order_type 0 buy 1 sell, price, amount,
datetime, microtimestamp), live_trades (type 0 buy 1 sell, buy_order_id, sell_order_id) and order_book (bids and asks as
price and amount, in detail with the id of the order).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec
import numpy as np
from msgspec import Meta, Struct

from events.units import UNIT
from replay.sources.binance_messages import UNREADABLE, Unused
from replay.sources.cell_files import BLOCK
from replay.sources.cells import TIME_MAX, Cells, Words, nanos
from replay.sources.files import Lines
from replay.sources.report import Report
from replay.sources.tables import Layout

EVENTS = ("order_created", "order_changed", "order_deleted", "trade", "order_book", "level")
"""What a row is; a book is a row of its own, and one for each of its levels."""

CREATED, CHANGED, DELETED, TRADE, BOOK, LEVEL = range(6)
SIDES = ("buy", "sell")

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Micros = Annotated[int, Meta(ge=0, le=TIME_MAX // 1000)]
Side = Annotated[int, Meta(ge=0, le=1)]

_LINE = re.compile(rb"(\d{9,19}) ([A-Za-z_:]+) (.*)", re.DOTALL)


class Row(NamedTuple):
    """A row of orders. at and made are times of any unit, transacted is ns, 0 stands for not stated; numbers are units
    of 10^-8. Of a trade the side is the taker's, the order the maker's.
    """

    event: int
    side: int
    at: int
    transacted: int
    order: int
    price: int
    amount: int
    made: int = 0


class _Order(Struct):
    id: Id
    order_type: Side
    price: Decimal
    amount: Decimal
    price_str: Decimal | None = None
    amount_str: Decimal | None = None
    datetime: Annotated[int, Meta(ge=0, le=TIME_MAX)] = 0
    microtimestamp: Micros = 0


class _Trade(Struct):
    price: Decimal
    amount: Decimal
    type: Side
    price_str: Decimal | None = None
    amount_str: Decimal | None = None
    buy_order_id: Id = 0
    sell_order_id: Id = 0
    microtimestamp: Micros = 0


class _Book(Struct):
    bids: list[list[Decimal]]
    asks: list[list[Decimal]]
    microtimestamp: Micros = 0


T = TypeVar("T", _Order, _Trade, _Book)


class _Told(Struct):
    data: msgspec.Raw = msgspec.Raw()


_TOLD = msgspec.json.Decoder(_Told)


def read_line(line: bytes) -> list[Row] | Unused:
    """The rows of a line, or why it gives none."""
    match = _LINE.match(line)
    if not match or int(match[1]) >= TIME_MAX:
        return Unused("malformed_line", "is not `<time> <event> <json>`; remove the line")
    at, event = int(match[1]), match[2].decode()
    if event not in EVENTS[:LEVEL]:
        return Unused(f"stream_{event[:32]}")
    try:
        told = _TOLD.decode(match[3]).data
        return _rows(event, at, bytes(told) or match[3])
    except msgspec.ValidationError as error:
        return Unused("odd_field", f"{event}: {error}; correct the line or remove it")
    except UNREADABLE as error:
        return Unused("malformed_json", f"{error}; remove the line or fetch the file again")


def _rows(event: str, at: int, json: bytes) -> list[Row]:
    if event == EVENTS[BOOK]:
        return _book(at, _decode(json, _Book))
    if event == EVENTS[TRADE]:
        trade = _decode(json, _Trade)
        maker = trade.buy_order_id if trade.type else trade.sell_order_id
        return [Row(TRADE, trade.type, at, trade.microtimestamp * 1000, maker, *_numbers(trade))]
    order = _decode(json, _Order)
    transacted = order.microtimestamp * 1000
    return [Row(EVENTS.index(event), order.order_type, at, transacted, order.id, *_numbers(order), order.datetime)]


def _decode(json: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(json, type=kind, strict=False)


def _book(at: int, book: _Book) -> list[Row]:
    transacted = book.microtimestamp * 1000
    rows = [Row(BOOK, 0, at, transacted, 0, 0, 0)]
    for side, levels in enumerate((book.bids, book.asks)):
        for level in levels:
            if len(level) not in (2, 3):
                raise msgspec.ValidationError(f"a level has {len(level)} numbers")
            number = int(level[2]) if level[2:] else 0
            rows.append(Row(LEVEL, side, at, transacted, number, _units(level[0]), _units(level[1])))
    return rows


def _numbers(said: _Order | _Trade) -> tuple[int, int]:
    return _units(said.price_str or said.price), _units(said.amount_str or said.amount)


def _units(number: Decimal) -> int:
    """A number in units of 10^-8. Raises ValidationError."""
    units = number.scaleb(8) if number.is_finite() else Decimal(-1)
    if units != int(units) or not 0 <= units < UNIT * 10**10:
        raise msgspec.ValidationError(f"{number} is no number from 0 with at most 8 decimals")
    return int(units)


class LogFile:
    """A recording as a table. Books after the first are left out, unless they say the ids of their orders."""

    def __init__(self, path: Path, _layout: Layout, report: Report) -> None:
        self._file = Lines(path)
        self._report = report
        self._is_open = False

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def __iter__(self) -> Iterator[Cells]:
        """The rows, in portions of bounded size. Raises SourceError where the file cannot be opened or read."""
        report, rows, lines, size = self._report, list[Row](), list[int](), 0
        for number, line in enumerate(self._file, 1):
            report.lines = number
            found = self._read(line)
            rows += found
            lines += [number] * len(found)
            size += len(line)
            if size >= BLOCK:
                yield _cells(rows, lines)
                rows, lines, size = [], [], 0
        yield _cells(rows, lines)
        if self._file.damage:
            what = f"{self._file.damage}; fetch the file again"
            report.defect(report.lines + 1, f"damaged_{self._file.packing}", what)

    def _read(self, line: bytes) -> list[Row]:
        report = self._report
        found = read_line(line)
        if isinstance(found, Unused):
            if not found.what:
                report.skip(found.reason)
            elif line.endswith(b"\n"):
                report.defect(report.lines, found.reason, found.what)
            else:
                what = "the last line is cut off; remove it or fetch the file again"
                report.defect(report.lines, "truncated_line", what)
            return []
        if found[0].event == BOOK:
            if self._is_open and not all(row.order for row in found[1:]):
                report.skip("order_book_again")
                return []
            self._is_open = True
        return found


def _cells(rows: list[Row], lines: list[int]) -> Cells:
    columns = np.array(rows, np.int64).reshape(-1, len(Row._fields)).T
    event, side, at, transacted, order, price, amount, made = columns
    at = nanos(at)
    transacted = np.where((transacted > 0) | (event == BOOK), transacted, at)
    named = {"at": at, "transacted": transacted, "made": nanos(made)}
    named |= {"order_id": order, "price": price, "amount": amount}
    words = {"event_type": Words(event, list(EVENTS)), "side": Words(side, list(SIDES))}
    return Cells(np.array(lines, np.int64), named, words)
