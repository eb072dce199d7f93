"""Orders: how a taker walks the book, and what becomes of what it leaves open."""

from __future__ import annotations

import pytest

from events.commands import Side
from events.facts import Expiry
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    FOK,
    IOC,
    POST_ONLY,
    SELL,
    USD,
    account,
    expired,
    pack,
    place,
    position,
    refused,
    rested,
    resting,
    traded,
)

ASKS = (resting(1, SELL, price=101, lots=5), resting(2, SELL, price=100, lots=5))


def test_a_taker_sweeps_the_best_price_first_and_rests_the_remainder() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=101, lots=5), resting(2, SELL, price=100, lots=5))
        .when(place(3, BUY, price=101, lots=12))
        .then(traded(2, 3, price=100, lots=5), traded(1, 3, price=101, lots=5), rested(3, lots=2))
        .book("bid 101: 2#3")
        .holds("taker", lots=10, entry_value=1005)
    )


def test_a_seller_sweeps_the_highest_bid_first() -> None:
    (
        scenario()
        .given(resting(1, BUY, price=99, lots=5), resting(2, BUY, price=100, lots=5))
        .when(place(3, SELL, price=99, lots=7))
        .then(traded(2, 3, price=100, lots=5), traded(1, 3, price=99, lots=2))
        .book("bid 99: 3#1")
        .holds("taker", lots=-7, entry_value=-698)
        .holds("maker", lots=7, entry_value=698)
    )


def test_a_limit_order_that_meets_nobody_rests_whole() -> None:
    scenario().given(*ASKS).when(place(3, BUY, price=99, lots=4)).then(rested(3, lots=4))


def test_a_trade_is_at_the_makers_price() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=95, lots=5))
        .when(place(2, BUY, price=120, lots=5))
        .then(traded(1, 2, price=95, lots=5))
    )


def test_a_market_order_takes_at_any_price_and_never_rests() -> None:
    (
        scenario()
        .given(*ASKS)
        .when(place(3, BUY, lots=12))
        .then(traded(2, 3, price=100, lots=5), traded(1, 3, price=101, lots=5), expired(3, 2))
        .book("")
    )


def test_an_immediate_or_cancel_order_leaves_nothing_behind() -> None:
    (
        scenario()
        .given(*ASKS)
        .when(place(3, BUY, price=100, lots=7, tif=IOC))
        .then(traded(2, 3, price=100, lots=5), expired(3, 2))
        .when(place(4, BUY, price=99, lots=7, tif=IOC))
        .then(expired(4, 7))
    )


class TestFillOrKill:
    """All of it, at once, or nothing."""

    def test_it_trades_where_the_book_has_all_of_it(self) -> None:
        (
            scenario()
            .given(*ASKS)
            .when(place(3, BUY, price=101, lots=10, tif=FOK))
            .then(traded(2, 3, price=100, lots=5), traded(1, 3, price=101, lots=5))
        )

    @pytest.mark.parametrize(("price", "lots"), [(101, 11), (100, 6), (99, 1)])
    def test_it_is_killed_where_the_book_has_less_within_its_price(self, price: int, lots: int) -> None:
        (
            scenario()
            .given(*ASKS)
            .when(place(3, BUY, price=price, lots=lots, tif=FOK))
            .then(expired(3, lots, Expiry.FILL_OR_KILL))
            .book("ask 101: 5#1\nask 100: 5#2")
        )

    def test_it_is_killed_by_an_empty_book(self) -> None:
        scenario().when(place(1, BUY, lots=1, tif=FOK)).then(expired(1, 1, Expiry.FILL_OR_KILL))

    def test_it_does_not_count_on_a_maker_that_has_nothing_left_to_reduce(self) -> None:
        # ann holds 5; order 3 reduces only. With 8 in the book at most 5 + 0 can trade once ann holds nothing.
        (
            scenario()
            .given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
            .given(resting(3, SELL, price=101, lots=8, by="ann", reduce_only=True), resting(4, SELL, price=102, lots=2))
            .when(place(5, BUY, price=102, lots=8, tif=FOK))
            .then(expired(5, 8, Expiry.FILL_OR_KILL))
            .when(place(6, BUY, price=102, lots=7, tif=FOK))
            .then(
                traded(3, 6, price=101, lots=5),
                expired(3, 3, Expiry.NOTHING_TO_REDUCE),
                traded(4, 6, price=102, lots=2),
            )
        )

    def test_two_orders_that_reduce_the_same_position_do_not_count_twice(self) -> None:
        (
            scenario()
            .given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
            .given(*(resting(n, SELL, price=101, lots=5, by="ann", reduce_only=True) for n in (3, 4)))
            .when(place(5, BUY, price=101, lots=6, tif=FOK))
            .then(expired(5, 6, Expiry.FILL_OR_KILL))
        )

    def test_it_is_killed_where_margin_does_not_carry_all_of_it(self) -> None:
        # 1 at 100 and 9 at 400 cost an account of 100 a loss of 2,700 at the mark of 100
        poor = scenario().given(
            account("ann", 100), resting(1, SELL, price=100, lots=1), resting(2, SELL, price=400, lots=9)
        )
        poor.when(place(3, BUY, lots=10, by="ann", tif=FOK)).then(expired(3, 10, Expiry.FILL_OR_KILL))

    def test_it_is_killed_where_it_would_meet_an_order_of_its_own_account(self) -> None:
        (
            scenario()
            .given(resting(1, SELL, price=100, lots=5), resting(2, SELL, price=101, lots=5, by="taker"))
            .when(place(3, BUY, price=101, lots=6, tif=FOK), place(4, BUY, price=101, lots=5, tif=FOK))
            .then(expired(3, 6, Expiry.FILL_OR_KILL), traded(1, 4, price=100, lots=5))
        )

    def test_it_is_killed_where_there_is_less_to_reduce(self) -> None:
        (
            scenario()
            .given(*position(1, BUY, price=100, lots=5, by="taker"), resting(3, BUY, price=99, lots=20))
            .when(place(4, SELL, price=99, lots=6, tif=FOK, reduce_only=True))
            .then(expired(4, 6, Expiry.FILL_OR_KILL))
            .when(place(5, SELL, price=99, lots=5, tif=FOK, reduce_only=True))
            .then(traded(3, 5, price=99, lots=5))
        )


class TestPostOnly:
    """It makes, or it is not accepted at all."""

    def test_it_rests_where_it_would_take_nothing(self) -> None:
        scenario().given(*ASKS).when(place(3, BUY, price=99, lots=1, tif=POST_ONLY)).then(rested(3, lots=1))

    def test_it_is_refused_where_it_would_take(self) -> None:
        (
            scenario()
            .given(*ASKS)
            .when(place(3, BUY, price=100, lots=1, tif=POST_ONLY))
            .then(refused(Reason.POST_ONLY_WOULD_TAKE))
        )


class TestReduceOnly:
    """It closes what is there, and never opens anything."""

    LONG = position(1, BUY, price=100, lots=5, by="taker")

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_it_is_refused_without_a_position(self, side: Side) -> None:
        (
            scenario()
            .when(place(1, side, price=100, lots=1, reduce_only=True))
            .then(refused(Reason.REDUCE_ONLY_WOULD_INCREASE))
        )

    def test_it_is_refused_on_the_side_of_the_position(self) -> None:
        (
            scenario()
            .given(*self.LONG)
            .when(place(3, BUY, price=100, lots=1, reduce_only=True))
            .then(refused(Reason.REDUCE_ONLY_WOULD_INCREASE))
        )

    def test_a_taker_stops_at_zero(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(3, BUY, price=99, lots=3), resting(4, BUY, price=98, lots=9))
            .when(place(5, SELL, price=90, lots=9, reduce_only=True))
            .then(
                traded(3, 5, price=99, lots=3),
                traded(4, 5, price=98, lots=2),
                expired(5, 4, Expiry.NOTHING_TO_REDUCE),
            )
            .holds("taker", lots=0, entry_value=0, open_orders=0)
        )

    def test_a_resting_one_trades_no_more_than_there_is_to_reduce_and_then_expires(self) -> None:
        (
            scenario()
            .given(account("ann", 1000), *self.LONG)
            .given(place(3, SELL, price=101, lots=9, reduce_only=True), resting(4, SELL, price=102, lots=2))
            .book("ask 102: 2#4\nask 101: 9#3")
            .when(place(5, BUY, price=102, lots=7, by="ann"))
            .then(
                traded(3, 5, price=101, lots=5),
                expired(3, 4, Expiry.NOTHING_TO_REDUCE),
                traded(4, 5, price=102, lots=2),
            )
        )

    def test_a_resting_one_whose_position_turned_expires_when_it_is_met(self) -> None:
        (
            scenario()
            .given(account("ann", 1000), *self.LONG, place(3, SELL, price=101, lots=5, reduce_only=True))
            .given(resting(4, BUY, price=100, lots=8), place(5, SELL, price=100, lots=8))
            .holds("taker", lots=-3)
            .when(place(6, BUY, price=101, lots=5, by="ann"))
            .then(expired(3, 5, Expiry.NOTHING_TO_REDUCE), rested(6, lots=5))
        )

    def test_a_taker_does_not_trade_with_its_own_account(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(3, BUY, price=99, lots=2), resting(4, BUY, price=98, lots=9, by="taker"))
            .when(place(5, SELL, price=90, lots=5, reduce_only=True))
            .then(traded(3, 5, price=99, lots=2), expired(5, 3, Expiry.NOTHING_TO_REDUCE))
            .book("bid 98: 9#4")
        )

    def test_a_resting_one_makes_way_for_its_own_account(self) -> None:
        (
            scenario()
            .given(*self.LONG, place(3, SELL, price=101, lots=5, reduce_only=True))
            .when(place(4, BUY, price=101, lots=7))
            .then(expired(3, 5, Expiry.NOTHING_TO_REDUCE), rested(4, 7))
        )

    def test_it_reserves_no_margin(self) -> None:
        (
            scenario()
            .given(account("ann", 50), *position(1, BUY, price=100, lots=5, by="ann"))
            .holds("ann", available=0)
            .when(place(3, SELL, price=101, lots=5, by="ann", reduce_only=True))
            .then(rested(3, lots=5))
            .holds("ann", available=0, asks=0, extra=0)
        )


def test_an_account_may_trade_with_itself() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=100, lots=5))
        .when(place(2, BUY, price=100, lots=7, by="maker"))
        .then(traded(1, 2, price=100, lots=5), rested(2, lots=2))
        .holds("maker", lots=0, entry_value=0, wallet=10_000_000)
    )


def test_fees_are_rounded_up_and_a_rebate_down() -> None:
    # 3 x 101 = 303: taker 1 % = 3.03, maker rebate 0.5 % = 1.515
    session = (
        scenario(pack(maker_fee=-500_000, taker_fee=1_000_000))
        .given(resting(1, SELL, price=101, lots=3))
        .when(place(2, BUY, price=101, lots=3))
        .then(traded(1, 2, price=101, lots=3, fees=(-1, 4)))
        .holds("maker", wallet=10_000_001)
        .holds("taker", wallet=9_999_996)
    )
    assert session.state.ledger[USD].fees == 3
