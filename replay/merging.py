"""Several files about one instrument as one source: their rows in the order of time, in chunks of their own.

A day's levels and trades are often two files. Played side by side, each row at which the time of one passes the
other's would end a command; merged, rows go on in bulk. The order of rows is that in which they would be played side by
side: by time, of the same time those of the file that was given first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import chain, islice, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.arrays import column_of, set_column
from events.instruments import InstrumentId
from events.observations import ORDER_TABLES, TABLES, Kind, Observations
from replay.sources import Source, SourceError

Ints = NDArray[np.int64]

KINDS = {
    "depth": (Kind.DIFF, Kind.SNAPSHOT), "prints": (Kind.PRINT,), "tickers": (Kind.TICKER,), "marks": (Kind.MARK,)
}  # fmt: skip
"""Table -> the kinds of row that point into it."""


class Begun:
    """A source of which the first chunk was looked at; it is read once. `parts` are those that it is made of."""

    def __init__(
        self, source: Source, first: Observations | None, rest: Iterator[Observations], parts: Sequence[Begun] = ()
    ) -> None:
        self.source = source
        self._rest, self._parts = rest, parts
        self.chunks = rest if first is None else chain([first], rest)
        self.merges = None if first is None or _tells_orders_apart(first) else first.instrument
        """The instrument that it begins with, where its rows can stand among those of other files."""

    def close(self) -> None:
        """Let go of its files, wherever reading them has stopped."""
        if isinstance(self._rest, Generator):
            self._rest.close()
        for part in self._parts:
            part.close()


def begun(sources: Sequence[Source]) -> list[Begun]:
    """The sources, each begun; those that begin with the same instrument as one, where the first of them stands."""
    opened = []
    for source in sources:
        chunks = iter(source)
        opened.append(Begun(source, next(chunks, None), chunks))
    together: dict[InstrumentId, list[Begun]] = {}
    for one in opened:
        if one.merges is not None:
            together.setdefault(one.merges, []).append(one)
    found = []
    for one in opened:
        group = [one] if one.merges is None else together[one.merges]
        if len(group) == 1:
            found.append(one)
        elif one is group[0]:
            merged = Merged(group)
            found.append(Begun(merged, None, iter(merged), group))
    return found


class Lane:
    """The chunk of one instrument in the present stretch of a file, and the row that comes next."""

    def __init__(self, source: Source, chunk: Observations) -> None:
        self.source = source
        self.chunk = chunk
        self.row = 0
        self.arrays = {name: column_of(chunk, name) for table in TABLES.values() for name in table}

    def until(self, at: int, is_with: bool) -> int:
        """Where its rows end that are before this time, or at it."""
        return int(np.searchsorted(self.arrays["at"], at, side="right" if is_with else "left"))


class Taken(NamedTuple):
    """Rows of a lane, up to `end`."""

    lane: Lane
    first: int
    end: int


class Part:
    """One of the files: the lanes of its present stretch."""

    def __init__(self, begun: Begun, order: int) -> None:
        self.source = begun.source
        self.order = order
        self.lanes: list[Lane] = []
        self._chunks = begun.chunks

    @property
    def last(self) -> tuple[int, int]:
        """Up to which time, and file of that time, everything is there."""
        return max(lane.chunk.at[-1] for lane in self.lanes), self.order

    @property
    def is_taken(self) -> bool:
        """Whether every row of the stretch was."""
        return all(lane.row == len(lane.chunk) for lane in self.lanes)

    def load(self) -> bool:
        """Fetch the next stretch; False where there is none. Raises SourceError."""
        self.lanes = []
        while (not self.lanes or self.source.goes_on) and (chunk := next(self._chunks, None)) is not None:
            if _tells_orders_apart(chunk):
                raise SourceError(
                    f"{self.source.path}: tells orders apart, though not from its beginning; replay it by itself"
                )
            self.lanes.append(Lane(self.source, chunk))
        return bool(self.lanes)


class Merged:
    """Several files as one source."""

    def __init__(self, parts: Sequence[Begun]) -> None:
        self._parts = [Part(part, order) for order, part in enumerate(parts)]
        first = parts[0].source
        self.path, self.name, self.names_symbols = first.path, first.name, first.names_symbols
        self.report = first.report
        self.goes_on = False
        self._given: dict[InstrumentId, tuple[list[Taken], Ints | None]] = {}

    @property
    def position(self) -> int:
        """How many bytes of all files were read so far."""
        return sum(part.source.position for part in self._parts)

    def locate(self, row: int, instrument: str) -> str:
        """Where the row of this instrument's chunk of the present stretch stands in its own file."""
        rows, order = self._given[InstrumentId(instrument)]
        place = row if order is None else int(order[row])
        places = ((taken.lane.source, n) for taken in rows for n in range(taken.first, taken.end))
        source, found = next(islice(places, place, None))
        return source.locate(found, instrument)

    def __iter__(self) -> Iterator[Observations]:
        """Stretches up to where the nearest one of a file ends. Raises SourceError."""
        parts = [part for part in self._parts if self._load(part)]
        while parts:
            at, order = min(part.last for part in parts)
            stretch: dict[InstrumentId, list[Taken]] = {}
            for part in parts:
                for lane in part.lanes:
                    if (end := lane.until(at, part.order <= order)) > lane.row:
                        stretch.setdefault(lane.chunk.instrument, []).append(Taken(lane, lane.row, end))
                        lane.row = end
            for n, (instrument, rows) in enumerate(stretch.items(), 1):
                self.goes_on = n < len(stretch)
                yield self._join(instrument, rows)
            parts = [part for part in parts if not part.is_taken or self._load(part)]

    def _load(self, part: Part) -> bool:
        if not part.load():
            return False
        for other in self._parts:
            for one, two in product(part.lanes, other.lanes if other is not part else ()):
                if one.chunk == two.chunk:
                    raise SourceError(f"{part.source.path}: holds what {other.source.path} holds; name each file once")
        return True

    def _join(self, instrument: InstrumentId, rows: list[Taken]) -> Observations:
        """Rows of one instrument as one chunk: as it is where they are a whole one."""
        (lane, first, end), *more = rows
        if not more and (first, end) == (0, len(lane.chunk)):
            self._given[instrument] = rows, None
            return lane.chunk
        found = Joining([(lane.arrays, first, end) for lane, first, end in rows])
        self._given[instrument] = rows, found.order
        return found.chunk(instrument)


class Joining:
    """Rows of several chunks, to be one; `order` says which of them, one file's after the other's, comes when."""

    def __init__(self, parts: Sequence[tuple[dict[str, Ints], int, int]]) -> None:
        self._parts = parts
        self.order = np.argsort(self._rows("at"), kind="stable")
        self._kind = self._rows("kind")[self.order]

    def chunk(self, instrument: InstrumentId) -> Observations:
        """The chunk."""
        chunk = Observations(instrument)
        set_column(chunk, "kind", self._kind)
        for name in ("at", "transacted"):
            set_column(chunk, name, self._rows(name)[self.order])
        index = np.zeros(len(self._kind), np.int64)
        for table, kinds in KINDS.items():
            here = np.logical_or.reduce([self._kind == kind for kind in kinds])
            index[here] = np.arange(int(here.sum()))
            entries = self._entries(table)[self.order][here]
            if table == "depth":
                self._levels(chunk, entries)
            for name in TABLES[table]:
                if not name.endswith("_end"):
                    set_column(chunk, name, self._whole(name)[entries])
        set_column(chunk, "index", index)
        return chunk

    def _rows(self, name: str) -> Ints:
        return np.concatenate([arrays[name][first:end] for arrays, first, end in self._parts])

    def _whole(self, name: str) -> Ints:
        return np.concatenate([arrays[name] for arrays, _, _ in self._parts])

    def _entries(self, table: str) -> Ints:
        """Where each row's entry would be if all of this table stood together, for rows that have one."""
        lengths = [len(arrays[TABLES[table][0]]) for arrays, _, _ in self._parts]
        starts = np.cumsum([0, *lengths[:-1]])
        return np.concatenate(
            [
                arrays["index"][first:end] + start
                for (arrays, first, end), start in zip(self._parts, starts, strict=True)
            ]
        )

    def _levels(self, chunk: Observations, entries: Ints) -> None:
        """The levels of these depth rows, one row's after the other's."""
        starts, bids, asks = (np.concatenate(found) for found in zip(*map(_lengths, self._parts), strict=True))
        lengths = [len(arrays["level_price"]) for arrays, _, _ in self._parts]
        rows = [len(arrays["bids_end"]) for arrays, _, _ in self._parts]
        starts = (starts + np.repeat(np.cumsum([0, *lengths[:-1]]), rows))[entries]
        bids, asks = bids[entries], asks[entries]
        ends = np.cumsum(bids + asks)
        set_column(chunk, "bids_end", ends - asks)
        set_column(chunk, "asks_end", ends)
        places = np.repeat(starts - (ends - bids - asks), bids + asks) + np.arange(int(ends[-1]) if len(ends) else 0)
        for name in TABLES["levels"]:
            set_column(chunk, name, self._whole(name)[places])


def _lengths(part: tuple[dict[str, Ints], int, int]) -> tuple[Ints, Ints, Ints]:
    """Of each depth row where its levels start, and how many bids and asks it has."""
    bids_end, asks_end = part[0]["bids_end"], part[0]["asks_end"]
    starts = np.concatenate([np.zeros(1, np.int64), asks_end])[:-1]
    return starts, bids_end - starts, asks_end - bids_end


def _tells_orders_apart(chunk: Observations) -> bool:
    return any(getattr(chunk, table[0]) for table in ORDER_TABLES.values())
