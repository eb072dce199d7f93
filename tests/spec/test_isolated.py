"""Isolated margin: each position has a wallet W of its own, and can lose no more than that."""

from __future__ import annotations

import pytest

from events.facts import Expiry
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    CURED,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    account,
    add_margin,
    expired,
    liquidation_ended,
    margin_moved,
    mark,
    market,
    pack,
    position,
    proceed,
    refused,
    remove_margin,
    resting,
    traded,
)

ONE_PERCENT = 1_000_000
FEES = pack(taker_fee=ONE_PERCENT)
ANN = account("ann", 1000, mode=ISOLATED)
LONG = (ANN, resting(1, SELL, price=100, lots=10), market(2, BUY, lots=10, by="ann"))
"""10 at 100: margin 100, fee 10, so W = 90 and 900 in the cross wallet."""

SHORT = (ANN, resting(1, BUY, price=100, lots=10), market(2, SELL, lots=10, by="ann"))


class TestOpening:
    """Entry notional / leverage moves from the cross wallet; W is net of the fee."""

    def test_the_margin_moves_and_pays_the_fee(self) -> None:
        scenario(FEES).given(*LONG).holds("ann", wallet=900, isolated=90, lots=10, entry_value=1000)

    def test_a_short_pays_the_same(self) -> None:
        scenario(FEES).given(*SHORT).holds("ann", wallet=900, isolated=90, lots=-10, entry_value=-1000)

    def test_margin_is_rounded_up(self) -> None:
        # 1,000 / 3 = 333.33
        (
            scenario()
            .given(account("ann", 1000, mode=ISOLATED, leverage=3), *position(1, BUY, price=100, lots=10, by="ann"))
            .holds("ann", wallet=666, isolated=334)
        )

    def test_adding_adds_margin_for_what_is_added(self) -> None:
        # 10 at 110: 110 of margin, fee 11
        (
            scenario(FEES)
            .given(*LONG, resting(3, SELL, price=110, lots=10), market(4, BUY, lots=10, by="ann"))
            .holds("ann", wallet=790, isolated=189, lots=20, entry_value=2100)
        )

    def test_a_maker_of_an_isolated_position_does_the_same(self) -> None:
        (
            scenario(pack(maker_fee=ONE_PERCENT))
            .given(ANN, resting(1, BUY, price=100, lots=10, by="ann"), market(2, SELL, lots=10))
            .holds("ann", wallet=900, isolated=90, available=900)
        )

    def test_its_profit_and_loss_are_no_part_of_the_available_balance(self) -> None:
        scenario(FEES).given(*LONG, mark(96)).holds("ann", available=900, withdrawable=900)
        scenario(FEES).given(*LONG, mark(150)).holds("ann", available=900, withdrawable=900)


class TestReducing:
    """floor(W x closed / size) is released first; profit, loss and fee are settled against that, then against W."""

    @pytest.mark.parametrize(
        ("price", "wallet", "isolated"),
        [
            # release 27; fee of 3 x price rounded up
            (110, 900 + 27 + 30 - 4, 63),
            (100, 900 + 27 - 3, 63),
            (92, 900, 63 + (27 - 24 - 3)),
            (90, 900, 63 + (27 - 30 - 3)),
            (80, 900, 63 + (27 - 60 - 3)),
        ],
    )
    def test_three_of_ten(self, price: int, wallet: int, isolated: int) -> None:
        (
            scenario(FEES)
            .given(*LONG, resting(3, BUY, price=price, lots=3), market(4, SELL, lots=3, by="ann"))
            .holds("ann", wallet=wallet, isolated=isolated, lots=7, entry_value=700)
        )

    def test_a_short_that_is_bought_back(self) -> None:
        # release 27, loss 3 x 12 = 36, fee 4: 13 more than was released
        (
            scenario(FEES)
            .given(*SHORT, resting(3, SELL, price=112, lots=3), market(4, BUY, lots=3, by="ann"))
            .holds("ann", wallet=900, isolated=50, lots=-7, entry_value=-700)
        )

    def test_release_and_entry_value_are_rounded_down_and_the_rest_stays(self) -> None:
        # 3 lots bought for 301 with W = 31: closing one releases floor(31 / 3) = 10 and floor(301 / 3) = 100
        (
            scenario()
            .given(ANN, resting(1, SELL, price=100, lots=2), resting(2, SELL, price=101, lots=1))
            .given(market(3, BUY, lots=3, by="ann"), resting(4, BUY, price=100, lots=1))
            .holds("ann", wallet=969, isolated=31, entry_value=301)
            .given(market(5, SELL, lots=1, by="ann"))
            .holds("ann", wallet=979, isolated=21, entry_value=201, lots=2)
        )

    def test_the_last_lot_takes_everything_with_it(self) -> None:
        # release 90, profit 100, fee 11
        (
            scenario(FEES)
            .given(*LONG, resting(3, BUY, price=110, lots=10), market(4, SELL, lots=10, by="ann"))
            .holds("ann", wallet=1079, isolated=0, lots=0, entry_value=0)
        )

    def test_a_loss_beyond_w_is_not_taken_by_a_taker(self) -> None:
        # closing 10 at 91 loses 90 and a fee of 10: 10 more than W
        (
            scenario(FEES)
            .given(*LONG, resting(3, BUY, price=91, lots=10))
            .when(market(4, SELL, lots=10, by="ann"))
            .then(expired(4, 10, Expiry.MARGIN_EXHAUSTED))
            .holds("ann", wallet=900, isolated=90, lots=10)
        )

    def test_w_may_go_below_zero_while_the_position_gains_more(self) -> None:
        # two lots sold at 10, 90 below their entry: W = 100 - 20 + (20 - 180) = -80; 8 lots gain 800 at the mark of 200
        (
            scenario()
            .given(ANN, *position(1, BUY, price=100, lots=10, by="ann"), mark(200), resting(3, BUY, price=10, lots=2))
            .when(market(4, SELL, lots=2, by="ann"))
            .then(traded(3, 4, price=10, lots=2))
            .holds("ann", wallet=900, isolated=-80, lots=8, removable=0)
        )


class TestThroughZero:
    """A trade through zero is a close and an opening, with their shares of value and fee."""

    def test_a_long_becomes_a_short(self) -> None:
        # sell 15 at 110: value 1,650, fee 17; close 10: value 1,100, fee 11, release 90, profit 100
        # open 5: value 550, margin 55, fee 6
        (
            scenario(FEES)
            .given(*LONG, resting(3, BUY, price=110, lots=15), market(4, SELL, lots=15, by="ann"))
            .holds("ann", wallet=900 + 90 + 100 - 11 - 55, isolated=55 - 6, lots=-5, entry_value=-550)
        )

    def test_a_short_becomes_a_long(self) -> None:
        # buy 15 at 98: value 1,470, fee 15; close 10: value 980, fee 10, release 90, profit 20
        # open 5: value 490, margin 49, fee 5
        (
            scenario(FEES)
            .given(*SHORT, resting(3, SELL, price=98, lots=15), market(4, BUY, lots=15, by="ann"))
            .holds("ann", wallet=900 + 90 + 20 - 10 - 49, isolated=49 - 5, lots=5, entry_value=490)
        )


class TestMovingMargin:
    """The trader adds margin from what is available, and removes what the position does not need."""

    def test_margin_is_added_from_the_cross_wallet(self) -> None:
        (
            scenario(FEES)
            .given(*LONG)
            .when(add_margin("ann", 900))
            .then(margin_moved("ann", 900))
            .holds("ann", wallet=0, isolated=990)
        )

    def test_no_more_than_can_be_withdrawn_is_added(self) -> None:
        # a cross profit of 100 in TIN is available and not in the wallet: 900 - 110 of initial margin are
        (
            scenario(FEES)
            .given(*LONG, *position(3, BUY, price=100, lots=10, by="ann", on=TIN), mark(110, on=TIN))
            .holds("ann", wallet=890, available=880, withdrawable=780)
            .when(add_margin("ann", 781), add_margin("ann", 780))
            .then(refused(Reason.INSUFFICIENT_BALANCE), margin_moved("ann", 780))
        )

    @pytest.mark.parametrize(
        ("ticks", "removable"),
        [
            # W = 190; equity 190 + 10 x (mark - 100), initial margin 10 x mark / 10
            (100, 90),
            (95, 45),
            (90, 0),
            (105, 135),
            (120, 190),
        ],
    )
    def test_what_equity_exceeds_initial_margin_by_may_be_removed_but_not_more_than_w(
        self, ticks: int, removable: int
    ) -> None:
        session = scenario(FEES).given(*LONG, add_margin("ann", 100), mark(ticks)).holds("ann", removable=removable)
        session.when(remove_margin("ann", removable + 1)).then(refused(Reason.INSUFFICIENT_MARGIN))
        if removable:
            session.when(remove_margin("ann", removable)).then(margin_moved("ann", -removable))
            session.holds("ann", isolated=190 - removable, wallet=800 + removable)

    def test_a_pool_that_is_due_takes_margin_and_gives_none(self) -> None:
        # mark 95: equity 90 - 50 = 40, maintenance 47.5
        (
            scenario(FEES)
            .given(*LONG, mark(95))
            .waits(("ann", GOLD))
            .when(remove_margin("ann", 1), add_margin("ann", 8), proceed())
            .then(
                refused(Reason.LIQUIDATION_IN_PROGRESS),
                margin_moved("ann", 8),
                liquidation_ended("ann", GOLD, CURED, equity=48),
            )
            .holds("ann", isolated=98, wallet=892, lots=10)
        )
