"""Price match: the order takes a price of the book, the best or the k-th best of either side, as it is decided."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import Side
from events.facts import OrderAccepted
from events.instructions import PriceMatch
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.tape import snapshot, tape
from tests.spec.words import BUY, POST_ONLY, SELL, place, refused, rested, resting, traded

ASKS = [resting(n, SELL, price=100 + 2 * n, lots=2) for n in range(1, 21)]
BIDS = [resting(20 + n, BUY, price=100 - 2 * n, lots=2) for n in range(1, 21)]


def ladder() -> Scenario:
    """Twenty asks from 102 up and twenty bids from 98 down, every second tick."""
    return scenario().given(*ASKS, *BIDS)


def price_taken(session: Scenario) -> int | None:
    return next(fact.price for fact in session.batches[-1].facts if isinstance(fact, OrderAccepted))


@pytest.mark.parametrize(
    ("match", "bought", "sold"),
    [
        (PriceMatch.OPPONENT, 102, 98),
        (PriceMatch.OPPONENT_5, 110, 90),
        (PriceMatch.OPPONENT_10, 120, 80),
        (PriceMatch.OPPONENT_20, 140, 60),
        (PriceMatch.QUEUE, 98, 102),
        (PriceMatch.QUEUE_5, 90, 110),
        (PriceMatch.QUEUE_10, 80, 120),
        (PriceMatch.QUEUE_20, 60, 140),
    ],
)
def test_it_is_the_kth_best_price_of_a_side(match: PriceMatch, bought: int, sold: int) -> None:
    assert price_taken(told(ladder().given(place(50, BUY, lots=1, price_match=match)))) == bought
    assert price_taken(told(ladder().given(place(50, SELL, lots=1, price_match=match)))) == sold


def test_the_order_is_a_limit_order_at_that_price() -> None:
    (
        ladder()
        .when(place(50, BUY, lots=7, price_match=PriceMatch.OPPONENT))
        .then(traded(1, 50, price=102, lots=2), rested(50, 5))
        .when(place(51, SELL, lots=1, price_match=PriceMatch.QUEUE))
        .then(rested(51, 1))
        .when(place(52, BUY, lots=1, tif=POST_ONLY, price_match=PriceMatch.OPPONENT))
        .then(refused(Reason.POST_ONLY_WOULD_TAKE))
    )


def test_prices_of_history_and_of_traders_are_counted_together_and_once() -> None:
    stated = {98: 3, 97: 4, 95: 1, 94: 2, 90: 9}
    session = scenario().given(tape(snapshot(bids=stated, asks={120: 5})), resting(1, BUY, price=97, lots=2))
    session.given(resting(2, BUY, price=96, lots=2))
    assert price_taken(session.given(place(3, BUY, lots=1, price_match=PriceMatch.QUEUE_5))) == 94
    assert price_taken(session.given(place(4, BUY, lots=1, price_match=PriceMatch.QUEUE))) == 98


def test_what_was_taken_of_history_is_no_price() -> None:
    session = scenario().given(tape(snapshot(bids={90: 1}, asks={101: 5, 102: 5})), place(1, BUY, price=101, lots=5))
    assert price_taken(session.given(place(2, BUY, lots=1, price_match=PriceMatch.OPPONENT))) == 102


def test_the_book_is_as_it_was_after_it_was_asked() -> None:
    session = scenario().given(tape(snapshot(bids={90: 1}, asks={101: 5, 102: 5, 103: 5})))
    session.when(place(1, BUY, lots=1, price_match=PriceMatch.OPPONENT_5)).then(refused(Reason.NO_PRICE_TO_MATCH))
    session.when(place(1, BUY, lots=9, price=102)).then(
        traded("MARKET", 1, price=101, lots=5), traded("MARKET", 1, price=102, lots=4)
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"price": 99, "price_match": PriceMatch.QUEUE}, Reason.PRICE_MATCH_WITH_PRICE),
        ({"price_match": PriceMatch.OPPONENT}, Reason.NO_PRICE_TO_MATCH),
        ({"price_match": PriceMatch.QUEUE_5}, Reason.NO_PRICE_TO_MATCH),
        ({"number": 1, "price_match": PriceMatch.QUEUE}, Reason.ORDER_NUMBER_USED),
        ({"client": "no blanks", "price_match": PriceMatch.QUEUE}, Reason.CLIENT_ID_MALFORMED),
    ],
)
def test_it_is_refused(asked: dict[str, Any], reason: Reason) -> None:
    session = scenario().given(resting(1, BUY, price=98, lots=5, by="taker"), resting(2, BUY, price=97, lots=5))
    session.when(place(**{"number": 9, "side": Side.BUY, "lots": 1} | asked)).then(refused(reason))


def test_the_auditor_asks_for_a_price() -> None:
    session = ladder().given(place(50, BUY, lots=1, price_match=PriceMatch.QUEUE))
    noticed(session, "an order that matches a price has one", putting(price=None))
