"""Changes by facts of an account: money, modes, leverage, margin, and what it settled."""

from __future__ import annotations

from events import facts as f
from events.commands import MARKET
from events.instruments import Leg, MarginMode
from exchange.core.changes.queue import is_settled, kept, touch
from exchange.core.due import DueKind
from exchange.core.posting import end_isolated
from exchange.core.state import Account, MultiPool, Position, State


def on_account_opened(state: State, fact: f.AccountOpened) -> None:
    """The account exists."""
    state.accounts[fact.account] = Account(fact.account)


def on_deposited(state: State, fact: f.Deposited) -> None:
    """The wallet gains what entered."""
    _enter(state, fact.account, fact.asset, fact.amount)


def on_withdrawn(state: State, fact: f.Withdrawn) -> None:
    """The wallet loses what left."""
    _enter(state, fact.account, fact.asset, -fact.amount)


def _enter(state: State, account: str, asset: str, amount: int) -> None:
    wallet = state.keep_wallet(state.accounts[account], asset)  # type: ignore[index, arg-type]
    wallet.balance += amount
    wallet.books.entered += amount
    touch(state, wallet.pool)


def on_transferred(state: State, fact: f.Transferred) -> None:
    """One wallet loses what the other gains."""
    for account, amount in ((fact.account, -fact.amount), (fact.to, fact.amount)):
        wallet = state.keep_wallet(state.accounts[account], fact.asset)
        wallet.balance += amount
        touch(state, wallet.pool)


def on_exchanged(state: State, fact: f.Exchanged) -> None:
    """The account and MARKET exchange; the fee stays with the venue."""
    for account, asset, amount in (
        (fact.account, fact.asset, -fact.amount),
        (fact.account, fact.into, fact.received),
        (MARKET, fact.asset, fact.amount),
        (MARKET, fact.into, -fact.received - fact.fee),
    ):
        wallet = state.keep_wallet(state.accounts[account], asset)
        wallet.balance += amount
        touch(state, wallet.pool)
    state.ledger[fact.into].fees += fact.fee


def on_debts_exchanged(state: State, fact: f.DebtsExchanged) -> None:
    """The entry leaves the queue; what is still owed is looked at again."""
    pool = state.multis[fact.account]
    assert pool.exchange is not None
    del state.due[pool.exchange]
    pool.exchange = None
    touch(state, pool)


def on_interest_paid(state: State, fact: f.InterestPaid) -> None:
    """The debt grows by its interest."""
    wallet = state.accounts[fact.account].wallets[fact.asset]
    wallet.balance -= fact.amount
    wallet.books.interest += fact.amount
    touch(state, wallet.pool)
    is_settled(state, DueKind.INTEREST, "", wallet)


def on_leverage_set(state: State, fact: f.LeverageSet) -> None:
    """The position takes the leverage."""
    for position in _legs(state, fact.account, fact.instrument):
        position.set_leverage(fact.leverage)
        touch(state, position.pool)


def on_margin_mode_set(state: State, fact: f.MarginModeSet) -> None:
    """The position takes the mode."""
    state.rankings.clear()
    for position in _legs(state, fact.account, fact.instrument):
        position.is_isolated = fact.mode is MarginMode.ISOLATED
        position.warned &= position.is_isolated
        if position.lots:
            state.dirty.pop(position, None)
            touch(state, position.pool)


def _legs(state: State, account: str, instrument: str) -> list[Position]:
    """The positions whose mode and leverage are one: both legs, or the only one, kept from now on, and what is left of
    the other position mode.
    """
    owner = state.accounts[account]  # type: ignore[index]
    for leg in (Leg.LONG, Leg.SHORT) if owner.hedges else (Leg.NET,):
        kept(state, account, instrument, leg)
    return owner.legs(instrument)


def on_position_mode_set(state: State, fact: f.PositionModeSet) -> None:
    """The account, which holds nothing by rule, takes the mode."""
    state.accounts[fact.account].hedges = fact.hedges


def on_collateral_mode_set(state: State, fact: f.CollateralModeSet) -> None:
    """All wallets answer together, or each for itself."""
    state.rankings.clear()
    account = state.accounts[fact.account]
    account.multi = (account.multi or MultiPool(account.name, account.wallets, state.assets)) if fact.multi else None
    if account.multi:
        state.multis[fact.account] = account.multi
    elif (pool := state.multis.pop(fact.account, None)) and pool.exchange:
        del state.due[pool.exchange]
    for wallet in account.wallets.values():
        state.dirty.pop(wallet.pool, None)
        wallet.warned &= wallet.multi is account.multi
        wallet.multi = account.multi
        touch(state, wallet.pool)


def on_auto_add_margin_set(state: State, fact: f.AutoAddMarginSet) -> None:
    """The position gets margin added when it falls due, or not."""
    for position in _legs(state, fact.account, fact.instrument):
        position.auto_add = fact.on


def on_margin_moved(state: State, fact: f.MarginMoved) -> None:
    """Cross wallet and isolated wallet exchange the amount."""
    position = kept(state, fact.account, fact.instrument, fact.leg)
    position.wallet.balance -= fact.amount
    position.isolated += fact.amount
    touch(state, position.wallet.pool)
    touch(state, position)


def on_funding_paid(state: State, fact: f.FundingPaid) -> None:
    """The position's wallet gains or loses; what rounding leaves over is booked."""
    position = kept(state, fact.account, fact.instrument, fact.leg)
    if position.is_isolated:
        position.isolated += fact.amount
    else:
        position.wallet.balance += fact.amount
    position.wallet.books.remainders -= fact.amount
    touch(state, position.pool)
    is_settled(state, DueKind.FUNDING, fact.instrument, position)


def on_position_settled(state: State, fact: f.PositionSettled) -> None:
    """The position is gone; its wallet takes the PnL, and what an isolated one held unless below zero."""
    position = kept(state, fact.account, fact.instrument, fact.leg)
    wallet, contract = position.wallet, position.contract
    contract.clearing += position.entry_value
    wallet.books.remainders -= position.entry_value + fact.amount
    wallet.books.fees += fact.fee
    if position.lots > 0:
        contract.open_interest -= position.lots
    position.lots = position.entry_value = 0
    contract.holders.pop(position, None)
    if position.is_isolated:
        position.isolated += fact.amount - fact.fee
        if position.isolated > 0:
            end_isolated(position)
    else:
        wallet.balance += fact.amount - fact.fee
    touch(state, position)
    touch(state, wallet.pool)
    is_settled(state, DueKind.SETTLEMENT, fact.instrument, position)
