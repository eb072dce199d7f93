"""How each account fared: fills, fees, funding, liquidations, folded from the facts; equity and ratios, read off the
state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from events import facts as f
from events.commands import INSURANCE, MARKET, AccountId
from events.record import Batch, kind_of
from exchange.core.margin.model import requirement
from exchange.core.state import Pool, State

HOUSE = (MARKET, INSURANCE)


@dataclass(slots=True)
class AccountResult:
    """One account so far. Amounts are atoms; fees and losses count as paid, funding as received."""

    fills: int = 0
    volume: int = 0
    fees: int = 0
    funding: int = 0
    deposits: int = 0
    liquidations: int = 0
    refusals: int = 0
    peak_ratio: float | None = None

    def saw_ratio(self, ratio: float | None) -> None:
        """Keep the worst margin ratio seen."""
        if ratio is not None and (self.peak_ratio is None or ratio > self.peak_ratio):
            self.peak_ratio = ratio


@dataclass(slots=True)
class Results:
    """All accounts, and how many facts there were of each kind."""

    accounts: dict[AccountId, AccountResult] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    own_fills: int = 0
    liquidations: int = 0

    def observe(self, batch: Batch) -> None:
        """Fold the facts of one batch."""
        for record in batch.records[1:]:
            fact = record.message
            kind = type(fact)
            self.kinds[kind_of(fact)] += 1
            if fold := _FOLD.get(kind):
                fold(self, fact)
            elif kind is f.Refused and (name := getattr(batch.command, "account", None)) in self.accounts:
                self.accounts[name].refusals += 1

    def sample(self, state: State) -> None:
        """Note the margin ratios at the present marks."""
        for name, result in self.accounts.items():
            result.saw_ratio(margin_ratio(state, name))


def margin_ratio(state: State, name: AccountId) -> float | None:
    """The highest maintenance margin / equity over the account's pools with a position, or None. For people to read."""
    ratios = []
    for wallet in state.accounts[name].wallets.values():
        pools: list[Pool] = [wallet, *(p for p in wallet.positions if p.is_isolated)]
        for pool in pools:
            margin = requirement(pool)
            if margin.maintenance:
                ratios.append(margin.maintenance / margin.equity if margin.equity > 0 else float("inf"))
    return max(ratios, default=None)


def _opened(results: Results, fact: f.AccountOpened) -> None:
    results.accounts[fact.account] = AccountResult()


def _deposited(results: Results, fact: f.Deposited) -> None:
    if fact.account in results.accounts:
        results.accounts[fact.account].deposits += fact.amount


def _withdrawn(results: Results, fact: f.Withdrawn) -> None:
    results.accounts[fact.account].deposits -= fact.amount


def _funding(results: Results, fact: f.FundingPaid) -> None:
    if fact.account in results.accounts:
        results.accounts[fact.account].funding += fact.amount


def _traded(results: Results, fact: f.Traded) -> None:
    for name, fee in ((fact.maker, fact.maker_fee), (fact.taker, fact.taker_fee)):
        if name not in HOUSE:
            result = results.accounts[name]
            result.fills += 1
            result.volume += fact.value
            result.fees += fee
            results.own_fills += 1


def _liquidated(results: Results, fact: f.LiquidationStarted) -> None:
    result = results.accounts[fact.account]
    result.liquidations += 1
    result.saw_ratio(fact.maintenance / fact.equity if fact.equity > 0 else float("inf"))
    results.liquidations += 1


def _charged(results: Results, fact: f.LiquidationFeeCharged) -> None:
    results.accounts[fact.account].fees += fact.amount


_FOLD: dict[type, Callable[[Results, Any], None]] = {
    f.AccountOpened: _opened,
    f.Deposited: _deposited,
    f.Withdrawn: _withdrawn,
    f.FundingPaid: _funding,
    f.Traded: _traded,
    f.LiquidationStarted: _liquidated,
    f.LiquidationFeeCharged: _charged,
}
