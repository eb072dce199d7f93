"""A state that nobody needs any more is given back, resting orders and all: forks and lived-through worlds are many."""

from __future__ import annotations

import gc

from exchange.core.contract import Contract
from tests.scenario import scenario
from tests.spec.words import BUY, SELL, resting


def contracts_in_memory() -> int:
    """The contracts of all states that the collector knows of."""
    gc.collect()
    return sum(isinstance(thing, Contract) for thing in gc.get_objects())


def test_a_session_with_resting_orders_leaves_nothing_behind() -> None:
    before = contracts_in_memory()

    scenario().given(resting(1, SELL, price=101, lots=5), resting(2, BUY, price=99, lots=4))

    assert contracts_in_memory() == before
