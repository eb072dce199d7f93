"""Parquet as a file of cells. Its lines are its rows. Needs the extra `columns` (pyarrow)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet

from replay.sources import columns
from replay.sources.cells import CLOCKS, EMPTY, TYPES, Cell, Cells, Field, cells_of, is_out_of_time, misfit
from replay.sources.report import Report, SourceError

START = b"PAR1"
MILLIS_FROM = 1e11
"""A time from here on is not one in seconds."""

ROWS = 1 << 14
"""So many rows are read at once."""


_DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What reading a damaged file raises."""


class ParquetFile:
    """The rows of a Parquet file. Its doubles are taken for the decimals of eight places that they are nearest to."""

    def __init__(self, path: Path, fields: Sequence[Field], report: Report) -> None:
        self._path = path
        self._fields = [field for field in fields if field.name in column_names(path)]
        self._report = report
        self._size = path.stat().st_size
        self._done = 0.0

    @property
    def position(self) -> int:
        """About how many bytes of the file were read so far, by its rows."""
        return int(self._size * self._done)

    def __iter__(self) -> Iterator[Cells]:
        """The rows. Raises SourceError where the file is damaged."""
        report, names = self._report, [field.name for field in self._fields]
        try:
            with pyarrow.parquet.ParquetFile(self._path) as file:
                rows = file.metadata.num_rows
                for batch in file.iter_batches(ROWS, columns=names):
                    first = report.lines + 1
                    report.lines += len(batch)
                    yield self._cells(pa.Table.from_batches([batch]), first)
                    self._done = report.lines / rows
        except _DAMAGE as error:
            raise _damaged(self._path, error) from error
        self._done = 1.0

    def _cells(self, table: Any, first: int) -> Cells:
        lines = np.arange(first, first + len(table))
        cast = self._cast(table)
        if cast is None:
            good = self._good(table, first)
            cast, lines = self._cast(table.filter(good)), lines[np.array(good, np.bool_)]
            assert cast is not None, "what was blamed was not all that is wrong"
        return cells_of(cast, lines, self._fields, self._report)

    def _cast(self, table: Any) -> Any:
        """The table in the types that are wanted, or None where a row does not fit."""
        try:
            found = pa.table({field.name: _typed(table.column(field.name), field.cell) for field in self._fields})
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        for field in self._fields:
            column = found.column(field.name)
            if (field.needed and column.null_count) or (field.cell in CLOCKS and is_out_of_time(column)):
                return None
        return found

    def _good(self, table: Any, first: int) -> list[bool]:
        """Find out, slowly, which rows fit, and say why the others do not."""
        good = []
        for n, row in enumerate(table.to_pylist()):
            texts = ((field, _text(row[field.name])) for field in self._fields)
            fault = next((fault for field, text in texts if (fault := misfit(field, text))), None)
            if fault:
                self._report.defect(first + n, "odd_field", fault)
            good.append(fault is None)
        return good


def column_names(path: Path) -> list[str]:
    """The names of a Parquet file's columns. Raises SourceError."""
    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def time_cell(path: Path, name: str) -> Cell:
    """How a column of times is written: as times of Parquet's own, as doubles of seconds, or as whole numbers."""
    kind = pyarrow.parquet.read_schema(path).field(name).type
    if pa.types.is_temporal(kind):
        return Cell.DATE
    return Cell.SECONDS if pa.types.is_floating(kind) and _first(path, name) < MILLIS_FROM else Cell.TIME


def _first(path: Path, name: str) -> float:
    with pyarrow.parquet.ParquetFile(path) as file:
        found = next(file.iter_batches(1, columns=[name]), None)
    return (found.column(0)[0].as_py() or 0.0) if found else 0.0


def _text(value: Any) -> str:
    """A value as it would stand in a table of text."""
    if value is None:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _damaged(path: Path, error: Exception) -> SourceError:
    first = str(error).splitlines()[0]
    return SourceError(f"{path}: the Parquet file is cut off or damaged ({first:.80}); fetch the file again")


def _typed(column: Any, cell: Cell) -> Any:
    if cell is Cell.WORD:
        words = (
            compute.replace_with_mask(column.cast(pa.string()), column.is_null(), "") if column.null_count else column
        )
        return words.cast(pa.string()).cast(pa.binary()).dictionary_encode()
    if cell is Cell.SECONDS:
        micros = compute.round(compute.multiply(column, 1e6)).cast(pa.int64())
        return compute.multiply_checked(micros, 1_000)
    if cell is Cell.EXACT and pa.types.is_floating(column.type):
        return _decimals(column.combine_chunks())
    if pa.types.is_string(column.type) and cell is Cell.EXACT:
        column = compute.if_else(compute.is_in(column, pa.array(EMPTY)), pa.scalar(None, pa.string()), column)
    return column.cast(TYPES[cell])


def _decimals(column: Any) -> Any:
    """Doubles as decimals of eight places. A double that no such decimal is nearest to is not taken for one."""
    numbers = np.asarray(column.fill_null(0).to_numpy(zero_copy_only=False), np.float64)
    with np.errstate(all="ignore"):
        units = np.rint(numbers * 1e8)
        if not ((units / 1e8 == numbers) & (np.abs(units) <= columns.EXACT_MAX)).all():
            raise pa.ArrowInvalid("no decimals")
    halves = np.stack([units.astype(np.int64), units.astype(np.int64) >> 63], axis=1)
    plain = pa.Array.from_buffers(TYPES[Cell.EXACT], len(numbers), [None, pa.py_buffer(halves.tobytes())])
    return compute.if_else(column.is_valid(), plain, pa.scalar(None, TYPES[Cell.EXACT]))
