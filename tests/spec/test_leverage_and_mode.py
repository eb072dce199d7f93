"""Leverage and margin mode: chosen per instrument, within what is open."""

from __future__ import annotations

from msgspec.structs import replace

from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    CROSS,
    EASY,
    ISOLATED,
    SELL,
    TIN,
    account,
    cancel,
    cancelled,
    deposit,
    deposited,
    expired,
    leverage_set,
    mark,
    mode_set,
    place,
    position,
    refused,
    rested,
    resting,
    set_leverage,
    set_mode,
)

LONG = (account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))


class TestLeverage:
    """What share of the notional is held as initial margin."""

    def test_the_pack_says_where_it_begins_and_no_higher_than_the_first_bracket(self) -> None:
        scenario().given(account("ann")).holds("ann", leverage=10)
        scenario(replace(EASY, default_leverage=7)).given(account("ann")).holds("ann", leverage=7)
        scenario(replace(EASY, default_leverage=50)).given(account("ann")).holds("ann", leverage=10)

    def test_a_lower_one_holds_back_more(self) -> None:
        # 1,000 / 5 = 200
        (
            scenario()
            .given(*LONG)
            .when(set_leverage("ann", 5))
            .then(leverage_set("ann", 5))
            .holds("ann", available=0, leverage=5)
        )

    def test_a_higher_one_frees_margin(self) -> None:
        (
            scenario()
            .given(*LONG, set_leverage("ann", 5))
            .when(set_leverage("ann", 8))
            .then(leverage_set("ann", 8))
            .holds("ann", available=75)
        )

    def test_a_lower_one_has_to_be_available_for_open_orders_too(self) -> None:
        # bids of 900: 90 at 10x, 180 at 5x
        (
            scenario()
            .given(account("ann", 179), resting(1, BUY, price=90, lots=10, by="ann"))
            .when(set_leverage("ann", 5), deposit("ann", 1), set_leverage("ann", 5))
            .then(refused(Reason.INSUFFICIENT_MARGIN), deposited("ann", 1), leverage_set("ann", 5))
            .holds("ann", available=0)
        )

    def test_where_nothing_is_open_it_needs_nothing_to_be_available(self) -> None:
        session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(97))
        session.holds("ann", available=0).when(set_leverage("ann", 1, on=TIN), set_leverage("ann", 1))
        session.then(replace(leverage_set("ann", 1), instrument=TIN), refused(Reason.INSUFFICIENT_MARGIN))

    def test_one_that_its_bracket_does_not_offer_is_refused(self) -> None:
        # above a notional of 10,000 at most 5x
        (
            scenario()
            .given(account("ann", 10_000), set_leverage("ann", 5), resting(1, BUY, price=100, lots=101, by="ann"))
            .when(set_leverage("ann", 6), cancel(1), set_leverage("ann", 6))
            .then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE), cancelled(1, 101), leverage_set("ann", 6))
        )

    def test_a_position_may_grow_as_far_as_its_bracket_offers_the_leverage(self) -> None:
        (
            scenario()
            .when(place(1, BUY, price=100, lots=101), place(1, BUY, price=100, lots=100))
            .then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE), rested(1, 100))
            .when(set_leverage("taker", 2), place(2, BUY, price=100, lots=9_900))
            .then(leverage_set("taker", 2), rested(2, 9_900))
        )

    def test_the_limit_itself_may_be_reached_from_either_side(self) -> None:
        # long 50 at 100: 50 more, or 150 sold, make a position of 10,000
        (
            scenario()
            .given(*position(1, BUY, price=100, lots=50, by="taker"))
            .when(place(3, BUY, price=100, lots=51), place(3, BUY, price=100, lots=50))
            .then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE), rested(3, 50))
            .when(
                place(4, SELL, price=101, lots=149),
                place(4, SELL, price=100, lots=151),
                place(4, SELL, price=101, lots=148),
            )
            .then(
                refused(Reason.POSITION_LIMIT_AT_LEVERAGE), refused(Reason.POSITION_LIMIT_AT_LEVERAGE), rested(4, 148)
            )
        )

    def test_a_leverage_has_to_allow_what_open_orders_would_make_of_the_position(self) -> None:
        # long 50 at 100 and selling 150 at 100 at 5x: at most 10,000 short, which 10x allows; one lot more it does not
        session = scenario().given(set_leverage("taker", 5), *position(1, BUY, price=100, lots=50, by="taker"))
        session.given(place(3, SELL, price=101, lots=1), place(4, SELL, price=100, lots=150))
        session.when(set_leverage("taker", 10), cancel(3), set_leverage("taker", 10))
        session.then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE), cancelled(3, 1), leverage_set("taker", 10))

    def test_it_is_of_one_instrument(self) -> None:
        (
            scenario()
            .given(*LONG, set_leverage("ann", 2, on=TIN))
            .holds("ann", leverage=10)
            .holds("ann", instrument=TIN, leverage=2)
        )

    def test_a_lower_one_cannot_be_had_for_an_isolated_position(self) -> None:
        (
            scenario()
            .given(account("ann", 1000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
            .when(set_leverage("ann", 9), set_leverage("ann", 10))
            .then(refused(Reason.OPEN_ORDERS_OR_POSITION), leverage_set("ann", 10))
        )

    def test_a_higher_one_leaves_an_isolated_wallet_as_it_is(self) -> None:
        (
            scenario()
            .given(
                account("ann", 1000, mode=ISOLATED, leverage=5),
                *position(1, BUY, price=100, lots=10, by="ann"),
                set_leverage("ann", 10),
            )
            .holds("ann", isolated=200, wallet=800, removable=100)
        )

    def test_a_lower_one_is_possible_for_isolated_orders(self) -> None:
        (
            scenario()
            .given(account("ann", 1000, mode=ISOLATED), resting(1, BUY, price=90, lots=10, by="ann"))
            .when(set_leverage("ann", 1))
            .then(leverage_set("ann", 1))
            .holds("ann", available=100)
        )


class TestMode:
    """Which wallet carries the position."""

    def test_an_account_begins_in_cross_mode_and_may_change_while_nothing_is_open(self) -> None:
        (
            scenario()
            .given(account("ann", 1000))
            .holds("ann", is_isolated=False)
            .when(set_mode("ann", ISOLATED), set_mode("ann", CROSS))
            .then(mode_set("ann", ISOLATED), mode_set("ann", CROSS))
            .holds("ann", is_isolated=False)
        )

    def test_an_open_order_stands_against_it(self) -> None:
        (
            scenario()
            .given(account("ann", 1000), resting(1, BUY, price=90, lots=1, by="ann"))
            .when(set_mode("ann", ISOLATED), cancel(1), set_mode("ann", ISOLATED))
            .then(refused(Reason.OPEN_ORDERS_OR_POSITION), cancelled(1, 1), mode_set("ann", ISOLATED))
        )

    def test_a_position_stands_against_it(self) -> None:
        (
            scenario()
            .given(*LONG)
            .when(set_mode("ann", ISOLATED), place(3, SELL, lots=10, by="ann"))
            .then(refused(Reason.OPEN_ORDERS_OR_POSITION), expired(3, 10))
            .given(resting(4, BUY, price=100, lots=10), place(5, SELL, lots=10, by="ann"))
            .when(set_mode("ann", ISOLATED))
            .then(mode_set("ann", ISOLATED))
        )

    def test_it_is_of_one_instrument(self) -> None:
        (
            scenario()
            .given(*LONG, set_mode("ann", ISOLATED, on=TIN))
            .holds("ann", is_isolated=False)
            .holds("ann", instrument=TIN, is_isolated=True)
        )
