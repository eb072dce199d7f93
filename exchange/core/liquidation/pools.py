"""Pools by name, and closed to their owner while they are due."""

from __future__ import annotations

from exchange.core.state import MULTI, Account, DueKey, MultiPool, Pool


def pool_of(account: Account, name: str) -> Pool:
    """The pool that a fact names: an isolated position, the wallet of an asset, or all wallets together."""
    if name == MULTI:
        assert account.multi is not None
        return account.multi
    position = account.positions.get(name)
    return position if position is not None else account.wallets[name]  # type: ignore[index]


def close(pool: Pool, key: DueKey | None) -> None:
    """The pool is closed to its owner while it is due (no key: open again), and so are all wallets that it has."""
    pool.due = key
    if isinstance(pool, MultiPool):
        for wallet in pool.wallets.values():
            wallet.due = key
