"""The blotter against the core: every golden session, in which all kinds of facts occur, adds up to the same."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.core.state import Account, State
from gateway.serving.blotter import Blotter
from gateway.serving.blotter_rows import Status
from gateway.serving.models import Moment
from tests.golden.sessions import heads, load, rebuilt

NAMES = sorted(heads())


@pytest.mark.parametrize("name", NAMES)
def test_orders_positions_and_income_are_those_of_the_core(name: str) -> None:
    session = load(name)
    state = rebuilt(session)
    assert state.pack is not None
    blotter = Blotter(state.pack, kept_max=10**6)
    for batch in session.batches:
        blotter.fold(Moment(batch))
    for account in state.accounts.values():
        if not account.is_reserved:
            _same_orders(blotter, account)
            _same_positions(blotter, account)
            _same_money(state, blotter, account)
    again = Blotter(state.pack, kept_max=10**6)
    again.load(blotter.dump())
    assert again.dump() == blotter.dump()


def _same_orders(blotter: Blotter, account: Account) -> None:
    rows = {row.number: row for row in blotter.open_orders(account.name)}
    assert set(rows) == set(account.orders) | set(account.triggers)
    for number, order in account.orders.items():
        row = rows[number]
        assert row.status is Status.OPEN
        assert (row.price, row.lots - row.executed, row.client) == (order.price, order.lots, order.client)
    for number, trigger in account.triggers.items():
        row, placed = rows[number], trigger.placed
        assert row.status is Status.WAITING
        assert (row.trigger, row.lots, row.price) == (placed.trigger, placed.lots, placed.price)
    ended = Counter(row.status for row in blotter.orders(account.name) if not row.is_live)
    assert all(row.executed >= row.lots for row in blotter.orders(account.name) if row.status is Status.FILLED)
    assert sum(ended.values()) + len(rows) == len(blotter.orders(account.name))


def _same_positions(blotter: Blotter, account: Account) -> None:
    for position in account.positions.values():
        held = blotter.held(account.name, position.contract.id, position.leg)
        assert (held.lots, held.entry_value) == (position.lots, position.entry_value)


def _same_money(state: State, blotter: Blotter, account: Account) -> None:
    """What came and went is what is there; of inverse contracts settled at expiry too."""
    income: Counter[str] = Counter()
    for entry in blotter.income(account.name):
        income[entry.asset] += entry.amount
    for asset, wallet in account.wallets.items():
        isolated = sum(position.isolated for position in wallet.positions)
        assert income[asset] == wallet.balance + isolated, (account.name, asset)
