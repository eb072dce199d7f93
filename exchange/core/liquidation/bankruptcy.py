"""Where a pool has nothing left: value and price at which closing a position uses up its share of the equity."""

from __future__ import annotations

from events.units import UNIT
from exchange.core.margin.model import cross_positions, equity_of, index_of, maintenance_margin, worth
from exchange.core.state import Pool, Position, Wallet


def bankruptcy_value(pool: Pool, position: Position) -> int:
    """The value, atoms, at which closing the whole position uses up its share of the pool's equity, and no more.

    Isolated: worth = entry value - isolated wallet; alone in a cross pool: - its balance. Cross: worth = worth at the
    mark - E x MM_i / sum MM. Where forced fills pay the taker fee, that fits in too. Rounded so that the account cannot
    end below zero, a worth up.
    Source: `docs/margin.md`, "Bankruptcy price".
    """
    fee = position.contract.rules.forced_fee
    if isinstance(pool, Position):
        left, scale = position.entry_value - pool.isolated, 1
    elif not (others := [p for p in cross_positions(pool) if p.name != position.name]) and isinstance(pool, Wallet):
        left, scale = position.entry_value - pool.balance, 1
    else:
        index = index_of(position)
        own = maintenance_margin(position) * index
        total = own + sum(maintenance_margin(p) * index_of(p) for p in others)
        scale = total * index * UNIT
        left = worth(position) * total * index - equity_of(pool) * own * UNIT
    if position.entry_value > 0:
        return max(1 if position.contract.is_inverse else 0, -(-left * UNIT // (scale * (UNIT - fee))))
    return max(1 if position.contract.is_inverse else 0, left * -UNIT // (scale * (UNIT + fee)))


def bankruptcy_price(position: Position, value: int) -> int:
    """The price per base asset, mark units, of that value: long up, short down."""
    sign, contract, size = (1 if position.lots > 0 else -1), position.contract, abs(position.lots)
    if contract.is_inverse:
        return sign * -(-sign * size * contract.face // (value * UNIT))
    return sign * -(-sign * value * UNIT // (size * contract.lot))
