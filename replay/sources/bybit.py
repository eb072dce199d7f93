"""Bybit's order book archives (ob500) and recordings of its order book stream: a JSON message a line.

Source of the fields and rules: the venue's "WebSocket Stream: Orderbook" documentation. A snapshot begins the book
anew; the id `u` of a delta follows that of the message before. Times are milliseconds: `ts` when the message was made,
`cts` when the book was so.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec import Struct

from replay.sources.binance_messages import UNREADABLE, Diff, Id, Level, Message, Millis, Snapshot, Unused

NAME = "Bybit order book (JSON lines of `orderbook.*` messages, ob500)"

_FIRST_WORDS = re.compile(rb'\s*\{\s*"topic"\s*:\s*"orderbook\.')


class _Book(Struct, gc=False):
    """The levels of a message."""

    symbol: str = msgspec.field(name="s")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    last_id: Id = msgspec.field(name="u")


class _Told(Struct, gc=False):
    """A message, whatever its topic."""

    topic: str
    type: Literal["snapshot", "delta"]
    ts: Millis
    data: _Book
    cts: Millis = 0


_DECODE = msgspec.json.Decoder(_Told, strict=False).decode


def is_books(lines: list[bytes]) -> bool:
    """Whether these lines from the start of a file look like order book messages."""
    return any(_FIRST_WORDS.match(line) for line in lines)


def read_line(line: bytes) -> tuple[int, Message | Unused]:
    """The time of a line in ns, and its message, or why it gives no row."""
    try:
        told = _DECODE(line)
    except msgspec.ValidationError as error:
        return 0, Unused("odd_field", f"{error}; correct the line or remove it")
    except UNREADABLE as error:
        return 0, Unused("malformed_json", f"{error}; remove the line or fetch the file again")
    return told.ts * 10**6, _message(told)


def _message(told: _Told) -> Message:
    book, at = told.data, told.ts
    transacted = told.cts or at
    if told.type == "snapshot":
        return Snapshot(book.symbol, at, transacted, book.last_id, book.last_id, book.bids, book.asks)
    return Diff(book.symbol, at, book.last_id, book.last_id, book.bids, book.asks, max(book.last_id - 1, 0), transacted)
