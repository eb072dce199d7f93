"""A session looked at again: at any moment of it, forwards and backwards, at any speed.

The state is that which the facts add up to, as a restart has it. A moment ahead is reached from where the visit is, or
from a snapshot that is nearer to it; one behind from the nearest snapshot before it: the log's own, or one of those
that the visit takes on its way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.facts import MarketAdvanced
from events.log import EventLog, Head, StoredBatch, check_chain
from events.observations import Observations
from events.record import Batch
from events.snapshot import head_of, unseal
from events.units import Nanos
from exchange.core.snapshot import STATE_VERSION, decode, encode
from exchange.core.state import State
from exchange.core.step import apply_batch, finish_rebuild
from replay.control import Control
from replay.moments import Counts
from replay.spacing import RECORD_AS_ROWS, Spacing
from replay.travel import batch_of, batch_when

ROWS_APART = 10_000
"""The visit's own snapshots are closer than those of a log: whoever steps back once will do so again."""

KEPT_BYTES = 1 << 26
"""Of its own snapshots the latest are kept, so many bytes in all."""

LESS_DEAR = 8
"""Its own snapshots are neither compressed nor written: of a large state they may be closer by so much."""

CHUNKS_KEPT = 16
"""So many chunks of rows stay decoded."""

PAGE = 256
"""Batches are looked through backwards so many at a time."""


class Visit:
    """A session at one moment: `state`, `head`, and the `batch` that led there. It begins before the first batch.

    The state is for looking at; whoever wants to go on from a moment makes a fork of the session there.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._state, self._head, self._armed = State(), Head(), True
        self._state.columns = self._chunks = OrderedDict[ChunkId, Observations]()
        self._reading: AsyncGenerator[StoredBatch, None] | None = None
        self._ahead: StoredBatch | None = None
        self._own: OrderedDict[int, tuple[Head, bytes]] = OrderedDict()
        self._spacing = Spacing(ROWS_APART)
        self._work = 0
        self.batch: Batch | None = None
        self.on_batch: Callable[[Batch], None] | None = None

    # Where it is

    @property
    def state(self) -> State:
        """The state after `batch`."""
        if not self._armed:
            finish_rebuild(self._state)
            self._armed = True
        return self._state

    @property
    def head(self) -> Head:
        """Where the log would end if it ended here."""
        return self._head

    @property
    def at(self) -> Nanos:
        """The session time here."""
        return self._state.now

    # Going elsewhere

    async def seek(self, at: int) -> None:
        """Go to this session time, ns, after all that happened up to then. Raises NoSuchMoment."""
        await self.seek_batch(await batch_when(self._log, Nanos(at)))

    async def seek_record(self, record: int) -> None:
        """Go to the end of the batch that holds this record. Raises NoSuchMoment."""
        await self.seek_batch(await batch_of(self._log, record))

    async def seek_batch(self, number: int) -> None:
        """Go to the end of the batch of this number, 0 for before the first."""
        if number != self._head.batch:
            await self._start_for(number)
        while self._head.batch < number and await self.forward():
            pass

    async def forward(self) -> Batch | None:
        """Go on by one batch: which it was, None at the end of the log."""
        stored = await self._peek()
        if stored is None:
            return None
        batch = decode_body(stored.number, stored.body)
        head = check_chain(self._head, stored, batch)
        await self._lend(batch)
        apply_batch(self._state, batch)
        self._head, self._ahead, self._armed, self.batch = head, None, False, batch
        self._note_work(batch)
        if self.on_batch:
            self.on_batch(batch)
        return batch

    async def next_at(self) -> Nanos | None:
        """The time of the next batch, None at the end of the log."""
        stored = await self._peek()
        return None if stored is None else stored.at

    async def step(self, count: int, counts: Counts) -> bool:
        """Go on by so many batches that count, or back to where so many were last; False where there are not so many.

        Forwards it ends at the end of the log then, backwards before the first batch.
        """
        for _ in range(count):
            while (batch := await self.forward()) is not None and not counts(batch):
                pass
            if batch is None:
                return False
        for _ in range(-count):
            found = await self._before(counts)
            await self.seek_batch(found)
            if not found:
                return False
        return True

    async def play(self, control: Control) -> None:
        """Go on as the control says, until it says stop. At the end of the log it waits for what is asked next."""
        control.moved(self.at)
        while not control.is_stopped:
            if await control.grant(self):
                control.moved(self.at)
                continue
            at = await self.next_at()
            if (start := control.begins_again(at)) is not None:
                await self._begin_again(control, start)
            elif await control.turn(at):
                batch = await self.forward()
                assert batch is not None, "there was a next one"
                control.passed(batch)
        control.ended()

    async def _begin_again(self, control: Control, start: Nanos) -> None:
        """Go back to the start of the loop; a loop with nothing in it pauses."""
        await self.seek(start)
        control.moved(start)
        if control.begins_again(await self.next_at()) is not None:
            control.pause()

    async def close(self) -> None:
        """Let go of the log, which stays open."""
        await self._stop_reading()

    # How

    async def _start_for(self, number: int) -> None:
        """Stand where going on to that batch is shortest, and before it: here, at a snapshot, or at the start."""
        kept = await self._log.snapshot(STATE_VERSION, number - 1)
        own = max((batch for batch in self._own if batch < number), default=0)
        nearest = max(own, kept.batch if kept else 0)
        if nearest <= self._head.batch <= number:
            return
        await self._stop_reading()
        if kept and kept.batch == nearest:
            self._stand(decode(unseal(kept)), head_of(kept))
        elif nearest:
            head, state = self._own[nearest]
            self._stand(decode(state), head)
        else:
            self._stand(State(), Head())

    def _stand(self, state: State, head: Head) -> None:
        state.columns = self._chunks
        self._state, self._head, self._armed, self.batch = state, head, True, None

    async def _peek(self) -> StoredBatch | None:
        """The next batch, None at the end of the log as it is by now."""
        if self._ahead is None:
            if self._reading is None:
                self._reading = self._log.read(self._head.batch)
            self._ahead = await anext(self._reading, None)
            if self._ahead is None:
                await self._stop_reading()
        return self._ahead

    async def _stop_reading(self) -> None:
        if self._reading is not None:
            await self._reading.aclose()
        self._reading = self._ahead = None

    async def _lend(self, batch: Batch) -> None:
        """Have the rows at hand that the batch applied."""
        command = batch.command
        if not isinstance(command, AdvanceMarket) or not any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
            return
        if command.chunk in self._chunks:
            self._chunks.move_to_end(command.chunk)
            return
        self._chunks[command.chunk] = decode_chunk(await self._log.chunk(command.chunk))
        if len(self._chunks) > CHUNKS_KEPT:
            self._chunks.popitem(last=False)

    def _note_work(self, batch: Batch) -> None:
        """Take a snapshot of our own now and then."""
        command = batch.command
        rows = command.last_row - command.first_row + 1 if isinstance(command, AdvanceMarket) else 0
        self._work += rows + RECORD_AS_ROWS * len(batch.records)
        if self._spacing.is_over(self._work) and self._head.batch not in self._own:
            state = encode(self.state)
            self._own[self._head.batch] = self._head, state
            self._spacing.begin(self._work, len(state) // LESS_DEAR)
            while sum(len(kept) for _, kept in self._own.values()) > KEPT_BYTES and len(self._own) > 1:
                self._own.popitem(last=False)

    async def _before(self, counts: Counts) -> int:
        """The number of the last batch before this one that counts, 0 where none does."""
        end = self._head.batch
        while end > 1:
            begin, found = max(0, end - 1 - PAGE), 0
            async with aclosing(self._log.read(begin)) as stored_batches:
                async for stored in stored_batches:
                    if stored.number >= end:
                        break
                    if counts(decode_body(stored.number, stored.body)):
                        found = stored.number
            if found:
                return found
            end = begin + 1
        return 0
