"""Bars (klines, candles) as text: rows of CSV or JSON, and what each of them says.

Source of the columns: the venue's "Kline/Candlestick Data" and "Mark Price Kline" documentation, and its archives. A
row has the first six of them, or all twelve:

    open time, open, high, low, close, volume,
    close time, quote volume, number of trades, taker's buy volume, taker's buy quote volume, ignore

The unit of a time (s, ms, us or ns) follows from its size; rows of six columns may have a date
instead. The bars of a mark price have no volume, but a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from events.units import SECOND
from replay.sources.binance_messages import Unused

SHORT, LONG = 6, 12
"""So many columns has a row."""

ROW_MAX = 4_096
"""A longer row of JSON is none."""

TIME_MAX = 9 * 10**18
"""A time in ns is before this: in the year 2255."""

_NAMES = ("open time", "open", "high", "low", "close", "volume", "close time", *(["field"] * 5))
_UNITS = {10: SECOND, 13: 10**6, 16: 10**3, 19: 1}
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,2})?", re.ASCII)
_TIME = rb'\s*"?(\d{10}|\d{13}|\d{16}|\d{19})"?\s*'
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_CELLS = rb'(,\s*"?[+-]?[\d.]+([eE][+-]?\d+)?"?\s*)'
_CSV_ROW = re.compile(_TIME + b"(" + _CELLS + b"{5}|" + _CELLS + b"{11})$")
_JSON_START = re.compile(rb"\s*\[\s*\[" + _TIME + b",")
_JSON_ROW = re.compile(rb"\[([^\[\]]*)\]")
_MEND = "correct the line or remove it"


class Bar(NamedTuple):
    """One row. opened, until: ns, from and before; `until` is 0 where the row has no close time.

    prices are open, high, low and close.
    """

    line: int
    opened: int
    until: int
    prices: tuple[str, str, str, str]
    volume: str
    is_mark: bool


def is_bars(lines: list[bytes]) -> bool:
    """Whether these lines from the start of a file look like bars."""
    is_csv = any(_is_header(_cells(line)) or _CSV_ROW.match(line.strip()) for line in lines)
    return is_csv or bool(_JSON_START.match(b"".join(lines[:3])))


def is_json(start: bytes) -> bool:
    """Whether the first line of a file of bars is JSON."""
    return start.lstrip()[:1] == b"["


def rows_of(lines: Iterable[bytes], is_json: bool) -> Iterator[bytes]:
    """The rows, lines of CSV or arrays of JSON, each with a newline at its end; what is cut off may lack it."""
    return _json_rows(iter(lines)) if is_json else iter(lines)


def read_row(line: int, row: bytes) -> Bar | Unused:
    """What a row says."""
    cells = _cells(row)
    if _is_header(cells):
        return Unused("header")
    if len(cells) not in (SHORT, LONG):
        return Unused("wrong_columns", f"a bar has {SHORT} or {LONG} columns and this row {len(cells)}; {_MEND}")
    if len(cells) == SHORT and (opened := _dated(cells[0])):
        cells[0] = str(opened)
    for name, cell in zip(_NAMES, cells, strict=False):
        if not _NUMBER.fullmatch(cell):
            return Unused("odd_field", f"{name} {cell!a:.40} is not a number; {_MEND}")
    for n in (0, *([6] if len(cells) == LONG else [])):
        if _nanos(cells[n]) is None:
            return Unused("odd_field", f"{_NAMES[n]} {cells[n]!a:.40} is not a time in s, ms, us or ns; {_MEND}")
    return _bar(line, cells)


def _bar(line: int, cells: list[str]) -> Bar | Unused:
    opened, until, is_mark = _nanos(cells[0]) or 0, 0, False
    if len(cells) == LONG:
        until = (_nanos(cells[6]) or 0) + _UNITS[len(cells[6])]
        if until < opened + SECOND:
            return Unused("odd_field", f"the close time {cells[6]} is not a second after the open time; {_MEND}")
        is_mark = not Decimal(cells[5]) and Decimal(cells[8]) > 0
    start, high, low, close, volume = map(_plain, cells[1:6])
    return Bar(line, opened, until, (start, high, low, close), volume, is_mark)


def _json_rows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The inner arrays of an array of arrays, however it is broken into lines."""
    rest = next(pieces, b"").lstrip()[1:]
    for piece in chain([b""], pieces):
        rest += piece
        end = 0
        for match in _JSON_ROW.finditer(rest):
            yield match[1].replace(b"\n", b" ") + b"\n"
            end = match.end()
        rest = rest[end:]
        if len(rest) > ROW_MAX:
            yield b"\n"
            rest = b""
    if rest.strip() != b"]":
        yield rest.strip(b" ,\r\n")


def _cells(row: bytes) -> list[str]:
    return [cell.strip(' "\t\r\n') for cell in row.decode("ascii", "replace").split(",")]


def _is_header(cells: list[str]) -> bool:
    """Whether these are names of columns, whatever the first one is called."""
    return tuple(cell.lower() for cell in cells[1:SHORT]) == _NAMES[1:SHORT]


def _nanos(text: str) -> int | None:
    unit = _UNITS.get(len(text)) if text.isdecimal() else None
    return int(text) * unit if unit and int(text) * unit < TIME_MAX else None


def _dated(text: str) -> int:
    """A date as ns, UTC where it does not say; 0 where it is none, or one that no file of history has."""
    try:
        at = datetime.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return 0
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp()) * SECOND if at and 2001 < at.year < 2255 else 0


def _plain(cell: str) -> str:
    """The number without exponent."""
    return f"{Decimal(cell):f}" if "e" in cell.lower() else cell
