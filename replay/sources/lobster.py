"""LOBSTER: a day of one share as a file of messages and a file of books, in a zip or side by side, without headers.

Source of the columns and types: the LOBSTER project's "Sample Files Readme" and "Data Structure". Line k of the file
of books is the book of so many levels after message k. Times are seconds after midnight in New York, prices dollars x
10^4. The last lines need not end with a newline.

Orders are known by what the file tells of them. Volume that comes into view with a level, be it from before the first
message or from outside of the levels that the file has, is known by size only.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from events.instruments import RulePack
from events.observations import Action, Observations
from events.units import SECOND
from replay.sources import columns
from replay.sources.files import Lines
from replay.sources.lobster_rows import Assembler, Misfit
from replay.sources.lobster_view import Levels, View, levels_of
from replay.sources.report import Report, SourceError
from replay.sources.symbols import instrument_of

NAME = "LOBSTER (a message and an orderbook file, in a zip or side by side)"
ZONE = "America/New_York"
MESSAGES, BOOKS = "_message_", "_orderbook_"
"""What the names of the two files have in them."""

BATCH = 1_024
"""So many lines of both files are read at a time."""

NEW, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)
_ACTIONS = {NEW: Action.ADD, REDUCED: Action.REDUCE, DELETED: Action.DELETE}
_HALTS = {-1: "trading_halted", 0: "quoting_resumed", 1: "trading_resumed"}
_LINE = re.compile(
    rb"(\d{1,5})(?:\.(\d{1,9}))?,([1-7]),(-?\d{1,18}),(\d{1,12}),(-?\d{1,12}),(-1|1)(?:,.*)?\s*", re.ASCII
)
_FIRST_WORDS = re.compile(rb"\d{1,5}(\.\d{1,9})?,[1-7],-?\d{1,18},\d{1,12},-?\d{1,12},-?1(,.*)?\s*$", re.ASCII)
_SYMBOL = re.compile(r"(?<![A-Za-z0-9.-])([A-Z][A-Z0-9.-]*)_\d{4}-\d\d-\d\d_")
_DATE = re.compile(r"_(\d{4}-\d\d-\d\d)_")
MEND = "correct it or fetch the file again"


class Message(NamedTuple):
    """A line of the file of messages: ns after midnight, what happened, to which order, shares, price, side."""

    nanos: int
    type: int
    order: int
    size: int
    price: int
    side: int

    @property
    def change(self) -> int:
        """What it does to the volume that is displayed at its price."""
        if self.type in (REDUCED, DELETED, EXECUTED):
            return -self.size
        return self.size if self.type == NEW else 0


def is_messages(lines: list[bytes]) -> bool:
    """Whether these lines from the start of a file look like messages."""
    return bool(_FIRST_WORDS.match(lines[0]))


class Lobster:
    """The two files; every iteration reads them anew, and `report` speaks of the latest one, by lines of messages.

    Raises SourceError where symbol or date cannot be told, or one of the two is missing.
    """

    names_symbols = goes_on = False

    def __init__(self, path: Path, pack: RulePack, strict: bool = False, symbol: str = "") -> None:
        self.path = path
        self.report = Report(str(path), strict)
        self._instrument = instrument_of(path, pack, symbol)
        self._midnight = _midnight(path)
        self._messages, self._books = _open(path)
        self._lines: list[int] = []

    def __iter__(self) -> Iterator[Observations]:
        """Raise SourceError where a file cannot be read or, in a strict reading, at the first defect."""
        self.report = report = Report(str(self.path), self.report.strict)
        self._messages, self._books = _open(self.path)
        reading = Reading(Assembler(self._instrument), report, self._midnight)
        for chunk, lines in reading.chunks(self._messages, self._books):
            self._lines = lines
            report.settle()
            yield chunk
        for file in (self._messages, self._books):
            if file.damage:
                report.defect(report.lines + 1, f"damaged_{file.packing}", f"{file.damage}; fetch the file again")
        report.settle()

    @property
    def name(self) -> str:
        """What the file is."""
        return "LOBSTER"

    @property
    def position(self) -> int:
        """How many bytes of the file of messages were read so far."""
        return self._messages.position

    def locate(self, row: int, _instrument: str) -> str:
        """`file:line` of a row of the chunk that was given out last."""
        return f"{self.path}:{self._lines[row]}"


class Reading:
    """One reading of both files, line by line."""

    def __init__(self, assembler: Assembler, report: Report, midnight: int) -> None:
        self._assembler = assembler
        self._report = report
        self._midnight = midnight
        self._views = (View(1), View(-1))
        self._width = self._now = 0
        self._began = False

    def chunks(self, messages: Lines, books: Lines) -> Iterator[tuple[Observations, list[int]]]:
        """Chunks, with the lines of their rows."""
        pairs = iter(messages), iter(books)
        while True:
            said, stated = (list(islice(lines, BATCH)) for lines in pairs)
            for message, book in zip(said, stated, strict=False):
                self._report.lines += 1
                self._line(message, book)
                if len(self._assembler) > columns.ROWS_MAX - Assembler.ROWS_A_LINE_MAX:
                    yield self._assembler.chunk()
            if len(said) != len(stated):
                what = f"{'books' if len(said) > len(stated) else 'messages'} end earlier than the other file; {MEND}"
                self._report.defect(self._report.lines + 1, "unpaired_line", what)
            if len(said) < BATCH or len(stated) < BATCH:
                break
        if len(self._assembler):
            yield self._assembler.chunk()

    def _line(self, line: bytes, book: bytes) -> None:
        number = self._report.lines
        message, levels = _read(line), levels_of(book, self._width)
        if message is None or levels is None:
            cut = not (line.endswith(b"\n") and book.endswith(b"\n"))
            what = f"the line of the {'books' if message else 'messages'} {'is cut off' if cut else 'cannot be read'}"
            self._refuse("truncated_line" if cut else "malformed_line", what)
            return
        self._width = self._width or levels.width
        at = self._midnight + message.nanos
        self._report.time_went_back += at < self._now
        self._now = max(at, self._now)
        try:
            self._assembler.begin(number, self._now)
            self._apply(message, levels)
        except Misfit as misfit:
            self._assembler.undo()
            if message.type == HIDDEN:
                self._report.defect(
                    number, misfit.reason, f"{misfit}; take a rule pack that it fits (`ringfence pack fit`)"
                )
            else:
                self._refuse(misfit.reason, f"{misfit}; take a rule pack that it fits (`ringfence pack fit`)")

    def _refuse(self, reason: str, what: str) -> None:
        """Nothing of a line is used; what the next one states is known by size only."""
        self._report.defect(self._report.lines, reason, what if ";" in what else f"{what}; {MEND}")
        for view in self._views:
            view.lose()

    def _apply(self, message: Message, levels: Levels) -> None:
        rows = self._assembler
        if not self._began:
            rows.add(Action.CLEAR)
        looks = [
            view.look(levels, message.price, message.change if message.side == view.sign else 0) for view in self._views
        ]
        for view, look in zip(self._views, looks, strict=True):
            for price, size in look.before:
                rows.add(Action.LEVEL, 0, view.sign, price, size)
        self._do(message)
        for view, look in zip(self._views, looks, strict=True):
            for price, size in look.after:
                rows.add(Action.LEVEL, 0, view.sign, price, size)
        self._began = True
        if any(look.is_odd for look in looks):
            what = f"the messages lead to another book than the one of this line, which is used; {MEND}"
            self._report.defect(self._report.lines, "book_unexplained", what)

    def _do(self, message: Message) -> None:
        kind, order, size, price, side = message.type, message.order, message.size, message.price, message.side
        if kind in _ACTIONS:
            self._assembler.add(_ACTIONS[kind], order, side, price, size)
        elif kind in (EXECUTED, HIDDEN):
            self._assembler.trade(price, size, -side, order if kind == EXECUTED else 0)
        else:
            self._report.skip("auction_trade" if kind == CROSS else _HALTS.get(price, "trading_halted"))


def _read(line: bytes) -> Message | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    seconds, fraction, *numbers = found.groups()
    return Message(int(seconds) * SECOND + int((fraction or b"0").ljust(9, b"0")), *map(int, numbers))


def _open(path: Path) -> tuple[Lines, Lines]:
    """The messages and the books."""
    if zipfile.is_zipfile(path):
        return Lines(path, member=MESSAGES), Lines(path, member=BOOKS)
    beside = path.with_name(path.name.replace(MESSAGES, BOOKS))
    if beside == path or not beside.exists():
        raise SourceError(
            f"{path}: the file of books is not beside it; put {beside.name.replace(MESSAGES, BOOKS)} there"
        )
    return Lines(path), Lines(beside)


def symbol_of(path: Path) -> str:
    """The share that the file, or one in it, is called after, whatever the rule pack has; empty where there is none."""
    return next((found[1] for name in _names(path) if (found := _SYMBOL.search(name))), "")


def _names(path: Path) -> list[str]:
    """The file's name, and those of what is in it where it is a zip."""
    names = [path.name]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names += archive.namelist()
    return names


def _midnight(path: Path) -> int:
    """When the day began in New York, ns. Raises SourceError."""
    said = next((found[1] for name in _names(path) if (found := _DATE.search(name))), None)
    if said is None:
        raise SourceError(
            f"{path}: no name says the date; call it as in GOOG_2012-06-21_34200000_57600000_message_5.csv"
        )
    try:
        return int(datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(ZONE)).timestamp()) * SECOND
    except ValueError as error:
        raise SourceError(f"{path}: {said} is no date; correct the name") from error
    except ZoneInfoNotFoundError as error:
        raise SourceError(f"{path}: the time zone {ZONE} is not known here; pip install tzdata") from error
