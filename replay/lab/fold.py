"""One history folded under several modes at once, batch by batch as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from events import facts as f
from events.commands import AccountId
from events.instruments import InstrumentId, MarginMode, RulePack
from events.record import Batch
from exchange.core.state import Pool
from replay.lab.figures import Figures
from replay.lab.series import Series
from replay.lab.shadow import Mode, Shadow, is_cross, obstacle

UNSEEN = (
    *(f.OrderAccepted, f.OrderRested, f.OrderAmended, f.OrderCancelled, f.OrderExpired),
    *(f.LiquidationFeeCharged, f.DeficitCovered, f.LiquidationEnded),
)
"""Facts that change an account's figures without asking the watch to look at a pool: orders, the fund's payments."""


class LabError(Exception):
    """A comparison that makes no sense for this session; the message says why."""


@dataclass(slots=True)
class AccountLab:
    """One account: how often it traded, what, in which modes, and its figures under each mode of the comparison.

    liquidated_at is when history first liquidated it, ns, 0 if never.
    """

    name: AccountId
    figures: dict[Mode, Figures]
    fills: int = 0
    recorded: dict[Mode, None] = field(default_factory=dict)
    instruments: dict[InstrumentId, None] = field(default_factory=dict)
    liquidated_at: int = 0


class Lab:
    """Folds the batches of a session. only names the account to look at, nothing stands for all.

    accounts are those that were opened, marks the mark of each instrument that somebody held, in mark units. shared
    says which modes come to the same as another one under the session's rules, left_out which cannot be had under them,
    and why; unless it is lenient, the lab refuses those.
    """

    def __init__(self, modes: Sequence[Mode], only: AccountId | None = None, lenient: bool = False) -> None:
        self.accounts: dict[AccountId, AccountLab] = {}
        self.marks: dict[InstrumentId, Series] = {}
        self.pack: RulePack | None = None
        self.started = self.ended = 0
        self._modes = tuple(modes)
        self._only = only
        self._shadows = [Shadow(mode) for mode in modes]
        self._lenient = lenient
        self.shared: dict[Mode, Mode] = {}
        self.left_out: dict[Mode, str] = {}
        self._true_modes: dict[tuple[AccountId, str], MarginMode] = {}
        self._all_answer: dict[AccountId, bool] = {}

    @property
    def traded(self) -> list[AccountLab]:
        """The accounts that traded, the busiest first."""
        found = [a for a in self.accounts.values() if a.fills and self._only in (None, a.name)]
        return sorted(found, key=lambda a: -a.fills)

    def observe(self, batch: Batch) -> None:
        """Fold one batch under every mode. Raises LabError where the session's rules know no such mode."""
        self.started = self.started or batch.at
        self.ended = batch.at
        concerned: dict[AccountId, None] = {}
        moved: dict[InstrumentId, int] = {}
        told = [record for record in batch.records[1:] if type(record.message) is not f.MarketAdvanced]
        if not told:
            return
        for shadow in self._shadows:
            shadow.begin(batch)
        for record in told:
            fact = record.message
            if type(fact) is f.MarkPriceMoved or type(fact) is f.IndexPriceMoved:
                moved[fact.instrument] = record.seq
            elif type(fact) in UNSEEN:
                concerned[fact.account] = None  # type: ignore[union-attr]
            else:
                self._note(fact)  # type: ignore[arg-type]
            for shadow in self._shadows:
                shadow.apply(record.seq, fact)  # type: ignore[arg-type]
        for shadow in self._shadows:
            self._measure(shadow, batch.at, concerned, moved)

    def _note(self, fact: f.Fact) -> None:
        """What the comparison has to know besides margin."""
        if isinstance(fact, f.SessionOpened):
            self.pack = fact.pack
            self._check_modes(fact.pack)
            self._fold_once(fact.pack)
        elif isinstance(fact, f.AccountOpened):
            self.accounts[fact.account] = AccountLab(fact.account, self._figures())
        elif isinstance(fact, f.MarginModeSet):
            self._true_modes[fact.account, fact.instrument] = fact.mode
        elif isinstance(fact, f.CollateralModeSet):
            self._all_answer[fact.account] = fact.multi
        elif isinstance(fact, f.LiquidationStarted):
            self.accounts[fact.account].liquidated_at = self.accounts[fact.account].liquidated_at or self.ended
        elif isinstance(fact, f.Traded):
            for name in (fact.maker, fact.taker):
                if (account := self.accounts.get(name)) is not None:
                    account.fills += 1
                    account.instruments[fact.instrument] = None
                    account.recorded[self._mode_of(name, fact.instrument)] = None

    def _check_modes(self, pack: RulePack) -> None:
        """Leave out, or complain about, modes that cannot be had under the pack."""
        found = {mode: why for mode in self._modes if (why := obstacle(mode, pack))}
        if found and not self._lenient:
            mode, why = next(iter(found.items()))
            raise LabError(f"mode {mode.value}: {why}")
        self.left_out = found
        self._modes = tuple(mode for mode in self._modes if mode not in found)
        self._shadows = [shadow for shadow in self._shadows if shadow.mode not in found]

    def _fold_once(self, pack: RulePack) -> None:
        """Modes that come to the same under the pack share a shadow, and their figures."""
        crosses = [mode for mode in self._modes if is_cross(mode, pack)]
        self.shared = dict.fromkeys(crosses[1:], crosses[0]) if crosses else {}
        self._shadows = [shadow for shadow in self._shadows if shadow.mode not in self.shared]

    def _figures(self) -> dict[Mode, Figures]:
        own = {mode: Figures(mode) for mode in self._modes if mode not in self.shared}
        return {mode: own[self.shared.get(mode, mode)] for mode in self._modes}

    def _mode_of(self, account: AccountId, instrument: str) -> Mode:
        """The mode in which the account really trades the instrument."""
        if self._true_modes.get((account, instrument)) is MarginMode.ISOLATED:
            return Mode.ISOLATED
        return Mode.MULTI if self._all_answer.get(account) else Mode.CROSS

    def _measure(
        self, shadow: Shadow, at: int, concerned: dict[AccountId, None], moved: dict[InstrumentId, int]
    ) -> None:
        """Measure the accounts that the batch touched, or whose marks it moved."""
        state = shadow.state
        touched: dict[Pool, int] = state.dirty
        if not (touched or concerned or moved):
            return
        state.dirty = {}
        assert self.pack is not None
        names = dict.fromkeys(pool.id[0] for pool in touched) | concerned
        if moved:
            names |= dict.fromkeys(state.multis)
        for instrument, seq in moved.items():
            contract = state.contracts.get(instrument)
            if contract is None:
                continue
            names |= dict.fromkeys(p.account for p in contract.holders if not p.exempt)
            if shadow is self._shadows[0] and (instrument in self.marks or contract.holders):
                self.marks.setdefault(instrument, Series()).add(at, contract.mark, seq)
        for name in names:
            if self._only in (None, name):
                account, figures = state.accounts[name], self.accounts[name].figures[shadow.mode]
                can_measure, unpriced = shadow.joined(account)
                figures.unpriced = figures.unpriced or unpriced
                figures.has_holes |= not can_measure
                figures.refused = len(shadow.refused.get(name, ()))
                if can_measure:
                    figures.note(at, state.seq, account, self.pack.valuation, touched)

    def end(self) -> None:
        """After the last batch: whatever was held was held until then."""
        for account in self.accounts.values():
            for mode, figures in account.figures.items():
                if mode not in self.shared:
                    figures.end(self.ended)
