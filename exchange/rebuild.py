"""A session's state from its log: the newest snapshot, or nothing, and the recorded batches after it applied in order,
the chain checked on the way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from events.chunks import decode_chunk
from events.codec import CodecError, decode_body
from events.commands import AdvanceMarket, ChunkId
from events.facts import MarketAdvanced
from events.instruments import InstrumentId
from events.log import EventLog, Head, NewerLog, StoredBatch, check_chain
from events.observations import Observations
from events.record import Batch
from events.snapshot import head_of, unseal
from exchange.core.snapshot import STATE_VERSION, decode
from exchange.core.state import State
from exchange.core.step import apply_batch, finish_rebuild

FindChunk = Callable[[ChunkId], Awaitable[Observations]]
"""Where the observations come from that a log refers to."""


class Rebuilt(NamedTuple):
    """What a log adds up to, and where it ended."""

    state: State
    head: Head


async def rebuild(log: EventLog, find_chunk: FindChunk | None = None, until: int | None = None) -> Rebuilt:
    """The state at the end of a log, or after batch `until` of it, which lends no columns afterwards.

    Chunks come from the log itself unless `find_chunk` finds them; the latest of each instrument is held. Raises
    LogError: DamagedLog, MissingChunk, and NewerLog for records of a kind unknown here.
    """
    find_chunk = find_chunk or chunks_of(log)
    state, head = await _start(log, until)
    lent: dict[InstrumentId, ChunkId] = {}
    async for stored in log.read(head.batch):
        if until is not None and stored.number > until:
            break
        batch = _decode(head, stored)
        head = check_chain(head, stored, batch)
        if (needed := _rows_applied(batch)) and needed.chunk not in state.columns:
            state.columns.pop(lent.get(needed.instrument, needed.chunk), None)
            state.columns[needed.chunk] = await find_chunk(needed.chunk)
            lent[needed.instrument] = needed.chunk
        apply_batch(state, batch)
    finish_rebuild(state)
    state.columns.clear()
    return Rebuilt(state, head)


async def _start(log: EventLog, until: int | None) -> Rebuilt:
    """Where the newest snapshot of this code's state version stands, else the beginning."""
    kept = await log.snapshot(STATE_VERSION, until)
    return Rebuilt(decode(unseal(kept)), head_of(kept)) if kept else Rebuilt(State(), Head())


def chunks_of(log: EventLog) -> FindChunk:
    """Finds the chunks that a log holds."""

    async def find(id: ChunkId) -> Observations:
        return decode_chunk(await log.chunk(id))

    return find


def _decode(previous: Head, stored: StoredBatch) -> Batch:
    try:
        return decode_body(stored.number, stored.body)
    except CodecError as error:
        check_chain(previous, stored)
        raise NewerLog(f"{error}; read it with the version of Ringfence that wrote it") from error


def _rows_applied(batch: Batch) -> AdvanceMarket | None:
    """The command that advanced the market, unless it was refused."""
    command = batch.records[0].message
    if isinstance(command, AdvanceMarket) and any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
        return command
    return None
