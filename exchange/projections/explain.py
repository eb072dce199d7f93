"""Why an account was liquidated: each liquidation with its chain of causes, folded from the log.

The chain walks up from the end of the liquidation over its start and the record that put the pool in the queue to the
fact that made it due (a mark, a trade, a funding payment) and the command behind that.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field

from events.commands import AccountId, Proceed
from events.facts import (
    DeficitCovered,
    Deleveraged,
    Exchanged,
    FundingDue,
    InterestDue,
    LegsNetted,
    LiquidationDue,
    LiquidationEnded,
    LiquidationFeeCharged,
    LiquidationOrderPlaced,
    LiquidationStarted,
    LossShared,
    MarginMoved,
    MarkPriceMoved,
    OrderExpired,
    SettlementDue,
    TakenOver,
    Traded,
)
from events.instruments import position_name
from events.record import Batch, Record
from events.units import Nanos

STEPS = (
    LiquidationStarted,
    OrderExpired,
    LiquidationOrderPlaced,
    Traded,
    LegsNetted,
    TakenOver,
    Deleveraged,
    LossShared,
    Exchanged,
    LiquidationFeeCharged,
    DeficitCovered,
    LiquidationEnded,
    MarginMoved,
)


@dataclass(slots=True)
class Liquidation:
    """One liquidation: what made the pool due, with time and causes, and each step that followed."""

    account: AccountId
    pool: str
    due_at: Nanos
    chain: list[Record]
    marks: dict[str, int]
    steps: list[Record] = field(default_factory=list)
    ended_at: Nanos | None = None


class Explainer:
    """Folds batches into the liquidations of one account, or of all accounts."""

    def __init__(self, account: AccountId | None = None) -> None:
        self._account = account
        self._open: dict[tuple[str, str], Liquidation] = {}
        self._running: Liquidation | None = None
        self._marks: dict[str, int] = {}
        self._funding: dict[int, Record] = {}
        self.liquidations: list[Liquidation] = []

    def observe(self, batch: Batch) -> None:
        """Fold one batch."""
        by_seq = ChainMap({record.seq: record for record in batch.records}, self._funding)
        for record in batch.records[1:]:
            fact = record.message
            if isinstance(fact, MarkPriceMoved):
                self._marks[fact.instrument] = fact.mark
            elif isinstance(fact, FundingDue | InterestDue | SettlementDue):
                self._funding |= {batch.first_seq: batch.records[0], record.seq: record}
            elif isinstance(fact, LiquidationDue) and self._account in (None, fact.account):
                chain = [record]
                while (cause := by_seq.get(chain[-1].cause)) is not None:
                    chain.append(cause)
                self._open[fact.account, fact.pool] = Liquidation(
                    fact.account, fact.pool, batch.at, chain[::-1], dict(self._marks)
                )
            elif isinstance(fact, STEPS):
                self._step(batch, record)

    def _step(self, batch: Batch, record: Record) -> None:
        fact = record.message
        if isinstance(fact, MarginMoved):
            pool = position_name(fact.instrument, fact.leg)
            if isinstance(batch.command, Proceed) and (helped := self._open.get((fact.account, pool))) is not None:
                helped.steps.append(record)
            return
        if isinstance(fact, LiquidationStarted):
            self._running = self._open.get((fact.account, fact.pool))
        if self._running is not None:
            self._running.steps.append(record)
        if isinstance(fact, LiquidationEnded):
            ended = self._open.pop((fact.account, fact.pool), None)
            self._running = None
            if ended is not None:
                if record not in ended.steps:
                    ended.steps.append(record)
                ended.ended_at = batch.at
                self.liquidations.append(ended)
