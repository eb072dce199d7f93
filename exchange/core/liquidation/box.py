"""The box of a pool in multi-asset mode: marks and index prices between which it cannot be due.

Haircuts and several settle assets mix every price with every other one, so no position has a buffer of its own. The
box takes all prices a share up and down, the largest share of a few at which the lowest equity - maintenance anywhere
inside is above 0: each term at its own worst price. A pool that has no such box is looked at whenever a price moves.
Source: `docs/margin.md`, section "Liquidation".
"""

from __future__ import annotations

from events.instruments import AssetId
from events.units import UNIT
from exchange.core.margin.model import cross_positions, fixed_maintenance
from exchange.core.state import MultiPool, Position

SHARES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""The box reaches one part in so many of each price away from it, the first that is safe."""


def widest_box(pool: MultiPool) -> int | None:
    """The share in SHARES of the widest box in which the pool cannot be due, None where there is none."""
    return widest_safe(pool, UNIT)


def widest_safe(pool: MultiPool, ratio: int) -> int | None:
    """The widest box in which MM / equity stays below a ratio, a Rate."""
    return next((share for share in SHARES if _lowest(pool, share, ratio) > 0), None)


def widest_between(pool: MultiPool, ratio: int) -> int | None:
    """The widest box in which the pool cannot be due, and MM / equity stays at a ratio, a Rate, or above."""
    return next(
        (share for share in SHARES if _lowest(pool, share, UNIT) > 0 and _highest(pool, share, ratio) <= 0), None
    )


def ends(price: int, share: int) -> tuple[int, int]:
    """The last prices below and above that are still inside."""
    return price - price // share, price + price // share


def _lowest(pool: MultiPool, share: int, ratio: int) -> int:
    """A bound below which ratio x equity - maintenance does not fall inside the box, grains x 10^8."""
    equity = maintenance = 0
    for wallet in pool.wallets.values():
        low, high = _indices(pool, wallet.asset, share)
        equity += pool.assets[wallet.asset].value(wallet.balance, low if wallet.balance > 0 else high)
    for position in cross_positions(pool):
        low, high = _indices(pool, position.wallet.asset, share)
        worths, margins = _worths_and_margins(position, share)
        profit = min(worths) - position.entry_value * UNIT
        equity += profit * (high if profit < 0 else low) // UNIT
        maintenance += -(-max(margins) * high // UNIT)
    return ratio * equity - UNIT * maintenance


def _highest(pool: MultiPool, share: int, ratio: int) -> int:
    """A bound above which ratio x equity - maintenance does not rise inside the box, grains x 10^8."""
    equity = maintenance = 0
    for wallet in pool.wallets.values():
        low, high = _indices(pool, wallet.asset, share)
        equity += pool.assets[wallet.asset].value(wallet.balance, high if wallet.balance > 0 else low)
    for position in cross_positions(pool):
        low, high = _indices(pool, position.wallet.asset, share)
        worths, margins = _worths_and_margins(position, share)
        profit = max(worths) - position.entry_value * UNIT
        equity += -(-profit * (low if profit < 0 else high) // UNIT)
        maintenance += -(-min(margins) * low // UNIT)
    return ratio * equity - UNIT * maintenance


def _indices(pool: MultiPool, name: AssetId, share: int) -> tuple[int, int]:
    asset = pool.assets[name]
    return ends(asset.index, share) if asset.pair else (asset.index, asset.index)


def _worths_and_margins(position: Position, share: int) -> tuple[list[int], list[int]]:
    """Worth and maintenance margin at the lowest and the highest mark of the box."""
    contract = position.contract
    worths = [position.lots * num // den for num, den in map(contract.worth_at, ends(contract.mark, share))]
    fixed = fixed_maintenance(position) if contract.rules.has_fixed else 0
    return worths, [position.schedule.maintenance(abs(worth)) + fixed for worth in worths]
