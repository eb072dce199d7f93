"""A place at which a session is forked again and again: the state there as bytes, and all that was asked from there on.

Every fork is decided by a fresh core, from the recorded commands but for the one change; it is done as `replay/fork.py`
does it: due work whenever there is any, and what became impossible is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from events import facts as f
from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AccountId, AdvanceMarket, ChunkId, Command, Proceed
from events.log import EventLog, check_chain
from events.observations import Observations
from events.record import Batch
from events.refusals import Reason
from events.units import UNIT
from exchange.core import snapshot
from exchange.core.margin.model import requirement
from exchange.core.state import State
from exchange.core.step import step
from exchange.projections.paid_in import PaidIn
from exchange.rebuild import rebuild
from replay.fork import redecided, refusal_of
from replay.why.holding import account_equity, find_pool, paid_equity, positions_of
from replay.why.story import Story

CHUNKS_KEPT = 256
"""So many chunks of market data are kept decoded between forks."""


STATE_BYTES = 100
"""To restore so many bytes of a state takes about as long as to decide a record."""


class Exhausted(Exception):
    """The forks have decided as much as they were allowed to."""


class Asked(NamedTuple):
    """A recorded command: the number of its batch and of its record, and the reason if it was refused."""

    batch: int
    seq: int
    command: Command
    refused: Reason | None


class Fall(NamedTuple):
    """A liquidation in a fork: the batch of the session at whose command it began, when, and what there was, atoms."""

    batch: int
    at: int
    pool: str
    equity: int
    maintenance: int


class Parted(NamedTuple):
    """A command that a fork decided otherwise: its record in the session, and the reason of the refusal."""

    seq: int
    kind: str
    reason: Reason


@dataclass(slots=True)
class Course:
    """How a fork went. impossible is why the change itself was refused.

    spare is the least that the watched pools had beyond what they needed while a position was open, whole atoms, None
    where none was. refused and accepted are the first commands that only the fork refused, or accepted, and how many
    there were. equity, grains, is all that the account has at the end of the session, more how much more of it than in
    the session is there because it was paid in; None where the fork stopped before.
    """

    fall: Fall | None = None
    impossible: Reason | None = None
    spare: int | None = None
    refused: Parted | None = None
    refusals: int = 0
    accepted: Parted | None = None
    acceptances: int = 0
    equity: int | None = None
    more: int | None = None
    paid: PaidIn = field(default_factory=PaidIn)

    @property
    def survives(self) -> bool:
        """The change was possible, and nothing was liquidated."""
        return self.fall is None and self.impossible is None


@dataclass(frozen=True, slots=True)
class Plan:
    """One change: commands that are decided first, what becomes of those recorded, and which pools of the account are
    watched.
    """

    account: AccountId
    watched: frozenset[str]
    first: Sequence[Command] = ()
    change: Callable[[Command], Command | None] = lambda command: command


@dataclass(slots=True)
class Effort:
    """What forks may do in all, and what they did: records decided, rows of history, and the states that they start
    from, one for every `STATE_BYTES`.
    """

    most: int
    forks: int = 0
    done: int = 0
    on_progress: Callable[[Effort], None] = field(default=lambda _: None)

    def spend(self, work: int) -> None:
        """Count. Raises Exhausted."""
        self.done += work
        if self.done > self.most:
            raise Exhausted
        self.on_progress(self)


class Branch:
    """A place to fork at: just ahead of batch `first`."""

    def __init__(self, log: EventLog, first: int, state: bytes, asked: Sequence[Asked], story: Story) -> None:
        self.first = first
        self._log = log
        self._bytes = state
        self._asked = asked
        self._story = story
        self._chunks: OrderedDict[ChunkId, Observations] = OrderedDict()

    def state(self) -> State:
        """The state at this place, a new one each time."""
        return snapshot.decode(self._bytes)

    @property
    def seq(self) -> int:
        """The record ahead of which the fork begins."""
        return self._asked[0].seq

    async def run(self, plan: Plan, until: int, effort: Effort) -> Course:
        """Decide the session from here until a batch with the change; stops where a watched pool is liquidated.

        Raises Exhausted, LogError.
        """
        effort.forks += 1
        effort.spend(len(self._bytes) // STATE_BYTES)
        state, course = self.state(), Course()
        for command in plan.first:
            batch = step(state, command.__replace__(at=state.now))
            assert isinstance(batch, Batch), "nobody asked for it before"
            if reason := refusal_of(batch):
                course.impossible = reason
                return course
            course.paid.observe(plan.account, batch)
        for asked in self._asked:
            if asked.batch > until:
                break
            changed = None if isinstance(asked.command, Proceed) else plan.change(asked.command)
            if changed is not None:
                await self._lend(state, changed)
                effort.spend(_rows(changed))
            for batch in redecided(state, changed):
                effort.spend(len(batch.records))
                if not isinstance(batch.command, Proceed):
                    _compare(asked, refusal_of(batch), course)
                course.paid.observe(plan.account, batch)
                _look(state, batch, asked.batch, plan, course)
            if course.fall is not None:
                return course
        if until >= self._asked[-1].batch:
            self._count(state, plan, course)
        return course

    def _count(self, state: State, plan: Plan, course: Course) -> None:
        """What the account has at the end, and how much of it was paid in that was not in the session."""
        of = (state, plan.account, self._story.asset, self._story.is_together)
        course.equity = account_equity(*of)
        course.more = paid_equity(*of, course.paid.beyond(self._story.paid_from(self.first)))

    async def _lend(self, state: State, command: Command) -> None:
        """Have the rows at hand that the command names."""
        if not isinstance(command, AdvanceMarket) or command.chunk in state.columns:
            return
        if command.chunk not in self._chunks:
            self._chunks[command.chunk] = decode_chunk(await self._log.chunk(command.chunk))
            if len(self._chunks) > CHUNKS_KEPT:
                self._chunks.popitem(last=False)
        for other in [name for name, its in state.columns.items() if its.instrument == command.instrument]:
            del state.columns[other]
        state.columns[command.chunk] = self._chunks[command.chunk]


async def branches(log: EventLog, firsts: Sequence[int], story: Story) -> list[Branch]:
    """The places just ahead of these batches, the earliest first, each from the nearest snapshot before it."""
    rebuilt = [await rebuild(log, until=first - 1) for first in firsts]
    head, asked = rebuilt[0].head, []
    async for stored in log.read(head.batch):
        head = check_chain(head, stored)
        batch = decode_body(stored.number, stored.body)
        asked.append(Asked(batch.number, batch.first_seq, batch.command, refusal_of(batch)))
    return [
        Branch(log, first, snapshot.encode(its.state), [a for a in asked if a.batch >= first], story)
        for first, its in zip(firsts, rebuilt, strict=True)
    ]


def _rows(command: Command) -> int:
    """How many rows of history the command applies."""
    return command.last_row - command.first_row + 1 if isinstance(command, AdvanceMarket) else 0


def _compare(asked: Asked, refusal: Reason | None, course: Course) -> None:
    kind = type(asked.command).__name__
    if refusal and not asked.refused:
        course.refusals += 1
        course.refused = course.refused or Parted(asked.seq, kind, refusal)
    elif asked.refused and not refusal:
        course.acceptances += 1
        course.accepted = course.accepted or Parted(asked.seq, kind, asked.refused)


def _look(state: State, batch: Batch, number: int, plan: Plan, course: Course) -> None:
    """Note a liquidation of what is watched, and how near it came to one."""
    if len(batch.records) == 2 and isinstance(batch.records[1].message, f.MarketAdvanced):
        return
    for fact in batch.facts:
        if isinstance(fact, f.LiquidationStarted) and fact.account == plan.account and fact.pool in plan.watched:
            course.fall = course.fall or Fall(number, batch.at, fact.pool, fact.equity, fact.maintenance)
    account = state.accounts.get(plan.account)
    for name in plan.watched:
        pool = find_pool(account, name)
        if pool is not None and positions_of(pool):
            margin = requirement(pool)
            left = (margin.equity - margin.maintenance) // UNIT
            course.spare = left if course.spare is None else min(course.spare, left)
