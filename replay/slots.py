"""A session as its player went through it: what was said after each advance of the market, until the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AdvanceMarket, AdvanceTime, ChunkId, Command, Proceed
from events.facts import MarketAdvanced
from events.instruments import InstrumentId
from events.log import EventLog, Head, StoredBatch, StoredChunk
from events.observations import Observations
from events.record import Batch
from events.store.entries import checked, head_after
from events.units import Nanos


@dataclass(slots=True)
class Said:
    """A recorded command and its record's number. batches hold it, what time brought due ahead of it and what was due
    after it: of the past only, none where it is to be decided again.
    """

    command: Command
    seq: int
    batches: list[Batch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rows:
    """An advance of the market, and the chunk whose rows it applies."""

    said: Said
    command: AdvanceMarket
    chunk: StoredChunk
    columns: Observations


@dataclass(slots=True)
class Slot:
    """An advance of the market, None ahead of the first one, and what was said after it.

    Then comes a record of that number, with rows from the time `until` on: None after the last rows. ends_past where
    what comes then is to be decided again, and something in the slot itself may be.
    """

    rows: Rows | None
    said: deque[Said] = field(default_factory=deque)
    until: Nanos | None = None
    next_seq: int = 0
    ends_past: bool = False


class Slots:
    """Reads a session as slots. What stands in batches before that number is past; the others are shown to on_batch."""

    def __init__(self, log: EventLog, before: int, on_batch: Callable[[StoredBatch], None]) -> None:
        self._log = log
        self._before = before
        self._on_batch = on_batch
        self._chunks: dict[InstrumentId, tuple[StoredChunk, Observations]] = {}

    async def __aiter__(self) -> AsyncIterator[Slot]:
        """Raises LogError."""
        head, slot, ahead = Head(), Slot(None), list[Batch]()
        last: Said | None = None
        async for stored in self._log.read():
            batch = checked(head, stored)
            head = head_after(stored)
            is_past = stored.number < self._before
            if not is_past:
                self._on_batch(stored)
            if stored.number == self._before:
                slot.ends_past = True
                if last:
                    last.batches += ahead
                ahead.clear()
            if isinstance(batch.command, AdvanceTime | Proceed):
                if is_past:
                    is_after = last is not None and not ahead and isinstance(batch.command, Proceed)
                    (last.batches if last and is_after else ahead).append(batch)
                continue
            last = Said(batch.command, stored.first_seq, [*ahead, batch] if is_past else [])
            ahead.clear()
            if any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
                rows = await self._rows(last)
                slot.until, slot.next_seq = Nanos(rows.columns.at[rows.command.first_row]), last.seq
                yield slot
                slot = Slot(rows)
            elif is_past or not isinstance(batch.command, AdvanceMarket):
                slot.said.append(last)
        slot.next_seq = head.seq + 1
        slot.ends_past |= head.batch < self._before
        yield slot

    async def _rows(self, said: Said) -> Rows:
        command = said.command
        assert isinstance(command, AdvanceMarket)
        chunk, columns = self._chunks.get(command.instrument, (None, None))
        if chunk is None or columns is None or chunk.id != command.chunk:
            chunk = await self._log.chunk(ChunkId(command.chunk))
            columns = decode_chunk(chunk)
            self._chunks[command.instrument] = chunk, columns
        return Rows(said, command, chunk, columns)


async def after_due_work(log: EventLog, batch: int) -> int:
    """That batch or, where it is work that was due after the command before it, the first one after such work.

    Raises LogError.
    """
    async for stored in log.read(batch - 1):
        if not isinstance(decode_body(stored.number, stored.body).command, Proceed):
            return stored.number
        batch = stored.number + 1
    return batch
