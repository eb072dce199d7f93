"""The liquidation price of a position as it stands: the first mark at which its pool is due, all other marks staying.

It is found with the very margins that the core decides by, so that it holds to 10^-8 for every rule pack, mode and leg.
Equity - maintenance margin is concave in what the positions in one contract are worth, so on the losing side of the net
position all marks from the liquidation price on are due. The calculator has the same price by the venue's formula:
`exchange/calculator/liquidation.py`, with its source.
"""

from __future__ import annotations

from typing import NamedTuple

from events.rules import PriceShown
from events.units import UNIT, MarkUnits
from exchange.core.contract import Contract
from exchange.core.margin.model import (
    cross_positions,
    falls_short,
    fixed_maintenance,
    index_of,
    maintenance_margin,
    solvency,
    worth,
)
from exchange.core.state import MultiPool, Pool, Position, State

FARTHEST = 1 << 20
"""A short that is due only beyond so many times the mark has no liquidation price worth showing."""


class _Pool(NamedTuple):
    """A pool, its margins without the positions in one contract, grains, and those positions."""

    pool: Pool
    contract: Contract
    equity: int
    maintenance: int
    own: list[Position]

    def is_due_at(self, mark: int) -> bool:
        """Whether the pool is due once the contract's mark is there."""
        num, den = self.contract.worth_at(mark)
        equity, maintenance = self.equity, self.maintenance
        for position in self.own:
            value, index = position.lots * num // den, _index(self.pool, position)
            margin = position.schedule.maintenance(abs(value))
            if self.contract.rules.has_fixed:
                margin += fixed_maintenance(position)
            equity += value * index // UNIT
            maintenance += -(-margin * index // UNIT)
        return falls_short(self.pool, equity, maintenance)


def liquidation_mark(position: Position) -> MarkUnits | None:
    """The mark, in units of 10^-8, at which the position's pool is due: where a net long falls to, or a net short rises
    to. None without a position or a mark, and where no mark makes the pool due. Where it is due already: the mark.
    """
    mark = position.contract.mark
    if not position.lots or not mark:
        return None
    pool = _without(position)
    if pool.is_due_at(mark):
        return MarkUnits(mark)
    net = sum(one.lots for one in pool.own)
    return _below(pool, mark) if net > 0 else _above(pool, mark)


def liquidation_shown(state: State, position: Position) -> int | None:
    """The liquidation price as the venue shows it, in units of 10^-8: by the tick where the pack says so."""
    mark = liquidation_mark(position)
    if mark is None or state.pack is None or state.pack.liquidation_price is not PriceShown.TICK:
        return mark
    tick = position.contract.tick
    return -(-mark // tick) * tick if position.lots > 0 else mark // tick * tick


def _without(position: Position) -> _Pool:
    contract, pool = position.contract, position.pool
    own = [position] if isinstance(pool, Position) else [p for p in cross_positions(pool) if p.contract is contract]
    equity, maintenance = solvency(pool)
    for one in own:
        index = _index(pool, one)
        equity -= worth(one) * index // UNIT
        maintenance -= -(-maintenance_margin(one) * index // UNIT)
    return _Pool(pool, contract, equity, maintenance, own)


def _index(pool: Pool, position: Position) -> int:
    return index_of(position) if isinstance(pool, MultiPool) else UNIT


def _below(pool: _Pool, mark: int) -> MarkUnits | None:
    """The highest mark below this one at which the pool is due."""
    low, high = 0, mark
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if pool.is_due_at(middle) else (low, middle)
    return MarkUnits(low) if low else None


def _above(pool: _Pool, mark: int) -> MarkUnits | None:
    """The lowest mark above this one at which the pool is due."""
    low, high = mark, mark * 2
    while not pool.is_due_at(high):
        low, high = high, high * 2
        if high > mark * FARTHEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if pool.is_due_at(middle) else (middle, high)
    return MarkUnits(high)
