"""What of a due pool is closed, and in which order. Source: `docs/margin.md`, section "Liquidation", step 3."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from events.facts import Fact, LegsNetted
from events.units import UNIT, Atoms, Lots
from exchange.core.margin.model import cross_positions, index_of, maintenance_margin, notional, unrealised
from exchange.core.state import Pool, Position


def net_legs(pool: Pool) -> Iterator[Fact]:
    """Long and short leg of one instrument close each other at the mark: they carry no risk together."""
    if isinstance(pool, Position):
        return
    positions = cross_positions(pool)
    if len(positions) < 2:
        return
    for long in positions:
        for short in positions:
            if long.contract is short.contract and long.lots > 0 > short.lots:
                lots = min(long.lots, -short.lots)
                value = abs(lots * long.contract.num // long.contract.den) // UNIT
                yield LegsNetted(long.account, long.contract.id, Lots(lots), Atoms(value))


def order_of_closing(pool: Pool) -> list[Position]:
    """Positions by maintenance margin, the most first."""
    if isinstance(pool, Position):
        return [pool] if pool.lots else []
    positions = cross_positions(pool)
    if len(positions) > 1:
        positions.sort(key=lambda p: (-maintenance_margin(p) * index_of(p), p.name))
    return positions


def by_loss(pool: Pool) -> list[Position]:
    """Positions by the loss that closing them realises for the maintenance margin that it releases, the least first."""
    if isinstance(pool, Position):
        return [pool] if pool.lots else []
    positions = cross_positions(pool)
    if len(positions) > 1:
        positions.sort(key=lambda p: (_loss(p), -maintenance_margin(p) * index_of(p), p.name))
    return positions


def _loss(position: Position) -> int:
    return max(0, -unrealised(position)) * UNIT // max(1, maintenance_margin(position))


def lots_to_bracket_below(position: Position) -> int:
    """How many lots bring the position into the bracket below: all of it from the lowest one."""
    contract, size = position.contract, abs(position.lots)
    floors = contract.rules.brackets.floors
    floor = floors[bisect_right(floors, notional(position)) - 1]
    kept = (floor - 1) * contract.den // abs(contract.num) if floor else 0
    return size - min(kept, size - 1)
