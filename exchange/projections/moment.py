"""A moment of a session as people ask for it: marks, books, accounts, positions and open orders, in decimal text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from events.commands import AccountId
from events.instruments import InstrumentId
from events.triggers import PriceSource
from events.units import UNIT, decimal_text
from exchange.core.contract import Contract
from exchange.core.margin.model import (
    available_atoms,
    cross_equity,
    notional,
    requirement,
    unrealised,
    withdrawable_atoms,
)
from exchange.core.matching.uncrossing import clearing
from exchange.core.state import MULTI, Account, Pool, Position, State, Wallet
from exchange.core.triggers.trigger import Trigger
from exchange.projections.adl import lights
from exchange.projections.results import margin_ratio

RATIO_PLACES = 6
"""Margin ratios are given as shares of 1, to so many places."""

Queue = Mapping[tuple[AccountId, str], int]
"""Where positions stand in the queue of auto-deleveraging."""


def moment(state: State, accounts: Sequence[AccountId], levels: int) -> dict[str, Any]:
    """Instruments that have a mark or an order, and these accounts; `levels` of each side of a book."""
    queue = lights(state)
    return {
        "at": state.now,
        "record": state.seq,
        "batch": state.batch,
        "due": len(state.due),
        "instruments": {
            name: _instrument(contract, levels) for name, contract in state.contracts.items() if _is_alive(contract)
        },
        "accounts": {name: _account(state, state.accounts[name], queue) for name in accounts},
    }


def account_moment(state: State, name: AccountId) -> dict[str, Any]:
    """One account, as in `moment`."""
    return _account(state, state.accounts[name], lights(state))


def _phase(contract: Contract) -> dict[str, Any]:
    """What may be done where trading is not continuous, and what would trade at which price if it were now."""
    if not contract.closed:
        return {}
    found, terms = clearing(contract), contract.terms
    indicative = None if found is None else [terms.price_text(found.price), *map(terms.size_text, found[1:])]
    return {"phase": contract.phase.value, "indicative": indicative}


def _is_alive(contract: Contract) -> bool:
    return bool(contract.mark or contract.positions or contract.book.bids.levels or contract.book.asks.levels)


def _instrument(contract: Contract, levels: int) -> dict[str, Any]:
    book, terms = contract.book, contract.terms
    return {
        "mark": decimal_text(contract.mark),
        "index": decimal_text(contract.index),
        "open_interest": terms.size_text(contract.open_interest),
        **_phase(contract),
        **{
            side: [[terms.price_text(price), terms.size_text(lots)] for price, lots in book.depth(of, levels)]
            for side, of in (("bids", book.bids), ("asks", book.asks))
        },
    }


def _account(state: State, account: Account, queue: Queue) -> dict[str, Any]:
    ratio = margin_ratio(state, account.name)
    return {
        "margin_ratio": None if ratio is None else round(ratio, RATIO_PLACES),
        "wallets": {
            asset: {
                "balance": decimal_text(wallet.balance),
                "equity": decimal_text(_equity(wallet) // UNIT),
                "available": decimal_text(available_atoms(wallet)),
                "withdrawable": decimal_text(withdrawable_atoms(wallet)),
            }
            for asset, wallet in account.wallets.items()
        },
        "pools": list(_pools(account)),
        "positions": [_position(position, queue) for position in account.positions.values() if position.lots],
        "orders": list(_orders(state, account)),
        "triggers": [_trigger(trigger) for trigger in account.triggers.values()],
    }


def _equity(wallet: Wallet) -> int:
    """The wallet, isolated ones of its asset, and the unrealised PnL of all their positions, grains."""
    alone = [p for p in wallet.positions if p.is_isolated]
    return cross_equity(wallet) + sum(p.isolated * UNIT + (unrealised(p) if p.lots else 0) for p in alone)


def _pools(account: Account) -> Iterator[dict[str, Any]]:
    """Each pool that carries a position: what it has and needs."""
    wallets = list(account.wallets.values())
    shared: list[Pool] = [account.multi] if account.multi else [*wallets]
    alone = [p for wallet in wallets for p in wallet.positions if p.is_isolated and p.lots]
    for pool in [*shared, *alone]:
        margin = requirement(pool)
        if margin.maintenance:
            yield {
                "pool": MULTI if pool is account.multi else pool.id[1],
                "equity": decimal_text(margin.equity // UNIT),
                "initial": decimal_text(-(-margin.initial // UNIT)),
                "maintenance": decimal_text(-(-margin.maintenance // UNIT)),
                "margin_ratio": round(margin.maintenance / margin.equity, RATIO_PLACES) if margin.equity > 0 else None,
                "isolated_margin": decimal_text(pool.isolated) if isinstance(pool, Position) else None,
            }


def _position(position: Position, queue: Queue) -> dict[str, Any]:
    margin = requirement(position.pool)
    contract = position.contract
    return {
        "name": position.name,
        "asset": contract.settle,
        "mode": "multi" if position.wallet.multi and not position.is_isolated else position.mode.value,
        "leverage": position.leverage,
        "size": contract.terms.size_text(position.lots),
        "entry_price": _entry_price(position),
        "mark": decimal_text(contract.mark),
        "notional": decimal_text(notional(position) // UNIT),
        "unrealised_pnl": decimal_text(unrealised(position) // UNIT),
        "isolated_margin": decimal_text(position.isolated),
        "pool_equity": decimal_text(margin.equity // UNIT),
        "pool_maintenance": decimal_text(-(-margin.maintenance // UNIT)),
        "adl_light": queue.get(position.id),
    }


def _entry_price(position: Position) -> str:
    """The average price of what is open, rounded down to 10^-8."""
    contract, size = position.contract, abs(position.lots)
    value = abs(position.entry_value) * UNIT
    return decimal_text(size * contract.face // value if contract.is_inverse else value // (size * contract.lot))


def _orders(state: State, account: Account) -> Iterator[dict[str, Any]]:
    for order in account.orders.values():
        terms = state.contracts[InstrumentId(order.instrument)].terms
        yield {
            "number": order.number,
            "instrument": order.instrument,
            "side": "buy" if order.sign > 0 else "sell",
            "price": terms.price_text(order.price),
            "size": terms.size_text(order.lots),
            "shown": terms.size_text(order.shown or order.lots),
            "reduce_only": order.reduce_only,
        }


def _trigger(trigger: Trigger) -> dict[str, Any]:
    """A conditional order that waits: its extreme is that of the price it trails, its size None where it closes all."""
    placed, terms = trigger.placed, trigger.holder.contract.terms
    unit = terms.tick if placed.source is PriceSource.LAST else 1
    return {
        "number": placed.number,
        "instrument": placed.instrument,
        "side": placed.side.value,
        "kind": placed.trigger_kind.value,
        "source": placed.source.value,
        "trigger": None if placed.trigger is None else terms.price_text(placed.trigger),
        "callback": decimal_text(placed.callback) if placed.callback else None,
        "extreme": None if trigger.extreme is None else decimal_text(trigger.extreme * unit),
        "price": None if placed.price is None else terms.price_text(placed.price),
        "size": None if placed.closes else terms.size_text(placed.lots),
        "reduce_only": placed.reduce_only,
    }
