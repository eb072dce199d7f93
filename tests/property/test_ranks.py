"""The queue of deleveraging that is kept between two marks is the one that ranking everybody anew would give."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events import commands as c
from exchange.core.contract import Contract
from exchange.core.liquidation.adl import first_in_queue, rank
from exchange.core.state import Position, State
from exchange.core.step import step
from tests.property.portfolios import portfolios
from tests.property.sessions import instruments, made
from tests.property.test_watch import command, some, steps

orders = made(
    c.PlaceOrder, account=some, number=st.just(0), instrument=instruments, side=st.sampled_from(c.Side),
    lots=st.integers(1, 9), price=st.integers(80, 120),
)  # fmt: skip


def naive(contract: Contract, sign: int, account: str) -> Position | None:
    """The first of all positions of the side, each ranked now."""
    found = [
        p
        for p in contract.holders
        if p.lots * sign > 0 and not p.exempt and not p.pool.due and p.account != account
    ]  # fmt: skip
    return min(found, key=lambda p: (-rank(p), p.account, p.name), default=None)


@settings(max_examples=150)
@given(portfolios(), st.lists(steps | orders, min_size=3, max_size=25))
def test_the_first_in_the_queue_is_the_first_of_all_ranked_anew(state: State, asked: list[Any]) -> None:
    for place, one in enumerate(asked):
        for contract in state.contracts.values():
            for sign in (1, -1):
                for account in ("", "A0"):
                    found = first_in_queue(state, contract, sign, account)
                    assert found is naive(contract, sign, account)
        if isinstance(one, c.PlaceOrder):
            one = one.__replace__(number=place + 1)
        if (given := command(state, one, place)) is not None:
            step(state, given)
