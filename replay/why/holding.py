"""What a pool holds at a moment: each position with its mark, its bracket and its maintenance margin."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from events.commands import AccountId
from events.instruments import AssetId
from events.units import UNIT
from exchange.core.margin.brackets import BracketTable
from exchange.core.margin.model import (
    cross_equity,
    cross_positions,
    initial_margin,
    maintenance_margin,
    notional,
    unrealised,
)
from exchange.core.state import MULTI, Account, MultiPool, Pool, Position, State, Wallet
from exchange.projections.paid_in import PaidIn


class Step(NamedTuple):
    """A bracket: its number from 1 on, from and up to which notional (grains), its MMR (Rate) and cum (grains)."""

    number: int
    floor: int
    cap: int
    mmr: int
    cum: int


class Holding(NamedTuple):
    """A position at a moment. Money is grains, entry_value and isolated (None in a cross pool) atoms, mark mark units.

    bracket is the one that its maintenance margin follows, None where the venue has no brackets.
    """

    name: str
    instrument: str
    lots: int
    entry_value: int
    leverage: int
    mark: int
    notional: int
    unrealised: int
    initial: int
    maintenance: int
    isolated: int | None
    bracket: Step | None


def find_pool(account: Account | None, name: str) -> Pool | None:
    """The account's pool of that name, None where it has none at this moment."""
    if account is None:
        return None
    if name == MULTI:
        return account.multi
    return account.positions.get(name) or account.wallets.get(name)  # type: ignore[call-overload]


def positions_of(pool: Pool | None) -> list[Position]:
    """The open positions that the pool carries."""
    if isinstance(pool, Position):
        return [pool] if pool.lots else []
    return cross_positions(pool) if pool is not None else []


def asset_of(pool: Pool, valuation: str) -> str:
    """The asset in which the pool is measured."""
    if isinstance(pool, MultiPool):
        return valuation
    return pool.wallet.asset if isinstance(pool, Position) else pool.asset


def held(position: Position) -> Holding:
    """The position as it stands."""
    return Holding(
        name=position.name,
        instrument=position.contract.id,
        lots=position.lots,
        entry_value=position.entry_value,
        leverage=position.leverage,
        mark=position.contract.mark,
        notional=notional(position),
        unrealised=unrealised(position),
        initial=initial_margin(position),
        maintenance=maintenance_margin(position),
        isolated=position.isolated if position.is_isolated else None,
        bracket=_bracket(position),
    )


def _bracket(position: Position) -> Step | None:
    rules = position.contract.rules
    table = rules.on_entry(position.leverage) if rules.by_entry else position.schedule
    if not isinstance(table, BracketTable):
        return None
    size = abs(position.entry_value) * UNIT if rules.by_entry else notional(position)
    b = bisect_right(table.floors, size) - 1
    return Step(b + 1, table.floors[b], table.caps[b], table.mmrs[b] * UNIT // table.whole, table.cums[b])


def account_equity(state: State, name: str, asset: str, together: bool) -> int:
    """All that the account has at the marks, grains: in an asset, or together, as the collateral that all of it is."""
    wallets = state.accounts[AccountId(name)].wallets
    if not together:
        wallet = wallets.get(AssetId(asset))
        return wallet.balance * UNIT + _beside_balance(wallet) if wallet else 0
    equity = 0
    for wallet in wallets.values():
        if kept := state.assets.get(wallet.asset):
            equity += kept.value(wallet.balance, kept.index) + _beside_balance(wallet) * kept.index // UNIT
    return equity


def _beside_balance(wallet: Wallet) -> int:
    """Unrealised PnL, and the wallets of isolated positions."""
    alone = [p for p in wallet.positions if p.is_isolated]
    isolated = sum(p.isolated * UNIT + (unrealised(p) if p.lots else 0) for p in alone)
    return cross_equity(wallet) - wallet.balance * UNIT + isolated


def paid_equity(state: State, name: str, asset: str, together: bool, paid: PaidIn) -> int:
    """How much of `account_equity` is there because of what was paid in, grains."""
    if not together:
        return (paid.outside[AssetId(asset)] + paid.exchanged[AssetId(asset)]) * UNIT
    equity, wallets = 0, state.accounts[AccountId(name)].wallets
    for each, amount in paid.outside.items():
        if (kept := state.assets.get(each)) and (wallet := wallets.get(each)):
            equity += kept.value(wallet.balance, kept.index) - kept.value(wallet.balance - amount, kept.index)
    return equity
