"""The same positions under the same marks in other engines, where they are installed (extra `bench-peers`).

lrvx 0.11 (`LiquidationEngine`, C++ with floats): accounts with their positions are attached, and `on_mark` walks all of
them. It keeps one table of tiers for all instruments, which is given the lowest rate of all five: nobody falls due, and
its work for an update is the same. It records nothing. What is measured is the call of `on_mark` alone.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from random import Random
from time import process_time_ns
from typing import Any

from benchmarks.population import MARKS
from events.units import UNIT
from exchange.core.state import Account, State

PEER = "lrvx"

BUDGET_NS = 3 * 10**9
"""A peer is measured for so much CPU time, or PEER_UPDATES updates."""

PEER_UPDATES = 1_000


def peer_name() -> str | None:
    """The peer and its version, None where it is not installed."""
    try:
        importlib.import_module(PEER)
    except ImportError:
        return None
    return f"{PEER} {version(PEER)}"


def peer_costs(state: State, hundredths: int, seed: int) -> list[int]:
    """The CPU ns of each update of the peer, with the positions of a state, on a walk from the first marks."""
    engine, _accounts = _engine(state)
    random, names = Random(seed), list(MARKS)
    marks = {name: float(mark) for name, mark in MARKS.items()}
    costs: list[int] = []
    while len(costs) < PEER_UPDATES and sum(costs) < BUDGET_NS:
        symbol = len(costs) % len(names)
        name = names[symbol]
        marks[name] += MARKS[name] * hundredths / 10**6 * random.choice((-1, 1))
        started = process_time_ns()
        outcome = engine.on_mark(symbol, marks[name])
        costs.append(process_time_ns() - started)
        assert not outcome["liquidations_count"], "the peer liquidated somebody"
    return costs


def _engine(state: State) -> tuple[Any, list[Any]]:
    """The peer's engine with the accounts of a state, and these, which it does not keep alive."""
    lrvx = importlib.import_module(PEER)
    engine = lrvx.LiquidationEngine()
    rates = [state.contracts[name].terms.brackets[0].mmr for name in MARKS]  # type: ignore[index]
    engine.add_tier(0, min(rates) / UNIT)
    owners = [account for account in state.accounts.values() if not account.is_reserved]
    accounts = [_account(lrvx, number, owner) for number, owner in enumerate(owners)]
    for account in accounts:
        engine.attach_account(account)
    return engine, accounts


def _account(lrvx: Any, number: int, owner: Account) -> Any:
    positions = list(owner.positions.values())
    wallet = next(iter(owner.wallets.values()))
    account = lrvx.Account(number, wallet.balance / UNIT)
    account.set_margin_mode("isolated" if positions[0].is_isolated else "cross")
    for position in positions:
        size = position.lots * position.contract.lot / UNIT
        entry = position.contract.mark / UNIT
        account.open_position(list(MARKS).index(position.contract.id), size, entry, position.isolated / UNIT)
    return account
