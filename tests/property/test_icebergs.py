"""Icebergs among plain orders, whatever comes: nothing is lost, and no hidden lots trade before displayed ones."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from events import facts as f
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import told
from tests.spec.words import BUY, GOLD, SELL, market, resting

ORDERS = st.lists(st.tuples(st.integers(100, 101), st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=6)
"""Price, lots, and what is shown of it at a time; 0, or more than there is, for all."""

TAKERS = st.lists(st.integers(1, 20), min_size=1, max_size=5)


def book_of(orders: list[tuple[int, int, int]]) -> Scenario:
    """The orders at rest, from number 1 on."""
    session = scenario()
    for number, (price, lots, visible) in enumerate(orders, 1):
        shown = visible if 0 < visible <= lots <= 10 * visible else 0
        session.given(resting(number, SELL, price=price, lots=lots, visible=shown))
    return session


@given(ORDERS, TAKERS)
def test_all_of_an_order_trades_and_no_more(orders: list[tuple[int, int, int]], takers: list[int]) -> None:
    session, traded = book_of(orders), Counter[int]()
    for number, lots in enumerate(takers, 50):
        for fact in session.run(market(number, BUY, lots=lots)):
            if isinstance(fact, f.Traded):
                traded[fact.maker_order] += fact.lots
    left = {order.number: order.lots for order in session.state.accounts["maker"].orders.values()}  # type: ignore[index]
    assert [traded[n] + left.get(n, 0) for n in range(1, len(orders) + 1)] == [lots for _, lots, _ in orders]
    assert traded.total() == min(sum(takers), sum(lots for _, lots, _ in orders))
    told(session)


@given(ORDERS, st.integers(1, 60))
def test_what_is_hidden_trades_after_all_that_is_displayed_at_its_price(
    orders: list[tuple[int, int, int]], lots: int
) -> None:
    session = book_of(orders)
    book = session.state.contracts[GOLD].book
    displayed = dict(book.depth(book.asks, 10))
    hidden = Counter[int]()
    met = Counter[int]()
    shown = {o.number: o.shown or o.lots for o in session.state.accounts["maker"].orders.values()}  # type: ignore[index]
    for fact in session.run(market(50, BUY, lots=lots)):
        if isinstance(fact, f.Traded):
            part = min(fact.lots, shown[fact.maker_order])
            shown[fact.maker_order] -= part
            met[fact.price] += part
            hidden[fact.price] += fact.lots - part
            assert not hidden[fact.price] or met[fact.price] == displayed[fact.price]
