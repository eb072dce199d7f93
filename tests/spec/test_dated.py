"""Dated futures: at expiry their orders end, and every position settles in cash at the index."""

from __future__ import annotations

from typing import Any

import pytest

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    EXPIRY,
    OUNCE,
    dated,
    dated_inverse,
    ended,
    index,
    index_moved,
    later,
    pack_of,
    settled,
    settlement_due,
)
from tests.spec.tape import printed, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    account,
    add_margin,
    cancel,
    deficit_covered,
    deposit,
    forced_order,
    funding,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    open_account,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    set_mode,
    taken_over,
    withdraw,
    withdrawn,
)


def session(**terms: Any) -> Scenario:
    return scenario(pack_of(dated(**terms), dated(TIN, expiry=2 * EXPIRY)))


ANN = (account("ann", 1000), position(1, BUY, price=100, lots=10, by="ann"))
"""Cross, long 10 at 100."""

BOB = (account("bob", 1000, mode=ISOLATED), position(11, SELL, price=100, lots=10, by="bob"))
"""Isolated, short 10 at 100 with 100 behind it."""


class TestSettlement:
    """PnL = s x (worth at the index - entry value); the fee is a rate of the worth."""

    def test_when_the_time_has_come_every_position_waits_to_be_settled(self) -> None:
        (
            session()
            .given(ANN, BOB, index(107))
            .when(later(EXPIRY))
            .then(settlement_due(107))
            .waits((GOLD, ""))
            .when(proceed())
            .then(
                # the maker sold 10 and bought 10 at 100: it is flat, and nobody waits for it
                settled("ann", 70, at=107),
                settled("bob", -70, at=107),
            )
            .waits()
            .holds("ann", lots=0, entry_value=0, wallet=1070)
            .holds("bob", lots=0, entry_value=0, isolated=0, wallet=930)
        )

    def test_an_instant_before_nothing_happens(self) -> None:
        session().given(ANN, index(107)).when(later(EXPIRY - 1)).then().when(later(EXPIRY)).then(settlement_due(107))

    def test_where_nobody_stated_an_index_the_mark_is_what_it_settles_at(self) -> None:
        session().given(ANN, mark(104)).when(later(EXPIRY), proceed()).then(
            settlement_due(104), settled("maker", -40, at=104), settled("ann", 40, at=104)
        )

    def test_nobody_waits_where_nobody_holds_it(self) -> None:
        session().given(index(107)).when(later(EXPIRY)).then(settlement_due(107)).waits()

    def test_the_settlement_fee_is_rounded_up(self) -> None:
        # 1 % of 1,050 on both sides
        (
            session(settlement_fee=PERCENT)
            .given(ANN, index(105))
            .when(later(EXPIRY), proceed())
            .then(settlement_due(105), settled("maker", -50, at=105, fee=11), settled("ann", 50, at=105, fee=11))
            .holds("ann", wallet=1000 + 50 - 11)
        )

    def test_market_and_the_fund_settle_without_a_fee(self) -> None:
        # bob's 10 were taken over at 110
        (
            session(settlement_fee=PERCENT)
            .given(BOB, deposit(INSURANCE, 500), mark(109), proceed(), index(120))
            .when(later(EXPIRY), proceed())
            .then(settlement_due(120), settled("maker", 200, at=120, fee=12), settled(INSURANCE, -100, at=120))
            .holds(INSURANCE, wallet=400)
        )

    def test_each_contract_has_its_own_time(self) -> None:
        (
            session()
            .given(ANN, position(3, BUY, price=100, lots=5, by="ann", on=TIN), index(107))
            .given(later(EXPIRY), proceed())
            .when(mark(103, on=TIN), place(5, BUY, price=100, lots=2, by="ann", on=TIN))
            .then(mark_moved(103, on=TIN), rested(5, 2))
            .when(later(2 * EXPIRY), proceed())
            .then(
                settlement_due(103, on=TIN),
                settled("maker", -15, at=103, on=TIN),
                ended(5, 2),
                settled("ann", 15, at=103, on=TIN),
            )
        )

    def test_a_proceed_of_few_facts_settles_a_few(self) -> None:
        (
            session()
            .given(ANN, BOB, index(107), later(EXPIRY))
            .when(proceed(1))
            .then(settled("ann", 70, at=107))
            .waits((GOLD, ""))
            .when(proceed(1))
            .then(settled("bob", -70, at=107))
            .waits()
        )

    def test_a_position_is_held_until_it_settles_and_no_mark_moves_any_more(self) -> None:
        told = session().given(ANN, index(107), later(EXPIRY)).holds("ann", lots=10, wallet=1000)
        told.when(mark(50)).then(refused(Reason.INSTRUMENT_EXPIRED))

    def test_an_account_is_settled_before_its_own_command_is_decided(self) -> None:
        (
            session()
            .given(ANN, index(107), later(EXPIRY))
            .when(withdraw("ann", 1070))
            .then(settled("ann", 70, at=107), withdrawn("ann", 1070))
            .waits((GOLD, ""))
        )

    def test_the_time_comes_before_the_command_that_is_given_then(self) -> None:
        told = session().given(ANN, index(107))
        command = place(3, BUY, price=100, lots=2, by="ann")
        told.when(c.PlaceOrder(EXPIRY, "ann", "late", 3, command.instrument, BUY, 2, 100)).then(
            settlement_due(107), settled("ann", 70, at=107), refused(Reason.INSTRUMENT_EXPIRED)
        )
        assert told.causes(f.PositionSettled) == ["PositionSettled", "PlaceOrder"]


class TestOrders:
    """Whoever has an order waits too: it ends before the position settles."""

    def test_every_order_in_it_ends_with_or_without_a_position(self) -> None:
        (
            session()
            .given(ANN, place(3, SELL, price=120, lots=4, by="ann"), place(4, BUY, price=90, lots=2, by="ann"))
            .given(account("eve", 100), resting(5, BUY, price=80, lots=3, by="eve"), index(107))
            .when(later(EXPIRY), proceed())
            .then(
                settlement_due(107),
                settled("maker", -70, at=107),
                ended(3, 4),
                ended(4, 2),
                settled("ann", 70, at=107),
                ended(5, 3),
                settled("eve", 0, at=107),
            )
            .book("")
            .holds("eve", available=100)
        )

    def test_until_then_an_order_can_be_cancelled_and_ends_with_the_settlement(self) -> None:
        told = session().given(ANN, place(3, SELL, price=120, lots=4, by="ann"), index(107), later(EXPIRY))
        told.when(cancel(3)).then(ended(3, 4), settled("ann", 70, at=107), refused(Reason.UNKNOWN_ORDER))

    @pytest.mark.parametrize(
        "asked",
        [place(9, BUY, price=100, lots=2, by="ann"), mark(100), index(100)],
        ids=lambda asked: type(asked).__name__,
    )
    def test_nothing_is_stated_or_ordered_in_it_any_more(self, asked: Any) -> None:
        told = session().given(ANN, index(107), later(EXPIRY), proceed())
        told.when(asked).then(refused(Reason.INSTRUMENT_EXPIRED))

    def test_it_has_no_funding_at_any_time(self) -> None:
        told = session().given(ANN, index(107)).when(funding(1)).then(refused(Reason.INSTRUMENT_HAS_NO_FUNDING))
        told.given(later(EXPIRY), proceed()).when(funding(1)).then(refused(Reason.INSTRUMENT_HAS_NO_FUNDING))

    def test_history_does_not_go_on(self) -> None:
        told = session().given(index(107), later(EXPIRY))
        told.when(tape(printed(BUY, 100, 1), after=2_000)).then(refused(Reason.INSTRUMENT_EXPIRED))

    def test_no_margin_is_added_to_a_position_that_is_gone(self) -> None:
        told = session().given(BOB, index(100), later(EXPIRY))
        told.when(add_margin("bob", 1)).then(settled("bob", 0, at=100), refused(Reason.NO_POSITION))


class TestMargin:
    """A dated contract is margined as a perpetual one, and may fall due on the way or at the end."""

    def test_it_is_liquidated_before_it_expires(self) -> None:
        (
            session()
            .given(BOB, deposit(INSURANCE, 500), mark(105))
            .when(proceed())
            .then(
                liquidation_started("bob", GOLD, equity=50, maintenance=53),
                forced_order("bob", BUY, lots=10, limit=110, at=105),
                taken_over("bob", BUY, lots=10, value=1100),
                liquidation_ended("bob", GOLD, CLOSED, equity=0),
            )
        )

    def test_an_isolated_position_below_zero_is_covered_by_the_fund(self) -> None:
        # the mark stands at 100 while the index has gone to 118: 180 lost of 100
        (
            session()
            .given(BOB, deposit(INSURANCE, 500), index(118), later(EXPIRY))
            .when(proceed())
            .then(settled("maker", 180, at=118), settled("bob", -180, at=118), liquidation_due("bob", GOLD))
            .holds("bob", isolated=-80, wallet=900)
            .when(proceed())
            .then(
                liquidation_started("bob", GOLD, equity=-80, maintenance=0),
                deficit_covered("bob", GOLD, 80),
                liquidation_ended("bob", GOLD, CLOSED, equity=0),
            )
            .holds("bob", isolated=0, wallet=900)
            .holds(INSURANCE, wallet=420)
        )

    def test_a_fee_alone_may_bring_it_below_zero(self) -> None:
        # 100 lost of 100 at 110, and a fee of 1 % of 1,100
        (
            session(settlement_fee=PERCENT)
            .given(BOB, deposit(INSURANCE, 500), index(110), later(EXPIRY), proceed())
            .holds("bob", isolated=-11, wallet=900)
        )

    def test_a_cross_wallet_below_zero_is_covered_by_the_fund(self) -> None:
        (
            session()
            .given(account("cleo", 120), position(1, SELL, price=100, lots=10, by="cleo"), deposit(INSURANCE, 500))
            .given(index(115), later(EXPIRY))
            .when(proceed())
            .then(settled("maker", 150, at=115), settled("cleo", -150, at=115), liquidation_due("cleo", "USD"))
            .when(proceed())
            .then(
                liquidation_started("cleo", "USD", equity=-30, maintenance=0),
                deficit_covered("cleo", "USD", 30),
                liquidation_ended("cleo", "USD", CLOSED, equity=0),
            )
        )

    def test_a_pool_that_is_due_when_the_time_comes_settles_and_its_liquidation_finds_nothing(self) -> None:
        # at 105 equity is 50 and its requirement 52.5; it settles before the queue comes to it
        told = session().given(BOB, mark(105), index(100))
        told.when(later(EXPIRY)).then(settlement_due(100)).waits(("bob", GOLD), (GOLD, ""))
        told.when(proceed()).then(
            settled("bob", 0, at=100),
            liquidation_ended("bob", GOLD, CURED, equity=0),
            settled("maker", 0, at=100),
        )
        told.holds("bob", isolated=0, wallet=1000)

    def test_what_settles_below_zero_with_margin_still_needed_elsewhere_makes_the_pool_due(self) -> None:
        (
            session()
            .given(account("dan", 160), position(1, BUY, price=100, lots=7, by="dan"))
            .given(position(3, BUY, price=100, lots=8, by="dan", on=TIN), index(82), later(EXPIRY))
            .when(proceed())
            # 160 - 126 = 34, and 5 % of 800 is 40
            .then(settled("maker", 126, at=82), settled("dan", -126, at=82), liquidation_due("dan", "USD"))
        )


class TestInverse:
    """In coin: the worth of a lot at the index is 10,000 / index."""

    def test_it_settles_in_coin(self) -> None:
        # 10 at 125 are worth 800; 1 % of that
        (
            scenario(pack_of(dated_inverse(settlement_fee=PERCENT)))
            .given(open_account("ann"), deposit("ann", 1000, asset=OUNCE))
            .given(position(1, BUY, price=100, lots=10, by="ann", on=COIN), index(125, on=COIN))
            .when(later(EXPIRY), proceed())
            .then(
                settlement_due(125, on=COIN),
                settled("maker", -200, at=125, fee=8, on=COIN),
                settled("ann", 200, at=125, fee=8, on=COIN),
            )
            .holds("ann", COIN, wallet=1192)
        )

    def test_what_rounding_leaves_goes_to_the_remainders(self) -> None:
        # 10 at 130 are worth 769.23: -770 for the long, +769 for the short
        (
            scenario(pack_of(dated_inverse()))
            .given(open_account("ann"), deposit("ann", 1000, asset=OUNCE), set_mode("ann", ISOLATED, on=COIN))
            .given(position(1, BUY, price=100, lots=10, by="ann", on=COIN), index(130, on=COIN))
            .when(later(EXPIRY), proceed())
            .then(
                settlement_due(130, on=COIN),
                settled("maker", -231, at=130, on=COIN),
                settled("ann", 230, at=130, on=COIN),
            )
            .holds("ann", COIN, wallet=1230, isolated=0)
        )


def test_an_index_that_moves_is_stated_until_then() -> None:
    session().when(index(99)).then(index_moved(99))
