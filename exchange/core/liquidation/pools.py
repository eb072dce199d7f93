"""Pools by name, what changed them last, and closed to their owner while they are due."""

from __future__ import annotations

from exchange.core.margin.model import cross_positions
from exchange.core.state import MULTI, Account, DueKey, MultiPool, Pool, Position


def pool_of(account: Account, name: str) -> Pool:
    """The pool that a fact names: an isolated position, the wallet of an asset, or all wallets together."""
    if name == MULTI:
        assert account.multi is not None
        return account.multi
    position = account.positions.get(name)
    return position if position is not None else account.wallets[name]  # type: ignore[index]


def last_change(pool: Pool, touched: int) -> int:
    """The last record that changed what the pool holds or is measured by, wherever its triggers happened to stand.

    touched is the last one that changed the pool itself, 0 where none did lately.
    """
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    moved = [asset.moved for asset in pool.assets.values()] if isinstance(pool, MultiPool) else []
    return max(touched, *(p.contract.marked for p in positions), *moved, 0)


def pools_of(account: Account) -> list[Pool]:
    """Every pool that the account may have: its wallets, all of them together, its positions."""
    return [*account.wallets.values(), *([account.multi] if account.multi else []), *account.positions.values()]


def close(pool: Pool, key: DueKey | None) -> None:
    """The pool is closed to its owner while it is due (no key: open again), and so are all wallets that it has."""
    pool.due = key
    if isinstance(pool, MultiPool):
        for wallet in pool.wallets.values():
            wallet.due = key
