"""Whether a new leverage goes with what is open, and what margin moves with it."""

from __future__ import annotations

from events.refusals import Reason
from events.rules import LeverageChange
from exchange.core.margin.model import (
    available,
    available_atoms,
    contributed,
    headroom,
    is_due,
    withdrawable_atoms,
    worth,
)
from exchange.core.posting import opening_margin
from exchange.core.state import Position

Moves = list[tuple[Position, int]]
"""Isolated positions, and what goes to the wallet of each, atoms; below 0 it comes back from there."""


def leverage_refusal(positions: list[Position], leverage: int, change: LeverageChange) -> Reason | None:
    """The rule that a new leverage would break with what is open in an instrument, in both legs together, or None."""
    more = 0
    for position in positions:
        contract = position.contract
        size = contract.gain * worth(position)
        need = max(size + position.bids, position.asks - size)
        if need > contract.rules.brackets.max_notional(leverage):
            return Reason.POSITION_LIMIT_AT_LEVERAGE
        share, whole = contract.rules.initial_share(leverage)
        more += -(-need * share // whole) - -(-need * position.share // position.whole)
    is_lower = leverage < positions[0].leverage
    if any(position.is_isolated and position.lots for position in positions):
        if change is not LeverageChange.WHEN_FLAT:
            return _moving_refusal(positions, leverage, change)
        return Reason.OPEN_ORDERS_OR_POSITION if is_lower else None
    left = headroom(positions[0], contributed(positions[0]) - more)
    return Reason.INSUFFICIENT_MARGIN if is_lower and more > 0 and left < 0 else None


def margin_moves(positions: list[Position], leverage: int, change: LeverageChange) -> Moves:
    """The margin that moves where open isolated positions take a new leverage, what comes back first.

    Source: Bybit, "How to increase/decrease position margin" (resets_margin); OKX, adjust-leverage-info: the margin
    that a position needs under a leverage (adds_margin).
    """
    if change is LeverageChange.WHEN_FLAT or leverage == positions[0].leverage:
        return []
    moves = [(position, _lack(position, leverage)) for position in positions if position.is_isolated and position.lots]
    if change is LeverageChange.ADDS_MARGIN:
        is_lower = leverage < positions[0].leverage
        moves = [(position, amount) for position, amount in moves if is_lower and amount > 0]
    return sorted(((p, amount) for p, amount in moves if amount), key=lambda move: (move[1], move[0].name))


def _lack(position: Position, leverage: int) -> int:
    """What an isolated wallet lacks of the margin that the position would be opened with at a leverage."""
    twin = position.twin(position.wallet)
    twin.set_leverage(leverage)
    return opening_margin(twin, 1 if twin.lots > 0 else -1, abs(twin.entry_value)) - twin.isolated


def _moving_refusal(positions: list[Position], leverage: int, change: LeverageChange) -> Reason | None:
    """Whether what moves is available, and neither the positions nor the cross pool are due then."""
    moves = {position.name: amount for position, amount in margin_moves(positions, leverage, change)}
    wallet, names = positions[0].wallet.twin(), [position.name for position in positions]
    twins = [position for position in wallet.positions if position.name in names]
    for twin in twins:
        twin.set_leverage(leverage)
    free = min(available_atoms(wallet), withdrawable_atoms(wallet))
    for twin in twins:
        twin.isolated += moves.get(twin.name, 0)
    wallet.balance -= sum(moves.values())
    lacks = available(wallet) < min(0, available(positions[0].wallet))
    is_short = lacks or sum(moves.values()) > max(0, free) or is_due(wallet) or any(is_due(twin) for twin in twins)
    return Reason.INSUFFICIENT_MARGIN if is_short else None
