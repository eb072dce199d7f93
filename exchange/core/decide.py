"""What the exchange says to a command: a table from command to the generator that decides it.

A decision reads the state, refuses or yields facts; each fact is applied before the generator goes on. Every refusal
comes before the first fact that changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from events import commands as c
from events.facts import (
    AccountOpened,
    Deposited,
    Fact,
    FundingDue,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    MarketAdvanced,
    MarkPriceMoved,
    Refused,
    SessionOpened,
    TimeAdvanced,
    Withdrawn,
)
from events.instruments import MarginMode, PackError
from events.refusals import Reason
from events.units import Atoms, MarkUnits, Rate
from exchange.core.funding import settle_all
from exchange.core.liquidation.waterfall import liquidate
from exchange.core.margin.model import available_atoms, removable_atoms, withdrawable_atoms
from exchange.core.margin.pretrade import leverage_refusal
from exchange.core.matching.limit import crossing_fill, decide_cancel, decide_place, history_fills
from exchange.core.matching.market import crossing, first_touch
from exchange.core.state import RULES_VERSION, Contract, DueKind, Position, State


def decide_open_session(state: State, command: c.OpenSession) -> Iterator[Fact]:
    """Open the session under a pack that holds together."""
    if state.pack is not None:
        yield Refused(Reason.SESSION_ALREADY_OPEN)
    elif not _is_sound(command):
        yield Refused(Reason.BAD_RULE_PACK)
    elif command.rules_version != RULES_VERSION:
        yield Refused(Reason.RULES_VERSION_UNKNOWN)
    else:
        yield SessionOpened(command.rules_version, command.pack, command.options)


def _is_sound(command: c.OpenSession) -> bool:
    try:
        command.pack.check()
    except PackError:
        return False
    return not command.pack.beyond_sessions()


def decide_open_account(state: State, command: c.OpenAccount) -> Iterator[Fact]:
    """Open an account whose name is free and printable."""
    name = command.account
    if name in state.accounts:
        yield Refused(Reason.ACCOUNT_EXISTS)
    elif not (name and name.isascii() and name.isprintable()):
        yield Refused(Reason.TEXT_NOT_PRINTABLE_ASCII)
    else:
        yield AccountOpened(name)


def decide_deposit(state: State, command: c.Deposit) -> Iterator[Fact]:
    """Bring money in."""
    if refusal := _money_refusal(state, command.asset, command.amount):
        yield Refused(refusal)
    else:
        yield Deposited(command.account, command.asset, command.amount)


def decide_withdraw(state: State, command: c.Withdraw) -> Iterator[Fact]:
    """Take money out that nothing needs."""
    if refusal := _money_refusal(state, command.asset, command.amount):
        yield Refused(refusal)
        return
    wallet = state.wallet(state.accounts[command.account], command.asset)
    if wallet.due:
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif command.amount > withdrawable_atoms(wallet):
        yield Refused(Reason.INSUFFICIENT_BALANCE)
    else:
        yield Withdrawn(command.account, command.asset, command.amount)


def _money_refusal(state: State, asset: str, amount: int) -> Reason | None:
    if asset not in state.ledger:
        return Reason.UNKNOWN_ASSET
    return None if amount > 0 else Reason.AMOUNT_NOT_POSITIVE


def _position(state: State, command: c.SetLeverage | c.SetMarginMode | c.AddMargin | c.RemoveMargin) -> Position | None:
    contract = state.contracts.get(command.instrument)
    return None if contract is None else state.position(state.accounts[command.account], contract)


def decide_set_leverage(state: State, command: c.SetLeverage) -> Iterator[Fact]:
    """Set the leverage, where brackets and margin allow it for what is open."""
    position = _position(state, command)
    if position is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif not 1 <= command.leverage <= position.contract.rules.brackets.max_leverage:
        yield Refused(Reason.LEVERAGE_OUT_OF_RANGE)
    elif position.due or position.wallet.due:
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif refusal := leverage_refusal(position, command.leverage):
        yield Refused(refusal)
    else:
        yield LeverageSet(command.account, command.instrument, command.leverage)


def decide_set_margin_mode(state: State, command: c.SetMarginMode) -> Iterator[Fact]:
    """Set the margin mode, where nothing is open."""
    position = _position(state, command)
    if position is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif position.due or position.wallet.due:
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif position.lots or position.open_orders:
        yield Refused(Reason.OPEN_ORDERS_OR_POSITION)
    else:
        yield MarginModeSet(command.account, command.instrument, command.mode)


def decide_add_margin(state: State, command: c.AddMargin) -> Iterator[Fact]:
    """Move available balance to the isolated wallet of a position."""
    position = _position(state, command)
    if refusal := _margin_refusal(position, command.amount, position is not None and position.wallet.due):
        yield Refused(refusal)
        return
    assert position is not None
    if command.amount > min(available_atoms(position.wallet), withdrawable_atoms(position.wallet)):
        yield Refused(Reason.INSUFFICIENT_BALANCE)
    else:
        yield MarginMoved(command.account, command.instrument, command.amount)


def decide_remove_margin(state: State, command: c.RemoveMargin) -> Iterator[Fact]:
    """Move margin that the position does not need back to the cross wallet."""
    position = _position(state, command)
    if refusal := _margin_refusal(position, command.amount, position is not None and position.due):
        yield Refused(refusal)
        return
    assert position is not None
    if command.amount > removable_atoms(position):
        yield Refused(Reason.INSUFFICIENT_MARGIN)
    else:
        yield MarginMoved(command.account, command.instrument, Atoms(-command.amount))


def _margin_refusal(position: Position | None, amount: int, is_due: object) -> Reason | None:
    if position is None:
        return Reason.UNKNOWN_INSTRUMENT
    if amount <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    if is_due:
        return Reason.LIQUIDATION_IN_PROGRESS
    if position.mode is not MarginMode.ISOLATED:
        return Reason.POSITION_NOT_ISOLATED
    return None if position.lots else Reason.NO_POSITION


def decide_set_mark_price(state: State, command: c.SetMarkPrice) -> Iterator[Fact]:
    """Move the mark."""
    if command.instrument not in state.contracts:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif command.mark <= 0:
        yield Refused(Reason.PRICE_NOT_POSITIVE)
    else:
        yield MarkPriceMoved(command.instrument, command.mark)


def decide_apply_funding(state: State, command: c.ApplyFunding) -> Iterator[Fact]:
    """Let every open position of the instrument pay or receive funding."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif not contract.mark:
        yield Refused(Reason.NO_MARK_PRICE)
    else:
        yield FundingDue(contract.id, command.rate, MarkUnits(contract.mark))


def decide_advance_market(state: State, command: c.AdvanceMarket) -> Iterator[Fact]:
    """Let history go on, row by row where a row touches a trader, a mark or a timer, in bulk in between."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    columns = state.columns.get(command.chunk)
    first, last = command.first_row, command.last_row
    if columns is None or columns.instrument != contract.id or not 0 <= first <= last < len(columns):
        yield Refused(Reason.ROWS_OUT_OF_RANGE)
        return
    while first <= last:
        until = first_touch(contract.feed, columns, first, last)
        samples = columns.at[until] >= contract.feed.next_sample
        yield MarketAdvanced(contract.id, command.chunk, first, until)
        yield from _consequences(state, contract, samples)
        first = until + 1


def _consequences(state: State, contract: Contract, samples: bool) -> Iterator[Fact]:
    """What follows from the latest rows: fills, funding of the time passed, a new mark."""
    feed, book = contract.feed, contract.book
    if feed.fills:
        yield from history_fills(state, contract, feed.fills)
    for order, lots, price in crossing(book):
        yield from crossing_fill(state, contract, order, lots, price)
    if feed.funding_rate is not None and contract.mark:
        yield FundingDue(contract.id, Rate(feed.funding_rate), MarkUnits(contract.mark))
    if feed.mark_source is c.MarkSource.DATA:
        mark = feed.marked
    else:
        ticks = feed.sampled_mark() if samples else None
        mark = 0 if ticks is None else ticks * contract.tick // 2
    if mark:
        yield MarkPriceMoved(contract.id, MarkUnits(mark))


def decide_advance_time(_state: State, _command: c.AdvanceTime) -> Iterator[Fact]:
    """Let time pass."""
    yield TimeAdvanced()


def decide_proceed(state: State, command: c.Proceed) -> Iterator[Fact]:
    """Do due work, the earliest first, until `limit` facts are said or nothing is left."""
    if not state.due:
        yield Refused(Reason.NOTHING_DUE)
        return
    start = state.seq
    while state.due and (room := command.limit - (state.seq - start)) > 0:
        key, due = state.due.peekitem(0)
        state.cause = due.seq
        yield from settle_all(state, key, due, room) if key[1] == DueKind.FUNDING else liquidate(state, key, due)


DECIDE: dict[type[c.Command], Callable[[State, Any], Iterator[Fact]]] = {
    c.OpenSession: decide_open_session,
    c.OpenAccount: decide_open_account,
    c.Deposit: decide_deposit,
    c.Withdraw: decide_withdraw,
    c.PlaceOrder: decide_place,
    c.CancelOrder: decide_cancel,
    c.SetLeverage: decide_set_leverage,
    c.SetMarginMode: decide_set_margin_mode,
    c.AddMargin: decide_add_margin,
    c.RemoveMargin: decide_remove_margin,
    c.SetMarkPrice: decide_set_mark_price,
    c.ApplyFunding: decide_apply_funding,
    c.AdvanceMarket: decide_advance_market,
    c.AdvanceTime: decide_advance_time,
    c.Proceed: decide_proceed,
}
"""Command -> who decides it."""
