"""The story of one liquidation: equity and requirement around each step, and the time before and after it.

The recorded facts are applied once more by the core; those of the liquidation one by one, so that every figure is the
core's own at that record. Nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from events.facts import Deleveraged, Fact, MarkPriceMoved
from events.instruments import RulePack
from events.record import Batch, Record
from events.units import UNIT, Nanos
from exchange.core.apply import APPLY
from exchange.core.margin.model import Margin, is_due, requirement
from exchange.core.state import MultiPool, Pool, Position, State
from exchange.core.step import apply_batch
from exchange.projections.deficits import Bearer, Deficits
from exchange.projections.explain import Liquidation
from exchange.projections.paid_in import PaidIn
from replay.lab.figures import ratio_of
from replay.lab.series import Series
from replay.why.holding import Holding, account_equity, asset_of, find_pool, held, positions_of

NOTHING = Margin(0, 0, 0)


class Ranked(NamedTuple):
    """Where a deleveraged position stood: its place in this liquidation's queue, and what it was ranked by (Rates)."""

    place: int
    profit: int
    leverage: int


@dataclass(frozen=True, slots=True)
class Told:
    """A step with its time and the pool's margin before and after it; ranked where somebody was deleveraged."""

    record: Record
    at: Nanos
    before: Margin
    after: Margin
    ranked: Ranked | None = None


@dataclass(slots=True)
class Timeline:
    """The pool from the opening of its first position on, until the session ended: grains, mark units, parts of 1.

    While nothing is open the ratio is 0, and equity and maintenance have no value.
    """

    marks: dict[str, Series] = field(default_factory=dict)
    equity: Series = field(default_factory=Series)
    maintenance: Series = field(default_factory=Series)
    ratio: Series = field(default_factory=Series)
    started: int = 0
    ended: int = 0


@dataclass(slots=True)
class Story:
    """What is known of one liquidation. Money is grains of `asset`.

    holdings, margin and balance (atoms; of the isolated wallet, the cross wallet) are those at which the pool fell due;
    before is the margin ahead of that batch. trigger is the mark, mark units, at which it was due first while the mark
    of `trigger_of` moved there. busy says when, in batches, the account had something open, by position. left is all
    that the account has in `asset` when the session ends, in multi-asset mode all of its wallets; paid is what it paid
    in, by batch. deficits are what the steps left to others, atoms by asset
    and by who bears it.
    """

    liquidation: Liquidation
    pack: RulePack
    asset: str = ""
    mode: str = ""
    balance: int | None = None
    before: Margin | None = None
    margin: Margin = NOTHING
    trigger: int | None = None
    trigger_of: str = ""
    holdings: list[Holding] = field(default_factory=list)
    steps: list[Told] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)
    busy: dict[str, list[list[int]]] = field(default_factory=dict)
    batches: int = 0
    left: int = 0
    paid: dict[int, PaidIn] = field(default_factory=dict)
    deficits: Counter[tuple[str, Bearer]] = field(default_factory=Counter)

    @property
    def is_together(self) -> bool:
        """All wallets answer together, so that what the account has is told of all of them."""
        return self.mode == "multi"

    def paid_from(self, batch: int) -> PaidIn:
        """What the account paid in from that batch on."""
        total = PaidIn()
        for number, paid in self.paid.items():
            if number >= batch:
                total.outside.update(paid.outside)
                total.exchanged.update(paid.exchanged)
        return total


class Storyteller:
    """Applies a log batch by batch and keeps what belongs to one liquidation; the host lends the rows to `state`."""

    def __init__(self, liquidation: Liquidation, pack: RulePack) -> None:
        self.state = State()
        self.story = Story(liquidation, pack)
        self._steps = {record.seq for record in liquidation.steps}
        self._deficits = Deficits()
        self._place = 0
        self._was_open = False

    @property
    def _pool(self) -> Pool | None:
        its = self.story.liquidation
        return find_pool(self.state.accounts.get(its.account), its.pool)

    def observe(self, batch: Batch) -> None:
        """Apply one batch."""
        its = self.story.liquidation
        self.story.batches = batch.number
        if its.due_batch <= batch.number <= its.last_batch:
            self._closely(batch)
        else:
            self._deficits.observe(batch)
            apply_batch(self.state, batch)
        if len(batch.records) > 1:
            self._look(batch)
            self._note_paid(batch)

    def end(self) -> Story:
        """The story, after the last batch."""
        story = self.story
        story.left = account_equity(self.state, story.liquidation.account, story.asset, story.is_together)
        return story

    def _note_paid(self, batch: Batch) -> None:
        paid = PaidIn()
        paid.observe(self.story.liquidation.account, batch)
        if paid.outside or paid.exchanged:
            self.story.paid[batch.number] = paid

    def _closely(self, batch: Batch) -> None:
        """Apply a batch of the liquidation fact by fact."""
        state, its = self.state, self.story.liquidation
        if batch.number == its.due_batch:
            self.story.before = self._margin()
        state.batch, state.now = batch.number, batch.at
        for record in batch.records[1:]:
            fact = record.message
            if not isinstance(fact, Fact):
                continue
            state.seq = record.seq
            self._deficits.observe(Batch(batch.number, batch.at, [batch.records[0], record]))
            if record.seq in self._steps:
                self.story.deficits.update(self._deficits.latest)
                self._tell(record, batch.at)
            else:
                self._apply(fact)
            if record.seq == its.due.seq:
                self._note_due()
        apply_batch(state, Batch(batch.number, batch.at, batch.records[:1]))
        state.seq = batch.last_seq

    def _apply(self, fact: Fact) -> None:
        """Apply a fact; where it is the mark that made the pool due, find the first mark that would have done so."""
        old = self.state.contracts[fact.instrument].mark if isinstance(fact, MarkPriceMoved) else 0
        APPLY[type(fact)](self.state, fact)
        led_to_it = any(record.seq == self.state.seq for record in self.story.liquidation.chain)
        if isinstance(fact, MarkPriceMoved) and led_to_it:
            self._note_trigger(fact, old)

    def _tell(self, record: Record, at: Nanos) -> None:
        fact = record.message
        before = self._margin() or NOTHING
        ranked = self._ranked(fact) if isinstance(fact, Deleveraged) else None
        APPLY[type(fact)](self.state, fact)  # type: ignore[index]
        self.story.steps.append(Told(record, at, before, self._margin() or NOTHING, ranked))

    def _margin(self) -> Margin | None:
        return None if (pool := self._pool) is None else requirement(pool)

    def _note_due(self) -> None:
        story, pool = self.story, self._pool
        assert pool is not None
        story.margin = requirement(pool)
        story.holdings = [held(position) for position in positions_of(pool)]
        story.asset = asset_of(pool, story.pack.valuation)
        story.mode = "multi" if isinstance(pool, MultiPool) else "isolated" if isinstance(pool, Position) else "cross"
        if isinstance(pool, Position):
            story.balance = pool.isolated
        elif not isinstance(pool, MultiPool):
            story.balance = pool.balance

    def _note_trigger(self, fact: MarkPriceMoved, old: int) -> None:
        """Find where between the old mark and the new one the pool becomes due, all else being as it is."""
        contract, pool = self.state.contracts[fact.instrument], self._pool
        if pool is None or not old or not is_due(pool):
            return
        safe, due = old, int(fact.mark)
        contract.set_mark(safe)
        if not is_due(pool):
            while abs(due - safe) > 1:
                middle = (safe + due) // 2
                contract.set_mark(middle)
                safe, due = (safe, middle) if is_due(pool) else (middle, due)
            self.story.trigger, self.story.trigger_of = due, fact.instrument
        contract.set_mark(fact.mark)

    def _ranked(self, fact: Deleveraged) -> Ranked | None:
        """What the position that is about to be deleveraged is ranked by; none for MARKET, which is not ranked."""
        self._place += 1
        account = self.state.accounts[fact.against]
        position = self.state.position(account, self.state.contracts[fact.instrument], fact.against_leg)
        if position.exempt:
            return None
        margin, holding = requirement(position.pool), held(position)
        entry = abs(holding.entry_value) * UNIT
        profit = holding.unrealised * UNIT // entry if entry else 0
        return Ranked(self._place, profit, holding.notional * UNIT // margin.equity if margin.equity > 0 else 0)

    def _look(self, batch: Batch) -> None:
        """Measure the pool after a batch, and note what the account has open."""
        its, line, state = self.story.liquidation, self.story.timeline, self.state
        account = state.accounts.get(its.account)
        if account is None:
            return
        for name, position in account.positions.items():
            spans = self.story.busy.setdefault(name, [])
            if position.lots or position.open_orders:
                if not spans or spans[-1][1]:
                    spans.append([batch.number, 0])
            elif spans and not spans[-1][1]:
                spans[-1][1] = batch.number
        pool = self._pool
        positions = positions_of(pool)
        if positions and not self._was_open and batch.number < its.due_batch:
            line = self.story.timeline = Timeline(started=batch.at)
        self._was_open = bool(positions)
        self._measure(line, batch.at, pool, positions)

    def _measure(self, line: Timeline, at: Nanos, pool: Pool | None, positions: list[Position]) -> None:
        seq = self.state.seq
        line.ended = at
        for position in positions:
            line.marks.setdefault(position.contract.id, Series())
        for instrument, series in line.marks.items():
            series.add(at, self.state.contracts[instrument].mark, seq)  # type: ignore[index]
        if pool is None or not positions:
            line.equity.pause(at)
            line.maintenance.pause(at)
            line.ratio.add(at, 0, seq)
            return
        margin = requirement(pool)
        line.equity.add(at, margin.equity, seq)
        line.maintenance.add(at, margin.maintenance, seq)
        line.ratio.add(at, ratio_of(margin), seq)
