"""Orders that live until a time (GTD) or to the end of their day (DAY): nobody trades with them after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import TimeInForce
from events.facts import Expiry, OrderAccepted, OrderExpired
from events.instruments import PackError, RulePack, load_pack, read_pack
from events.refusals import Reason
from events.units import SECOND, Nanos
from exchange.core.matching.good_till import LAST
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, later, pack_of
from tests.spec.falsifying import noticed, putting, told
from tests.spec.test_pack_rules import PACK
from tests.spec.words import (
    BUY,
    FOK,
    POST_ONLY,
    SELL,
    account,
    amend,
    cancel,
    cancelled,
    expired,
    market,
    pack,
    place,
    proceed,
    refused,
    rested,
    resting,
    traded,
)

GTD, DAY = TimeInForce.GTD, TimeInForce.DAY
OVER = Expiry.GOOD_TILL
TILL = 1_000
DAY_NS = 86_400 * SECOND


def until(number: int, side: Any, at: int = TILL, **more: Any) -> Any:
    """An order that lives until then."""
    return place(number, side, **{"price": 100, "lots": 5, "by": "maker"} | more, tif=GTD, good_till=Nanos(at))


class TestItsTime:
    """It trades before its time, and expires at it."""

    def test_it_rests_and_trades(self) -> None:
        scenario().when(until(1, SELL)).then(rested(1, 5)).when(market(2, BUY, lots=5)).then(
            traded(1, 2, price=100, lots=5)
        )

    def test_it_expires_when_time_passes(self) -> None:
        session = scenario().given(until(1, SELL), until(2, SELL, TILL + 1))
        session.when(later(TILL - 1)).then().when(later(TILL)).then(expired(1, 5, OVER)).book("ask 100: 5#2")
        told(session.when(later(TILL + 1)).then(expired(2, 5, OVER)).book(""))

    def test_the_earliest_expires_first_then_by_account_and_number(self) -> None:
        (
            scenario()
            .given(until(4, SELL, by="taker", price=101), until(2, SELL), until(3, SELL), until(5, SELL, TILL - 1))
            .when(later(TILL))
            .then(expired(5, 5, OVER), expired(2, 5, OVER), expired(3, 5, OVER), expired(4, 5, OVER))
        )

    def test_what_came_due_is_said_before_the_command_of_that_time(self) -> None:
        (
            scenario()
            .given(until(1, SELL))
            .when(replace(resting(2, BUY, price=100, lots=2, by="taker"), at=Nanos(TILL)))
            .then(expired(1, 5, OVER), rested(2, 2))
        )

    def test_one_that_is_filled_or_cancelled_is_not_heard_of_again(self) -> None:
        session = scenario().given(until(1, SELL), until(2, BUY, price=90))
        session.when(market(3, BUY, lots=5), cancel(2)).then(traded(1, 3, price=100, lots=5), cancelled(2, 5))
        session.when(later(TILL)).then()

    def test_what_it_reserved_is_free_again(self) -> None:
        session = scenario().given(account("ann", 1_000), until(1, BUY, by="ann", lots=50)).holds("ann", available=500)
        session.given(later(TILL)).holds("ann", available=1_000)

    def test_an_amended_order_keeps_its_time(self) -> None:
        session = scenario().given(until(1, SELL), amend(1, price=101, lots=5), amend(1, lots=3))
        told(session.when(later(TILL)).then(expired(1, 3, OVER)))


class TestDayOrders:
    """To the end of the day, UTC, in dated contracts."""

    RULES = pack_of(dated(expiry=Nanos(10 * DAY_NS)))

    def test_it_expires_at_midnight(self) -> None:
        session = scenario(self.RULES).given(place(1, BUY, price=99, lots=5, tif=DAY))
        session.when(later(DAY_NS - 1)).then().when(later(DAY_NS)).then(expired(1, 5, OVER))
        session.when(place(2, BUY, price=99, lots=5, tif=DAY)).then(rested(2, 5))
        told(session.when(later(2 * DAY_NS)).then(expired(2, 5, OVER)))

    def test_a_perpetual_has_none(self) -> None:
        scenario().when(place(1, BUY, price=99, lots=5, tif=DAY)).then(refused(Reason.DAY_ORDER_IN_PERPETUAL))

    def test_it_states_no_time(self) -> None:
        stated = place(1, BUY, price=99, lots=5, tif=DAY, good_till=Nanos(TILL))
        scenario(self.RULES).when(stated).then(refused(Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE))


class TestManyAtOnce:
    """As many as a batch has room for expire at once; the rest are due work, and trade with nobody."""

    @pytest.fixture(autouse=True)
    def one_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exchange.core.step.AT_ONCE", 1)

    def crowd(self) -> Scenario:
        return scenario().given(until(1, SELL), until(2, SELL), until(3, SELL), resting(4, SELL, price=100, lots=9))

    def test_a_proceed_goes_on(self) -> None:
        session = self.crowd().when(later(TILL)).then(expired(1, 5, OVER))
        assert session.state.has_work
        session.when(proceed(1)).then(expired(2, 5, OVER)).when(proceed()).then(expired(3, 5, OVER))
        assert not session.state.has_work

    def test_who_meets_one_says_that_it_expired(self) -> None:
        (
            self.crowd()
            .given(later(TILL))
            .when(replace(market(5, BUY, lots=4), at=Nanos(TILL)))
            .then(expired(2, 5, OVER), expired(3, 5, OVER), traded(4, 5, price=100, lots=4))
        )

    def test_a_fill_or_kill_order_does_not_count_on_one(self) -> None:
        (
            self.crowd()
            .given(later(TILL))
            .when(replace(place(5, BUY, price=100, lots=12, tif=FOK), at=Nanos(TILL)))
            .then(expired(2, 5, OVER), expired(5, 12, Expiry.FILL_OR_KILL))
        )


class TestRefusals:
    """Which times an order may not have."""

    def ahead(self, seconds: int) -> RulePack:
        return replace(pack(), good_till_ahead=Nanos(seconds * SECOND))

    @pytest.mark.parametrize(
        ("asked", "reason"),
        [
            ({"tif": GTD}, Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE),
            ({"good_till": Nanos(10**12)}, Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE),
            ({"tif": POST_ONLY, "good_till": Nanos(10**12)}, Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE),
            ({"tif": GTD, "good_till": Nanos(1)}, Reason.GOOD_TILL_OUT_OF_RANGE),
            ({"tif": GTD, "good_till": Nanos(LAST)}, Reason.GOOD_TILL_OUT_OF_RANGE),
            ({"tif": GTD, "good_till": Nanos(10**12), "price": None}, Reason.MARKET_ORDER_CANNOT_REST),
        ],
    )
    def test_it_is_refused(self, asked: dict[str, Any], reason: Reason) -> None:
        scenario().when(place(1, BUY, **{"price": 99, "lots": 5} | asked)).then(refused(reason))

    def test_it_lies_further_ahead_than_the_venue_asks_for(self) -> None:
        session = scenario(self.ahead(600))
        at = session.state.now + 1
        session.when(until(1, BUY, at + 600 * SECOND)).then(refused(Reason.GOOD_TILL_OUT_OF_RANGE))
        session.when(until(1, BUY, at + 600 * SECOND + 2)).then(rested(1, 5))

    def test_a_pack_states_how_far(self) -> None:
        stated = json.dumps(PACK | {"good_till_ahead_seconds": 600}).encode()
        assert read_pack(stated, "some.json").good_till_ahead == 600 * SECOND
        with pytest.raises(PackError, match="good_till_ahead"):
            read_pack(json.dumps(PACK | {"good_till_ahead_seconds": -1}).encode(), "some.json")
        assert load_pack("okx").good_till_ahead == 0


class TestAudit:
    """The auditor knows until when orders live."""

    def test_an_order_does_not_expire_before_its_time(self) -> None:
        session = scenario().given(until(1, SELL), later(TILL))
        noticed(session, "the time of the order is over", putting(good_till=Nanos(TILL + 1)), everywhere=True)

    def test_an_order_expires_at_its_time(self) -> None:
        session = scenario().given(until(1, SELL), later(TILL))
        noticed(session, "orders past their time", lambda m: None if isinstance(m, OrderExpired) else m)

    def test_it_lives_as_long_as_was_asked_for(self) -> None:
        session = scenario().given(until(1, SELL))
        longer = putting(good_till=Nanos(TILL + 1))
        noticed(session, "until when it lives", lambda m: longer(m) if isinstance(m, OrderAccepted) else m)

    def test_a_day_order_is_for_a_dated_contract(self) -> None:
        session = scenario().given(until(1, SELL))
        noticed(session, "day orders are for dated contracts", putting(time_in_force=DAY))

    def test_the_venue_asks_for_more(self) -> None:
        session = scenario(replace(pack(), good_till_ahead=Nanos(500))).given(until(1, SELL))
        later_rules = replace(pack(), good_till_ahead=Nanos(5_000))
        noticed(session, "lives as long as the venue asks for", putting(pack=later_rules), everywhere=True)
