"""Conditional orders that take their limit price from the book when they fire."""

from __future__ import annotations

from typing import Any

import pytest

from events import facts as f
from events.commands import Side
from events.facts import OrderAccepted
from events.instructions import PriceMatch
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.waiting import refused_when_triggered, trailing, triggered, waiting, waits
from tests.spec.words import (
    BUY,
    FOK,
    PERCENT,
    POST_ONLY,
    SELL,
    expired,
    mark,
    pack,
    proceed,
    refused,
    rested,
    resting,
    traded,
)

OPPONENT, QUEUE = PriceMatch.OPPONENT, PriceMatch.QUEUE


def book() -> Scenario:
    """Five prices on each side, one lot each."""
    asks = [resting(number, SELL, price=110 + number, lots=1) for number in range(1, 6)]
    bids = [resting(10 + number, BUY, price=90 - number, lots=1) for number in range(1, 6)]
    return scenario().given(*asks, *bids)


def price_of(session: Scenario) -> int | None:
    """The limit price that the last order was accepted with."""
    (accepted,) = (fact for fact in session.batches[-1].facts if isinstance(fact, OrderAccepted))
    return accepted.price


@pytest.mark.parametrize(
    ("side", "match", "price"),
    [
        (BUY, OPPONENT, 111),
        (BUY, PriceMatch.OPPONENT_5, 115),
        (BUY, QUEUE, 89),
        (BUY, PriceMatch.QUEUE_5, 85),
        (SELL, OPPONENT, 89),
        (SELL, QUEUE, 111),
    ],
)
def test_the_price_is_that_of_the_moment_when_it_fires(side: Side, match: PriceMatch, price: int) -> None:
    at = 105 if side is BUY else 95
    session = book().when(waiting(20, side, at=at, price_match=match)).then(waits(20, side, at=at, price_match=match))
    assert price_of(told(session.given(mark(at), proceed()))) == price


def test_a_better_book_by_then_is_a_better_price() -> None:
    session = book().given(waiting(20, BUY, at=105, price_match=QUEUE), resting(30, BUY, price=95, lots=1))
    told(session.given(mark(105)).when(proceed()).then(triggered(20), rested(20, 1)))
    assert price_of(session) == 95


def test_it_is_a_limit_order_with_all_that_those_may_be() -> None:
    session = book().given(waiting(20, BUY, at=105, price_match=QUEUE, tif=POST_ONLY), mark(105))
    session.when(proceed()).then(triggered(20), rested(20, 1))
    session.given(waiting(21, BUY, at=106, price_match=OPPONENT, tif=FOK, lots=1), mark(106))
    session.when(proceed()).then(triggered(21), traded(1, 21, price=111, lots=1))
    session.given(waiting(22, BUY, at=107, price_match=OPPONENT, tif=POST_ONLY), mark(107))
    session.when(proceed()).then(triggered(22), refused_when_triggered(22, Reason.POST_ONLY_WOULD_TAKE))
    told(session)


def test_where_the_book_has_no_such_price_it_expires() -> None:
    session = book().given(waiting(20, BUY, at=105, price_match=PriceMatch.OPPONENT_10, lots=2), mark(105))
    told(session.when(proceed()).then(triggered(20, 2), refused_when_triggered(20, Reason.NO_PRICE_TO_MATCH, 2)))


def test_the_price_that_it_takes_meets_the_band() -> None:
    session = scenario(pack(price_up=105 * PERCENT)).given(resting(1, SELL, price=104, lots=1))
    session.given(waiting(20, SELL, at=90, price_match=QUEUE), waiting(21, BUY, at=101, price_match=OPPONENT))
    session.given(mark(98), mark(101))
    session.when(proceed()).then(triggered(21), traded(1, 21, price=104, lots=1))
    session.given(resting(2, SELL, price=106, lots=1), waiting(22, BUY, at=102, price_match=OPPONENT))
    session.given(mark(103), mark(100))
    told(session.when(proceed()).then(triggered(22), refused_when_triggered(22, Reason.PRICE_ABOVE_BAND)))


REFUSED: list[tuple[Reason, Any]] = [
    (Reason.CLIENT_ID_MALFORMED, waiting(20, BUY, at=0, price=5, price_match=QUEUE, client="not one")),
    (Reason.PRICE_MATCH_WITH_PRICE, waiting(20, BUY, at=0, price="0.5", price_match=QUEUE, lots=0)),
    (Reason.PRICE_NOT_POSITIVE, waiting(20, BUY, at=0, price_match=QUEUE, lots=0)),
    (Reason.NOT_FOR_TRAILING_STOPS, trailing(20, BUY, price_match=QUEUE, closes=True)),
    (Reason.CLOSES_WHOLE_POSITION, waiting(20, BUY, at=110, price_match=QUEUE, closes=True)),
]


@pytest.mark.parametrize(("reason", "asked"), REFUSED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(REFUSED)])
def test_it_goes_with_nothing_that_has_a_price_or_needs_none(reason: Reason, asked: Any) -> None:
    scenario().when(asked).then(refused(reason))


def test_the_largest_market_order_is_no_limit_of_it() -> None:
    session = scenario(pack(market_max_lots=5))
    session.when(waiting(20, BUY, at=110, lots=6)).then(refused(Reason.MARKET_SIZE_ABOVE_MAXIMUM))
    session.when(waiting(20, BUY, at=110, lots=6, price_match=QUEUE)).then(
        waits(20, BUY, at=110, lots=6, price_match=QUEUE)
    )


def test_the_auditor_knows_that_it_has_a_price() -> None:
    session = book().given(waiting(20, BUY, at=105, price_match=QUEUE, tif=FOK), mark(105))
    session.when(proceed()).then(triggered(20), expired(20, 1, f.Expiry.FILL_OR_KILL))
    noticed(session, "that matches a price has one", putting(price=None), f.OrderAccepted)
