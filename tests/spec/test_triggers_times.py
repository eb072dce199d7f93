"""Conditional orders that live until a time: it is one time, whether their price comes before it or not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import TimeInForce
from events.facts import Expiry, OrderAccepted
from events.refusals import Reason
from events.units import SECOND, Nanos
from exchange.core.matching.good_till import LAST as END_OF_TIME
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, later, pack_of
from tests.spec.falsifying import noticed, putting, told
from tests.spec.waiting import amend_waiting, amended_waiting, reached, trailing, triggered, waiting, waits
from tests.spec.words import (
    BUY,
    GTC,
    POST_ONLY,
    SELL,
    cancel,
    cancelled,
    expired,
    mark,
    mark_moved,
    pack,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
)

GTD, DAY = TimeInForce.GTD, TimeInForce.DAY
OVER = Expiry.GOOD_TILL
TILL = 1_000
DAY_NS = 86_400 * SECOND


def until(number: int, side: Any = BUY, till: int = TILL, **more: Any) -> Any:
    """A stop, 10 ticks away, that lives until then."""
    return waiting(number, side, **({"at": 110} | more), tif=GTD, good_till=Nanos(till))


class TestItsTime:
    """It waits, and then is an order, until then."""

    def test_it_expires_where_its_price_did_not_come(self) -> None:
        session = scenario().when(until(20, lots=3)).then(waits(20, BUY, at=110, lots=3, tif=GTD, good_till=TILL))
        session.when(later(TILL - 1)).then().when(later(TILL)).then(expired(20, 3, OVER))
        told(session.when(mark(120)).then(mark_moved(120)))

    def test_the_earliest_expires_first_whether_it_waits_or_rests(self) -> None:
        session = scenario().given(until(20, till=TILL + 1), until(21), until(22, SELL, at=90, till=TILL - 1))
        session.given(place(23, BUY, price=80, lots=1, by="taker", tif=GTD, good_till=Nanos(TILL)))
        session.when(later(TILL + 1)).then(
            expired(22, 1, OVER), expired(21, 1, OVER), expired(23, 1, OVER), expired(20, 1, OVER)
        )
        told(session)

    def test_one_that_fired_carries_it_on(self) -> None:
        session = scenario().given(until(20, price=90), mark(110)).when(proceed()).then(triggered(20), rested(20, 1))
        (accepted,) = (fact for fact in session.batches[-1].facts if isinstance(fact, OrderAccepted))
        assert (accepted.time_in_force, accepted.good_till) == (GTD, TILL)
        told(session.when(later(TILL)).then(expired(20, 1, OVER)))

    def test_what_a_price_reached_just_before_expires_before_it_fires(self) -> None:
        session = scenario().given(until(20, price=90), mark(110)).waits(("GOLD", ""))
        told(session.when(later(TILL)).then(expired(20, 1, OVER)).waits())

    def test_a_market_order_of_it_lives_no_longer_than_any(self) -> None:
        session = scenario().given(until(20), mark(110))
        told(session.when(proceed()).then(triggered(20), expired(20, 1)))
        told(session.when(later(TILL)).then())

    def test_trailing_stops_and_those_that_close_have_one_too(self) -> None:
        session = scenario().given(position(1, BUY, price=100, lots=2, by="taker"))
        session.given(
            waiting(20, SELL, at=90, closes=True, tif=GTD, good_till=Nanos(TILL)),
            trailing(21, SELL, tif=GTD, good_till=Nanos(TILL)),
        )
        told(session.when(later(TILL)).then(expired(20, 0, OVER), expired(21, 1, OVER)))

    def test_one_that_is_cancelled_or_amended_has_none_or_the_same(self) -> None:
        session = scenario().given(until(20), until(21))
        session.when(cancel(20), amend_waiting(21, at=111)).then(cancelled(20, 1), amended_waiting(21, at=111))
        told(session.when(later(TILL)).then(expired(21, 1, OVER)))

    def test_many_expire_in_as_many_batches_as_it_takes(self) -> None:
        session = scenario().given(*(until(number) for number in range(20, 24)))
        session.given(resting(30, BUY, price=80, lots=1))
        told(session.when(later(TILL)).then(*(expired(number, 1, OVER) for number in range(20, 24))))


class TestDays:
    """A day order of a dated contract ends with its day, UTC."""

    def test_it_waits_until_then(self) -> None:
        session = scenario(pack_of(dated(expiry=3 * DAY_NS)))
        session.when(waiting(20, BUY, at=110, tif=DAY, price=90)).then(
            waits(20, BUY, at=110, tif=DAY, price=90, good_till=DAY_NS)
        )
        told(session.when(later(DAY_NS)).then(expired(20, 1, OVER)))

    def test_one_that_fired_ends_with_the_same_day(self) -> None:
        session = scenario(pack_of(dated(expiry=3 * DAY_NS))).given(waiting(20, BUY, at=110, tif=DAY, price=90))
        session.given(later(DAY_NS // 2), replace(mark(110), at=Nanos(DAY_NS // 2)))
        session.when(proceed()).then(triggered(20), rested(20, 1))
        told(session.when(later(DAY_NS)).then(expired(20, 1, OVER)))


AHEAD = replace(pack(), good_till_ahead=Nanos(600 * SECOND))

REFUSED: list[tuple[Reason, Any]] = [
    (Reason.MARKET_ORDER_CANNOT_REST, waiting(20, BUY, tif=POST_ONLY, good_till=Nanos(5))),
    (Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE, waiting(20, BUY, tif=GTC, good_till=Nanos(5))),
    (Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE, waiting(20, BUY, tif=GTD)),
    (Reason.GOOD_TILL_OUT_OF_RANGE, until(20, at=None, till=600 * SECOND + 1)),
    (Reason.GOOD_TILL_OUT_OF_RANGE, until(20, at=None, till=END_OF_TIME)),
    (Reason.DAY_ORDER_IN_PERPETUAL, waiting(20, BUY, tif=DAY)),
    (Reason.NO_TRIGGER_PRICE, until(20, at=None, till=601 * SECOND)),
]
"""Each breaks its rule, and those below it that it can."""


@pytest.mark.parametrize(("reason", "asked"), REFUSED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(REFUSED)])
def test_a_time_that_it_may_not_have_is_refused(reason: Reason, asked: Any) -> None:
    scenario(AHEAD).when(asked).then(refused(reason))


class TestAudit:
    """The auditor knows until when it lives."""

    def test_it_is_as_long_as_it_was_asked_for(self) -> None:
        placed: Scenario = scenario().given(until(20))
        noticed(placed, "until when it lives", putting(good_till=TILL + 1), f.TriggerPlaced)

    def test_it_does_not_outlive_it(self) -> None:
        noticed(scenario().given(until(20), later(TILL)), "did not expire", lambda _: None, f.OrderExpired)

    def test_it_does_not_expire_before(self) -> None:
        early = f.OrderExpired("taker", 20, 1, OVER)  # type: ignore[arg-type]
        session = scenario().given(until(20), cancel(20))
        noticed(session, "reason for it to expire", lambda _: early, f.OrderCancelled)

    def test_what_fired_has_the_same(self) -> None:
        session = scenario().given(until(20, price=90), mark(110), proceed())
        noticed(session, "good_till as placed", putting(good_till=TILL + 1), f.OrderAccepted)


def test_a_price_that_comes_in_time_is_said_before_it_is_over() -> None:
    session = scenario().given(until(20, price=90)).when(mark(110)).then(mark_moved(110), reached())
    told(session.when(proceed()).then(triggered(20), rested(20, 1)))
