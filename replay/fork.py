"""Forks in memory: a session with one thing changed from a record on.

What the world did goes on: market observations and the recorded commands of every account are decided again; those that
became impossible turn into refusals. Due work is done whenever there is any, not where the old session did it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from events.codec import decode_body
from events.commands import Command, Proceed
from events.log import EventLog, Head, check_chain
from events.record import Batch
from events.units import Nanos
from exchange.core.state import State
from exchange.core.step import apply_batch, finish_rebuild, step
from exchange.projections.results import Results
from replay.lending import Lender

PROCEED_FACTS = 4096
"""Due work is done in batches of so many facts at most, as the sequencer does it."""

Change = Callable[[Command], Command | None]
"""What becomes of a command after the fork: itself, another one, or None to leave it out."""


class ForkError(Exception):
    """A record that a session cannot be forked at; the message says why."""


@dataclass(slots=True)
class Fork:
    """A session that went another way: its state at the end, and the fold of all its facts.

    shared is the number of the last record that both sessions have in common; batches are those decided after it.
    """

    state: State
    shared: int
    results: Results
    batches: list[Batch] = field(default_factory=list)


async def fork(log: EventLog, record: int, change: Change) -> Fork:
    """Decide the session again with `change` applied to every command from the batch of `record` on.

    Raises ForkError, LogError.
    """
    state = State()
    forked = Fork(state, 0, Results())
    lender = Lender(log, [state])
    head, armed = Head(), False
    async for stored in log.read():
        head = check_chain(head, stored)
        batch = decode_body(stored.number, stored.body)
        await lender.lend(batch)
        if stored.last_seq < record:
            apply_batch(state, batch)
            forked.results.observe(batch)
            forked.shared = stored.last_seq
            continue
        if not armed:
            finish_rebuild(state)
            armed = True
        _go_on(forked, batch.command, change)
    if not 1 <= record <= head.seq:
        raise ForkError(f"record {record}: the session has records 1 to {head.seq}")
    return forked


def _go_on(forked: Fork, command: Command, change: Change) -> None:
    """Decide what a recorded command has become, and all that is due after it."""
    changed = None if isinstance(command, Proceed) else change(command)
    if changed is not None:
        _decide(forked, changed)
    while forked.state.has_work:
        _decide(forked, Proceed(Nanos(forked.state.now), PROCEED_FACTS))


def _decide(forked: Fork, command: Command) -> None:
    if command.at < forked.state.now:
        command = command.__replace__(at=forked.state.now)
    decided = step(forked.state, command)
    if isinstance(decided, Batch):
        forked.batches.append(decided)
        forked.results.observe(decided)
