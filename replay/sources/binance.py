"""Binance raw captures: one message a line, `<capture time> <json>`, as a recorder wrote them down.

They are of USD-M, COIN-M or the spot market. The JSON is the envelope of a combined stream, or the bare body of a REST
depth request.

- File order rules. The unit of a capture time (s, ms, us or ns) follows from its size. A row older than the one before
  takes that one's time.
- Diffs that were captured before the depth body follow it (`binance_opening`).
- A diff that cannot be used as a whole is not used at all; the gap in ids that this leaves is for the book to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

from events.instruments import RulePack
from events.observations import Observations
from replay.sources.binance_columns import Assembler, Row
from replay.sources.binance_messages import Depth, Message, Snapshot, Unused, read_line
from replay.sources.binance_opening import Opening, head_of
from replay.sources.columns import LEVELS_MAX, ROWS_MAX
from replay.sources.files import Lines
from replay.sources.report import Report
from replay.sources.symbols import picked, unknown

NAME = "Binance raw capture (lines of `<capture time> <json>`)"

ReadLine = Callable[[bytes], tuple[int, Message | Unused]]
"""The time of a line in ns and what it says."""

_FIRST_WORDS = re.compile(rb"\d{9,19} \{")


def is_capture(lines: list[bytes]) -> bool:
    """Whether these lines from the start of a file look like a capture."""
    return any(_FIRST_WORDS.match(line) for line in lines)


class BinanceCapture:
    """One capture file; every iteration reads it anew, and `report` speaks of the latest one.

    The chunks of one stretch of the file come together, one an instrument, in order of first appearance. `name` and
    `read` are those of another venue's messages, a line each.
    """

    def __init__(
        self,
        path: Path,
        pack: RulePack,
        strict: bool = False,
        name: str = NAME,
        read: ReadLine = read_line,
        symbol: str = "",
    ) -> None:
        self.path = path
        self._name = name
        self._read = read
        self.report = Report(str(path), strict)
        self._file = Lines(path)
        self._lines: dict[str, list[int]] = {}
        self.names_symbols, self.goes_on = True, False
        self._picked = picked(path, pack, symbol)
        self._assemblers = {str(instrument.id): Assembler(instrument) for instrument in pack.instruments}

    def __iter__(self) -> Iterator[Observations]:
        """Raise SourceError where the file cannot be read or, in a strict reading, at the first defect."""
        self.report = report = Report(str(self.path), self.report.strict)
        self._file = lines = Lines(self.path)
        with closing(iter(lines)) as reading:
            head = head_of(reading)
            opening = Opening(head)
            rows = opening.in_venue_order(self._rows(chain(head, reading), opening, report), report)
            for stretch in _stretches(rows):
                yield from self._chunks(stretch, report)
        if lines.damage:
            report.defect(report.lines + 1, f"damaged_{lines.packing}", f"{lines.damage}; fetch the file again")
        report.settle()

    @property
    def name(self) -> str:
        """What the file is."""
        return self._name.partition(" (")[0]

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def locate(self, row: int, instrument: str) -> str:
        """`file:line` of a row of the latest chunk of this instrument."""
        return f"{self.path}:{self._lines[instrument][row]}"

    def _rows(self, lines: Iterable[bytes], opening: Opening, report: Report) -> Iterator[Row]:
        """The rows of the file in its order, with their times made monotone."""
        now = 0
        for number, line in enumerate(lines, 1):
            report.lines = number
            at, message = self._read(line)
            message = self._named(message, opening)
            if isinstance(message, Unused):
                _leave_out(message, number, line, report)
                continue
            if at < now:
                report.time_went_back += 1
            else:
                now = at
            yield Row(number, now, message)

    def _named(self, message: Message | Unused, opening: Opening) -> Message | Unused:
        """The message, if it is about a symbol of the pack."""
        if isinstance(message, Unused):
            return message
        if isinstance(message, Snapshot):
            message.symbol = opening.symbol_of(message)
            if not message.symbol:
                what = "the depth body names no symbol and the file has not just one; put each symbol in its own file"
                return Unused("snapshot_without_symbol", what)
        opening.saw(message.symbol)
        if self._picked and message.symbol not in self._picked:
            return Unused("not_picked")
        if message.symbol not in self._assemblers:
            self.report.stranger(message.symbol, 1)
            return Unused("unknown_symbol", unknown(message.symbol, self._assemblers))
        return message

    def _chunks(self, stretch: dict[str, list[Row]], report: Report) -> Iterator[Observations]:
        found = [self._assemblers[symbol].chunk(rows) for symbol, rows in stretch.items()]
        for refusal in chain.from_iterable(chunk.refusals for chunk in found):
            report.defect(*refusal)
        report.settle()
        chunks = [chunk for chunk in found if chunk.lines]
        self._lines = {chunk.columns.instrument: chunk.lines for chunk in chunks}
        for n, chunk in enumerate(chunks, 1):
            self.goes_on = n < len(chunks)
            yield chunk.columns


def _leave_out(unused: Unused, number: int, line: bytes, report: Report) -> None:
    if not unused.what:
        report.skip(unused.reason)
    elif line.endswith(b"\n"):
        report.defect(number, unused.reason, unused.what)
    else:
        report.defect(number, "truncated_line", "the last line is cut off; remove it or fetch the file again")


def _stretches(rows: Iterable[Row]) -> Iterator[dict[str, list[Row]]]:
    """The rows by symbol, in portions that make chunks of a bounded size."""
    stretch: dict[str, list[Row]] = {}
    count = levels = 0
    for row in rows:
        message = row.message
        stretch.setdefault(message.symbol, []).append(row)
        count += 1
        if isinstance(message, Depth):
            levels += len(message.bids) + len(message.asks)
        if count >= ROWS_MAX or levels >= LEVELS_MAX:
            yield stretch
            stretch = {}
            count = levels = 0
    yield stretch
