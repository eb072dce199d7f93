"""Why an account was liquidated: each liquidation with its chain of causes and its steps, folded from the log.

The chain walks up from the record that put the pool in the queue to the fact that made it due (a mark, a trade, a
funding payment) and the command behind that. The steps are what the liquidation itself caused, down to its end.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field

from events.commands import AccountId
from events.facts import (
    ExchangeDue,
    Fact,
    FundingDue,
    InterestDue,
    LiquidationDue,
    LiquidationEnded,
    LiquidationOutcome,
    LiquidationStarted,
    LossShared,
    MarginCalled,
    MarginRecovered,
    MarkPriceMoved,
    SettlementDue,
    Traded,
)
from events.record import Batch, Record
from events.units import Nanos

OTHERS = (LiquidationDue, ExchangeDue, MarginCalled, MarginRecovered)
"""Facts that a liquidation causes and that are the beginning of something else."""


@dataclass(slots=True)
class Liquidation:
    """One liquidation: what made the pool due, with time and causes, and each step that followed.

    marks are those of all instruments when it fell due, marks_before those ahead of the batch in which it did.
    root_batch is the batch of the command at the head of the chain, due_batch that in which the pool fell due,
    last_batch that of the last step so far. call is the margin call that went before, if there was one. caused are the
    numbers of the records that it led to, its own among them.
    """

    account: AccountId
    pool: str
    due_at: Nanos
    chain: list[Record]
    marks: dict[str, int]
    marks_before: dict[str, int]
    root_batch: int
    due_batch: int
    last_batch: int
    steps: list[Record] = field(default_factory=list)
    ended_at: Nanos | None = None
    call: Record | None = None
    called_at: int = 0
    caused: list[int] = field(default_factory=list, repr=False)

    @property
    def due(self) -> Record:
        """The record that put the pool in the queue."""
        return self.chain[-1]

    @property
    def started(self) -> LiquidationStarted | None:
        """The start; none where the pool recovered before, or still waits."""
        return next((r.message for r in self.steps if isinstance(r.message, LiquidationStarted)), None)

    @property
    def ended(self) -> LiquidationEnded | None:
        """The end; none where the session stopped before."""
        last = self.steps[-1].message if self.steps else None
        return last if isinstance(last, LiquidationEnded) else None

    @property
    def outcome(self) -> LiquidationOutcome | None:
        """How it ended; none where the session stopped before."""
        return self.ended.outcome if self.ended else None


class Explainer:
    """Folds batches into the liquidations of one account, or of all accounts."""

    def __init__(self, account: AccountId | None = None) -> None:
        self._account = account
        self._open: dict[int, Liquidation] = {}
        self._marks: dict[str, int] = {}
        self._calls: dict[tuple[str, str], tuple[Record, int]] = {}
        self._known: dict[int, Record] = {}
        self._batches: dict[int, int] = {}
        self.liquidations: list[Liquidation] = []

    @property
    def waiting(self) -> list[Liquidation]:
        """Those that the end of the session found still under way, in the order in which they fell due."""
        waiting = {id(its): its for its in self._open.values()}
        return [its for its in waiting.values() if self._account in (None, its.account)]

    def observe(self, batch: Batch) -> None:
        """Fold one batch."""
        by_seq = ChainMap({record.seq: record for record in batch.records}, self._known)
        before = dict(self._marks)
        for record in batch.records[1:]:
            fact = record.message
            if isinstance(fact, MarkPriceMoved):
                self._marks[fact.instrument] = fact.mark
            elif isinstance(fact, FundingDue | InterestDue | SettlementDue):
                self._keep(batch, [batch.records[0], record])
            elif isinstance(fact, MarginCalled):
                self._calls[fact.account, fact.pool] = record, batch.at
            elif isinstance(fact, MarginRecovered):
                self._calls.pop((fact.account, fact.pool), None)
            elif isinstance(fact, LiquidationDue):
                self._due(batch, record, by_seq, before)
            if not isinstance(fact, OTHERS) and (its := self._open.get(record.cause)) is not None:
                self._step(its, batch, record)

    def _keep(self, batch: Batch, records: list[Record]) -> None:
        """Later batches may follow from these records."""
        for record in records:
            self._known.setdefault(record.seq, record)
            self._batches.setdefault(record.seq, batch.number)

    def _due(self, batch: Batch, record: Record, by_seq: ChainMap[int, Record], before: dict[str, int]) -> None:
        fact = record.message
        assert isinstance(fact, LiquidationDue)
        chain = [record]
        while (cause := by_seq.get(chain[-1].cause)) is not None:
            chain.append(cause)
        self._keep(batch, chain)
        root = self._batches[chain[-1].seq]
        self._open[record.seq] = its = Liquidation(
            fact.account, fact.pool, batch.at, chain[::-1], dict(self._marks), before, root, batch.number, batch.number
        )
        its.caused.append(record.seq)
        its.call, its.called_at = self._calls.get((fact.account, fact.pool), (None, 0))

    def _step(self, its: Liquidation, batch: Batch, record: Record) -> None:
        """A fact that the liquidation caused; what others settle on its way is no step of it."""
        fact = record.message
        self._open[record.seq] = its
        its.caused.append(record.seq)
        if is_of(its, fact):  # type: ignore[arg-type]
            its.steps.append(record)
        its.last_batch = batch.number
        if isinstance(fact, LiquidationEnded):
            its.ended_at = batch.at
            for seq in its.caused:
                del self._open[seq]
            if self._account in (None, its.account):
                self.liquidations.append(its)


def is_of(its: Liquidation, fact: Fact) -> bool:
    """Whether a fact tells of this liquidation: of its account, of a trade, or of a loss that others share."""
    if isinstance(fact, Traded):
        return its.account in (fact.maker, fact.taker)
    return isinstance(fact, LossShared) or getattr(fact, "account", its.account) == its.account
