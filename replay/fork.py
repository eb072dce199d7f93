"""Forks in memory: a session with one thing changed from a record on.

What the world did goes on: market observations and the recorded commands of every account are decided again; those that
became impossible turn into refusals. Due work is done whenever there is any, not where the old session did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from events.codec import decode_body
from events.commands import Command, Proceed
from events.facts import Refused
from events.log import EventLog, Head, check_chain
from events.record import Batch
from events.refusals import Reason
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
        changed = None if isinstance(batch.command, Proceed) else change(batch.command)
        for decided in redecided(state, changed):
            forked.batches.append(decided)
            forked.results.observe(decided)
    if not 1 <= record <= head.seq:
        raise ForkError(f"record {record}: the session has records 1 to {head.seq}")
    return forked


def redecided(state: State, command: Command | None) -> Iterator[Batch]:
    """Decide what a recorded command has become, None where it was left out, and all that is due after it.

    A request that was made before leads to no batch. Due work ends where it comes to nothing: of pools that a full
    batch left, too.
    """
    if command is not None:
        decided = step(state, command.__replace__(at=max(command.at, state.now)))
        if isinstance(decided, Batch):
            yield decided
    while state.has_work:
        work = step(state, Proceed(Nanos(state.now), PROCEED_FACTS))
        assert isinstance(work, Batch), "nobody asks for due work twice"
        if len(work.records) == 1 or refusal_of(work):
            return
        yield work


def refusal_of(batch: Batch) -> Reason | None:
    """Why a batch's command was refused, None where it was not."""
    return next((fact.reason for fact in batch.facts if isinstance(fact, Refused)), None)
