"""Forks on disk: a new session whose past is that of another up to a record, with edits from there on.

The batches before are copied or referred to, so that their digests are the same. After them every recorded command is
decided again, as an edit may have changed it; due work is done by the host. What became impossible is refused, and
stands in the fork as a refusal. Where strategies are run again, theirs are not decided: they ask anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from events.chunks import decode_chunk
from events.commands import AdvanceMarket, ChunkId, Proceed
from events.log import EventLog, Head, StoredBatch
from events.store.entries import Entry, checked, chunk_needed, fill_from, head_after
from exchange.sequencer import Sequencer
from replay.editing import Branched, Edit, Editor
from replay.rerun import Again, rerun

OnBatch = Callable[[StoredBatch], None]


async def branch(
    log: EventLog, out: EventLog, before: int, edits: Sequence[Edit], on_batch: OnBatch, again: Again | None = None
) -> Branched:
    """Fill a log with the fork of `log` that parts ahead of batch `before`; what both share is copied unless it is
    there already. Where strategies are run again, that batch is no due work. Raises LogError, SequencerError,
    StrategyError.
    """
    shared = await out.head()
    if not shared.batch:
        shared = await fill_from(out, _until(log, before, on_batch))
    sequencer = await Sequencer.open(out)
    editor = Editor(sequencer, edits, shared)
    try:
        if again:
            await rerun(log, before, editor, again, on_batch)
        else:
            await _keep(log, editor, on_batch)
    finally:
        await sequencer.close()
    return editor.branched


async def _keep(log: EventLog, editor: Editor, on_batch: OnBatch) -> None:
    """Decide every recorded command of after the fork again."""
    lent: dict[str, ChunkId] = {}
    sequencer, head = editor.sequencer, editor.branched.shared
    editor.insert()
    async for stored in log.read(head.batch):
        batch = checked(head, stored)
        head = head_after(stored)
        if isinstance(batch.command, AdvanceMarket):
            await _lend(sequencer, log, batch.command, lent)
        if not isinstance(batch.command, Proceed):
            editor.decide(batch.command)
            editor.insert()
        await sequencer.ready()
        on_batch(stored)


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
