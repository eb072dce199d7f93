"""Margin: equity, initial and maintenance margin of a pool, and what an account's orders and positions hold back.

Amounts are grains unless the name says atoms. s = +1 for a long: unrealised PnL = s x (notional at the mark - entry
value); positions keep lots and entry value signed, so that it is simply notional - entry value.
Source: `docs/margin.md`, sections "Linear contracts" and "Due"; Binance USD-M liquidation FAQ for the formulas.
"""

from __future__ import annotations

from typing import NamedTuple

from events.units import UNIT
from exchange.core.state import Pool, Position, Wallet


class Margin(NamedTuple):
    """A pool at the present marks, in grains. Due when a position is open and equity <= maintenance."""

    equity: int
    initial: int
    maintenance: int


def unrealised(position: Position) -> int:
    """Unrealised PnL at the mark."""
    contract = position.contract
    return position.lots * contract.lot * contract.mark - position.entry_value * UNIT


def notional(position: Position) -> int:
    """Notional at the mark, never negative."""
    contract = position.contract
    return abs(position.lots) * contract.lot * contract.mark


def initial_margin(position: Position) -> int:
    """Notional / leverage, rounded up."""
    return -(-notional(position) // position.leverage)


def maintenance_margin(position: Position) -> int:
    """Notional x MMR - cum of its bracket, rounded up."""
    return position.contract.brackets.maintenance(notional(position)) if position.lots else 0


def cross_positions(wallet: Wallet) -> list[Position]:
    """The open positions that the wallet carries."""
    return [p for p in wallet.positions if p.lots and not p.is_isolated]


def requirement(pool: Pool) -> Margin:
    """Equity, initial and maintenance margin of a pool at the present marks."""
    if isinstance(pool, Position):
        equity = pool.isolated * UNIT + unrealised(pool)
        return Margin(equity, initial_margin(pool), maintenance_margin(pool))
    positions = cross_positions(pool)
    return Margin(
        cross_equity(pool),
        sum(initial_margin(p) for p in positions),
        sum(maintenance_margin(p) for p in positions),
    )


def cross_equity(wallet: Wallet) -> int:
    """Cross wallet balance plus the unrealised PnL of the cross positions."""
    equity = wallet.balance * UNIT
    for p in wallet.positions:
        if p.lots and not p.is_isolated:
            contract = p.contract
            equity += p.lots * contract.lot * contract.mark - p.entry_value * UNIT
    return equity


def is_open(pool: Pool) -> bool:
    """Whether the pool carries a position."""
    return pool.lots != 0 if isinstance(pool, Position) else any(p.lots and not p.is_isolated for p in pool.positions)


def is_due(pool: Pool) -> bool:
    """Whether the pool has to be liquidated: equity <= maintenance with a position open, or below zero without one."""
    margin = requirement(pool)
    return margin.equity <= margin.maintenance if is_open(pool) else margin.equity < 0


def contribution(position: Position, lots: int, entry_value: int, bids: int, asks: int, extra: int) -> int:
    """What a position with these lots, entry value and order sums adds to available balance, mostly less than 0.

    A cross position adds its unrealised PnL. Initial margin and order reserves go off: max(|N + bids|, |N - asks|) =
    max(N + bids, asks - N) over leverage, without what an isolated position already has in its own wallet, plus open
    loss and fees.
    """
    contract = position.contract
    size = lots * contract.lot * contract.mark
    buying, selling = size + bids, asks - size
    need = -(-(buying if buying > selling else selling) // position.leverage)
    if position.is_isolated:
        return -(-abs(size) // position.leverage) - need - extra
    return size - entry_value * UNIT - need - extra


def available(wallet: Wallet, without: Position | None = None) -> int:
    """Available balance, grains; below zero where the pool is short of initial margin. `without` is left out."""
    total = wallet.balance * UNIT
    for p in wallet.positions:
        if p is not without:
            total += contribution(p, p.lots, p.entry_value, p.bids, p.asks, p.extra)
    return total


def available_atoms(wallet: Wallet) -> int:
    """Available balance as the trader sees it: atoms, rounded down, never negative."""
    return max(0, available(wallet) // UNIT)


def withdrawable_atoms(wallet: Wallet) -> int:
    """What may be taken out: min(available, balance - initial margin - order reserves), atoms, never negative."""
    free = available(wallet)
    return max(0, min(free, free + wallet.balance * UNIT - cross_equity(wallet)) // UNIT)


def removable_atoms(position: Position) -> int:
    """What may be taken out of an isolated wallet: min(wallet, equity - initial margin at the mark), atoms, never
    negative.
    """
    margin = requirement(position)
    return max(0, min(position.isolated, (margin.equity - margin.initial) // UNIT))
