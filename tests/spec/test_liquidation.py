"""Liquidation: a pool whose equity fell to its maintenance margin is closed, in the book first, then by the fund."""

from __future__ import annotations

from events.commands import INSURANCE, MARKET
from events.facts import Expiry
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    cancel,
    cancelled,
    deposit,
    deposited,
    expired,
    fee_charged,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_at,
    mark_moved,
    mark_moved_at,
    market,
    pack,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    set_leverage,
    set_mode,
    taken_over,
    traded,
    withdraw,
    withdrawn,
)

ISOLATED_ANN = (account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with W = 100, and 400 in the cross wallet. Due at 95 - 5 % = 94.7 and below."""

ISOLATED_SHORT = (account("ann", 500, mode=ISOLATED), *position(1, SELL, price=100, lots=10, by="ann"))

CROSS_ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))

FEE = pack(liquidation_fee=1_000_000)
"""A liquidation fee of 1 %."""


class TestDue:
    """Equity <= maintenance margin with a position open."""

    def test_a_pool_falls_due_when_equity_reaches_maintenance_and_not_before(self) -> None:
        # W = 110: equity at 94 is 110 - 60 = 50 and maintenance 47; at 93.684210... they meet
        session = scenario().given(*ISOLATED_ANN, add_margin("ann", 10))
        session.when(mark(94)).then(mark_moved(94))
        just_above = 936_843
        session.when(mark_at(just_above)).then(mark_moved_at(just_above))
        session.when(mark_at(just_above - 1))
        session.then(mark_moved_at(just_above - 1), liquidation_due("ann", GOLD))

    def test_equity_that_equals_maintenance_is_due(self) -> None:
        # W = 100 + 45: at a mark of 90 equity is 45 and maintenance 45
        session = scenario().given(*ISOLATED_ANN, add_margin("ann", 45))
        session.when(mark_at(900_001)).then(mark_moved_at(900_001))
        session.when(mark(90)).then(mark_moved(90), liquidation_due("ann", GOLD))
        session.when(proceed()).then(
            liquidation_started("ann", GOLD, equity=45, maintenance=45),
            forced_order("ann", SELL, lots=10, limit=86, at=90, bankruptcy=855_000),
            taken_over("ann", SELL, lots=10, value=855, bankruptcy=855_000),
            liquidation_ended("ann", GOLD, CLOSED, equity=0),
        )

    def test_a_cross_pool_is_measured_in_the_same_way(self) -> None:
        session = scenario().given(account("ann", 145), *position(1, BUY, price=100, lots=10, by="ann"))
        session.when(mark_at(900_001)).then(mark_moved_at(900_001))
        session.when(mark(90)).then(mark_moved(90), liquidation_due("ann", USD))

    def test_a_short_falls_due_when_the_mark_rises(self) -> None:
        # equity 100 - 10 x (mark - 100) meets 10 x mark x 5 % at 104.7619...
        session = scenario().given(*ISOLATED_SHORT)
        session.when(mark_at(1_047_619)).then(mark_moved_at(1_047_619))
        session.when(mark_at(1_047_620))
        session.then(mark_moved_at(1_047_620), liquidation_due("ann", GOLD))

    def test_a_higher_bracket_takes_a_larger_share(self) -> None:
        # 200 at 100 and 5x: W = 4,000; maintenance 10 % - 500. 4,000 + 200 x (m - 100) = 20 x m - 500 at 86.111...
        session = scenario().given(
            account("ann", 4000, mode=ISOLATED, leverage=5),
            set_leverage("maker", 5),
            *position(1, BUY, price=100, lots=200, by="ann"),
        )
        session.when(mark_at(861_112)).then(mark_moved_at(861_112))
        session.when(mark_at(861_111))
        session.then(mark_moved_at(861_111), liquidation_due("ann", GOLD))

    def test_those_that_fall_due_together_wait_by_name(self) -> None:
        (
            scenario()
            .given(*CROSS_ANN, account("bob", 100), *position(3, BUY, price=100, lots=10, by="bob"))
            .when(mark(94))
            .then(mark_moved(94), liquidation_due("ann", USD), liquidation_due("bob", USD))
            .waits(("ann", USD), ("bob", USD))
        )

    def test_a_pool_is_said_to_be_due_once(self) -> None:
        scenario().given(*CROSS_ANN, mark(94)).when(mark(93), mark(92)).then(mark_moved(93), mark_moved(92))


class TestIsolated:
    """One position, its own wallet, and nothing else."""

    def test_it_closes_in_the_book_at_better_than_bankruptcy(self) -> None:
        # bankruptcy at 100 - 100 / 10 = 90. Sold 4 at 94 and 6 at 91: lost 78, 22 of W come back
        (
            scenario()
            .given(*ISOLATED_ANN, resting(3, BUY, price=94, lots=4), resting(4, BUY, price=91, lots=9), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(3, "ann", price=94, lots=4),
                traded(4, "ann", price=91, lots=6),
                liquidation_ended("ann", GOLD, CLOSED, equity=22),
            )
            .holds("ann", wallet=422, isolated=0, lots=0, entry_value=0)
            .waits()
        )

    def test_a_short_is_bought_back(self) -> None:
        # bankruptcy at 110; bought 10 at 108: 20 of W come back
        (
            scenario()
            .given(*ISOLATED_SHORT, resting(3, SELL, price=108, lots=20), mark(105))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=50, maintenance=53),
                forced_order("ann", BUY, lots=10, limit=110, at=105),
                traded(3, "ann", price=108, lots=10),
                liquidation_ended("ann", GOLD, CLOSED, equity=20),
            )
            .holds("ann", wallet=420, isolated=0, lots=0)
        )

    def test_what_the_book_cannot_take_the_fund_takes_at_bankruptcy(self) -> None:
        # 4 sold at 94: W = 76 for 6 lots entered at 600, so the fund pays 524 for them: 87.333... each
        (
            scenario()
            .given(*ISOLATED_ANN, resting(3, BUY, price=94, lots=4), resting(4, BUY, price=89, lots=9), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(3, "ann", price=94, lots=4),
                taken_over("ann", SELL, lots=6, value=524, bankruptcy=873_334),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .holds("ann", wallet=400, isolated=0, lots=0)
            .holds(INSURANCE, lots=6, entry_value=524)
            .book("bid 89: 9#4")
        )

    def test_the_loss_never_touches_another_wallet_however_far_the_mark_fell(self) -> None:
        # at a mark of 50 the position has lost 500, five times its W; the fund pays 900 for what is worth 500
        (
            scenario()
            .given(deposit(INSURANCE, 1000), *ISOLATED_ANN, mark(50))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=-400, maintenance=25),
                forced_order("ann", SELL, lots=10, limit=90, at=50),
                taken_over("ann", SELL, lots=10, value=900),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .holds("ann", wallet=400, isolated=0)
            .holds(INSURANCE, wallet=1000, lots=10, entry_value=900)
        )

    def test_only_the_orders_of_the_position_expire(self) -> None:
        (
            scenario()
            .given(*ISOLATED_ANN, resting(3, SELL, price=120, lots=2, by="ann"))
            .given(resting(4, BUY, price=80, lots=1, by="ann", on=TIN), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                expired(3, 2, Expiry.LIQUIDATION),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                taken_over("ann", SELL, lots=10, value=900),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .book("bid 80: 1#4", instrument=TIN)
        )

    def test_the_wallet_stays_whole_until_all_of_it_is_closed(self) -> None:
        # 9 sold at 94 lose 54: nothing is released on the way, 46 carry the last lot
        (
            scenario()
            .given(*ISOLATED_ANN, resting(3, BUY, price=94, lots=9), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(3, "ann", price=94, lots=9),
                taken_over("ann", SELL, lots=1, value=54),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .holds("ann", wallet=400)
        )


class TestInTheBook:
    """A forced order meets whoever stands there, history too."""

    def test_history_takes_its_part_in_turn(self) -> None:
        (
            scenario()
            .given(*ISOLATED_ANN, tape(snapshot({93: 3, 80: 99})), resting(3, BUY, price=93, lots=2), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(MARKET, "ann", price=93, lots=3, side=SELL),
                traded(3, "ann", price=93, lots=2),
                taken_over("ann", SELL, lots=5, value=435),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .book("bid 80: M99")
        )

    def test_a_maker_with_nothing_left_to_reduce_makes_way(self) -> None:
        (
            scenario()
            .given(*ISOLATED_ANN, account("bob", 1000), *position(3, SELL, price=100, lots=3, by="bob"))
            .given(place(5, BUY, price=93, lots=3, by="bob", reduce_only=True), resting(6, BUY, price=92, lots=9))
            .given(*position(7, BUY, price=100, lots=3, by="bob"), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                expired(5, 3, Expiry.NOTHING_TO_REDUCE),
                traded(6, "ann", price=92, lots=9),
                taken_over("ann", SELL, lots=1, value=72),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
        )


class TestFee:
    """It is charged on what the book closed, goes to the fund, and is at most what the pool has left."""

    def test_it_goes_to_the_fund(self) -> None:
        # 9.4 of 940, rounded up
        (
            scenario(FEE)
            .given(*ISOLATED_ANN, resting(3, BUY, price=94, lots=10), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(3, "ann", price=94, lots=10),
                fee_charged("ann", GOLD, 10),
                liquidation_ended("ann", GOLD, CLOSED, equity=30),
            )
            .holds("ann", wallet=430)
            .holds(INSURANCE, wallet=10)
        )

    def test_it_takes_no_more_than_is_left(self) -> None:
        # sold 9 at 91 and 1 at 90: 9 are left of W, the fee would be 10
        (
            scenario(FEE)
            .given(*ISOLATED_ANN, resting(3, BUY, price=91, lots=9), resting(4, BUY, price=90, lots=1), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                traded(3, "ann", price=91, lots=9),
                traded(4, "ann", price=90, lots=1),
                fee_charged("ann", GOLD, 9),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
        )

    def test_a_pool_with_nothing_left_is_charged_nothing(self) -> None:
        session = scenario(FEE).given(*ISOLATED_ANN, resting(3, BUY, price=90, lots=10), mark(94)).given(proceed())
        session.holds(INSURANCE, wallet=0).holds("ann", wallet=400)

    def test_fills_of_a_liquidation_pay_no_trading_fee_and_their_makers_do(self) -> None:
        (
            scenario(pack(maker_fee=1_000_000, taker_fee=2_000_000))
            .given(*ISOLATED_ANN, resting(3, BUY, price=94, lots=10), mark(94))
            .holds("ann", isolated=80)
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=20, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=92, at=94),
                traded(3, "ann", price=94, lots=10, fees=(10, 0)),
                liquidation_ended("ann", GOLD, CLOSED, equity=20),
            )
        )


class TestWhileItWaits:
    """Between falling due and the next Proceed."""

    def test_a_deposit_cures_a_cross_pool(self) -> None:
        (
            scenario()
            .given(*CROSS_ANN, mark(94), deposit("ann", 8))
            .when(proceed())
            .then(liquidation_ended("ann", USD, CURED, equity=48))
            .holds("ann", lots=10, wallet=108)
            .when(mark(93))
            .then(mark_moved(93), liquidation_due("ann", USD))
        )

    def test_a_mark_that_comes_back_cures_it_too(self) -> None:
        (
            scenario()
            .given(*CROSS_ANN, mark(94), mark(99))
            .when(proceed())
            .then(liquidation_ended("ann", USD, CURED, equity=90))
        )

    def test_its_owner_may_deposit_and_cancel_and_nothing_else(self) -> None:
        no = refused(Reason.LIQUIDATION_IN_PROGRESS)
        (
            scenario()
            .given(*CROSS_ANN, resting(3, SELL, price=120, lots=2, by="ann"), mark(94))
            .when(
                place(4, SELL, lots=10, by="ann", reduce_only=True),
                withdraw("ann", 1),
                set_leverage("ann", 9),
                set_mode("ann", ISOLATED),
                set_mode("ann", ISOLATED, on=TIN),
                place(4, SELL, lots=10, by="ann", on=TIN),
                cancel(3),
                deposit("ann", 1),
            )
            .then(no, no, no, no, no, no, cancelled(3, 2), deposited("ann", 1))
        )

    def test_an_isolated_pool_that_is_due_closes_only_its_own_instrument(self) -> None:
        (
            scenario()
            .given(*ISOLATED_ANN, mark(94))
            .when(
                place(3, SELL, lots=10, by="ann"),
                set_leverage("ann", 10),
                place(3, SELL, price=101, lots=1, by="ann", on=TIN),
                withdraw("ann", 389),
            )
            .then(
                refused(Reason.LIQUIDATION_IN_PROGRESS),
                refused(Reason.LIQUIDATION_IN_PROGRESS),
                rested(3, 1),
                withdrawn("ann", 389),
            )
        )

    def test_its_orders_may_still_be_met_and_may_save_it(self) -> None:
        (
            scenario()
            .given(*CROSS_ANN, resting(3, SELL, price=101, lots=10, by="ann"), mark(94))
            .when(market(4, BUY, lots=10))
            .then(traded(3, 4, price=101, lots=10))
            .when(proceed())
            .then(liquidation_ended("ann", USD, CURED, equity=110))
        )

    def test_an_isolated_pool_that_lost_its_position_meanwhile_gives_its_wallet_back(self) -> None:
        (
            scenario()
            .given(*ISOLATED_ANN, resting(3, SELL, price=101, lots=10, by="ann"), mark(94))
            .when(market(4, BUY, lots=10), proceed())
            .then(traded(3, 4, price=101, lots=10), liquidation_ended("ann", GOLD, CURED, equity=0))
            .holds("ann", wallet=510, isolated=0)
        )
