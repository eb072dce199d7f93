"""Tables of market history, CSV with or without a header, read in columns: one source for all layouts.

A layout says which columns there are, which of them are read, and who makes rows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from replay.sources.stretches import Clock, stretches
from replay.sources.symbols import instrument_of, picked, unknown


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


OpenFile = Callable[[Path, Layout, Report], CellFile]
"""How a table is opened; what is wrong in it goes to the report."""


def csv_file(path: Path, layout: Layout, report: Report) -> CellFile:
    """A table as text."""
    return CsvFile(path, layout.columns, layout.fields, report)


def parquet_file(path: Path, layout: Layout, report: Report) -> CellFile:
    """A table as Parquet."""
    return ParquetFile(path, layout.fields, report)


class Tables:
    """One file of a layout; every iteration reads it anew, and `report` speaks of the latest one.

    Raises SourceError where the symbol cannot be told or a column is missing.
    """

    def __init__(
        self,
        path: Path,
        pack: RulePack,
        strict: bool,
        symbol: str,
        layout: Layout,
        open_file: OpenFile | None = None,
    ) -> None:
        self.path = path
        self.report = Report(str(path), strict)
        self._layout = layout
        self._open_file = open_file or csv_file
        self._file: CellFile = self._open()
        self._lines: dict[str, Ints] = {}
        self.goes_on = False
        self._instruments: dict[str, Instrument] = {str(found.id): found for found in pack.instruments}
        self._only = "" if layout.symbol else str(instrument_of(path, pack, symbol).id)
        self.names_symbols = bool(layout.symbol)
        self._picked = picked(path, pack, symbol) if self.names_symbols else ()
        if missing := [
            field.name for field in layout.fields if not field.may_lack and field.name not in layout.columns
        ]:
            raise SourceError(f"{path}: {layout.name} without a column {missing[0]}; fetch the file again")

    def __iter__(self) -> Iterator[Observations]:
        """Raise SourceError where the file cannot be read or, in a strict reading, at the first defect."""
        self.report = report = Report(str(self.path), self.report.strict)
        self._file = file = self._open()
        builders: dict[str, Builder] = {}
        clock = Clock()
        for cells in file:
            times = cells.numbers[self._layout.time]
            if len(times):
                report.saw(int(times.min()), int(times.max()))
            yield from self._chunks(self._block(cells, builders, report), clock, report)
        left = [(symbol, rows) for symbol, builder in builders.items() for rows in builder.finish()]
        yield from self._chunks(left, clock, report)

    @property
    def name(self) -> str:
        """What the file is."""
        return self._layout.name

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def locate(self, row: int, instrument: str) -> str:
        """`file:line` of a row of the latest chunk of this instrument."""
        return f"{self.path}:{self._lines[instrument][row]}"

    def _open(self) -> CellFile:
        return self._open_file(self.path, self._layout, self.report)

    def _parts(self, cells: Cells, report: Report) -> Iterator[tuple[str, Cells]]:
        """The rows of each symbol that the pack has."""
        if self._only:
            yield self._only, cells
            return
        words = cells.words[self._layout.symbol]
        codes, first = np.unique(words.codes, return_index=True)
        for code in codes[np.argsort(first)]:
            symbol = words.values[code]
            part = cells if len(codes) == 1 else cells.of(words.codes == code, self._layout.time)
            if self._picked and symbol not in self._picked:
                report.skip("not_picked", len(part.lines))
            elif symbol in self._instruments:
                yield symbol, part
            else:
                report.stranger(symbol, len(part.lines))
                report.defects(part.lines.tolist(), "unknown_symbol", unknown(symbol, self._instruments))

    def _block(self, cells: Cells, builders: dict[str, Builder], report: Report) -> list[tuple[str, Rows]]:
        """The rows of each symbol that are complete with this block."""
        found: list[tuple[str, Rows]] = []
        if not len(cells.lines):
            return found
        parts = dict(self._parts(cells, report))
        for symbol in [*builders, *(symbol for symbol in parts if symbol not in builders)]:
            builder = builders.get(symbol) or builders.setdefault(symbol, self._layout.make(self._instruments[symbol]))
            made = builder.add(parts[symbol], report) if symbol in parts else builder.finish()
            found += [(symbol, rows) for rows in made]
        return found

    def _chunks(self, found: Sequence[tuple[str, Rows]], clock: Clock, report: Report) -> Iterator[Observations]:
        """The chunks of a block, with times that never fall."""
        block = [(self._instruments[symbol], rows) for symbol, rows in found if len(rows)]
        if block:
            clock.set(block, report)
        report.settle()
        for stretch in stretches(block) if block else ():
            self._lines = {chunk.instrument: lines for chunk, lines in stretch}
            for n, (chunk, _) in enumerate(stretch, 1):
                self.goes_on = n < len(stretch)
                yield chunk


def fields(cell: Cell, *names: str, needed: bool = True, may_lack: bool = False) -> tuple[Field, ...]:
    """Fields of one kind."""
    return tuple(Field(name, cell, needed, may_lack) for name in names)
