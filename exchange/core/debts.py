"""Exchange of collateral at the index: what a trader asks for, and the debts of multi-asset mode beyond their limits.

The other side is MARKET. Amount x index of what is given / index of what is received, rounded down, less the fees of
both spot pairs, rounded up.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import AccountId
from events.facts import DebtsExchanged, Exchanged, Fact
from events.units import UNIT, Atoms
from exchange.core.margin.collateral import Asset
from exchange.core.state import MultiPool, Wallet


def exchanged(account: AccountId, given: Asset, amount: int, taken: Asset) -> Exchanged:
    """The exchange of an amount (atoms) into another asset; both index prices are known."""
    gross = amount * given.index // taken.index
    fee = -(-gross * (given.fee + taken.fee) // UNIT)
    return Exchanged(account, given.asset, Atoms(amount), taken.asset, Atoms(gross - fee), Atoms(fee))


def exchange_debts(pool: MultiPool) -> Iterator[Fact]:
    """Give of what is there, in the order of the rule pack, for every debt beyond its limit."""
    debts = [wallet for asset, wallet in pool.wallets.items() if is_over(pool, wallet, pool.assets[asset].debt_limit)]
    yield from cover(pool, debts)
    yield DebtsExchanged(pool.account)


def is_over(pool: MultiPool, wallet: Wallet, limit: int) -> bool:
    """Whether the wallet owes more than a limit of an asset whose price is known."""
    return wallet.balance < -limit and pool.assets[wallet.asset].index > 0


def cover(pool: MultiPool, debts: list[Wallet]) -> Iterator[Exchanged]:
    """Exchange what the pool has for these debts, until they or the balances are gone."""
    for debt in debts:
        for name, given in pool.assets.items():
            wallet = pool.wallets.get(name)
            if debt.balance >= 0:
                break
            if wallet is not None and wallet.balance > 0 and given.index:
                yield exchanged(pool.account, given, _enough(pool, wallet, debt), pool.assets[debt.asset])


def _enough(pool: MultiPool, wallet: Wallet, debt: Wallet) -> int:
    """The smallest amount that pays the whole debt after fees, or all that there is."""
    given, taken = pool.assets[wallet.asset], pool.assets[debt.asset]
    rate = UNIT - given.fee - taken.fee
    amount = -(debt.balance * UNIT // rate * taken.index // given.index)
    return min(wallet.balance, amount)
