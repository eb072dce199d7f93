"""Verification: the digest chain, a rebuild from the facts, and the same session decided again from its commands alone.

The first record that differs is named with both sides. A recorded fact is applied only once it was decided again, so
that a log that was tampered with cannot mislead the rebuild.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from events.codec import decode_body, encode_body, record_text
from events.commands import OpenSession
from events.log import EventLog, Head, StoredBatch, check_chain, time_goes_back
from events.record import Batch, Record, kind_of
from events.snapshot import unseal
from exchange.core import snapshot
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import apply_batch, step
from exchange.projections.results import Results
from replay.lending import Lender


@dataclass(frozen=True, slots=True)
class Difference:
    """The first record at which the log and the re-decided session part, with both sides as JSON text."""

    seq: int
    kind: str
    recorded: str
    decided: str


@dataclass(slots=True)
class Verification:
    """What was checked, and how it ended.

    decided_by is the rules version of the log; snapshots counts those that are of the state they say, false_snapshot
    is the batch of the first that is not.
    """

    head: Head = field(default_factory=Head)
    records: int = 0
    chunks: int = 0
    decided_by: int = RULES_VERSION
    difference: Difference | None = None
    states_agree: bool = True
    snapshots: int = 0
    false_snapshot: int | None = None

    @property
    def ok(self) -> bool:
        """Chain, rebuild, snapshots and re-decision agree."""
        agree = self.difference is None and self.states_agree and self.false_snapshot is None
        return agree and self.decided_by == RULES_VERSION


class Verifier:
    """Verifies one log. After `run`, `state` is the re-decided state and `results` the fold of its facts."""

    def __init__(self, log: EventLog, on_progress: Callable[[int], None] | None = None) -> None:
        self._log = log
        self._on_progress = on_progress
        self._rebuilt = State()
        self.state = State()
        self._lender = Lender(log, [self.state, self._rebuilt])
        self.results = Results()
        self.report = Verification()

    @property
    def observations(self) -> int:
        """How many observations were applied so far."""
        return sum(contract.feed.observations for contract in self.state.contracts.values())

    async def run(self) -> Verification:
        """Check everything; stops at the first difference. Raises LogError where the stored bytes contradict
        themselves.
        """
        kept = await self._snapshots()
        async for stored in self._log.read():
            self.report.head = check_chain(self.report.head, stored)
            self.report.records = self.report.head.seq
            batch = decode_body(stored.number, stored.body)
            if isinstance(batch.command, OpenSession):
                self.report.decided_by = batch.command.rules_version
            await self._lender.lend(batch)
            self.report.chunks = self._lender.chunks
            self.report.difference = self._decide_again(stored, batch)
            if self.report.difference is not None:
                return self.report
            apply_batch(self._rebuilt, batch)
            self.results.observe(batch)
            if stored.number in kept:
                await self._compare(stored.number)
            if self._on_progress:
                self._on_progress(stored.number)
        self.report.states_agree = snapshot.digest(self._rebuilt) == snapshot.digest(self.state)
        return self.report

    async def _snapshots(self) -> set[int]:
        """The batches of which the log keeps a snapshot of this code's state version."""
        found: set[int] = set()
        until = None
        while kept := await self._log.snapshot(snapshot.STATE_VERSION, until):
            found.add(kept.batch)
            until = kept.batch - 1
        return found

    async def _compare(self, batch: int) -> None:
        kept = await self._log.snapshot(snapshot.STATE_VERSION, batch)
        if kept and unseal(kept) == snapshot.encode(self._rebuilt):
            self.report.snapshots += 1
        elif self.report.false_snapshot is None:
            self.report.false_snapshot = batch

    def _decide_again(self, stored: StoredBatch, batch: Batch) -> Difference | None:
        command = batch.command
        if command.at < self.state.now:
            raise time_goes_back(batch.first_seq)
        decided = step(self.state, command)
        if not isinstance(decided, Batch):
            return Difference(
                batch.first_seq,
                kind_of(batch.records[0].message),
                record_text(batch.records[0]),
                "a repeated request: no record",
            )
        if encode_body(decided) == stored.body:
            return None
        return _first_difference(batch.records, decided.records, stored)


def _first_difference(recorded: list[Record], decided: list[Record], stored: StoredBatch) -> Difference:
    for ours, theirs in zip(decided, recorded, strict=False):
        if ours != theirs:
            return Difference(theirs.seq, kind_of(theirs.message), record_text(theirs), record_text(ours))
    shorter = min(len(recorded), len(decided))
    if len(recorded) != len(decided):
        more = (recorded if len(recorded) > len(decided) else decided)[shorter]
        sides = (record_text(more), "no record") if len(recorded) > len(decided) else ("no record", record_text(more))
        return Difference(more.seq, kind_of(more.message), *sides)
    text = stored.body.decode("ascii", "replace")
    return Difference(stored.first_seq, "bytes", text, "\n".join(map(record_text, decided)))
