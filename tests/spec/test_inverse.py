"""Inverse contracts: settled in their base asset, so that a lot is worth contract value / price.

One lot is worth 10,000 / price atoms of OUNCE: 125 at 80, 100 at 100, 80 at 125. Entry values are signed by what the
position gains by: a long gains as that worth falls, so its entry value is below zero.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import Side
from events.facts import Expiry
from events.refusals import Reason
from exchange.core.margin.model import requirement
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, inverse, pack_of
from tests.spec.words import (
    BUY,
    CLOSED,
    ISOLATED,
    PERCENT,
    SELL,
    deposit,
    expired,
    fee_charged,
    forced_order,
    funding,
    funding_due,
    funding_paid,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_at,
    mark_moved,
    mark_moved_at,
    market,
    open_account,
    pack,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    set_mode,
    taken_over,
    traded,
)

RULES = pack_of(inverse())
UNIT = 10**8


def own(name: str, ounces: int, *, isolated: bool = False) -> list[Any]:
    """An account with so much of the settle asset."""
    return [
        open_account(name),
        deposit(name, ounces, asset=OUNCE),
        *([set_mode(name, ISOLATED, on=COIN)] if isolated else []),
    ]


def session(**terms: Any) -> Scenario:
    return scenario(pack_of(inverse(**terms)))


def hold(side: Side, *, price: int = 100, lots: int = 10, by: str = "ann", number: int = 1) -> list[Any]:
    return position(number, side, price=price, lots=lots, by=by, on=COIN)


class TestWorth:
    """PnL = s x (entry value - notional): what a long gains in value is not what it gains in coin."""

    @pytest.mark.parametrize(("side", "entry_value"), [(BUY, -1000), (SELL, 1000)])
    def test_the_entry_value_has_the_sign_of_what_it_gains_by(self, side: Side, entry_value: int) -> None:
        session().given(own("ann", 200), hold(side)).holds(
            "ann", COIN, lots=10 if side is BUY else -10, entry_value=entry_value, wallet=200
        )

    @pytest.mark.parametrize(
        ("side", "price", "pnl"),
        [(BUY, 125, 200), (BUY, 80, -250), (BUY, 200, 500), (SELL, 125, -200), (SELL, 80, 250), (SELL, 50, 1000)],
    )
    def test_profit_falls_off_with_the_price(self, side: Side, price: int, pnl: int) -> None:
        told = session().given(own("ann", 1000), hold(side), mark(price, on=COIN))
        assert requirement(told.position("ann", COIN).wallet).equity == (1000 + pnl) * UNIT

    def test_closing_realises_it_in_coin(self) -> None:
        (
            session()
            .given(own("ann", 1000), hold(BUY), hold(SELL, price=125, lots=4, number=3))
            .holds("ann", COIN, lots=6, entry_value=-600, wallet=1000 + 400 - 320)
        )

    def test_a_value_that_is_no_whole_atom_is_rounded_down_and_posted_to_both_alike(self) -> None:
        # 10 x 10,000 / 101 = 990.09; 3 of 10 of 990 is 297
        (
            session()
            .given(own("ann", 1000), hold(BUY, price=101))
            .holds("ann", COIN, entry_value=-990)
            .holds("maker", COIN, entry_value=990)
            .given(hold(SELL, price=103, lots=3, number=3))
            .holds("ann", COIN, entry_value=-990 + 297, wallet=1000 + 297 - 291)
        )

    def test_notional_and_equity_round_the_worth_alike(self) -> None:
        # 10,000 / 97 x 10 = 1,030.92783505154... atoms
        told = session().given(own("ann", 1000), hold(BUY), mark(97, on=COIN))
        margin = requirement(told.position("ann", COIN).wallet)
        notional = 1030_92783506
        assert margin.equity == 2000 * UNIT - notional
        assert margin.maintenance == 51_54639176
        assert margin.initial == 103_09278351

    def test_a_trade_through_zero_is_a_close_and_an_opening(self) -> None:
        (
            session()
            .given(own("ann", 2000), hold(BUY, lots=4), hold(SELL, price=125, lots=10, number=3))
            .holds("ann", COIN, lots=-6, entry_value=480, wallet=2000 + 400 - 320)
        )


class TestMargin:
    """Notional / leverage of the worth at the mark; orders count at their own prices."""

    def test_available_balance_is_what_margin_and_loss_leave(self) -> None:
        # at 80: loss 250, initial margin 1,250 / 10
        session().given(own("ann", 1000), hold(BUY), mark(80, on=COIN)).holds(
            "ann", COIN, available=1000 - 250 - 125, withdrawable=1000 - 250 - 125
        )

    def test_a_profit_is_available_and_cannot_be_withdrawn(self) -> None:
        session().given(own("ann", 1000), hold(BUY), mark(125, on=COIN)).holds(
            "ann", COIN, available=1000 + 200 - 80, withdrawable=1000 - 80
        )

    @pytest.mark.parametrize(
        ("side", "price", "reserve"),
        [
            # 4 lots at 80 are 500, at 125 they are 320, at 100 400
            (BUY, 80, 50),
            (SELL, 125, 32),
            # 25 x 4 are lost at once against the mark, and 50 held back
            (SELL, 80, 50 + 100),
            # 20 x 4 are lost
            (BUY, 125, 32 + 80),
        ],
    )
    def test_an_order_reserves_at_its_price_and_its_loss_against_the_mark(
        self, side: Side, price: int, reserve: int
    ) -> None:
        session().given(own("ann", 1000), place(1, side, price=price, lots=4, by="ann", on=COIN)).holds(
            "ann", COIN, available=1000 - reserve
        )

    def test_an_order_counts_in_the_direction_of_the_position(self) -> None:
        # long 10: with 4 more at 80 (500) it needs (1,000 + 500) / 10; an order to sell 4 needs nothing more
        told = session().given(own("ann", 1000), hold(BUY))
        told.given(place(3, BUY, price=80, lots=4, by="ann", on=COIN)).holds("ann", COIN, available=1000 - 150)
        told.given(place(4, SELL, price=125, lots=4, by="ann", on=COIN)).holds("ann", COIN, available=1000 - 150)

    def test_an_order_that_it_cannot_carry_is_refused(self) -> None:
        told = session().given(own("ann", 100))
        told.when(place(1, BUY, price=100, lots=11, by="ann", on=COIN)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.when(place(1, BUY, price=100, lots=10, by="ann", on=COIN)).then(rested(1, lots=10))

    def test_the_limit_of_a_position_is_one_of_its_worth(self) -> None:
        # 10x is offered up to 10,000 atoms: 100 lots at 100, 125 at 125
        told = session().given(own("ann", 100_000))
        limit = Reason.POSITION_LIMIT_AT_LEVERAGE
        told.when(place(1, BUY, price=100, lots=101, by="ann", on=COIN)).then(refused(limit))
        told.when(place(1, BUY, price=125, lots=126, by="ann", on=COIN)).then(refused(limit))
        told.when(place(1, SELL, price=125, lots=125, by="ann", on=COIN)).then(rested(1, lots=125))

    @pytest.mark.parametrize(("lots", "answer"), [(1, "refused"), (2, "rested")])
    def test_the_smallest_order_is_measured_by_its_value(self, lots: int, answer: str) -> None:
        # at 2,000 a lot is worth 5, and 10 is the least
        told = session().given(own("ann", 1000)).when(place(1, BUY, price=2000, lots=lots, by="ann", on=COIN))
        told.then(refused(Reason.NOTIONAL_BELOW_MINIMUM) if answer == "refused" else rested(1, lots=2))

    def test_a_fee_is_a_part_of_the_value_in_coin(self) -> None:
        # 1 % of 8 x 10,000 / 125 = 640 for the taker, 0.5 % for the maker
        (
            session(taker_fee=PERCENT, maker_fee=PERCENT // 2)
            .given(own("ann", 1000), resting(1, SELL, price=125, lots=8, on=COIN))
            .when(place(2, BUY, price=125, lots=8, by="ann", on=COIN))
            .then(traded(1, 2, price=125, lots=8, fees=(4, 7), on=COIN))
            .holds("ann", COIN, wallet=993)
        )

    def test_margin_ends_a_walk_that_the_book_makes_dearer(self) -> None:
        # 100 carries 10 at 100; 5 more at 50 would lose 500 against the mark
        (
            session()
            .given(own("ann", 101))
            .given(*(resting(n, BUY, price=price, lots=5, on=COIN) for n, price in ((1, 100), (2, 50))))
            .when(market(3, SELL, lots=10, by="ann", on=COIN))
            .then(traded(1, 3, price=100, lots=5, on=COIN), expired(3, 5, Expiry.MARGIN_EXHAUSTED))
        )  # fmt: skip


class TestIsolated:
    """The isolated wallet holds coin: entry value / leverage."""

    def test_margin_moves_when_size_is_added_and_is_released_when_it_is_closed(self) -> None:
        told = session().given(own("ann", 1000, isolated=True), hold(BUY))
        told.holds("ann", COIN, wallet=900, isolated=100)
        # 4 of 10: released 40; 400 - 320 = 80 gained
        told.given(hold(SELL, price=125, lots=4, number=3)).holds("ann", COIN, wallet=900 + 40 + 80, isolated=60)
        # 6 of 6 at 100: what is left is released, and nothing gained
        told.given(hold(SELL, price=100, lots=6, number=5)).holds("ann", COIN, wallet=1020 + 60, isolated=0)

    @pytest.mark.parametrize(
        ("side", "first_due", "last_safe"),
        [
            # 1,100 - N <= N / 20: N >= 1,047.62, P <= 95.4545
            (BUY, 954_545, 954_546),
            # N - 900 <= N / 20: N <= 947.37, P >= 105.5556
            (SELL, 1_055_556, 1_055_555),
        ],
    )
    def test_it_is_due_at_the_first_mark_unit_of_its_liquidation_price(
        self, side: Side, first_due: int, last_safe: int
    ) -> None:
        told = session().given(own("ann", 1000, isolated=True), hold(side))
        told.when(mark_at(last_safe, on=COIN)).then(mark_moved_at(last_safe, on=COIN))
        told.when(mark_at(first_due, on=COIN)).then(mark_moved_at(first_due, on=COIN), liquidation_due("ann", COIN))

    def test_what_the_book_does_not_take_goes_to_the_fund_at_the_bankruptcy_price(self) -> None:
        # bankrupt where 10 lots are worth 1,100: at 90.909090..., rounded up
        (
            session()
            .given(own("ann", 1000, isolated=True), hold(BUY), mark(92, on=COIN))
            .when(proceed())
            .then(
                # 1,100 - 1,086.956..; 5 % of that
                liquidation_started("ann", COIN, equity=13, maintenance=55),
                forced_order("ann", SELL, lots=10, limit=91, at=92, bankruptcy=909_091, on=COIN),
                taken_over("ann", SELL, lots=10, value=1100, bankruptcy=909_091, on=COIN),
                liquidation_ended("ann", COIN, CLOSED, equity=0),
            )
            .holds("ann", COIN, wallet=900, isolated=0, lots=0)
        )

    def test_a_short_is_bought_back_at_or_below_its_bankruptcy_price(self) -> None:
        # bankrupt where 10 lots are worth 900: at 111.1111, rounded down
        (
            session(liquidation_fee=PERCENT)
            .given(own("ann", 1000, isolated=True), hold(SELL))
            .given(resting(3, SELL, price=110, lots=4, on=COIN), resting(4, SELL, price=112, lots=9, on=COIN))
            .given(mark(108, on=COIN))
            .when(proceed())
            .then(
                # 925.92.. - 900; 5 % of 925.92..
                liquidation_started("ann", COIN, equity=25, maintenance=47),
                forced_order("ann", BUY, lots=10, limit=111, at=108, bankruptcy=1_111_111, on=COIN),
                # 4 at 110 cost 363, 400 entered: 37 lost of 100; 6 are left, worth 600 on entry, 63 behind them
                traded(3, "ann", price=110, lots=4, on=COIN, side=BUY),
                taken_over("ann", BUY, lots=6, value=537, bankruptcy=1_117_318, on=COIN),
                liquidation_ended("ann", COIN, CLOSED, equity=0),
            )
        )


class TestCross:
    """One pool of coin; the mark at which a long is due lies where its worth has grown."""

    def test_a_long_is_due_when_the_price_falls(self) -> None:
        # 1,200 - N <= N / 20: N >= 1,142.857, P <= 87.5
        told = session().given(own("ann", 200), hold(BUY))
        told.when(mark_at(875_001, on=COIN)).then(mark_moved_at(875_001, on=COIN))
        told.when(mark_at(875_000, on=COIN)).then(mark_moved_at(875_000, on=COIN), liquidation_due("ann", OUNCE))

    def test_a_short_that_has_as_much_coin_as_it_is_worth_is_never_due(self) -> None:
        told = session().given(own("ann", 1000), hold(SELL))
        told.when(mark(10_000, on=COIN), mark(1_000_000, on=COIN), mark(2, on=COIN)).then(
            mark_moved(10_000, on=COIN), mark_moved(1_000_000, on=COIN), mark_moved(2, on=COIN)
        )

    def test_it_closes_in_the_book_and_pays_the_liquidation_fee_in_coin(self) -> None:
        # at 87.5 equity is 57.14 and the bankruptcy value 1,200: 83.33 rounded up
        (
            session(liquidation_fee=PERCENT)
            .given(own("ann", 200), hold(BUY), resting(3, BUY, price=85, lots=10, on=COIN), mark_at(875_000, on=COIN))
            .when(proceed())
            .then(
                liquidation_started("ann", OUNCE, equity=57, maintenance=58),
                forced_order_at("ann", 875_000, limit=84, bankruptcy=833_334),
                # 100,000 / 85 = 1,176; 1 % of that is 11.76
                traded(3, "ann", price=85, lots=10, on=COIN, side=SELL),
                fee_charged("ann", OUNCE, 12),
                liquidation_ended("ann", OUNCE, CLOSED, equity=12),
            )
            .holds("ann", COIN, wallet=200 + 1000 - 1176 - 12)
        )

    def test_linear_and_inverse_contracts_have_pools_of_their_own_assets(self) -> None:
        rules = pack_of(*pack().instruments, inverse())
        (
            scenario(rules)
            .given(own("ann", 200), deposit("ann", 150), hold(BUY), position(3, BUY, price=100, lots=10, by="ann"))
            .when(mark(80, on=COIN))
            .then(mark_moved(80, on=COIN), liquidation_due("ann", OUNCE))
            .holds("ann", wallet=150, available=50)
        )


class TestFunding:
    """s x notional at the mark x rate, in coin: an inverse long pays what it is worth."""

    def test_longs_pay_shorts_of_the_worth_at_the_mark(self) -> None:
        # 1 % of 1,250; rounded against both
        (
            session()
            .given(own("ann", 500), hold(BUY), mark(80, on=COIN))
            .when(funding(PERCENT, on=COIN), proceed())
            .then(
                funding_due(PERCENT, at=80, on=COIN),
                funding_paid("maker", 12, on=COIN),
                funding_paid("ann", -13, on=COIN),
            )
            .holds("ann", COIN, wallet=487)
        )

    def test_shorts_pay_longs_at_a_negative_rate(self) -> None:
        (
            session()
            .given(own("ann", 500), hold(SELL), mark(80, on=COIN))
            .when(funding(-PERCENT, on=COIN), proceed())
            .then(
                funding_due(-PERCENT, at=80, on=COIN),
                funding_paid("maker", 12, on=COIN),
                funding_paid("ann", -13, on=COIN),
            )
        )


def forced_order_at(name: str, at: int, *, limit: int, bankruptcy: int) -> Any:
    return replace(forced_order(name, SELL, lots=10, limit=limit, at=0, bankruptcy=bankruptcy, on=COIN), mark=at)
