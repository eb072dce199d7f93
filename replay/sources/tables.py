"""Tables of market history, CSV with or without a header, read in columns: one source for all layouts.

A layout says which columns there are, which of them are read, and who makes rows of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from events.instruments import Instrument, RulePack
from events.observations import Observations
from replay.sources.builders import Builder, Make
from replay.sources.cell_files import CellFile, CsvFile
from replay.sources.cells import Cell, Cells, Field, Ints
from replay.sources.parquet import ParquetFile
from replay.sources.report import Report, SourceError
from replay.sources.rows import Rows
from replay.sources.symbols import instrument_of, unknown


class Layout(NamedTuple):
    """A kind of table. symbol names the column that says which instrument a row is about, if there is one; `time` the
    one whose times are the file's span.
    """

    name: str
    columns: tuple[str, ...]
    fields: tuple[Field, ...]
    make: Make
    time: str
    symbol: str = ""


class Tables:
    """One file of a layout; every iteration reads it anew, and `report` speaks of the latest one.

    The chunks of one block come together, one instrument after the other, in order of first appearance. Raises
    SourceError where the symbol cannot be told or a column is missing.
    """

    def __init__(
        self,
        path: Path,
        pack: RulePack,
        strict: bool,
        symbol: str,
        layout: Layout,
        is_parquet: bool = False,
    ) -> None:
        self.path = path
        self.report = Report(str(path), strict)
        self._layout = layout
        self._is_parquet = is_parquet
        self._file: CellFile = self._open()
        self._lines: Ints = np.zeros(0, np.int64)
        self._instruments: dict[str, Instrument] = {str(found.id): found for found in pack.instruments}
        self._only = "" if layout.symbol else str(instrument_of(path, pack, symbol).id)
        if missing := [field.name for field in layout.fields if field.needed and field.name not in layout.columns]:
            raise SourceError(f"{path}: {layout.name} without a column {missing[0]}; fetch the file again")

    def __iter__(self) -> Iterator[Observations]:
        """Raise SourceError where the file cannot be read or, in a strict reading, at the first defect."""
        self.report = report = Report(str(self.path), self.report.strict)
        self._file = file = self._open()
        builders: dict[str, Builder] = {}
        clocks: dict[str, int] = {}
        for cells in file:
            times = cells.numbers[self._layout.time]
            if len(times):
                report.saw(int(times.min()), int(times.max()))
            found = [
                (symbol, rows)
                for symbol, part in self._parts(cells, report)
                for rows in self._builder(builders, symbol).add(part, report)
            ]
            report.settle()
            yield from self._chunks(found, clocks, report)
        report.settle()
        left = [(symbol, rows) for symbol, builder in builders.items() for rows in builder.finish()]
        yield from self._chunks(left, clocks, report)

    @property
    def name(self) -> str:
        """What the file is."""
        return self._layout.name

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def locate(self, row: int) -> str:
        """`file:line` of a row of the chunk that was given out last."""
        return f"{self.path}:{self._lines[row]}"

    def _open(self) -> CellFile:
        layout = self._layout
        if self._is_parquet:
            return ParquetFile(self.path, layout.fields, self.report)
        return CsvFile(self.path, layout.columns, layout.fields, self.report)

    def _parts(self, cells: Cells, report: Report) -> Iterator[tuple[str, Cells]]:
        """The rows of each symbol that the pack has."""
        if self._only:
            yield self._only, cells
            return
        words = cells.words[self._layout.symbol]
        codes, first = np.unique(words.codes, return_index=True)
        for code in codes[np.argsort(first)]:
            symbol = words.values[code]
            part = cells if len(codes) == 1 else cells.of(words.codes == code)
            if symbol in self._instruments:
                yield symbol, part
            else:
                report.stranger(symbol, len(part.lines))
                report.defects(part.lines.tolist(), "unknown_symbol", unknown(symbol, self._instruments))

    def _builder(self, builders: dict[str, Builder], symbol: str) -> Builder:
        if symbol not in builders:
            builders[symbol] = self._layout.make(self._instruments[symbol])
        return builders[symbol]

    def _chunks(
        self, found: Sequence[tuple[str, Rows]], clocks: dict[str, int], report: Report
    ) -> Iterator[Observations]:
        """The chunks of rows, with times that never fall."""
        for symbol, rows in found:
            if not len(rows):
                continue
            at = np.maximum.accumulate(np.maximum(rows.at, clocks.get(symbol, 0)))
            report.time_went_back += int((rows.at < at).sum())
            clocks[symbol] = int(at[-1])
            rows.at = at
            for chunk, lines in rows.chunks(self._instruments[symbol]):
                self._lines = lines
                yield chunk


def fields(cell: Cell, *names: str, needed: bool = True) -> tuple[Field, ...]:
    """Fields of one kind."""
    return tuple(Field(name, cell, needed) for name in names)
