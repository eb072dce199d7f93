"""Golden sessions: a session file that a test keeps, and the first record at which a new one differs from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.log import EventLog, Head, StoredBatch, StoredChunk
from events.record import Record
from events.store.sqlite import open_session
from events.units import UNIT
from replay.compare import compare, gain, standings
from replay.expectations import told_causes


async def check_golden(log: EventLog, path: Path) -> str:
    """How the session differs from the golden one, with causes on both sides; nothing where it is the same."""
    if not path.exists():
        return f"{path}: there is no golden session; make it of this one with --golden-update, and look at it"
    golden = await open_session(path, read_only=True)
    try:
        if await golden.head() == await log.head():
            return ""
        return "\n".join([line async for line in _difference(golden, log, path)])
    finally:
        await golden.close()


async def keep_golden(log: EventLog, path: Path) -> None:
    """Make the session the golden one, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    golden = await open_session(fresh, create=True)
    try:
        batches, chunks = list[StoredBatch](), dict[ChunkId, StoredChunk]()
        async for stored in log.read():
            batches.append(stored)
            command = decode_body(stored.number, stored.body).command
            if isinstance(command, AdvanceMarket) and command.chunk not in chunks:
                chunks[command.chunk] = await log.chunk(command.chunk)
        await golden.append(batches, Head(), list(chunks.values()))
    finally:
        await golden.close()
    fresh.replace(path)


async def _difference(golden: EventLog, log: EventLog, path: Path) -> AsyncIterator[str]:
    """The first record that differs on both sides, what led to it, and what became of the accounts."""
    comparison = await compare(golden, log)
    for name, side, record in zip(("golden", "now"), (golden, log), comparison.first, strict=True):
        if record is None:
            yield f"{name}: the session ends with record {(await side.head()).seq:,}"
        elif name == "golden":
            yield f"{path}: record {record.seq:,} is another one; golden, with what led to it:"
        else:
            yield "now, with what led to it:"
        if record is not None:
            for line in told_causes(record, await _records(side, record)):
                yield line
    for (account, asset), pair in standings(comparison).items():
        if more := gain(*pair):
            yield f"  {account}: {Decimal(more) / UNIT:+,.8f} {asset} at the end"
    yield "where that is right: --golden-update"


async def _records(log: EventLog, last: Record) -> dict[int, Record]:
    """The records up to this one, by number."""
    found: dict[int, Record] = {}
    async for stored in log.read():
        if stored.first_seq > last.seq:
            break
        found.update((record.seq, record) for record in decode_body(stored.number, stored.body).records)
    return found
