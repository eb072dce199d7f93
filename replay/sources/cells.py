"""CSV text -> columns of exact integers, a block of whole lines at a time. Needs the extra `columns` (pyarrow).

A block is parsed at once. Only where something in it cannot be read is it looked at row by row, to find out which rows
are to blame; the others are parsed at once again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv
from numpy.typing import NDArray

from replay.sources.report import Report

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

EMPTY = ("", "NaN", "nan", "null", "NULL", "None")
"""What stands for nothing."""

TIME_MAX = 9 * 10**18
"""A time in ns is before this: in the year 2255."""

SECONDS_MAX = TIME_MAX // 10**9
"""The same in s."""

MEND = "correct the line or remove it"


class Cell(Enum):
    """What a column holds. EXACT numbers have at most 8 decimals; FINE ones are rounded to that, half to even. NANO
    ones come in units of 10^-9. IDs beyond 63 bits come as negative numbers.
    """

    TIME = "a time in s, ms, us or ns"
    SECONDS = "a time in s with at most 9 decimals"
    DATE = "a date and time"
    EXACT = "a number with at most 8 decimals"
    FINE = "a number"
    WHOLE = "a whole number"
    NANO = "a number with at most 9 decimals"
    LONG = "a whole number of 64 bits"
    ID = "a whole number from 0 of 64 bits"
    WORD = "a word"


class Field(NamedTuple):
    """A column that is read. Where it is not `needed`, nothing may stand in it, which reads as 0 or an empty word;
    where it `may_lack`, the table need not have it.
    """

    name: str
    cell: Cell
    needed: bool = True
    may_lack: bool = False


class Words(NamedTuple):
    """A column of words: each row has the number of one of the values."""

    codes: Ints
    values: list[str]

    def rows(self, wanted: str) -> Mask:
        """The rows that hold this word."""
        found: Mask = np.isin(self.codes, [n for n, value in enumerate(self.values) if value == wanted])
        return found


class Cells(NamedTuple):
    """Rows of a block by column. Times are ns, numbers units of 10^-8.

    ends: nothing that its last row is part of goes on in the next block.
    """

    lines: Ints
    numbers: dict[str, Ints]
    words: dict[str, Words]
    ends: bool = False

    def of(self, rows: Mask, time: str) -> Cells:
        """Some of the rows, at least one, and whether those of a later time follow in this block."""
        numbers = {name: column[rows] for name, column in self.numbers.items()}
        words = {name: Words(column.codes[rows], column.values) for name, column in self.words.items()}
        return Cells(self.lines[rows], numbers, words, bool(numbers[time][-1] < self.numbers[time].max()))


TYPES = {
    Cell.TIME: pa.int64(),
    Cell.SECONDS: pa.decimal128(38, 9),
    Cell.DATE: pa.timestamp("ns"),
    Cell.EXACT: pa.decimal128(38, 8),
    Cell.FINE: pa.decimal128(38, 18),
    Cell.WHOLE: pa.int64(),
    Cell.NANO: pa.decimal128(38, 9),
    Cell.LONG: pa.int64(),
    Cell.ID: pa.uint64(),
    Cell.WORD: pa.dictionary(pa.int32(), pa.binary()),
}
CLOCKS = (Cell.TIME, Cell.SECONDS)
"""Numbers that are times."""

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_LONG = re.compile(r"-?\d{1,20}", re.ASCII)
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?|"
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]00:?00)", re.ASCII
)  # fmt: skip
_ZONE = re.compile(rb"(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:Z|[+-]00:?00)")
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)


class CsvReader:
    """Reads blocks of lines with these columns, in this order; only the `fields` among them are kept."""

    def __init__(self, columns: Sequence[str], fields: Sequence[Field]) -> None:
        self._columns = list(columns)
        self._fields = [field for field in fields if field.name in columns]
        self._header = [column.encode() for column in columns]
        self._has_dates = any(field.cell is Cell.DATE for field in self._fields)

    def read(self, block: bytes, first_line: int, report: Report) -> Cells:
        """The rows of a block that can be read; why the others cannot goes to the report, which it does not settle."""
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b" ")
        cut = block != b"" and block[-1:] != b"\n"
        lines = np.arange(first_line, first_line + block.count(b"\n") + cut)
        table = self._parse(block, len(lines))
        if table is None or self._any_missing(table):
            bad = self._blame(block, first_line, report)
            rows = [row + b"\n" for n, row in enumerate(block.split(b"\n")[: len(lines)]) if n not in bad]
            lines = np.delete(lines, sorted(bad))
            table = self._parse(b"".join(rows), len(rows))
            if table is None:
                good = self._alone(rows, lines, report)
                lines = lines[good]
                table = self._parse(b"".join(rows[n] for n in good), len(good))
        return cells_of(table, lines, self._fields, report)

    def _alone(self, rows: list[bytes], lines: Ints, report: Report) -> list[int]:
        """The rows that can be read each by itself."""
        good = []
        for n, row in enumerate(rows):
            table = None if row.count(b'"') % 2 else self._parse(row, 1)
            if table is None or self._any_missing(table):
                report.defect(int(lines[n]), "malformed_line", f"cannot be read as a row of a table; {MEND}")
            else:
                good.append(n)
        return good

    def _parse(self, block: bytes, rows: int) -> Any:
        """The table of a block, or None where a row of it cannot be read."""
        if not block:
            return pa.table({field.name: pa.array([], TYPES[field.cell]) for field in self._fields})
        if self._has_dates:
            block = _ZONE.sub(rb"\1", block)
        names = [field.name for field in self._fields]
        how = {field.name: TYPES[field.cell] for field in self._fields}
        try:
            table = pyarrow.csv.read_csv(
                pa.py_buffer(block),
                pyarrow.csv.ReadOptions(use_threads=False, column_names=self._columns, block_size=len(block) + 1),
                pyarrow.csv.ParseOptions(ignore_empty_lines=False),
                pyarrow.csv.ConvertOptions(column_types=how, include_columns=names, null_values=list(EMPTY)),
            )
        except pa.ArrowInvalid:
            return None
        return table if table.num_rows == rows else None

    def _any_missing(self, table: Any) -> bool:
        return any(field.needed and table.column(field.name).null_count for field in self._fields) or any(
            is_out_of_time(table.column(field.name)) for field in self._fields if field.cell in CLOCKS
        )

    def _blame(self, block: bytes, first_line: int, report: Report) -> dict[int, None]:
        """Find out, slowly, which rows cannot be read, and say why."""
        places = [(self._columns.index(field.name), field) for field in self._fields]
        bad: dict[int, None] = {}
        rows = block.split(b"\n")
        for n, row in enumerate(rows if rows[-1] else rows[:-1]):
            cells = _split(row)
            if cells == self._header:
                report.skip("header")
                bad[n] = None
            elif fault := self._fault(cells, places):
                is_cut = n == len(rows) - 1
                cut = ("truncated_line", "the last line is cut off; remove it or fetch the file again")
                report.defect(first_line + n, *(cut if is_cut else fault))
                bad[n] = None
        return bad

    def _fault(self, cells: list[bytes], places: list[tuple[int, Field]]) -> tuple[str, str] | None:
        if len(cells) != len(self._columns):
            return "wrong_columns", f"a row has {len(self._columns)} columns and this one {len(cells)}; {MEND}"
        for place, field in places:
            if fault := misfit(field, cells[place].decode("ascii", "replace")):
                return "odd_field", fault
        return None


def misfit(field: Field, text: str) -> str | None:
    """Why this cannot stand in a field."""
    if (text in EMPTY and field.needed) or (text not in EMPTY and not _FITS[field.cell](text)):
        return f"{field.name} {text!a:.40} is not {field.cell.value}; {MEND}"
    return None


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and abs(Decimal(text)) < 10**18


def _has_places(most: int) -> Callable[[str], bool]:
    """Whether a text is a number that needs no more decimals than these."""
    return lambda text: _is_number(text) and _places(text) <= most


def _is_within(least: int, most: int) -> Callable[[str], bool]:
    """Whether a text is a whole number in these bounds."""
    return lambda text: bool(_LONG.fullmatch(text)) and least <= int(text) <= most


def _places(text: str) -> int:
    """How many decimals a number needs."""
    _, digits, exponent = Decimal(text).as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    return len(kept) - len(digits) - int(exponent) if kept else 0


def _is_time(text: str) -> bool:
    return bool(_WHOLE.fullmatch(text)) and 0 <= int(text) < TIME_MAX


def _is_seconds(text: str) -> bool:
    return _has_places(9)(text) and 0 <= Decimal(text) < SECONDS_MAX


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and 1970 <= datetime.fromisoformat(text[:19]).year < 2255
    except ValueError:
        return False


def _split(row: bytes) -> list[bytes]:
    if b'"' not in row:
        return [cell.strip() for cell in row.split(b",")]
    return [cell.strip().encode("latin-1") for cell in next(csv.reader([row.decode("latin-1")]))]


_FITS: dict[Cell, Callable[[str], object]] = {
    Cell.TIME: _is_time,
    Cell.SECONDS: _is_seconds,
    Cell.DATE: _is_date,
    Cell.EXACT: _has_places(8),
    Cell.FINE: _has_places(18),
    Cell.NANO: _has_places(9),
    Cell.LONG: _is_within(-(1 << 63), (1 << 63) - 1),
    Cell.ID: _is_within(0, (1 << 64) - 1),
    Cell.WHOLE: _WHOLE.fullmatch,
    Cell.WORD: lambda _text: True,
}


def cells_of(table: Any, lines: Ints, fields: Sequence[Field], report: Report) -> Cells:
    """The columns of an Arrow table of these types."""
    numbers: dict[str, Ints] = {}
    words: dict[str, Words] = {}
    for field in fields:
        column = table.column(field.name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        if field.cell is Cell.WORD:
            words[field.name] = _words(column)
        elif field.cell is Cell.TIME:
            numbers[field.name] = nanos(_plain(column))
        elif field.cell in (Cell.DATE, Cell.WHOLE, Cell.LONG):
            numbers[field.name] = _plain(column.cast(pa.int64()))
        elif field.cell is Cell.SECONDS and pa.types.is_integer(column.type):
            numbers[field.name] = _plain(column)
        elif field.cell is Cell.ID:
            numbers[field.name] = column.fill_null(0).to_numpy(zero_copy_only=False).view(np.int64)
        else:
            numbers[field.name] = _units(column, field.cell, report)
    return Cells(lines, numbers, words)


def nanos(times: Ints) -> Ints:
    """Times in whichever unit their size says, as ns."""
    bounds = [times < 10**11, times < 10**14, times < 10**17]
    scaled: Ints = times * np.select(bounds, [10**9, 10**6, 10**3], 1)
    return scaled


def is_out_of_time(column: Any) -> bool:
    """Whether a column of times, whole numbers or decimals of seconds, has one that is none."""
    least, most = compute.min_max(column).values()
    end = TIME_MAX if pa.types.is_integer(column.type) else SECONDS_MAX
    return least.is_valid and not (least.as_py() >= 0 and most.as_py() < end)


def _plain(column: Any) -> Ints:
    plain: Ints = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return plain


def _units(column: Any, cell: Cell, report: Report) -> Ints:
    """Decimals as units of 10^-8. A number beyond 64 bits is one that no instrument takes, below 0."""
    if cell is Cell.FINE:
        rounded = compute.round(column, 8, "half_to_even")
        report.rounded += compute.sum(compute.not_equal(rounded, column)).as_py() or 0
        column = rounded.cast(TYPES[Cell.EXACT])
    buffer = column.buffers()[1]
    if not len(column):
        return np.zeros(0, np.int64)
    halves = np.frombuffer(buffer, "<i8")[2 * column.offset : 2 * (column.offset + len(column))]
    low, high = halves[0::2], halves[1::2]
    units: Ints = np.where(high == low >> 63, low, np.iinfo(np.int64).min)
    if column.null_count:
        units[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return units


def _words(column: Any) -> Words:
    values = [value.decode("ascii", "replace") for value in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    return Words(codes, [*values, ""])
