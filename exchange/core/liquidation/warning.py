"""The margin call: whose owner is warned before it is liquidated, found without scanning accounts.

Bands of a pool that is not warned stand for what its positions may lose until MM / equity comes to the warning ratio,
which is before it is due. Those of a warned one stand for what they may lose until it is due; beside them its positions
bear triggers at what they have to gain until it recovered, by a ratio of its own where the pack states one. Shares of
cross pools are sound both ways: no sum is reached while every part stays short of its own.
Source: `docs/margin.md`, section "Liquidation", step 1.
"""

from __future__ import annotations

from events.facts import Fact, MarginCalled, MarginRecovered
from events.units import UNIT, Atoms
from exchange.core.liquidation.box import ends, widest_between, widest_safe
from exchange.core.liquidation.triggers import place, rises_to
from exchange.core.margin.model import (
    cross_positions,
    fixed_maintenance,
    is_open,
    is_warned,
    notional,
    recovery_of,
    solvency,
    warning_of,
    worth,
)
from exchange.core.margin.warning import WarningLine
from exchange.core.state import FAR, MultiPool, Pool, Position, Wallet


def call(pool: Pool, equity: int, maintenance: int) -> list[Fact]:
    """The margin call of a pool that is due, or has come to the warning ratio, and was not warned yet: every descent
    has one. equity and maintenance margin are the pool's, grains.
    """
    if pool.warned or not warning_of(pool) or not is_open(pool):
        return []
    return [MarginCalled(*pool.id, Atoms(equity // UNIT), Atoms(-(-maintenance // UNIT)))]


def watch_warning(pool: Pool) -> list[Fact]:
    """Watch a pool that is not due and armed against that for what else may come; say whether it is warned now."""
    warned = is_warned(pool)
    if isinstance(pool, MultiPool):
        _watch_box(pool, warned)
    else:
        _watch_recovery(pool, warned)
    if warned is pool.warned:
        return []
    return call(pool, *solvency(pool)) if warned else [MarginRecovered(*pool.id)]


def _watch_recovery(pool: Wallet | Position, warned: bool) -> None:
    """Beside the triggers at which it is due, those at each position's share of what the pool has to gain.

    A pool so near to the ratio that rounding hides on which side it is, is looked at whenever a mark moves.
    """
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    balance = pool.isolated if isinstance(pool, Position) else pool.balance
    lines = [(p, p.recovery_line if warned else p.warning_line) for p in positions]
    parts = [(p, line, _best(p, line), notional(p)) for p, line in lines if line is not None]
    lack = -balance * UNIT - sum(best - p.entry_value * UNIT for p, _, best, _ in parts)
    total = sum(size for *_, size in parts)
    for position, line, best, size in parts:
        if lack < 0 or not total:
            place(position, position.contract.mark, position.contract.mark)
            continue
        goal = best + lack * size // total + 1
        low, high = rises_to(position, line, goal - _beside(position, line))
        place(position, max(position.low, low), high if high > 0 else position.high)


def _best(position: Position, line: WarningLine) -> int:
    """A bound of worth - maintenance margin / warning from above, grains."""
    return worth(position) - line.maintenance(notional(position)) + _beside(position, line)


def _beside(position: Position, line: WarningLine) -> int:
    """What the bound is above worth - line, for its rounding, less what of the margin does not move with the mark."""
    fixed = fixed_maintenance(position) if position.contract.rules.has_fixed else 0
    return line.slack + 1 - fixed * UNIT // line.warning


def _watch_box(pool: MultiPool, warned: bool) -> None:
    """A box in which the pool is neither due nor warned, or neither due nor recovered."""
    share = (widest_between(pool, recovery_of(pool)) if warned else widest_safe(pool, warning_of(pool))) or FAR
    for asset in pool.assets.values():
        if asset.pair is not None and asset.asset in pool.wallets:
            low, high = ends(asset.index, share)
            asset.arm(pool.account, low - 1, high + 1)
    for position in cross_positions(pool):
        low, high = ends(position.contract.mark, share)
        place(position, low - 1, high + 1)
