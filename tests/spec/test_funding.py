"""Funding: every position open at a funding time pays or receives its notional at the mark times the rate."""

from __future__ import annotations

from events.commands import INSURANCE, MARKET
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.tape import printed, snapshot, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    deposited,
    forced_order,
    funding,
    funding_due,
    funding_paid,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    market,
    place,
    position,
    proceed,
    refused,
    resting,
    taken_over,
    traded,
    withdraw,
)

THREE_PERCENT = 3_000_000
LONG = position(1, BUY, price=100, lots=10, by="taker")


def test_longs_pay_shorts_when_the_rate_is_positive() -> None:
    # 10 x 100 x 3 % = 30
    (
        scenario()
        .given(*LONG)
        .when(funding(THREE_PERCENT))
        .then(funding_due(THREE_PERCENT, at=100))
        .waits((GOLD, ""))
        .when(proceed())
        .then(funding_paid("maker", 30), funding_paid("taker", -30))
        .waits()
        .holds("maker", wallet=10_000_030)
        .holds("taker", wallet=9_999_970)
    )


def test_shorts_pay_longs_when_the_rate_is_negative() -> None:
    (
        scenario()
        .given(*LONG, funding(-THREE_PERCENT))
        .when(proceed())
        .then(funding_paid("maker", -30), funding_paid("taker", 30))
    )


def test_funding_is_of_the_notional_at_the_mark_of_the_funding_time() -> None:
    # the mark when it fell due, 90, counts: 10 x 90 x 3 % = 27
    (
        scenario()
        .given(*LONG, mark(90), funding(THREE_PERCENT), mark(110))
        .when(proceed())
        .then(funding_paid("maker", 27), funding_paid("taker", -27))
    )


def test_a_debt_is_rounded_up_a_gain_down_and_the_difference_is_booked() -> None:
    # three shorts of 1 and a long of 3 at 105, 1 %: 1.05 each way for the shorts, 3.15 for the long
    session = (
        scenario()
        .given(
            account("ann", 1000), account("bob", 1000), account("eve", 1000),
            *(resting(n, SELL, price=105, lots=1, by=name) for n, name in ((1, "ann"), (2, "bob"), (3, "eve"))),
            place(4, BUY, price=105, lots=3), mark(105), funding(1_000_000),
        )
        .when(proceed())
        .then(
            funding_paid("ann", 1), funding_paid("taker", -4), funding_paid("bob", 1), funding_paid("eve", 1),
        )
    )  # fmt: skip
    assert session.state.ledger[USD].remainders == 1


def test_positions_settle_in_the_order_in_which_they_were_opened() -> None:
    (
        scenario()
        .given(
            account("ann", 1000),
            account("bob", 1000),
            resting(1, BUY, price=100, lots=2, by="bob"),
            place(2, SELL, price=100, lots=1, by="ann"),
            place(3, SELL, price=100, lots=1),
            funding(THREE_PERCENT),
        )
        .when(proceed())
        .then(funding_paid("bob", -6), funding_paid("ann", 3), funding_paid("taker", 3))
    )


def test_an_account_settles_what_it_owes_before_its_own_command_is_decided() -> None:
    (
        scenario()
        .given(*LONG, funding(THREE_PERCENT))
        .when(deposit("taker", 5))
        .then(funding_paid("taker", -30), deposited("taker", 5))
        .when(withdraw("maker", 10_000_031))
        .then(funding_paid("maker", 30), refused(Reason.INSUFFICIENT_BALANCE))
        .waits()
    )


def test_a_command_of_nobody_in_particular_settles_nothing() -> None:
    scenario().given(*LONG, funding(THREE_PERCENT)).when(mark(101)).then(mark_moved(101)).waits((GOLD, ""))


def test_a_maker_settles_before_its_position_changes() -> None:
    (
        scenario()
        .given(account("ann", 1000), *LONG, resting(3, SELL, price=100, lots=5), funding(THREE_PERCENT))
        .when(place(4, BUY, price=100, lots=5, by="ann"))
        .then(funding_paid("maker", 30), traded(3, 4, price=100, lots=5))
        .when(proceed())
        .then(funding_paid("taker", -30))
    )


def test_history_takes_part_and_settles_before_it_trades() -> None:
    session = (
        scenario()
        .given(tape(snapshot({99: 50}, {100: 50})), market(1, BUY, lots=10), funding(THREE_PERCENT))
        .when(market(2, BUY, lots=5, by="maker"))
        .then(funding_paid(MARKET, 30), traded(MARKET, 2, price=100, lots=5))
        .when(proceed())
        .then(funding_paid("taker", -30))
        .holds(MARKET, lots=-15, wallet=30)
    )
    assert session.state.ledger[USD].remainders == 0


def test_history_settles_before_a_print_of_it_fills_somebody() -> None:
    (
        scenario()
        .given(
            tape(snapshot({99: 50}, {101: 50})),
            *LONG,
            resting(3, BUY, price=100, lots=5, by="maker"),
            market(4, SELL, lots=1),
        )
        .given(tape(printed(SELL, 100, 1)), funding(THREE_PERCENT))
        .when(tape(printed(SELL, 100, 3)))
        .then(funding_paid("maker", 24), funding_paid(MARKET, 3), traded(3, MARKET, price=100, lots=3))
        .when(proceed())
        .then(funding_paid("taker", -27))
    )


def test_the_insurance_fund_takes_part_and_settles_before_it_takes_more_over() -> None:
    # the fund holds ann's 10 lots when bob falls due, and funding after that: 10 x 91 x 3 % = 27.3
    # bob has 130 - 90 - 28 = 12 left, so his 10 lots are bankrupt at 910 - 12 = 898
    (
        scenario()
        .given(account("ann", 100), account("bob", 130))
        .given(*position(1, BUY, price=100, lots=10, by="ann"), *position(3, BUY, price=100, lots=10, by="bob"))
        .given(mark(94), proceed(), mark(91), funding(THREE_PERCENT))
        .holds(INSURANCE, lots=10, entry_value=900)
        .waits(("bob", USD), (GOLD, ""))
        .when(proceed())
        .then(
            funding_paid("bob", -28),
            liquidation_started("bob", USD, equity=12, maintenance=46),
            forced_order("bob", SELL, lots=10, limit=90, at=91, bankruptcy=898_000),
            funding_paid(INSURANCE, -28),
            taken_over("bob", SELL, lots=10, value=898, bankruptcy=898_000),
            liquidation_ended("bob", USD, CLOSED, equity=0),
            funding_paid("maker", 54),
        )
        .holds(INSURANCE, lots=20, entry_value=1798)
    )


def test_each_funding_time_is_settled_even_where_two_fall_together() -> None:
    (
        scenario(clock=0)
        .given(*LONG, funding(THREE_PERCENT), funding(2 * THREE_PERCENT))
        .waits((GOLD, ""), (GOLD, ""))
        .when(proceed())
        .then(
            funding_paid("maker", 30),
            funding_paid("taker", -30),
            funding_paid("maker", 60),
            funding_paid("taker", -60),
        )
    )


def test_instruments_that_fall_due_together_settle_by_name() -> None:
    (
        scenario(clock=0)
        .given(*LONG, resting(3, SELL, price=100, lots=20, on=TIN), place(4, BUY, price=100, lots=20, on=TIN))
        .given(funding(THREE_PERCENT, on=TIN), funding(THREE_PERCENT))
        .waits((GOLD, ""), (TIN, ""))
        .when(deposit("taker", 1))
        .then(funding_paid("taker", -30), funding_paid("taker", -60, on=TIN), deposited("taker", 1))
    )


def test_a_funding_time_without_positions_waits_for_nobody() -> None:
    scenario().when(funding(THREE_PERCENT)).then(funding_due(THREE_PERCENT, at=100)).waits()


def test_an_isolated_position_pays_from_its_own_wallet() -> None:
    # margin 1,000 / 10 = 100, funding 30
    (
        scenario()
        .given(account("ann", 1000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
        .given(funding(THREE_PERCENT), proceed())
        .holds("ann", isolated=70, wallet=900)
    )


def test_an_isolated_position_may_fall_due_by_funding() -> None:
    # equity 100 - 60 = 40 is below the maintenance margin of 1,000 x 5 % = 50
    session = (
        scenario()
        .given(account("ann", 1000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
        .given(funding(2 * THREE_PERCENT))
        .when(proceed())
        .then(funding_paid("maker", 60), funding_paid("ann", -60), liquidation_due("ann", GOLD))
    )
    assert session.causes() == [
        "LiquidationDue", "FundingPaid", "FundingDue", "ApplyFunding",
    ]  # fmt: skip


def test_proceed_settles_at_most_as_many_as_its_limit() -> None:
    (
        scenario()
        .given(*LONG, funding(THREE_PERCENT))
        .when(proceed(limit=1))
        .then(funding_paid("maker", 30))
        .waits((GOLD, ""))
        .when(proceed(limit=1))
        .then(funding_paid("taker", -30))
        .waits()
    )
