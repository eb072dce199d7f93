"""How a book opens in a capture: which symbol a depth body is for, and which diffs follow it.

The venue's rule ("How to manage a local order book correctly"): load the depth body, drop diffs with u < lastUpdateId,
apply the rest. A recorder subscribes first and asks for the body then, so diffs stand before it in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from replay.sources.binance_columns import Row
from replay.sources.binance_messages import UNREADABLE, Diff, Snapshot, read_line
from replay.sources.report import Report

LINES_AHEAD = 10_000
"""So many lines at the start are searched for depth bodies ..."""

BYTES_AHEAD = 1 << 26
"""... or bytes, if that is less."""


class _Named(msgspec.Struct):
    s: str


class _Envelope(msgspec.Struct):
    data: _Named


_PEEK = msgspec.json.Decoder(_Envelope).decode


class Opening:
    """What the start of a file says about its books."""

    def __init__(self, head: list[bytes]) -> None:
        self._symbols: set[str] = set()
        self._opens_at: dict[str, int] = {}
        bodies = [number for number, line in enumerate(head, 1) if b'"lastUpdateId"' in line]
        if bodies:
            for line in head:
                self.saw(_symbol_of(line))
        for number in bodies:
            _, body = read_line(head[number - 1])
            if isinstance(body, Snapshot) and (symbol := self.symbol_of(body)):
                self._opens_at.setdefault(symbol, number)

    def saw(self, symbol: str) -> None:
        """Take note of a symbol of the file. More than one is as good as many."""
        if symbol and len(self._symbols) < 2:
            self._symbols.add(symbol)

    def symbol_of(self, body: Snapshot) -> str:
        """The symbol that a depth body is for: its own, else the only one of the file; empty where none can be told."""
        if body.symbol or len(self._symbols) != 1:
            return body.symbol
        return min(self._symbols)

    def in_venue_order(self, rows: Iterable[Row], report: Report) -> Iterator[Row]:
        """The rows as a book takes them: diffs from before the body follow it, at its time; older ones are left out."""
        held: dict[str, list[tuple[int, Row]]] = {}
        opened: dict[str, int] = {}
        for row in rows:
            message = row.message
            if isinstance(message, Snapshot):
                yield row
                opened[message.symbol] = message.last_id
                for last_id, early in held.pop(message.symbol, ()):
                    if last_id < message.last_id:
                        report.skip("before_snapshot")
                    else:
                        yield Row(early.line, row.at, early.message)
            elif not isinstance(message, Diff):
                yield row
            elif row.line < self._opens_at.get(message.symbol, 0):
                held.setdefault(message.symbol, []).append((message.last_id, row))
            elif message.last_id < opened.get(message.symbol, 0):
                report.skip("before_snapshot")
            else:
                opened.pop(message.symbol, None)
                yield row
        assert not held, "a body that was seen ahead did not come"


def head_of(lines: Iterator[bytes]) -> list[bytes]:
    """The lines to look ahead at."""
    head: list[bytes] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line)
        if len(head) >= LINES_AHEAD or size >= BYTES_AHEAD:
            break
    return head


def _symbol_of(line: bytes) -> str:
    try:
        return _PEEK(line.partition(b" ")[2]).data.s
    except UNREADABLE:
        return ""
