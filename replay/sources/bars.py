"""Bars (klines, candles) of one instrument: Binance's archives and REST bodies, as CSV or JSON, plain, gzip or zip.

- Which symbol they are of is said by the file's name or by the user.
- Each bar becomes a path of prices (`bars_columns`), trades and a book or marks; a bar without trades makes no row.
- Bars follow each other in time. One that opens before the end of the one before is not used; a gap is told, and the
  bar after it used.
- How long a bar lasts is said by its close time; where there is none, by the smallest step at the start of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from math import gcd
from pathlib import Path
from typing import Protocol

from events.instruments import RulePack
from events.observations import Observations
from events.units import SECOND
from replay.sources.bars_columns import ROWS_A_BAR_MAX, Assembler, Reader
from replay.sources.bars_text import Bar, is_json, read_row, rows_of
from replay.sources.binance_messages import Unused
from replay.sources.columns import ROWS_MAX
from replay.sources.files import Lines
from replay.sources.report import Report
from replay.sources.symbols import instrument_of

NAME = "bars (rows of `open time, open, high, low, close, volume`, CSV or JSON)"

PIECE = 1 << 16
"""JSON comes in pieces of so many bytes: most of it is one line."""

BARS_AHEAD = 256
"""So many bars at the start say how long one lasts."""


class BarFile(Protocol):
    """A file of bars in the course of being read."""

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        ...

    def __iter__(self) -> Iterator[Bar | None]:
        """The bars in their order; None stands for a row that is none but might have been."""
        ...


class Bars:
    """One file of bars; every iteration reads it anew, and `report` speaks of the latest one.

    Lines of a JSON file are its rows: most have only one line. `read` is how it is read, where not as in the venue's
    archives; without `makes_books` there are prints along the path and no books. `lots` is the largest number of
    lots that the volumes so far are multiples of. Raises SourceError where the symbol cannot be told.
    """

    def __init__(
        self,
        path: Path,
        pack: RulePack,
        strict: bool = False,
        symbol: str = "",
        read: Callable[[Path, Report], BarFile] | None = None,
    ) -> None:
        self.path = path
        self.report = Report(str(path), strict)
        self._instrument = instrument_of(path, pack, symbol)
        self._reader = Reader(self._instrument)
        self._read = read or TextBars
        self._file = self._read(path, self.report)
        self._lines: list[int] = []
        self.names_symbols = self.goes_on = False
        self.makes_books = True
        self.lots = 0

    def __iter__(self) -> Iterator[Observations]:
        """Raise SourceError where the file cannot be read or, in a strict reading, at the first defect."""
        self.report = report = Report(str(self.path), self.report.strict)
        self._file = self._read(self.path, report)
        assembler = Assembler(self._instrument, self.makes_books)
        self.lots = 0
        for bar in _in_order(iter(self._file), report, self._bar_length()):
            shape = self._reader.shape(bar)
            if isinstance(shape, Unused):
                _leave_out(shape, bar.line, report)
                continue
            assembler.add(bar, shape)
            self.lots = gcd(self.lots, shape.lots)
            if len(assembler) > ROWS_MAX - ROWS_A_BAR_MAX:
                report.settle()
                yield self._chunk(assembler)
        report.settle()
        if len(assembler):
            yield self._chunk(assembler)

    @property
    def name(self) -> str:
        """What the file is."""
        return "bars"

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def locate(self, row: int, _instrument: str) -> str:
        """`file:line` of a row of the chunk that was given out last."""
        return f"{self.path}:{self._lines[row]}"

    def _bar_length(self) -> int:
        """How long a bar without a close time lasts, ns: the smallest step between the first ones, else 0."""
        found = islice(self._read(self.path, Report(str(self.path), strict=False)), BARS_AHEAD)
        times = [bar.opened for bar in found if bar]
        return min((after - before for before, after in pairwise(times) if after - before >= SECOND), default=0)

    def _chunk(self, assembler: Assembler) -> Observations:
        columns, self._lines = assembler.chunk()
        return columns


class TextBars:
    """Bars as the venue writes them, CSV or JSON. What is wrong goes to the report, which is not settled."""

    def __init__(self, path: Path, report: Report) -> None:
        self._is_json = is_json(next(iter(Lines(path, PIECE)), b""))
        self._lines = Lines(path, PIECE if self._is_json else 0)
        self._report = report

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._lines.position

    def __iter__(self) -> Iterator[Bar | None]:
        """Raise SourceError where the file cannot be opened or read."""
        report, lines = self._report, self._lines
        for number, row in enumerate(rows_of(lines, self._is_json), 1):
            report.lines = number
            bar = read_row(number, row)
            if isinstance(bar, Bar):
                yield bar
            elif row.endswith(b"\n"):
                _leave_out(bar, number, report)
                if bar.what:
                    yield None
            elif not lines.damage:
                report.defect(number, "truncated_line", "the last line is cut off; remove it or fetch the file again")
        if lines.damage:
            report.defect(report.lines + 1, f"damaged_{lines.packing}", f"{lines.damage}; fetch the file again")


def _in_order(bars: Iterator[Bar | None], report: Report, length: int) -> Iterator[Bar]:
    """The bars that follow each other, each with its end. After a row that could not be read, a gap is no news."""
    before: Bar | None = None
    is_told = False
    for found in bars:
        if found is None:
            is_told = True
            continue
        bar = found if found.until else found._replace(until=found.opened + length)
        misfit = _misfit(before, bar)
        if misfit is not None:
            _leave_out(misfit, bar.line, report)
            continue
        if before and bar.opened > before.until and not is_told:
            what = f"no bars from {_utc(before.until)} to {_utc(bar.opened)}; fetch them, or mind the gap"
            report.defect(bar.line, "gap_between_bars", what)
        before, is_told = bar, False
        yield bar


def _misfit(before: Bar | None, bar: Bar) -> Unused | None:
    """Why a bar does not follow the one before, the latest of those in order."""
    if bar.until <= bar.opened:
        return Unused("bar_without_end", "nothing says how long the bar lasts; add its close time or a second bar")
    if before is None or bar.opened >= before.until:
        return None
    at = f"the bar of {_utc(bar.opened)}"
    if bar.opened == before.opened:
        return Unused("duplicate_bar", f"{at} stands in line {before.line} already; remove one of them")
    if bar.opened < before.opened:
        what = f"{at} comes after that of {_utc(before.opened)} in line {before.line}; sort the file by open time"
        return Unused("bar_out_of_order", what)
    what = f"{at} begins before that of line {before.line} ends, at {_utc(before.until)}; keep bars of one length"
    return Unused("overlapping_bar", what)


def _leave_out(unused: Unused, line: int, report: Report) -> None:
    if unused.what:
        report.defect(line, unused.reason, unused.what)
    else:
        report.skip(unused.reason)


def _utc(at: int) -> str:
    """A time of the file in words, to the second."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S}"
