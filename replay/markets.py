"""Markets for tests of strategies: generated from a seed, told price by price, or read out of a recorded session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.instruments import Instrument, InstrumentId, RulePack
from events.observations import Kind, Observations
from events.store.sqlite import open_session
from events.units import SECOND, UNIT
from replay.apart import run_apart
from replay.sources import Report, Source, SourceError, open_source
from replay.synth import Scenario, write_session
from replay.wanted import one_of
from replay.whole import whole_or_text

NOON = 1_709_640_000
"""5 March 2024, 12:00 UTC, s: where the time of told prices begins."""


POINT = (Kind.SNAPSHOT, Kind.MARK, Kind.PRINT)
"""The rows of a told price, in order: what trades at it finds the mark there already, and is bound by that one."""


class Market(Protocol):
    """What can be opened as sources of history."""

    def sources(self, pack: RulePack, folder: Path) -> Sequence[Source]:
        """The sources; `folder` is theirs to write to. Raises SourceError."""
        ...


@dataclass(frozen=True)
class Files:
    """Files of market history, of any format that a replay reads."""

    paths: tuple[Path, ...]

    def sources(self, pack: RulePack, _folder: Path) -> Sequence[Source]:
        """A source a file."""
        return [open_source(path, pack) for path in self.paths]


@dataclass(frozen=True)
class Generated:
    """A market from a seed, as `ringfence synth` writes it."""

    options: dict[str, Any]

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such option, or no seed."""
        names = [option.name for option in fields(Scenario)]
        for name in self.options:
            one_of("generated: option", name, names)
        if "seed" not in self.options:
            raise ValueError("generated: no seed is given; give one, as seed=1")

    def sources(self, pack: RulePack, folder: Path) -> Sequence[Source]:
        """The source of what was written to a file."""
        path = folder / f"generated-{len(list(folder.iterdir()))}"
        write_session(path, **self.options)
        return [open_source(path, pack)]


class Point(NamedTuple):
    """A price, and when: seconds from the start."""

    seconds: Decimal
    price: Decimal


@dataclass(frozen=True)
class Prices:
    """A market told price by price: each is the mark and a trade of one lot, and the book offers `depth` one tick
    above, bids it one below.
    """

    instrument: InstrumentId
    points: tuple[Point, ...]
    depth: Decimal

    def __post_init__(self) -> None:
        """Raise ValueError where there is no point, or time goes back."""
        if not self.points:
            raise ValueError(f'prices of {self.instrument}: no point is given; give (seconds, price), as (0, "60000")')
        times = [Decimal(0), *(point.seconds for point in self.points)]
        for before, after in pairwise(times):
            if after < before:
                raise ValueError(
                    f"prices of {self.instrument}: {after} s comes after {before} s; tell of them in order"
                )

    def sources(self, pack: RulePack, _folder: Path) -> Sequence[Source]:
        """One source. Raises SourceError where a price or the depth is none of the instrument's."""
        terms = next((terms for terms in pack.instruments if terms.id == self.instrument), None)
        if terms is None:
            raise SourceError(f"prices of {self.instrument}: {pack.id} has no such instrument; name one that it has")
        return [Told(self._columns(terms))]

    def _columns(self, terms: Instrument) -> Observations:
        lots = self._whole(self.depth, terms.lot, "depth", "lots")
        found = Observations(self.instrument)
        for n, (seconds, price) in enumerate(self.points):
            ticks = self._whole(price, terms.tick, f"price {price}", "ticks")
            at = NOON * SECOND + int(seconds * SECOND)
            found.kind += [int(kind) for kind in POINT]
            found.at += [at] * len(POINT)
            found.transacted += [at] * len(POINT)
            found.index += [n] * len(POINT)
            found.first_id.append(n + 1)
            found.last_id.append(n + 1)
            found.previous_id.append(n)
            found.level_price += [ticks - 1, ticks + 1]
            found.level_lots += [lots, lots]
            found.bids_end.append(2 * n + 1)
            found.asks_end.append(2 * n + 2)
            found.mark.append(int(price * UNIT))
            found.mark_index.append(0)
            found.mark_rate.append(0)
            found.mark_next_funding.append(0)
            found.print_price.append(ticks)
            found.print_lots.append(1)
            found.print_side.append(1 if n == 0 or price >= self.points[n - 1].price else -1)
        found.check()
        return found

    def _whole(self, value: Decimal, unit: int, what: str, units: str) -> int:
        whole = whole_or_text(value, unit)
        if isinstance(whole, str) or whole <= 1:
            least = f"a whole number of {units} of {Decimal(unit) / UNIT}, more than one"
            raise SourceError(f"prices of {self.instrument}: {what} is not {least}; give such a one")
        return whole


class Told:
    """A source that is one chunk of columns, made up in memory."""

    name = "told prices"
    names_symbols, goes_on = True, False

    def __init__(self, columns: Observations) -> None:
        self.path = Path(f"prices of {columns.instrument}")
        self.report = Report(str(self.path), strict=True)
        self.position = 0
        self._columns = columns

    def __iter__(self) -> Iterator[Observations]:
        """The one chunk."""
        yield self._columns

    def locate(self, row: int, _instrument: str) -> str:
        """The price of the row."""
        return f"{self.path}:{row // len(POINT) + 1}"


@dataclass(frozen=True)
class Recorded:
    """The market of a recorded session, without what its traders did."""

    path: Path

    def sources(self, _pack: RulePack, _folder: Path) -> Sequence[Source]:
        """A source an instrument, in the order in which they came. Raises LogError, SourceError."""
        chunks = run_apart(self._chunks())
        if not chunks:
            raise SourceError(f"{self.path}: holds no market data; give a session that a replay made")
        return [Kept(self.path, instrument, names) for instrument, names in chunks.items()]

    async def _chunks(self) -> dict[InstrumentId, list[ChunkId]]:
        log = await open_session(self.path, read_only=True)
        found: dict[InstrumentId, list[ChunkId]] = {}
        try:
            async for stored in log.read():
                command = decode_body(stored.number, stored.body).command
                if isinstance(command, AdvanceMarket):
                    names = found.setdefault(command.instrument, [])
                    if command.chunk not in names[-1:]:
                        names.append(command.chunk)
        finally:
            await log.close()
        return found


@dataclass
class Kept:
    """The chunks of one instrument in a session file, fetched one by one."""

    path: Path
    instrument: InstrumentId
    names: Sequence[ChunkId]
    position: int = 0
    name: str = "a recorded session"
    names_symbols: bool = True
    goes_on: bool = False
    report: Report = field(init=False)

    def __iter__(self) -> Iterator[Observations]:
        """The chunks in the order in which the session applied them. Raises LogError."""
        self.report, self.position = Report(str(self.path), strict=True), 0
        for name in self.names:
            yield run_apart(self._fetch(name))
            self.position += self.path.stat().st_size // len(self.names)

    def locate(self, row: int, _instrument: str) -> str:
        """The row of the chunk, which has no line."""
        return f"{self.path}:{self.instrument} row {row + 1}"

    async def _fetch(self, name: ChunkId) -> Observations:
        log = await open_session(self.path, read_only=True)
        try:
            return decode_chunk(await log.chunk(name))
        finally:
            await log.close()
