"""Auto-add margin: an isolated position that falls due takes as much again as its initial margin, while there is any.

10 lots at 100 isolated at 10x fall due at 94.7368 with 100 behind them.
"""

from __future__ import annotations

from typing import Any

from events import facts as f
from tests.scenario import Scenario, scenario
from tests.spec.contracts import auto_add
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    margin_moved,
    mark,
    mark_moved,
    place,
    position,
    proceed,
    taken_over,
)


def session(money: int, *, on: bool = True) -> Scenario:
    told = scenario().given(account("ann", money, mode=ISOLATED), auto_add("ann", on))
    return told.given(position(1, BUY, price=100, lots=10, by="ann"))


def liquidated(equity: int, maintenance: int, *, at: int, value: int) -> list[Any]:
    """The whole position is taken over at its bankruptcy price."""
    return [
        liquidation_started("ann", GOLD, equity=equity, maintenance=maintenance),
        forced_order("ann", SELL, lots=10, limit=value // 10, at=at),
        taken_over("ann", SELL, lots=10, value=value),
        liquidation_ended("ann", GOLD, CLOSED, equity=0),
    ]


def test_it_is_said_for_the_instrument() -> None:
    told = scenario().given(account("ann", 100))
    told.when(auto_add("ann")).then(f.AutoAddMarginSet("ann", GOLD, True))
    told.when(auto_add("ann", False)).then(f.AutoAddMarginSet("ann", GOLD, False))


def test_an_initial_margin_at_the_mark_is_added() -> None:
    # 10 x 94 / 10
    told = session(1000).when(mark(94)).then(mark_moved(94), liquidation_due("ann", GOLD))
    told.when(proceed()).then(margin_moved("ann", 94), liquidation_ended("ann", GOLD, CURED, equity=134))
    told.holds("ann", isolated=194, wallet=806)


def test_it_is_added_again_and_again() -> None:
    # 194 are used up but 42.25 at 84.5: another 84.5, rounded up
    told = session(1000).given(mark(94), proceed()).when(mark(84), proceed())
    told.then(
        mark_moved(84),
        liquidation_due("ann", GOLD),
        margin_moved("ann", 84),
        liquidation_ended("ann", GOLD, CURED, equity=118),
    )


def test_what_is_available_is_all_that_is_added() -> None:
    # 100 of 130 are in it; 30 more leave 70 of 47
    told = session(130).given(mark(94)).when(proceed())
    told.then(margin_moved("ann", 30), liquidation_ended("ann", GOLD, CURED, equity=70)).holds("ann", wallet=0)


def test_where_there_is_nothing_to_add_the_position_is_closed() -> None:
    session(100).given(mark(94)).when(proceed()).then(*liquidated(40, 47, at=94, value=900))


def test_what_would_not_help_is_not_added() -> None:
    # the 5 that are free would make it 45 of 47
    told = session(105).given(mark(94)).when(proceed()).then(*liquidated(40, 47, at=94, value=900))
    told.holds("ann", wallet=5)


def test_where_the_initial_margin_does_not_help_as_much_is_added_as_it_takes() -> None:
    # at 80: 100 - 200 of 40; the initial margin of 80 leaves -20; 141 leave 41
    told = session(1000).given(mark(80)).when(proceed())
    told.then(margin_moved("ann", 141), liquidation_ended("ann", GOLD, CURED, equity=41))


def test_without_it_the_position_is_closed() -> None:
    session(1000, on=False).given(mark(94)).when(proceed()).then(*liquidated(40, 47, at=94, value=900))


def test_a_position_that_recovered_needs_none() -> None:
    told = session(1000).given(mark(94), mark(99)).when(proceed())
    told.then(liquidation_ended("ann", GOLD, CURED, equity=90)).holds("ann", isolated=100)


def test_no_more_is_added_than_pays_the_position_in_full() -> None:
    # short at 2x with 500 behind it: at 143 initial margin is 715, and 500 are the rest of 1,000
    told = scenario().given(account("ann", 5000, mode=ISOLATED, leverage=2), auto_add("ann"))
    told.given(position(1, SELL, price=100, lots=10, by="ann"), mark(143)).when(proceed())
    told.then(margin_moved("ann", 500), liquidation_ended("ann", GOLD, CURED, equity=570)).holds("ann", isolated=1000)


def test_what_orders_hold_back_is_not_available() -> None:
    # 200: 100 behind the position, 9 x 10 / 10 = 90 held back, 10 left
    told = session(200).given(place(3, BUY, price=90, lots=10, by="ann", on=TIN), mark(94)).when(proceed())
    told.then(
        margin_moved("ann", 10),
        liquidation_ended("ann", GOLD, CURED, equity=50),
    ).holds("ann", wallet=90)


def test_a_cross_pool_that_is_due_gives_nothing() -> None:
    told = session(200).given(position(3, BUY, price=100, lots=10, by="ann", on=TIN))
    told.given(mark(94, on=TIN), mark(94)).waits(("ann", USD), ("ann", GOLD))
    told.when(proceed())
    assert not any(isinstance(fact, f.MarginMoved) for batch in told.batches[-1:] for fact in batch.facts)
