"""The report of a session, folded in one pass: each recorded fact is applied once more by the core, and looked at.

The state is the core's own, so that quotes, margins and entry values are those of the moment; nothing is decided here.
Memory does not grow with the session: series, spreads and samples are bounded, and of orders only the open ones are
kept. Definitions: `docs/report.md`.
"""

from __future__ import annotations

from events import facts as f
from events.commands import AccountId, AdvanceMarket, TradersCommand
from events.instruments import InstrumentId, RulePack
from events.record import Batch
from events.units import SECOND, UNIT
from exchange.core.apply import APPLY
from exchange.core.state import Account, State
from exchange.core.step import apply_batch
from exchange.projections.explain import Explainer
from replay.lab import Room, Series
from replay.lab.series import BUCKETS
from replay.report.accounts import AccountReport
from replay.report.deals import DEALS
from replay.report.flows import FLOWS, flow
from replay.report.standing import TOGETHER, Need, holdings_of, needs, together
from replay.report.trading import TRADING, Trading

SAMPLED = 60
"""Seconds between two samples of the returns, unless told otherwise."""

ALL_BUCKETS = 64 * BUCKETS
"""The curves of more accounts than 64 are coarser, so that all of them together have so many buckets of each kind."""

RISK = (f.LeverageSet, f.MarginModeSet, f.CollateralModeSet, f.MarginMoved, f.LiquidationEnded)
"""Facts that change what an account's pools need, or who answers for what, without moving its money."""


class Report:
    """Folds the batches of a session; the host lends the rows to `state`. only names the account to look at, nothing
    stands for all.

    accounts are those that were opened, in order; marks the mark of each instrument that one of them held, mark units.
    explainer finds the liquidations. started and ended are the times of the first and the last batch.
    """

    def __init__(self, only: AccountId | None = None, sampled: int = SAMPLED) -> None:
        self.state = State()
        self.accounts: dict[AccountId, AccountReport] = {}
        self.marks: dict[InstrumentId, Series] = {}
        self.explainer = Explainer()
        self.started = self.ended = 0
        self.sampled = sampled
        self.names: dict[AccountId, None] = {}
        self._only = only
        self._next_sample = 0
        self._room = Room()
        self._trading = Trading(self.state, self.accounts)

    @property
    def pack(self) -> RulePack | None:
        """The rules of the session; none before its first fact."""
        return self.state.pack

    def observe(self, batch: Batch) -> None:
        """Fold one batch."""
        if batch.number == 1:
            self.started = self._next_sample = batch.at
        self._pass_time(batch)
        self.explainer.observe(batch)
        state = self.state
        state.batch, state.now = batch.number, batch.at
        concerned: dict[AccountId, None] = {}
        for record in batch.records[1:]:
            state.seq = record.seq
            self._take(batch, record.message, concerned)
        apply_batch(state, Batch(batch.number, batch.at, batch.records[:1]))
        state.seq = batch.last_seq
        state.dirty.clear()
        for name in concerned:
            if its := self.accounts.get(name):
                self._measure(its, state.accounts[name])
        self.ended = batch.at

    def end(self) -> None:
        """After the last batch: whatever was held was held until then."""
        self._sample_until(self.ended + 1)
        self._trading.pass_time(self.ended)
        for its in self.accounts.values():
            for standing in its.standings.values():
                standing.end(self.ended)

    def check(self) -> None:
        """Assert that what each account has is what it brought in and earned, to the atom of every asset."""
        for name, its in self.accounts.items():
            for asset, wallet in self.state.accounts[name].wallets.items():
                parts = its.whole(asset)
                has = wallet.balance + sum(p.isolated for p in wallet.positions)
                assert has == parts.brought_in + parts.earned, f"{name}, {asset}: the parts do not add up"

    def _pass_time(self, batch: Batch) -> None:
        """What is due before the batch: samples, and comparisons with the mid where no rows of history are to come."""
        if batch.at > self.ended:
            self._sample_until(batch.at)
            if not isinstance(batch.command, AdvanceMarket):
                self._trading.pass_time(batch.at - 1)

    def _sample_until(self, at: int) -> None:
        """Take the samples that are due before then."""
        times = -((self._next_sample - at) // (self.sampled * SECOND))
        if times <= 0:
            return
        self._next_sample += times * self.sampled * SECOND
        for its in self.accounts.values():
            for standing in its.standings.values():
                standing.sample(times)

    def _take(self, batch: Batch, fact: object, concerned: dict[AccountId, None]) -> None:
        """Apply a fact and count it; whom it concerns is measured when the batch ends."""
        kind = type(fact)
        if kind in TRADING:
            self._trading.take(fact)
        else:
            APPLY[kind](self.state, fact)  # type: ignore[index]
        if kind in FLOWS:
            flow(self.state, self.accounts, fact)
        if kind in MOVING:
            concerned.update((name, None) for of in NAMES if (name := getattr(fact, of, None)) is not None)
        elif isinstance(fact, f.MarkPriceMoved):
            self._marked(fact.instrument, concerned)
        elif isinstance(fact, f.IndexPriceMoved):
            concerned.update(dict.fromkeys(self.state.multis))
        elif isinstance(fact, f.AccountOpened):
            self.names[fact.account] = None
            if self._only in (None, fact.account):
                self.accounts[fact.account] = AccountReport(fact.account, self._room)
                self._room.buckets = min(BUCKETS, max(1, ALL_BUCKETS // len(self.accounts)))
        else:
            self._tell(batch, fact)

    def _tell(self, batch: Batch, fact: object) -> None:
        """Count what moved nothing."""
        if isinstance(fact, f.Refused) and isinstance(batch.command, TradersCommand):
            if its := self.accounts.get(batch.command.account):
                its.orders.refused[fact.reason.value] += 1
        elif isinstance(fact, f.ItemRefused):
            if its := self.accounts.get(fact.account):
                its.orders.refused[fact.reason.value] += 1
        elif isinstance(fact, f.LiquidationStarted) and (its := self.accounts.get(fact.account)):
            its.liquidations += 1

    def _marked(self, instrument: InstrumentId, concerned: dict[AccountId, None]) -> None:
        """Who holds the instrument is worth something else."""
        contract = self.state.contracts[instrument]
        holders = {p.account: None for p in contract.holders if p.account in self.accounts}
        concerned.update(holders)
        if holders or instrument in self.marks:
            if instrument not in self.marks:
                self.marks[instrument] = Series()
            self.marks[instrument].add(self.state.now, contract.mark, self.state.seq)

    def _measure(self, its: AccountReport, account: Account) -> None:
        """Measure an account as it stands."""
        assert self.pack is not None
        at, record = self.state.now, self.state.seq
        found = needs(account)
        for asset, wallet in account.wallets.items():
            parts = its.parts.get(asset, {}).values()
            brought = sum(one.brought_in for one in parts) * UNIT
            its.standing(asset).note(
                at, record, holdings_of(wallet), brought, found.get(asset), account.multi is not None
            )
            its.paid(at, record, asset)
        if account.multi is not None:
            self._measure_together(its, account, found.get(TOGETHER))
        elif its.is_together:
            its.is_together = False
            its.standings[TOGETHER].pause(at)

    def _measure_together(self, its: AccountReport, account: Account, need: Need | None) -> None:
        """Measure all assets of an account as one. What it has when that begins, or begins again, it brought in."""
        if (holdings := together(account)) is None:
            return
        assert self.pack is not None
        standing = its.standing(TOGETHER, self.pack.valuation)
        if not its.is_together:
            its.is_together = True
            its.brought_together = holdings.equity - (standing.profit.last.value if standing.profit.last else 0)
        standing.note(self.state.now, self.state.seq, holdings, its.brought_together, need)


MOVING = frozenset((*FLOWS, *DEALS, *RISK))
"""The facts after which an account is measured."""

NAMES = ("account", "to", "maker", "taker", "against")
"""Where facts name accounts."""
