"""Decisions about an account itself: opening, money in and out, modes, leverage, margin."""

from __future__ import annotations

from collections.abc import Iterator

from events import commands as c
from events.facts import (
    AccountOpened,
    AutoAddMarginSet,
    CollateralModeSet,
    Deposited,
    Fact,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    PositionModeSet,
    Refused,
    Transferred,
    Withdrawn,
)
from events.instruments import Leg, MarginMode
from events.refusals import Reason
from events.rules import ModeSwitch
from events.units import Atoms
from exchange.core.debts import exchanged
from exchange.core.margin.leverage import leverage_refusal, margin_moves
from exchange.core.margin.model import (
    available,
    available_atoms,
    is_due,
    multi_available,
    removable_atoms,
    withdrawable_atoms,
)
from exchange.core.owed import settle_first
from exchange.core.posting import opening_margin
from exchange.core.state import Account, MultiPool, Position, State, Wallet


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
    if refusal := _leaving_refusal(state, command.account, command.asset, command.amount):
        yield Refused(refusal)
    else:
        yield Withdrawn(command.account, command.asset, command.amount)


def decide_transfer(state: State, command: c.Transfer) -> Iterator[Fact]:
    """Move money that nothing needs to another account."""
    to = state.accounts.get(command.to)
    if to is None or to.is_reserved:
        yield Refused(Reason.UNKNOWN_ACCOUNT if to is None else Reason.RESERVED_ACCOUNT_NAME)
    elif command.asset in state.ledger and command.amount > 0 and command.to == command.account:
        yield Refused(Reason.SAME_ON_BOTH_SIDES)
    elif refusal := _leaving_refusal(state, command.account, command.asset, command.amount):
        yield Refused(refusal)
    else:
        yield from settle_first(state, command.to)
        yield Transferred(command.account, command.asset, command.amount, command.to)


def _money_refusal(state: State, asset: str, amount: int) -> Reason | None:
    if asset not in state.ledger:
        return Reason.UNKNOWN_ASSET
    return None if amount > 0 else Reason.AMOUNT_NOT_POSITIVE


def _leaving_refusal(state: State, account: str, asset: str, amount: int) -> Reason | None:
    """The rule that speaks against taking money out of a wallet, or None."""
    if refusal := _money_refusal(state, asset, amount):
        return refusal
    wallet = state.wallet(state.accounts[account], asset)  # type: ignore[index, arg-type]
    if wallet.due:
        return Reason.LIQUIDATION_IN_PROGRESS
    if state.gated_until:
        return Reason.WITHDRAWALS_ARE_CLOSED
    return Reason.INSUFFICIENT_BALANCE if amount > withdrawable_atoms(wallet) else None


def decide_exchange_asset(state: State, command: c.ExchangeAsset) -> Iterator[Fact]:
    """Exchange one asset for another at the index."""
    if refusal := _exchange_refusal(state, command):
        yield Refused(refusal)
    else:
        given, taken = state.assets[command.asset], state.assets[command.into]
        yield exchanged(command.account, given, command.amount, taken)


def _exchange_refusal(state: State, command: c.ExchangeAsset) -> Reason | None:
    if command.asset not in state.ledger or command.into not in state.ledger:
        return Reason.UNKNOWN_ASSET
    if command.amount <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    if command.asset not in state.assets or command.into not in state.assets:
        return Reason.NOT_COLLATERAL
    if command.asset == command.into:
        return Reason.SAME_ON_BOTH_SIDES
    account = state.accounts[command.account]
    wallet = state.wallet(account, command.asset)
    if wallet.due or state.wallet(account, command.into).due:
        return Reason.LIQUIDATION_IN_PROGRESS
    given, taken = state.assets[command.asset], state.assets[command.into]
    if not given.index or not taken.index:
        return Reason.NO_INDEX_PRICE
    most = wallet.balance if wallet.multi else withdrawable_atoms(wallet)
    if command.amount > most:
        return Reason.INSUFFICIENT_BALANCE
    return Reason.INSUFFICIENT_MARGIN if _uncovers(account, wallet, command) else None


def _uncovers(account: Account, wallet: Wallet, command: c.ExchangeAsset) -> bool:
    """Whether an exchange in multi-asset mode leaves less than the positions and orders need."""
    pool = wallet.multi
    if pool is None:
        return False
    given, taken = pool.assets[command.asset], pool.assets[command.into]
    other = account.wallets.get(command.into)
    balance = other.balance if other else 0
    received = exchanged(account.name, given, command.amount, taken).received
    gained = taken.value(balance + received, taken.index) - taken.value(balance, taken.index)
    return multi_available(pool, wallet, -command.amount) + gained < min(0, multi_available(pool))


def _positions(state: State, command: c.SetLeverage | c.SetMarginMode | c.SetAutoAddMargin) -> list[Position]:
    """The positions whose mode and leverage are one, none where there is no such instrument."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        return []
    account = state.accounts[command.account]
    legs = (Leg.LONG, Leg.SHORT) if account.hedges else (Leg.NET,)
    return [state.position(account, contract, leg) for leg in legs]


def _is_closed(positions: list[Position]) -> bool:
    return any(position.due or position.wallet.due or position.isolated < 0 for position in positions)


def decide_set_leverage(state: State, command: c.SetLeverage) -> Iterator[Fact]:
    """Set the leverage, where brackets and margin allow it for what is open, with the margin that the venue moves."""
    assert state.pack is not None
    positions, change = _positions(state, command), state.pack.leverage_change
    if not positions:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif not 1 <= command.leverage <= positions[0].contract.rules.brackets.max_leverage:
        yield Refused(Reason.LEVERAGE_OUT_OF_RANGE)
    elif _is_closed(positions):
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif refusal := leverage_refusal(positions, command.leverage, change):
        yield Refused(refusal)
    else:
        moves = margin_moves(positions, command.leverage, change)
        yield LeverageSet(command.account, command.instrument, command.leverage)
        for position, amount in moves:
            yield MarginMoved(command.account, command.instrument, Atoms(amount), position.leg)


def decide_set_margin_mode(state: State, command: c.SetMarginMode) -> Iterator[Fact]:
    """Set the margin mode: where nothing is open, or where the venue allows it, with the margin moving along."""
    positions = _positions(state, command)
    if not positions:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif _is_closed(positions):
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif refusal := _mode_refusal(state, positions, command.mode):
        yield Refused(refusal)
    elif command.mode is MarginMode.ISOLATED:
        moves = [(p, _margin_to_isolate(p)) for p in positions if p.lots and not p.is_isolated]
        yield MarginModeSet(command.account, command.instrument, command.mode)
        for position, amount in moves:
            yield MarginMoved(command.account, command.instrument, Atoms(amount), position.leg)
    else:
        for position in positions:
            if position.lots and position.isolated:
                yield MarginMoved(command.account, command.instrument, Atoms(-position.isolated), position.leg)
        yield MarginModeSet(command.account, command.instrument, command.mode)


def _margin_to_isolate(position: Position) -> int:
    """What an isolated wallet of the position as it is open is given: entry notional / leverage."""
    return opening_margin(position, 1 if position.lots > 0 else -1, abs(position.entry_value))


def _mode_refusal(state: State, positions: list[Position], mode: MarginMode) -> Reason | None:
    assert state.pack is not None
    if state.accounts[positions[0].account].multi and mode is MarginMode.ISOLATED:
        return Reason.MULTI_ASSET_IS_CROSS
    if mode is positions[0].mode:
        return Reason.OPEN_ORDERS_OR_POSITION if any(p.lots or _has_orders(p) for p in positions) else None
    if any(_has_orders(p) for p in positions):
        return Reason.OPEN_ORDERS_OR_POSITION
    held = [p for p in positions if p.lots]
    if not held:
        return None
    if state.pack.mode_switch is ModeSwitch.WHEN_FLAT:
        return Reason.OPEN_ORDERS_OR_POSITION
    return _isolating_refusal(held) if mode is MarginMode.ISOLATED else _crossing_refusal(held)


def _has_orders(position: Position) -> bool:
    """Whether an order of the position is open, or a conditional one waits.

    Source: Binance USD-M, errors -4047 and -4067: modes do not change while there are open orders, conditional ones
    among them.
    """
    return position.open_orders > 0 or position.open_triggers > 0


def _isolating_refusal(held: list[Position]) -> Reason | None:
    """Whether available balance gives each position its wallet, and neither those nor the cross pool are due then."""
    wallet = held[0].wallet.twin()
    for position, given in [(p, _margin_to_isolate(p)) for p in _twins(wallet, held) if not p.is_isolated]:
        position.is_isolated, position.isolated = True, given
        wallet.balance -= given
    is_short = available(wallet) < 0 or is_due(wallet) or any(is_due(p) for p in _twins(wallet, held))
    return Reason.INSUFFICIENT_MARGIN if is_short else None


def _crossing_refusal(held: list[Position]) -> Reason | None:
    """Whether the cross pool is not due once it carries the positions with what their wallets bring."""
    wallet = held[0].wallet.twin()
    for position in _twins(wallet, held):
        wallet.balance += position.isolated
        position.is_isolated, position.isolated = False, 0
    return Reason.INSUFFICIENT_MARGIN if is_due(wallet) else None


def _twins(wallet: Wallet, held: list[Position]) -> list[Position]:
    """The positions of a wallet's twin that stand for these."""
    names = [position.name for position in held]
    return [position for position in wallet.positions if position.name in names]


def decide_set_position_mode(state: State, command: c.SetPositionMode) -> Iterator[Fact]:
    """Choose one position an instrument or two legs, where nothing is open."""
    account = state.accounts[command.account]
    if any(wallet.due for wallet in account.wallets.values()) or any(p.due for p in account.positions.values()):
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif account.orders or account.triggers or any(position.lots for position in account.positions.values()):
        yield Refused(Reason.OPEN_ORDERS_OR_POSITION)
    else:
        yield PositionModeSet(command.account, command.hedges)


def decide_set_collateral_mode(state: State, command: c.SetCollateralMode) -> Iterator[Fact]:
    """Choose whether wallets answer each for its own positions or all for all, where no pool falls due by it."""
    account = state.accounts[command.account]
    if not state.assets:
        yield Refused(Reason.NOT_COLLATERAL)
    elif any(wallet.due for wallet in account.wallets.values()) or any(p.due for p in account.positions.values()):
        yield Refused(Reason.LIQUIDATION_IN_PROGRESS)
    elif command.multi and (refusal := _joining_refusal(state, account)):
        yield Refused(refusal)
    elif not command.multi and (account.orders or account.triggers):
        yield Refused(Reason.OPEN_ORDERS_OR_POSITION)
    elif not command.multi and any(_does_not_stand(w) for w in account.wallets.values()):
        yield Refused(Reason.INSUFFICIENT_MARGIN)
    else:
        yield CollateralModeSet(command.account, command.multi)


def _joining_refusal(state: State, account: Account) -> Reason | None:
    """Whether all of an account's wallets can answer together: all is cross, and every price is known."""
    if any(p.is_isolated for p in account.positions.values()):
        return Reason.MULTI_ASSET_IS_CROSS
    held = [wallet.asset for wallet in account.wallets.values() if wallet.balance or wallet.positions]
    if any(not state.assets[asset].index for asset in held):
        return Reason.NO_INDEX_PRICE
    if account.multi is None and multi_available(MultiPool(account.name, account.wallets, state.assets)) < 0:
        return Reason.INSUFFICIENT_MARGIN
    return None


def _does_not_stand(wallet: Wallet) -> bool:
    """Whether a wallet would be due on its own."""
    return wallet.balance < 0 or is_due(wallet.twin())


def decide_set_auto_add_margin(state: State, command: c.SetAutoAddMargin) -> Iterator[Fact]:
    """Say whether an isolated position that falls due gets margin added."""
    if not _positions(state, command):
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    else:
        yield AutoAddMarginSet(command.account, command.instrument, command.on)


def _position(state: State, command: c.AddMargin | c.RemoveMargin) -> Position | None:
    contract = state.contracts.get(command.instrument)
    return None if contract is None else state.position(state.accounts[command.account], contract, command.leg)


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
        yield MarginMoved(command.account, command.instrument, command.amount, command.leg)


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
        yield MarginMoved(command.account, command.instrument, Atoms(-command.amount), command.leg)


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
