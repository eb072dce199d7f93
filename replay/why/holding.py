"""What a pool holds at a moment: each position with its mark, its bracket and its maintenance margin."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from events.instruments import AssetId
from events.units import UNIT
from exchange.core.margin.brackets import BracketTable
from exchange.core.margin.model import (
    cross_equity,
    cross_positions,
    initial_margin,
    maintenance_margin,
    multi_equity,
    notional,
    unrealised,
)
from exchange.core.state import MULTI, Account, MultiPool, Pool, Position, State


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


def account_equity(state: State, name: str, asset: str) -> int:
    """All that the account has in an asset, or with all wallets together, at the marks: grains."""
    account = state.accounts[name]  # type: ignore[index]
    if account.multi is not None:
        return multi_equity(account.multi)
    wallet = account.wallets.get(AssetId(asset))
    if wallet is None:
        return 0
    alone = [p for p in wallet.positions if p.is_isolated]
    return cross_equity(wallet) + sum(p.isolated * UNIT + (unrealised(p) if p.lots else 0) for p in alone)
