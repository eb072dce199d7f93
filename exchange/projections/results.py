"""How each account fared: fills, fees, funding, liquidations, folded from the facts; equity and ratios, read off the
state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from events import facts as f
from events.commands import AccountId
from events.instruments import AssetId, instrument_of
from events.record import Batch
from exchange.core.margin.model import requirement
from exchange.core.state import Pool, State


@dataclass(slots=True)
class Money:
    """What an account did in one asset, atoms: fees and interest count as paid, funding as received.

    deposits are those that are still there, transfers and exchanges among them.
    """

    volume: int = 0
    fees: int = 0
    funding: int = 0
    deposits: int = 0


@dataclass(slots=True)
class AccountResult:
    """One account so far."""

    money: dict[AssetId, Money] = field(default_factory=dict)
    fills: int = 0
    liquidations: int = 0
    refusals: int = 0
    peak_ratio: float | None = None

    def of(self, asset: AssetId) -> Money:
        """What it did in the asset."""
        return self.money.setdefault(asset, Money())

    def saw_ratio(self, ratio: float | None) -> None:
        """Keep the worst margin ratio seen."""
        if ratio is not None and (self.peak_ratio is None or ratio > self.peak_ratio):
            self.peak_ratio = ratio


@dataclass(slots=True)
class Results:
    """All accounts, and how many facts there were of each kind; settles says what an instrument settles in."""

    accounts: dict[AccountId, AccountResult] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    own_fills: int = 0
    liquidations: int = 0
    settles: dict[str, AssetId] = field(default_factory=dict)

    def observe(self, batch: Batch) -> None:
        """Fold the facts of one batch."""
        for record in batch.records[1:]:
            fact = record.message
            kind = type(fact)
            self.kinds[_tag(kind)] += 1
            if fold := _FOLD.get(kind):
                fold(self, fact)
            elif kind is f.ItemRefused:
                self.accounts[fact.account].refusals += 1  # type: ignore[union-attr]
            elif kind is f.Refused and (name := getattr(batch.command, "account", None)) in self.accounts:
                self.accounts[name].refusals += 1

    def sample(self, state: State) -> None:
        """Note the margin ratios at the present marks."""
        for name, result in self.accounts.items():
            result.saw_ratio(margin_ratio(state, name))


@cache
def _tag(kind: type) -> str:
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


def margin_ratio(state: State, name: AccountId) -> float | None:
    """The highest maintenance margin / equity over the account's pools with a position, or None. For people to read."""
    account = state.accounts[name]
    wallets = list(account.wallets.values())
    pools: list[Pool] = [account.multi] if account.multi else [*wallets]
    pools += [position for wallet in wallets for position in wallet.positions if position.is_isolated]
    margins = [requirement(pool) for pool in pools]
    ratios = [m.maintenance / m.equity if m.equity > 0 else float("inf") for m in margins if m.maintenance]
    return max(ratios, default=None)


def _session_opened(results: Results, fact: f.SessionOpened) -> None:
    results.settles = {terms.id: terms.settle for terms in fact.pack.instruments}


def _opened(results: Results, fact: f.AccountOpened) -> None:
    results.accounts[fact.account] = AccountResult()


def _deposited(results: Results, fact: f.Deposited) -> None:
    _moved(results, fact.account, fact.asset, fact.amount)


def _withdrawn(results: Results, fact: f.Withdrawn) -> None:
    _moved(results, fact.account, fact.asset, -fact.amount)


def _transferred(results: Results, fact: f.Transferred) -> None:
    _moved(results, fact.account, fact.asset, -fact.amount)
    _moved(results, fact.to, fact.asset, fact.amount)


def _exchanged(results: Results, fact: f.Exchanged) -> None:
    _moved(results, fact.account, fact.asset, -fact.amount)
    _moved(results, fact.account, fact.into, fact.received + fact.fee)
    results.accounts[fact.account].of(fact.into).fees += fact.fee


def _moved(results: Results, account: AccountId, asset: AssetId, amount: int) -> None:
    if account in results.accounts:
        results.accounts[account].of(asset).deposits += amount


def _funding(results: Results, fact: f.FundingPaid) -> None:
    if fact.account in results.accounts:
        results.accounts[fact.account].of(results.settles[fact.instrument]).funding += fact.amount


def _interest(results: Results, fact: f.InterestPaid) -> None:
    results.accounts[fact.account].of(fact.asset).fees += fact.amount


def _settled(results: Results, fact: f.PositionSettled) -> None:
    if fact.account in results.accounts:
        results.accounts[fact.account].of(results.settles[fact.instrument]).fees += fact.fee


def _traded(results: Results, fact: f.Traded) -> None:
    for name, fee in ((fact.maker, fact.maker_fee), (fact.taker, fact.taker_fee)):
        if (result := results.accounts.get(name)) is not None:
            money = result.of(results.settles[fact.instrument])
            result.fills += 1
            money.volume += fact.value
            money.fees += fee
            results.own_fills += 1


def _liquidated(results: Results, fact: f.LiquidationStarted) -> None:
    result = results.accounts[fact.account]
    result.liquidations += 1
    result.saw_ratio(fact.maintenance / fact.equity if fact.equity > 0 else float("inf"))
    results.liquidations += 1


def _charged(results: Results, fact: f.LiquidationFeeCharged) -> None:
    asset = results.settles.get(instrument_of(fact.pool), AssetId(fact.pool))
    results.accounts[fact.account].of(asset).fees += fact.amount


_FOLD: dict[type, Callable[[Results, Any], None]] = {
    f.SessionOpened: _session_opened,
    f.AccountOpened: _opened,
    f.Deposited: _deposited,
    f.Withdrawn: _withdrawn,
    f.Transferred: _transferred,
    f.Exchanged: _exchanged,
    f.FundingPaid: _funding,
    f.InterestPaid: _interest,
    f.PositionSettled: _settled,
    f.Traded: _traded,
    f.LiquidationStarted: _liquidated,
    f.LiquidationFeeCharged: _charged,
}
