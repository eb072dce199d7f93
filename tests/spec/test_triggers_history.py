"""Conditional orders and trades in history: rows in bulk stop at one that reaches an order, extremes follow all."""

from __future__ import annotations

from typing import Any

import pytest

from events.facts import OrderTriggered
from events.observations import Observations
from exchange.core.matching.touching import first_touch
from tests.scenario import Scenario, scenario
from tests.spec.tape import diff, marked, printed, snapshot, tape, ticker
from tests.spec.waiting import LAST, MARK, TAKE_PROFIT, trailing, waiting
from tests.spec.words import BUY, GOLD, SELL, cancel, place, proceed, resting

OPENING = tape(snapshot(bids={90: 50}, asks={110: 50}, at=1), printed(BUY, 100, 1, at=1))


def known(*asked: Any) -> Scenario:
    """History has traded at 100, and these wait."""
    return scenario(marks=100).given(OPENING, *asked)


def stop(told: Scenario, *prices: int) -> int:
    """Where rows of prints at these prices stop."""
    chunk = tape(*(printed(BUY, price, 1, at=2) for price in prices), after=2)
    return first_touch(told.state.contracts[GOLD].feed, chunk, 0, len(chunk) - 1)  # type: ignore[index]


@pytest.mark.parametrize(
    ("asked", "prices", "row"),
    [
        (waiting(1, BUY, at=105, source=LAST), (101, 104, 105, 106), 2),
        (waiting(1, BUY, at=105, source=LAST), (101, 104, 99, 98), 3),
        (waiting(1, SELL, at=95, source=LAST), (101, 94, 96, 97), 1),
        (waiting(1, SELL, TAKE_PROFIT, at=105, source=LAST), (101, 107, 96, 97), 1),
        (waiting(1, BUY, at=105, source=MARK), (101, 110, 90, 97), 3),
        (trailing(1, SELL, percent=5, source=LAST), (101, 96, 95, 94), 2),
        (trailing(1, SELL, percent=5, source=LAST), (120, 115, 114, 113), 2),
        (trailing(1, BUY, percent=5, source=LAST), (80, 83, 84, 85), 2),
        (trailing(1, BUY, percent=5, source=LAST), (99, 98, 97, 96), 3),
        (trailing(1, SELL, percent=5, at=110, source=LAST), (90, 80, 110, 100), 2),
    ],
    ids=str,
)
def test_rows_stop_at_the_first_trade_that_reaches_an_order_or_activates_it(
    asked: Any, prices: tuple[int, ...], row: int
) -> None:
    assert stop(known(asked), *prices) == row


def test_of_several_extremes_the_nearest_stop_counts() -> None:
    told = known(trailing(1, SELL, percent=10, source=LAST))
    told.given(tape(printed(SELL, 98, 1, at=3), after=2), trailing(2, SELL, percent=9, source=LAST))
    assert stop(told, 99, 101, 120, 110, 109) == 4
    assert stop(told, 99, 90, 80) == 1
    told.given(cancel(2), cancel(1))
    assert stop(told, 99, 120, 50) == 2


def test_other_rows_do_not_matter_to_who_waits_for_a_trade() -> None:
    told = known(waiting(1, BUY, at=105, source=LAST))
    chunk = tape(ticker(9, (90, 1), (110, 1), at=2), printed(BUY, 101, 1, at=2), printed(BUY, 105, 1, at=2), after=2)
    assert first_touch(told.state.contracts[GOLD].feed, chunk, 0, 2) == 2  # type: ignore[index]


def test_a_trade_in_history_fires_what_it_reaches() -> None:
    told = known(waiting(1, BUY, at=105, source=LAST), trailing(2, SELL, percent=5, source=LAST))
    told.given(trade(104)).waits()
    told.given(trade(105)).waits((GOLD, ""))
    told.given(proceed())
    assert told.state.contracts[GOLD].feed.traded == 110, "it fired into the asks, and the highest price is theirs"  # type: ignore[index]
    told.given(trade(106, 105)).waits()
    told.given(trade(104)).waits((GOLD, ""))


def trade(*prices: int) -> Observations:
    """Prints of history."""
    return tape(*(printed(BUY, price, 1, at=3) for price in prices), after=9)


def test_a_fill_that_history_brings_leaves_the_price_of_its_print() -> None:
    told = known(resting(1, SELL, price=103, lots=1), waiting(2, BUY, at=104, source=LAST))
    told.given(trade(106)).waits((GOLD, ""))
    assert told.state.contracts[GOLD].feed.traded == 106  # type: ignore[index]


def test_a_level_that_runs_through_an_order_is_a_trade_at_the_price_of_the_order() -> None:
    told = known(resting(1, SELL, price=103, lots=1), waiting(2, BUY, at=103, source=LAST))
    told.given(tape(diff(bids={104: 5}, asks={110: 0, 120: 50}, at=4), after=1)).waits((GOLD, ""))
    assert told.state.contracts[GOLD].feed.traded == 103  # type: ignore[index]


def test_a_mark_of_history_fires_what_waits_for_marks() -> None:
    told = known(waiting(1, BUY, at=105, source=MARK))
    told.given(tape(marked(104, at=3), marked(106, at=3), marked(99, at=3), after=9)).waits((GOLD, ""))
    told.when(place(9, BUY, price=89, lots=1), cancel(9), proceed())
    told.waits()


def test_whoever_waits_for_both_prices_fires_by_the_one_that_comes() -> None:
    told = known(waiting(1, BUY, at=105, source=LAST), waiting(2, BUY, at=105, source=MARK))
    told.given(tape(printed(BUY, 105, 1, at=3), marked(105, at=3), after=9)).waits((GOLD, ""))
    assert [fact.number for fact in told.run(proceed()) if isinstance(fact, OrderTriggered)] == [1, 2]
