"""Forks on disk: a new session whose past is that of another up to a record, with edits from there on.

The batches before are copied or referred to, so that their digests are the same. After them every recorded command is
decided again, as an edit may have changed it; due work is done by the host. What became impossible is refused, and
stands in the fork as a refusal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from events.chunks import decode_chunk
from events.commands import AccountId, AdvanceMarket, ChunkId, Command, OrderNumber, Proceed, RequestId
from events.facts import Refused
from events.log import EventLog, Head, StoredBatch
from events.record import Batch
from events.refusals import Reason
from events.store.entries import Entry, checked, chunk_needed, fill_from, head_after
from events.units import Nanos
from exchange.core.state import State
from exchange.sequencer import Sequencer

Make = Callable[[State, Nanos, RequestId], Command]
"""Makes the command of an edit, at that time, under that request."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is to be otherwise. text is how it was asked for.

    change says what becomes of every recorded command: itself, another one, or None. insert makes a command that is
    decided first of all, as soon as the account is there. order is that of the account which it changes, if it is one.
    """

    text: str
    change: Callable[[State, Command], Command | None] = lambda _, command: command
    insert: Make | None = None
    account: AccountId | None = None
    order: OrderNumber | None = None


@dataclass(slots=True)
class Branched:
    """A fork: the last head that it shares with its origin; the edits whose own command was refused, and why; those
    whose account never was there; those that found nothing to change; and the state at its end.
    """

    shared: Head
    state: State
    refused: list[tuple[Edit, Reason]] = field(default_factory=list)
    waiting: list[Edit] = field(default_factory=list)
    idle: list[Edit] = field(default_factory=list)


async def branch(
    log: EventLog, out: EventLog, before: int, edits: Sequence[Edit], on_batch: Callable[[StoredBatch], None]
) -> Branched:
    """Fill a log with the fork of `log` that parts ahead of batch `before`; what both share is copied unless it is
    there already. Raises LogError, SequencerError.
    """
    shared = await out.head()
    if not shared.batch:
        shared = await fill_from(out, _until(log, before, on_batch))
    inserts, changes = [edit for edit in edits if edit.insert], [edit for edit in edits if not edit.insert]
    sequencer = await Sequencer.open(out)
    branched = Branched(shared, sequencer.state, waiting=inserts, idle=changes)
    try:
        lent: dict[str, ChunkId] = {}
        head = shared
        _insert(sequencer, branched)
        async for stored in log.read(shared.batch):
            batch = checked(head, stored)
            head = head_after(stored)
            if isinstance(batch.command, AdvanceMarket):
                await _lend(sequencer, log, batch.command, lent)
            if not isinstance(batch.command, Proceed):
                _decide(sequencer, batch.command, edits, branched)
                _insert(sequencer, branched)
            await sequencer.ready()
            on_batch(stored)
    finally:
        await sequencer.close()
    return branched


async def _until(log: EventLog, before: int, on_batch: Callable[[StoredBatch], None]) -> AsyncIterator[Entry]:
    """The batches before that one, with their chunks."""
    head, seen = Head(), set[ChunkId]()
    async for stored in log.read():
        if stored.number >= before:
            return
        batch = checked(head, stored)
        head = head_after(stored)
        needed = chunk_needed(batch, seen)
        yield stored, await log.chunk(needed) if needed else None
        on_batch(stored)


async def _lend(sequencer: Sequencer, log: EventLog, command: AdvanceMarket, lent: dict[str, ChunkId]) -> None:
    """Have the command's chunk at hand, in place of the one before it of the same instrument."""
    old = lent.get(command.instrument)
    if old == command.chunk:
        return
    if old is not None:
        sequencer.release_chunk(old)
    chunk = await log.chunk(command.chunk)
    sequencer.add_chunk(chunk, decode_chunk(chunk))
    lent[command.instrument] = command.chunk


def _decide(sequencer: Sequencer, command: Command, edits: Sequence[Edit], branched: Branched) -> None:
    changed: Command | None = command
    for edit in edits:
        if changed is not None:
            before, changed = changed, edit.change(sequencer.state, changed)
            if edit in branched.idle and changed is not before:
                branched.idle.remove(edit)
    if changed is not None:
        sequencer.decide(changed)


def _insert(sequencer: Sequencer, branched: Branched) -> None:
    """Decide what edits have to say, of those accounts that are there."""
    for edit in [edit for edit in branched.waiting if edit.account in sequencer.state.accounts]:
        branched.waiting.remove(edit)
        assert edit.insert is not None
        state = sequencer.state
        command = edit.insert(state, Nanos(state.now), _request(state, edit.account))
        batch = sequencer.decide(command)
        assert isinstance(batch, Batch)
        branched.refused += [(edit, fact.reason) for fact in batch.facts if isinstance(fact, Refused)]


def _request(state: State, account: AccountId | None) -> RequestId:
    """A request that the account did not make before."""
    outcomes = state.accounts[account].outcomes if account else {}
    return next(request for n in range(len(outcomes) + 1) if (request := RequestId(f"fork-{n + 1}")) not in outcomes)
