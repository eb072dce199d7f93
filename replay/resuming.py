"""Going on with a session: up to where its log has history, and the same sources from there on.

A chunk is named by its content, so that the file that a session was made of is known again, and any other one is not.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from typing import NamedTuple

from events.chunks import chunk_id
from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.facts import MarketAdvanced
from events.instruments import InstrumentId
from events.log import StoredBatch
from events.observations import Observations
from events.units import Nanos
from replay.merging import Begun
from replay.sources.report import SourceError

Read = Callable[[int], AsyncGenerator[StoredBatch, None]]
"""A log, or a sequencer: the batches after a number."""

WINDOW = 512
"""So many batches of the end are looked at first, then twice as many, until every instrument's rows are found."""


class Played(NamedTuple):
    """How far an instrument's history went: the chunk, its last row that was applied, and the time of the record."""

    chunk: ChunkId
    row: int
    at: Nanos


async def played(read: Read, until: int, wanted: Collection[InstrumentId] | None = None) -> dict[InstrumentId, Played]:
    """Of each of these instruments the last rows that were applied up to that batch, of all that had any where none are
    named; `read` gives the batches after a number. Raises LogError.
    """
    found: dict[InstrumentId, Played] = {}
    window = WINDOW
    while until > 0 and (wanted is None or any(name not in found for name in wanted)):
        after = max(0, until - window)
        found = await _between(read, after, until) | found
        until, window = after, 2 * window
    return found


async def _between(read: Read, after: int, until: int) -> dict[InstrumentId, Played]:
    found: dict[InstrumentId, Played] = {}
    async with aclosing(read(after)) as batches:
        async for stored in batches:
            if stored.number > until:
                break
            batch = decode_body(stored.number, stored.body)
            command = batch.command
            if isinstance(command, AdvanceMarket) and any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
                found[command.instrument] = Played(command.chunk, command.last_row, batch.at)
    return found


class Continued:
    """A source from the stretch on that a session had come to; `Begun` says what it is begun with."""

    def __init__(self, begun: Begun, rows: Mapping[ChunkId, int], now: Nanos) -> None:
        self.source = begun.source
        self.path, self.name, self.names_symbols = begun.source.path, begun.source.name, begun.source.names_symbols
        self.report = begun.source.report
        self.goes_on = False
        self._chunks = begun.chunks
        self._rows = rows
        self._now = now
        self._is_behind = True

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self.source.position

    def locate(self, row: int, instrument: str) -> str:
        """Where the row stands; of the first stretches, which the source has read beyond, the row of the chunk."""
        return f"{self.path}: {instrument} row {row + 1}" if self._is_behind else self.source.locate(row, instrument)

    def __iter__(self) -> Iterator[Observations]:
        """Raises SourceError where a session that had come so far never had a chunk of it."""
        kept = self._skip()
        for stretch in kept:
            for n, chunk in enumerate(stretch, 1):
                self.goes_on = n < len(stretch)
                yield chunk
        self._is_behind = False
        for chunk in self._chunks:
            self.goes_on = self.source.goes_on
            yield chunk

    def _skip(self) -> list[list[Observations]]:
        """The stretches that were read and not played, the first of them maybe in part."""
        kept: list[list[Observations]] = []
        is_found = is_past = False
        while stretch := self._stretch():
            begins = min(chunk.at[0] for chunk in stretch)
            if any(chunk_id(chunk) in self._rows for chunk in stretch):
                kept, is_found = [stretch], True
            elif is_found or begins >= self._now:
                kept.append(stretch)
            else:
                is_past = True
            if begins > self._now:
                break
        if is_past and not is_found:
            raise SourceError(f"{self.path}: the session was made of other history; give the files that it began with")
        return kept

    def _stretch(self) -> list[Observations]:
        found: list[Observations] = []
        while (not found or self.source.goes_on) and (chunk := next(self._chunks, None)) is not None:
            found.append(chunk)
        return found


def rest_of(begun: Begun, ends: Mapping[InstrumentId, Played], now: Nanos) -> Begun:
    """What a session that had come so far still has to play of a source."""
    rest = Continued(begun, {end.chunk: end.row for end in ends.values()}, now)
    return Begun(rest, None, iter(rest), [begun])
