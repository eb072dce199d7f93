"""Crossing: where history's price runs through a resting order they trade, at the order's own price."""

from __future__ import annotations

from events.commands import MARKET, Impact
from events.facts import Expiry
from tests.scenario import scenario
from tests.spec.tape import diff, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    SELL,
    USD,
    account,
    expired,
    funding,
    funding_paid,
    liquidation_due,
    mark,
    pack,
    place,
    position,
    resting,
    traded,
)

OPEN = tape(snapshot({99: 10}, {103: 10}))
SELLING = (OPEN, resting(1, SELL, price=101, lots=3), resting(2, SELL, price=102, lots=5))
BUYING = (OPEN, resting(1, BUY, price=101, lots=3), resting(2, BUY, price=100, lots=5))


def test_a_bid_of_history_above_the_order_fills_it_and_is_used_up() -> None:
    (
        scenario()
        .given(*SELLING)
        .when(tape(diff({102: 2}), after=1))
        .then(traded(1, MARKET, price=101, lots=2, crossed=102))
        .book("ask 103: M10\nask 102: 5#2\nask 101: 1#1\nbid 99: M10")
    )


def test_an_ask_of_history_at_the_order_fills_it() -> None:
    (
        scenario()
        .given(*BUYING)
        .when(tape(diff({}, {101: 9}), after=1))
        .then(traded(1, MARKET, price=101, lots=3, crossed=101))
        .book("ask 103: M10\nask 101: M6\nbid 100: 5#2\nbid 99: M10")
    )


def test_several_levels_and_orders_meet_best_first() -> None:
    (
        scenario()
        .given(*SELLING)
        .when(tape(diff({101: 1, 102: 2, 104: 4}, {103: 0}), after=1))
        .then(
            traded(1, MARKET, price=101, lots=3, crossed=104),
            traded(2, MARKET, price=102, lots=1, crossed=104),
            traded(2, MARKET, price=102, lots=2, crossed=102),
        )
        .book("ask 102: 2#2\nbid 101: M1\nbid 99: M10")
    )


def test_a_diff_is_applied_whole_before_crossing_is_tested() -> None:
    # the bid at 102 appears and the one at 101.. is gone within one diff: only what stands at its end counts
    (
        scenario()
        .given(*SELLING)
        .when(tape(diff({102: 0, 100: 7}, {103: 4}), after=1))
        .then()
        .book("ask 103: M4\nask 102: 5#2\nask 101: 3#1\nbid 100: M7\nbid 99: M10")
    )


def test_orders_of_traders_at_historys_price_stay_where_they_are() -> None:
    # history's bid joins order 3 at 100 and grows behind it; the ask at 100 takes order 4's place at the front
    (
        scenario()
        .given(OPEN, resting(3, BUY, price=100, lots=2), tape(diff({100: 5}), after=1))
        .book("ask 103: M10\nbid 100: 2#3 M5\nbid 99: M10")
        .when(tape(diff({100: 0}, {100: 1}), after=2))
        .then(traded(3, MARKET, price=100, lots=1, crossed=100))
        .book("ask 103: M10\nbid 100: 1#3\nbid 99: M10")
    )


def test_volume_of_history_behind_a_trader_is_what_a_crossing_takes() -> None:
    # bids of history stand behind order 3 at 100; ann's ask at 101 rests, and a better bid runs through it first
    (
        scenario()
        .given(account("ann", 10_000), *BUYING[:1], resting(3, BUY, price=100, lots=2))
        .given(tape(diff({100: 5}), after=1), resting(4, SELL, price=101, lots=9, by="ann"))
        .when(tape(diff({102: 4, 101: 3}), after=2))
        .then(traded(4, MARKET, price=101, lots=4, crossed=102), traded(4, MARKET, price=101, lots=3, crossed=101))
        .book("ask 103: M10\nask 101: 2#4\nbid 100: 2#3 M5\nbid 99: M10")
    )


def test_an_order_with_nothing_left_to_reduce_expires_instead() -> None:
    (
        scenario()
        .given(OPEN, *position(1, BUY, price=101, lots=2, by="taker"))
        .given(place(3, SELL, price=102, lots=2, reduce_only=True), place(4, SELL, price=102, lots=2, reduce_only=True))
        .when(tape(diff({102: 3}), after=1))
        .then(traded(3, MARKET, price=102, lots=2, crossed=102), expired(4, 2, Expiry.NOTHING_TO_REDUCE))
        .book("ask 103: M10\nbid 102: M1\nbid 99: M10")
    )


def test_makers_pay_their_fee_and_settle_their_funding() -> None:
    (
        scenario(pack(maker_fee=1_000_000))
        .given(*BUYING, place(3, SELL, price=101, lots=1), funding(1_000_000))
        .when(tape(diff({}, {101: 9}), after=1))
        .then(
            funding_paid("maker", -1),
            traded(1, MARKET, price=101, lots=2, fees=(3, 0), crossed=101),
        )
    )


def test_a_maker_that_history_ran_through_may_fall_due() -> None:
    (
        scenario()
        .given(account("ann", 100), OPEN, resting(1, BUY, price=100, lots=10, by="ann"), mark(80))
        .when(tape(diff({99: 0}, {95: 20}), after=1))
        .then(traded(1, MARKET, price=100, lots=10, crossed=95), liquidation_due("ann", USD))
    )


def test_without_impact_a_crossing_happens_anew_with_each_batch() -> None:
    (
        scenario(impact=Impact.NONE)
        .given(OPEN, resting(1, BUY, price=102, lots=15))
        .when(tape(diff({}, {102: 6}), after=1))
        .then(traded(1, MARKET, price=102, lots=6, crossed=102))
        .when(tape(printed(SELL, 50, 1)))
        .then(traded(1, MARKET, price=102, lots=1), traded(1, MARKET, price=102, lots=6, crossed=102))
        .book("ask 103: M10\nask 102: M6\nbid 102: 2#1\nbid 99: M10")
    )


def test_without_impact_nothing_is_given_back_that_history_stated_anew() -> None:
    (
        scenario(impact=Impact.NONE)
        .given(OPEN, resting(1, BUY, price=102, lots=15))
        .when(tape(diff({}, {102: 6}), diff({}, {102: 4}), diff({}, {102: 0}), after=1))
        .then(traded(1, MARKET, price=102, lots=6, crossed=102), traded(1, MARKET, price=102, lots=4, crossed=102))
        .book("ask 103: M10\nbid 102: 5#1\nbid 99: M10")
        .when(tape(diff({}, {102: 3}), diff({}, {102: 2}), after=4))
        .then(traded(1, MARKET, price=102, lots=3, crossed=102), traded(1, MARKET, price=102, lots=2, crossed=102))
        .book("ask 103: M10\nask 102: M2\nbid 99: M10")
    )
