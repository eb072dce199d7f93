"""The market of a recorded session as a source: the chunks that it holds, without what its traders did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.instruments import InstrumentId, RulePack
from events.log import StoredChunk
from events.observations import Observations
from events.store.sqlite import open_session
from replay.apart import run_apart
from replay.sources import Report, Source, SourceError

FETCHED = 8
"""So many chunks are fetched at once, as they are stored."""

_HEAD = 96
"""The kind of a batch's command is named within so many bytes of its body."""


@dataclass(frozen=True)
class Recorded:
    """The market of a recorded session, without what its traders did."""

    path: Path

    def sources(self, _pack: RulePack, _folder: Path) -> Sequence[Source]:
        """A source for each file that the session was made of, an instrument after the other, in the order in which
        they came. Raises LogError, SourceError.
        """
        lanes = run_apart(self._lanes())
        if not lanes:
            raise SourceError(f"{self.path}: holds no market data; give a session that a replay made")
        return [Kept(self.path, instrument, names) for instrument, found in lanes.items() for names in found]

    async def _lanes(self) -> dict[InstrumentId, list[list[ChunkId]]]:
        """Each instrument's chunks, those that were played side by side apart."""
        log = await open_session(self.path, read_only=True)
        spans: dict[tuple[InstrumentId, ChunkId], tuple[int, int]] = {}
        try:
            async for stored in log.read():
                if b'"advance_market.' not in stored.body[:_HEAD]:
                    continue
                command = decode_body(stored.number, stored.body).command
                assert isinstance(command, AdvanceMarket)
                key = (command.instrument, command.chunk)
                spans[key] = (spans.get(key, (stored.number, 0))[0], stored.number)
        finally:
            await log.close()
        return _side_by_side(spans)


def _side_by_side(
    spans: dict[tuple[InstrumentId, ChunkId], tuple[int, int]],
) -> dict[InstrumentId, list[list[ChunkId]]]:
    """Chunks by the first and last batch that applies rows of them: one that begins before another ends stands beside
    it.
    """
    lanes: dict[InstrumentId, list[list[ChunkId]]] = {}
    for (instrument, chunk), (first, _last) in spans.items():
        found = lanes.setdefault(instrument, [])
        free = (lane for lane in found if spans[instrument, lane[-1]][1] < first)
        if (lane := next(free, None)) is None:
            found.append(lane := [])
        lane.append(chunk)
    return lanes


@dataclass
class Kept:
    """Chunks of one instrument in a session file, one after the other. `stored` is the one given out last."""

    path: Path
    instrument: InstrumentId
    names: Sequence[ChunkId]
    position: int = 0
    name: str = "a recorded session"
    names_symbols: bool = True
    goes_on: bool = False
    stored: StoredChunk | None = None
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        """Begin a report."""
        self.report = Report(str(self.path), strict=True)

    def __iter__(self) -> Iterator[Observations]:
        """The chunks in the order in which the session applied them. Raises LogError."""
        self.report, self.position = Report(str(self.path), strict=True), 0
        names = iter(self.names)
        while some := list(islice(names, FETCHED)):
            for stored in run_apart(self._fetch(some)):
                chunk = decode_chunk(stored)
                self.stored = stored
                self.position += len(stored.data)
                self.report.saw(chunk.at[0], chunk.at[-1])
                yield chunk

    def locate(self, row: int, _instrument: str) -> str:
        """The row of the chunk, which has no line."""
        return f"{self.path}:{self.instrument} row {row + 1}"

    async def _fetch(self, names: Sequence[ChunkId]) -> list[StoredChunk]:
        log = await open_session(self.path, read_only=True)
        try:
            return [await log.chunk(name) for name in names]
        finally:
            await log.close()
