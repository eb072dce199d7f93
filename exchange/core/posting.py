"""What a trade does to an account: position, entry value, wallets, fees, each atom posted twice.

Source: `docs/margin.md`: exact entry values, one value per trade, the isolated wallet net of the opening fee, and
the order in which a reduction releases margin and settles its PnL.
"""

from __future__ import annotations

from typing import NamedTuple

from events.units import UNIT
from exchange.core.changes.reducing import measure
from exchange.core.margin.model import fee_for_closing, initial_of
from exchange.core.state import Position, State


class After(NamedTuple):
    """A position after a trade: lots, entry value and isolated wallet, and what the cross wallet gains, atoms."""

    lots: int
    entry_value: int
    isolated: int
    gain: int


def after_trade(position: Position, sign: int, lots: int, value: int, fee: int, forced: bool = False) -> After:
    """What `sign` x `lots` at `value` atoms make of the position.

    A trade through zero is a close and an opening; the close takes floor(value x closed / lots) and as much of the
    fee. The closes of a liquidation (forced) release no isolated margin: it stays until the liquidation ended.
    """
    held = position.lots
    if held * sign >= 0:
        return _opened(position, (held, position.entry_value, position.isolated, 0), sign, lots, value, fee)
    size = abs(held)
    if lots <= size:
        return _closed(position, sign, lots, value, fee, forced)
    value_closed, fee_closed = value * size // lots, fee * size // lots
    flat = _closed(position, sign, size, value_closed, fee_closed, forced)
    return _opened(position, flat, sign, lots - size, value - value_closed, fee - fee_closed)


def _opened(position: Position, so_far: tuple[int, int, int, int], sign: int, lots: int, value: int, fee: int) -> After:
    held, entry_value, isolated, gain = so_far
    entry_value += sign * position.contract.gain * value
    if not position.is_isolated:
        return After(held + sign * lots, entry_value, isolated, gain - fee)
    margin = opening_margin(position, sign, value)
    return After(held + sign * lots, entry_value, isolated + margin - fee, gain - margin)


def opening_margin(position: Position, sign: int, value: int) -> int:
    """What the isolated wallet is given when a value, atoms, is opened: entry notional / leverage, rounded up.

    Where the fee for closing is part of maintenance margin, that fee too.
    """
    rules = position.contract.rules
    if rules.is_plain and not rules.exit_fee:
        return -(-value // position.leverage)
    return -(-initial_of(position, value * UNIT) // UNIT) + fee_for_closing(position, sign, value)


def _closed(position: Position, sign: int, lots: int, value: int, fee: int, forced: bool) -> After:
    size, isolated = abs(position.lots), position.isolated
    gain_sign = sign * position.contract.gain
    entry = -gain_sign * (abs(position.entry_value) * lots // size)
    settled = -gain_sign * value - entry - fee
    if not position.is_isolated:
        return After(position.lots + sign * lots, position.entry_value - entry, isolated, settled)
    gain = 0
    if not forced:
        release = isolated * lots // size
        isolated -= release
        gain = max(0, settled + release)
        settled = min(0, settled + release)
    return After(position.lots + sign * lots, position.entry_value - entry, isolated + settled, gain)


def post_trade(state: State, position: Position, sign: int, lots: int, value: int, fee: int, forced: bool) -> int:
    """Post one side of a trade to its account, the fee to the venue, the cost to the clearing account.

    Returns what it adds to the open interest. The caller counts it once both sides are posted, so that margins which
    go by open interest are those by which the order was carried.
    """
    wallet, contract, held = position.wallet, position.contract, position.lots
    after = after_trade(position, sign, lots, value, fee, forced)
    contract.clearing += position.entry_value - after.entry_value
    position.lots, position.entry_value, position.isolated, gain = after
    wallet.balance += gain
    wallet.books.fees += fee
    if not position.lots:
        contract.holders.pop(position, None)
    elif not held:
        contract.holders[position] = None
    if position.reducing is not None:
        measure(state, position)
    if not position.exempt:
        state.touch(wallet.multi or wallet)
        if position.is_isolated:
            state.touch(position)
    return (position.lots if position.lots > 0 else 0) - (held if held > 0 else 0)


def end_isolated(position: Position) -> None:
    """A liquidated isolated position is closed: what is left of its wallet goes back to the cross wallet."""
    position.wallet.balance += position.isolated
    position.isolated = 0
