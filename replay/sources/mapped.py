"""Trades and bars in columns of anybody's own, as CSV with a header or Parquet: the user says which column is what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from events.instruments import RulePack
from events.units import decimal_text
from replay.sources.bars import Bars
from replay.sources.bars_text import Bar
from replay.sources.builders import Prints, Taker, Times
from replay.sources.cell_files import CellFile, CsvFile
from replay.sources.cells import Cell, Cells, Field
from replay.sources.files import Lines
from replay.sources.parquet import MILLIS_FROM, START, ParquetFile, column_names, time_cell
from replay.sources.report import Report, SourceError
from replay.sources.tables import Layout, Tables, parquet_file

TRADE, BAR = ("time", "price", "size"), ("time", "open", "high", "low", "close")
OPTIONAL = ("side", "id", "symbol", "volume")
HOW = "write NAME=COLUMN with commas: time, price, size (side, id, symbol), or time, open, high, low, close (volume)"

_NUMBER = re.compile(r"\d{1,19}(\.\d*)?", re.ASCII)
_BOUGHT, _SOLD = ("buy", "b", "1", "bought", "long"), ("sell", "s", "-1", "sold", "short")


OpenCells = Callable[[Path, Report], CellFile]


def read_mapping(text: str) -> dict[str, str]:
    """What `--columns` says: name -> column. Raises SourceError."""
    pairs = [part.partition("=") for part in text.split(",")]
    named = {name.strip(): column.strip() for name, _, column in pairs}
    if len(named) < len(pairs) or not all(named.values()) or set(named) - {*TRADE, *BAR, *OPTIONAL}:
        raise SourceError(f"--columns {text}: {HOW}")
    if not (set(TRADE) <= set(named) or set(BAR) <= set(named)):
        raise SourceError(f"--columns {text}: not enough; {HOW}")
    return named


def is_parquet(path: Path) -> bool:
    """Whether the file is Parquet."""
    with path.open("rb") as file:
        return file.read(len(START)) == START


def header_of(path: Path) -> tuple[str, ...]:
    """The names of a table's columns. Raises SourceError."""
    if is_parquet(path):
        return tuple(column_names(path))
    first = next(iter(Lines(path)), b"").decode("utf-8", "replace")
    return tuple(cell.strip(' "\r\n') for cell in first.split(","))


def open_mapped(path: Path, pack: RulePack, strict: bool, symbol: str, named: dict[str, str]) -> Tables | Bars:
    """The source for a table with these columns; where they are numbers and no names of it, it has no header. Raises
    SourceError.
    """
    header, packed = header_of(path), is_parquet(path)
    if not packed and all(map(str.isdecimal, named.values())) and not set(named.values()) <= set(header):
        header = tuple(str(n) for n in range(1, len(header) + 1))
    if missing := [column for column in named.values() if column not in header]:
        raise SourceError(f"{path}: has no column {missing[0]!a}; it has {', '.join(header)}")
    time = Field(named["time"], _time_cell(path, header, named["time"], packed))
    if set(TRADE) <= set(named):
        return Tables(path, pack, strict, symbol, _trades(header, named, time), parquet_file if packed else None)
    numbers = [Field(named[name], Cell.EXACT) for name in (*BAR[1:], "volume") if name in named]
    opener = _opener(header, [time, *numbers], packed)
    return Bars(path, pack, strict, symbol, partial(MappedBars, open_file=opener, named=named))


def _time_cell(path: Path, header: tuple[str, ...], name: str, packed: bool) -> Cell:
    """Whether times are numbers, of seconds or finer, or dates, by the first one."""
    if packed:
        return time_cell(path, name)
    rows = list(islice(Lines(path), 2))
    rows = [b"", *rows] if header[0] == "1" else rows  # columns by number: the first row is no header
    cells = rows[-1].decode("ascii", "replace").strip().split(",")
    first = cells[header.index(name)].strip(' "') if len(cells) == len(header) else ""
    if _NUMBER.fullmatch(first):
        return Cell.SECONDS if float(first) < MILLIS_FROM else Cell.TIME
    return Cell.TIME if len(rows) < 2 else Cell.DATE


def _trades(header: tuple[str, ...], named: dict[str, str], time: Field) -> Layout:
    fields = [time, Field(named["price"], Cell.EXACT), Field(named["size"], Cell.EXACT)]
    fields += [Field(named[name], Cell.WORD) for name in ("side", "symbol") if name in named]
    fields += [Field(named["id"], Cell.WHOLE)] if "id" in named else []
    taker = Taker(named["side"], _BOUGHT, _SOLD) if "side" in named else None
    times = Times(time.name, time.name)
    ids = named.get("id", "")
    make = partial(Prints, times=times, price=named["price"], size=named["size"], taker=taker, ids=ids)
    return Layout("trades in columns as said", header, tuple(fields), make, time.name, named.get("symbol", ""))


class MappedBars:
    """Bars in columns of anybody's own; without a column of volumes they are bars of marks."""

    def __init__(self, path: Path, report: Report, open_file: OpenCells, named: dict[str, str]) -> None:
        self._file = open_file(path, report)
        self._named = named

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def __iter__(self) -> Iterator[Bar | None]:
        """The bars in their order; None stands for rows that could not be read."""
        before = 0
        for cells in self._file:
            for n, line in enumerate(cells.lines.tolist()):
                if before and line != before + 1:
                    yield None
                yield self._bar(cells, n, line)
                before = line

    def _bar(self, cells: Cells, n: int, line: int) -> Bar:
        start, high, low, close = (decimal_text(int(cells.numbers[self._named[name]][n])) for name in BAR[1:])
        volume = self._named.get("volume")
        size = decimal_text(int(cells.numbers[volume][n])) if volume else "0"
        return Bar(line, int(cells.numbers[self._named["time"]][n]), 0, (start, high, low, close), size, not volume)


def _opener(header: tuple[str, ...], fields: list[Field], packed: bool) -> OpenCells:
    if packed:
        return lambda path, report: ParquetFile(path, fields, report)
    return lambda path, report: CsvFile(path, header, fields, report)
