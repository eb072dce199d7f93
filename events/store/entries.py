"""A session as a stream: each batch with the chunk of observations that it is the first to need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from events.codec import CodecError, decode_body
from events.commands import AdvanceMarket, ChunkId
from events.facts import MarketAdvanced
from events.log import EventLog, Head, NewerLog, StoredBatch, StoredChunk, check_chain
from events.record import Batch

Entry = tuple[StoredBatch, StoredChunk | None]
"""A batch, and the chunk that it is the first to need."""

BATCHES_AT_ONCE = 1000
"""So many batches a transaction."""


def checked(previous: Head, stored: StoredBatch) -> Batch:
    """The batch, which follows `previous`. Raises DamagedLog, and NewerLog for kinds unknown here."""
    try:
        batch = decode_body(stored.number, stored.body)
    except CodecError as error:
        check_chain(previous, stored)
        raise NewerLog(f"{error}; read it with the version of Ringfence that wrote it") from error
    check_chain(previous, stored, batch)
    return batch


def head_after(stored: StoredBatch) -> Head:
    """Where a log ends that ends with this batch."""
    return Head(stored.number, stored.last_seq, stored.digest)


def chunk_needed(batch: Batch, seen: set[ChunkId]) -> ChunkId | None:
    """The chunk whose rows the batch applied, unless it was seen already; it is from now on."""
    command = batch.command
    if not isinstance(command, AdvanceMarket) or command.chunk in seen:
        return None
    if not any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
        return None
    seen.add(command.chunk)
    return command.chunk


async def fill(log: EventLog, entries: Iterable[Entry]) -> Head:
    """Append entries to an empty log; its head."""

    async def given() -> AsyncIterator[Entry]:
        for entry in entries:
            yield entry

    return await fill_from(log, given())


async def fill_from(log: EventLog, entries: AsyncIterator[Entry]) -> Head:
    """Append entries to an empty log, many a transaction; its head."""
    head, batches = Head(), list[StoredBatch]()
    async for stored, chunk in entries:
        batches.append(stored)
        if chunk or len(batches) == BATCHES_AT_ONCE:
            head = await log.append(batches, head, (chunk,) if chunk else ())
            batches = []
    return await log.append(batches, head)
