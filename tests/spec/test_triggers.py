"""Conditional orders: which price reaches which of them, and what becomes of them then."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events.commands import AdvanceTime, SetPositionMode, Side
from events.facts import Expiry, Fact, OrderExpired, OrderTriggered, TriggersReached
from events.instruments import Leg
from events.refusals import Reason
from events.triggers import PriceSource, TriggerKind
from gateway.reports.why_words import Words
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, pack_of, settled, settlement_due
from tests.spec.waiting import (
    LAST,
    MARK,
    STOP,
    TAKE_PROFIT,
    reached,
    refused_when_triggered,
    trailing,
    triggered,
    waiting,
    waits,
)
from tests.spec.words import (
    BUY,
    CROSS,
    EASY,
    IOC,
    ISOLATED,
    NOW,
    PERCENT,
    POST_ONLY,
    SELL,
    account,
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
    set_mode,
    traded,
)

BOOK = (resting(1, SELL, price=120, lots=50), resting(2, BUY, price=80, lots=50))
"""Orders far off the mark of 100, for those that fire to meet."""


def traded_at(number: int, price: int, by: str = "taker") -> list[object]:
    """A trade of one lot at a price, which makes it the last one."""
    return [resting(number, SELL, price=price, lots=1), place(number + 1, BUY, price=price, lots=1, by=by)]


def priced(source: PriceSource, number: int, price: int) -> list[object]:
    """What moves the price of a source."""
    return [mark(price)] if source is MARK else traded_at(number, price)


@pytest.mark.parametrize("source", list(PriceSource))
@pytest.mark.parametrize(
    ("kind", "side", "at", "before", "meets"),
    [
        (STOP, BUY, 110, 109, 110),
        (STOP, BUY, 110, 109, 115),
        (STOP, SELL, 90, 91, 90),
        (STOP, SELL, 90, 91, 85),
        (TAKE_PROFIT, BUY, 90, 91, 90),
        (TAKE_PROFIT, SELL, 110, 109, 110),
    ],
)
def test_it_fires_once_its_price_comes_to_the_trigger(
    kind: TriggerKind, side: Side, at: int, before: int, meets: int, source: PriceSource
) -> None:
    told = scenario().given(traded_at(11, 100), waiting(20, side, kind, at=at, source=source))
    told.given(priced(source, 31, before)).waits()
    told.given(priced(source, 41, meets)).waits(("GOLD", ""))
    told.given(resting(51, SELL, price=120, lots=50), resting(52, BUY, price=80, lots=50))
    maker, price = (51, 120) if side is BUY else (52, 80)
    told.when(proceed()).then(triggered(20), traded(maker, 20, price=price, lots=1))


def test_the_other_price_does_not_fire_it() -> None:
    told = scenario().given(traded_at(11, 100))
    told.given(waiting(20, BUY, at=110, source=MARK), waiting(21, BUY, at=110, source=LAST))
    told.when(traded_at(31, 115)).then(rested(31, 1), traded(31, 32, price=115, lots=1), reached())
    told.when(mark(112)).then(mark_moved(112), reached())
    told.when(proceed()).then(triggered(21), expired(21, 1), triggered(20), expired(20, 1))


def test_it_becomes_what_it_was_placed_as() -> None:
    told = scenario().given(*BOOK, waiting(20, BUY, at=110, price=105, lots=3))
    told.when(mark(110), proceed()).then(mark_moved(110), reached(), triggered(20, 3), rested(20, 3))
    told.given(waiting(21, SELL, at=100, price=106, lots=3, tif=IOC))
    told.when(mark(100), proceed()).then(mark_moved(100), reached(), triggered(21, 3), expired(21, 3))


def test_what_waits_reserves_nothing_and_margin_is_asked_for_when_it_fires() -> None:
    told = scenario().given(*BOOK, account("ann", 100), waiting(20, BUY, at=110, lots=50, price=120, by="ann"))
    told.holds("ann", available=100, open_orders=0, open_triggers=1)
    told.when(mark(110), proceed()).then(
        mark_moved(110), reached(), triggered(20, 50), refused_when_triggered(20, Reason.INSUFFICIENT_MARGIN, 50)
    )
    told.holds("ann", available=100, open_orders=0, open_triggers=0)


def test_what_the_price_meets_first_fires_first_and_of_those_the_older() -> None:
    told = scenario().given(waiting(20, BUY, at=105), waiting(21, BUY, at=103), waiting(22, BUY, at=105))
    told.given(waiting(23, SELL, TAKE_PROFIT, at=104))
    told.when(mark(110)).then(mark_moved(110), reached(4))
    assert fired(told) == [21, 23, 20, 22]


def test_many_fire_in_as_many_bounded_batches_as_it_takes() -> None:
    told = scenario().given(*(waiting(number, BUY, at=110) for number in range(20, 26)), mark(110))
    for number in range(20, 26):
        told.when(proceed(1)).then(triggered(number), expired(number, 1))
    told.waits()


def test_one_that_fires_may_bring_the_price_to_the_next() -> None:
    asks = resting(13, SELL, price=105, lots=1), resting(14, SELL, price=108, lots=5)
    told = scenario().given(traded_at(11, 100), *asks, waiting(20, BUY, at=104, source=MARK))
    told.given(waiting(21, BUY, at=103, source=LAST), waiting(22, BUY, at=105, source=LAST))
    told.when(mark(104), proceed()).then(
        mark_moved(104), reached(), triggered(20), traded(13, 20, price=105, lots=1), reached(2)
    )
    told.when(proceed()).then(
        triggered(21), traded(14, 21, price=108, lots=1), triggered(22), traded(14, 22, price=108, lots=1)
    )


class TestCancelling:
    """It ends like any order."""

    def test_one_that_waits_is_cancelled_by_its_number(self) -> None:
        told = scenario().given(waiting(20, BUY, at=110, lots=4), waiting(21, SELL, at=90), trailing(22, BUY))
        told.when(cancel(20), cancel(22)).then(cancelled(20, 4), cancelled(22, 1))
        told.when(cancel(20)).then(refused(Reason.UNKNOWN_ORDER))
        told.when(mark(120)).then(mark_moved(120))

    def test_one_that_was_reached_and_has_not_fired_too(self) -> None:
        told = scenario().given(waiting(20, BUY, at=110), waiting(21, BUY, at=111), mark(120))
        told.when(cancel(20)).then(cancelled(20, 1))
        told.waits(("GOLD", ""))
        told.when(cancel(21)).then(cancelled(21, 1)).waits()


class TestReduceOnly:
    """It is looked at when it fires."""

    def test_it_is_refused_where_there_is_nothing_to_reduce(self) -> None:
        told = scenario().given(*BOOK, waiting(20, SELL, at=90, reduce_only=True))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), triggered(20), refused_when_triggered(20, Reason.REDUCE_ONLY_WOULD_INCREASE)
        )

    def test_it_reduces_what_is_held_by_then(self) -> None:
        told = scenario().given(*BOOK, waiting(20, SELL, at=90, reduce_only=True, lots=5))
        told.given(position(23, BUY, price=100, lots=3, by="taker"))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), triggered(20, 5), traded(2, 20, price=80, lots=3),
            expired(20, 2, Expiry.NOTHING_TO_REDUCE),
        )  # fmt: skip


class TestClosingThePosition:
    """It closes whatever is held when it fires."""

    def test_all_of_it(self) -> None:
        told = scenario().given(*BOOK, position(3, BUY, price=100, lots=7, by="taker"))
        told.when(waiting(20, SELL, at=90, closes=True)).then(waits(20, SELL, at=90, closes=True, reduce_only=True))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), triggered(20, 7), traded(2, 20, price=80, lots=7)
        )

    def test_its_leg_in_hedge_mode(self) -> None:
        told = scenario().given(SetPositionMode(NOW, "taker", "", True), *BOOK)
        told.given(position(3, BUY, price=100, lots=7, by="taker", leg=Leg.LONG))
        told.given(waiting(20, SELL, at=90, closes=True, leg=Leg.LONG), waiting(21, BUY, at=105, lots=2, leg=Leg.SHORT))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), triggered(20, 7), traded(2, 20, price=80, lots=7, leg=Leg.LONG)
        )

    def test_it_expires_where_the_position_is_gone_or_on_the_other_side(self) -> None:
        told = scenario().given(
            waiting(20, SELL, at=90, closes=True), waiting(21, BUY, TAKE_PROFIT, at=90, closes=True)
        )
        told.given(position(23, BUY, price=100, lots=7, by="taker"))
        told.given(resting(31, BUY, price=100, lots=7), place(32, SELL, price=100, lots=7))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(2), expired(20, 0, Expiry.NOTHING_TO_REDUCE),
            expired(21, 0, Expiry.NOTHING_TO_REDUCE),
        )  # fmt: skip


class TestTrailingStops:
    """They follow their price."""

    def test_a_sell_fires_a_callback_below_the_highest_price(self) -> None:
        told = scenario(marks=1000).given(trailing(20, SELL, percent=1))
        told.given(mark(1100), mark(1090)).waits()
        told.given(mark(1089)).waits(("GOLD", ""))

    def test_a_buy_fires_a_callback_above_the_lowest_price(self) -> None:
        told = scenario(marks=1000).given(trailing(20, BUY, percent=1))
        told.given(mark(900), mark(908)).waits()
        told.given(mark(909)).waits(("GOLD", ""))

    def test_it_follows_from_its_activation_on(self) -> None:
        told = scenario(marks=1000).given(trailing(20, SELL, at=1050), trailing(21, BUY, at=950))
        told.given(mark(1040), mark(960), mark(1000)).waits()
        told.given(mark(1051), mark(1041)).waits()
        told.given(mark(1040)).waits(("GOLD", ""))

    def test_orders_of_all_ages_and_callbacks_merge_into_one_group_and_fire_by_theirs(self) -> None:
        told = scenario(marks=1000)
        for number, price in enumerate((1000, 990, 985, 984), 20):
            told.given(mark(price), trailing(number, SELL, percent=number - 15))
        told.given(mark(1010)).waits()
        told.given(mark(960), mark(949), mark(939))
        assert fired(told) == [20, 21, 22]
        told.when(cancel(23)).then(cancelled(23, 1))


def fired(told: Scenario) -> list[int]:
    """The orders that fire when the queue is worked off, in order."""
    return [fact.number for fact in told.run(proceed()) if isinstance(fact, OrderTriggered)]


def test_price_protection_lets_it_expire_where_mark_and_last_price_are_torn() -> None:
    told = scenario(pack(trigger_protect=5 * PERCENT)).given(
        traded_at(11, 100), waiting(20, BUY, at=105, protects=True)
    )
    told.given(waiting(21, BUY, at=106, protects=True), waiting(22, BUY, at=106))
    told.when(mark(105), proceed()).then(mark_moved(105), reached(), triggered(20), expired(20, 1))
    told.when(mark(106), proceed()).then(
        mark_moved(106), reached(2), expired(21, 1, Expiry.PRICE_PROTECTION), triggered(22), expired(22, 1)
    )


def test_a_post_only_order_that_would_take_when_it_fires_expires() -> None:
    told = scenario().given(*BOOK, waiting(20, BUY, at=110, price=120, tif=POST_ONLY))
    told.when(mark(110), proceed()).then(
        mark_moved(110), reached(), triggered(20), refused_when_triggered(20, Reason.POST_ONLY_WOULD_TAKE)
    )


def test_its_cause_is_what_reached_it() -> None:
    told: Scenario = scenario().given(waiting(20, BUY, at=110), mark(110), proceed())
    assert told.causes() == [
        "OrderExpired", "OrderTriggered", "TriggersReached", "MarkPriceMoved", "SetMarkPrice"
    ]  # fmt: skip


class TestLiquidation:
    """It takes what waits for the pool with it."""

    def test_a_cross_pool_loses_all_that_waits_for_its_positions(self) -> None:
        told = scenario().given(account("ann", 110), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(waiting(20, SELL, at=85, by="ann"), waiting(21, BUY, at=200, by="ann", on="TIN"))
        told.given(waiting(22, SELL, at=94, by="ann"))
        facts = [fact for asked in (mark(93), proceed()) for fact in told.run(asked)]
        ended = [(fact.number, fact.why) for fact in facts if isinstance(fact, OrderExpired)]
        assert ended == [(number, Expiry.LIQUIDATION) for number in (20, 21, 22)]
        assert not told.state.accounts["ann"].triggers  # type: ignore[index]
        told.waits()

    def test_an_isolated_position_only_what_waits_for_it(self) -> None:
        told = scenario().given(account("ann", 1_000, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(waiting(20, SELL, at=85, by="ann"), waiting(21, BUY, at=200, by="ann", on="TIN"))
        facts = [fact for asked in (mark(93), proceed()) for fact in told.run(asked)]
        ended = [(fact.number, fact.why) for fact in facts if isinstance(fact, OrderExpired)]
        assert ended == [(20, Expiry.LIQUIDATION)]


def test_modes_do_not_change_while_an_order_waits() -> None:
    told = scenario().given(waiting(20, BUY, at=110))
    for asked in (set_mode("taker", ISOLATED), set_mode("taker", CROSS), SetPositionMode(NOW, "taker", "", True)):
        told.when(asked).then(refused(Reason.OPEN_ORDERS_OR_POSITION))


def test_a_repeated_request_places_one() -> None:
    told = scenario().given(replace(waiting(20, BUY, at=110), request="once"))
    told.when(replace(waiting(20, BUY, at=110), request="once")).then()
    assert told.position("taker").open_triggers == 1


def falling() -> Scenario:
    """Two pools that are due at once, each long of 10; whoever is liquidated first trades at 90."""
    told = scenario().given(account("ann", 110), account("ben", 110), resting(1, BUY, price=90, lots=50))
    for number, name in ((2, "ann"), (4, "ben")):
        told.given(position(number, BUY, price=100, lots=10, by=name))
    return told


def test_a_liquidation_ends_what_one_before_it_reached_in_the_same_batch() -> None:
    told = falling().given(waiting(20, SELL, at=92, by="ben", source=LAST), mark(93))
    facts = told.run(proceed())
    assert [fact.number for fact in facts if isinstance(fact, OrderExpired)] == [20]
    assert not any(isinstance(fact, TriggersReached) for fact in facts)


def test_a_liquidation_leaves_what_it_reached_of_others() -> None:
    told = falling().given(waiting(20, SELL, at=92, by="ben", source=LAST), waiting(21, SELL, at=91, source=LAST))
    facts = told.given(mark(93)).run(proceed())
    assert [fact for fact in facts if isinstance(fact, TriggersReached)] == [reached()]
    assert told.causes(TriggersReached)[:2] == ["TriggersReached", "Traded"]


def test_a_client_id_is_taken_while_the_order_waits_and_goes_with_it_into_the_book() -> None:
    told = scenario().given(waiting(20, BUY, at=110, price=90, client="mine"), waiting(21, BUY, at=120, client="other"))
    told.when(cancel(0, by="taker", client="other")).then(cancelled(21, 1))
    told.when(place(22, BUY, price=80, lots=1, client="mine")).then(refused(Reason.CLIENT_ID_IN_USE))
    told.given(mark(110), proceed())
    told.when(cancel(0, by="taker", client="mine")).then(cancelled(20, 1))


def test_one_that_was_reached_settles_with_its_contract_before_it_fires() -> None:
    terms = dated()
    told = scenario(pack_of(terms)).given(waiting(20, BUY, at=110), waiting(21, BUY, at=111), mark(120))
    told.when(AdvanceTime(terms.expiry)).then(settlement_due(120))
    told.when(proceed()).then(
        expired(20, 1, Expiry.SETTLEMENT), expired(21, 1, Expiry.SETTLEMENT), settled("taker", 0, at=120)
    )  # fmt: skip


def test_one_that_waits_settles_with_its_contract() -> None:
    terms = dated()
    told = scenario(pack_of(terms)).given(waiting(20, BUY, at=110), position(21, BUY, price=100, lots=1, by="taker"))
    told.given(AdvanceTime(terms.expiry))
    facts = told.run(proceed())
    assert expired(20, 1, Expiry.SETTLEMENT).why in [fact.why for fact in facts if isinstance(fact, OrderExpired)]


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        (reached(), "prices of GOLD reached a conditional order"),
        (reached(3), "prices of GOLD reached 3 conditional orders"),
        (triggered(7), "conditional order 7 fired"),
        (refused_when_triggered(7, Reason.NO_POSITION), "order 7 was refused when it fired: no_position"),
        (expired(7, 1, Expiry.LIQUIDATION), "order 7 was cancelled"),
    ],
)
def test_why_tells_what_became_of_it(fact: Fact, sentence: str) -> None:
    assert Words(EASY).tell(fact) == sentence
