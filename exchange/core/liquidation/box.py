"""The box of a pool in multi-asset mode: marks and index prices between which it cannot be due.

Haircuts and several settle assets mix every price with every other one, so no position has a buffer of its own. The
box takes all prices a share up and down, the largest share of a few at which the lowest equity - maintenance anywhere
inside is above 0: each term at its own worst price. A pool that has no such box is looked at whenever a price moves.
Source: `docs/margin.md`, section "Liquidation".
"""

from __future__ import annotations

from events.units import UNIT
from exchange.core.margin.model import cross_positions, fixed_maintenance, index_of
from exchange.core.state import MultiPool, Position

SHARES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""The box reaches one part in so many of each price away from it, the first that is safe."""


def widest_box(pool: MultiPool) -> int | None:
    """The share in SHARES of the widest box in which the pool cannot be due, None where there is none."""
    return next((share for share in SHARES if _lowest(pool, share) > 0), None)


def ends(price: int, share: int) -> tuple[int, int]:
    """The last prices below and above that are still inside."""
    return price - price // share, price + price // share


def _lowest(pool: MultiPool, share: int) -> int:
    """A bound below which equity - maintenance does not fall inside the box, grains of the valuation asset."""
    total = 0
    for wallet in pool.wallets.values():
        asset = pool.assets[wallet.asset]
        low, high = ends(asset.index, share) if asset.pair else (asset.index, asset.index)
        total += asset.value(wallet.balance, low if wallet.balance > 0 else high)
    for position in cross_positions(pool):
        total += _lowest_of(position, pool, share)
    return total


def _lowest_of(position: Position, pool: MultiPool, share: int) -> int:
    contract = position.contract
    index = index_of(position)
    has_pair = pool.assets[position.wallet.asset].pair is not None
    low_index, high_index = ends(index, share) if has_pair else (index, index)
    worths = [position.lots * num // den for num, den in map(contract.worth_at, ends(contract.mark, share))]
    profit = min(worths) - position.entry_value * UNIT
    margin = max(position.schedule.maintenance(abs(worth)) for worth in worths)
    if contract.rules.has_fixed:
        margin += fixed_maintenance(position)
    return profit * (high_index if profit < 0 else low_index) // UNIT - -(-margin * high_index // UNIT)
