"""Facts that move an account's money without a trade, and to which part of the report each belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from events import facts as f
from events.commands import AccountId
from events.instruments import AssetId, InstrumentId, instrument_of, position_name
from exchange.core.state import State
from replay.report.accounts import AccountReport
from replay.report.money import Parts

Accounts = Mapping[AccountId, AccountReport]


def flow(state: State, accounts: Accounts, fact: Any) -> None:
    """Count a fact that was just applied, for those of the accounts that it concerns."""
    FLOWS[type(fact)](state, accounts, fact)


def _deposited(state: State, accounts: Accounts, fact: f.Deposited) -> None:
    if its := accounts.get(fact.account):
        its.part(fact.asset).deposited += fact.amount
        _bring(state, its, fact.asset, fact.amount)


def _withdrawn(state: State, accounts: Accounts, fact: f.Withdrawn) -> None:
    if its := accounts.get(fact.account):
        its.part(fact.asset).withdrawn += fact.amount
        _bring(state, its, fact.asset, -fact.amount)


def _transferred(state: State, accounts: Accounts, fact: f.Transferred) -> None:
    for name, amount in ((fact.account, -fact.amount), (fact.to, fact.amount)):
        if its := accounts.get(name):
            its.part(fact.asset).transferred += amount
            _bring(state, its, fact.asset, amount)


def _bring(state: State, its: AccountReport, asset: AssetId, amount: int) -> None:
    """Where all wallets answer together, money from outside counts at its index price of the moment."""
    if its.is_together and (found := state.assets.get(asset)) is not None:
        its.brought_together += amount * found.index


def _exchanged(_state: State, accounts: Accounts, fact: f.Exchanged) -> None:
    if its := accounts.get(fact.account):
        its.part(fact.asset).exchanged -= fact.amount
        its.part(fact.into).exchanged += fact.received + fact.fee
        its.part(fact.into).exchange_fees += fact.fee


def _interest(_state: State, accounts: Accounts, fact: f.InterestPaid) -> None:
    if its := accounts.get(fact.account):
        its.part(fact.asset).interest += fact.amount


def _of_instrument(state: State, its: AccountReport, instrument: Any) -> Parts:
    return its.part(state.contracts[instrument].settle, instrument)


def _funding(state: State, accounts: Accounts, fact: f.FundingPaid) -> None:
    if its := accounts.get(fact.account):
        _of_instrument(state, its, fact.instrument).funding += fact.amount
        its.trips(fact.instrument, position_name(fact.instrument, fact.leg)).add(fact.amount)


def _settled(state: State, accounts: Accounts, fact: f.PositionSettled) -> None:
    if its := accounts.get(fact.account):
        parts = _of_instrument(state, its, fact.instrument)
        parts.realised += fact.amount
        parts.settlement_fees += fact.fee
        name = position_name(fact.instrument, fact.leg)
        its.trips(fact.instrument, name).settle(state.now, fact.amount - fact.fee)


def _of_pool(state: State, its: AccountReport, pool: str) -> Parts:
    """An isolated position's money is its instrument's; that of a cross pool is no instrument's."""
    contract = state.contracts.get(InstrumentId(instrument_of(pool)))
    return its.part(contract.settle, contract.id) if contract else its.part(AssetId(pool))


def _charged(state: State, accounts: Accounts, fact: f.LiquidationFeeCharged) -> None:
    if its := accounts.get(fact.account):
        _of_pool(state, its, fact.pool).liquidation_fees += fact.amount


def _covered(state: State, accounts: Accounts, fact: f.DeficitCovered) -> None:
    if its := accounts.get(fact.account):
        _of_pool(state, its, fact.pool).covered += fact.amount


def _shared(state: State, accounts: Accounts, fact: f.LossShared) -> None:
    """The entry value moved by what is paid: so much profit is realised, and gone."""
    if its := accounts.get(fact.account):
        parts = _of_instrument(state, its, fact.instrument)
        parts.realised += fact.amount
        parts.shared += fact.amount


FLOWS: dict[type, Callable[[State, Accounts, Any], None]] = {
    f.Deposited: _deposited,
    f.Withdrawn: _withdrawn,
    f.Transferred: _transferred,
    f.Exchanged: _exchanged,
    f.InterestPaid: _interest,
    f.FundingPaid: _funding,
    f.PositionSettled: _settled,
    f.LiquidationFeeCharged: _charged,
    f.DeficitCovered: _covered,
    f.LossShared: _shared,
}
"""Fact -> where it counts."""
