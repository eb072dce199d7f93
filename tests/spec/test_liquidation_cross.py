"""Liquidation of a cross pool: every position answers with its share of what the pool has, or lacks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events.commands import INSURANCE
from events.facts import Expiry
from events.instruments import Liquidation, MarginMode
from events.rules import LiquidationStyle
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    CLOSED,
    CROSS,
    EASY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deficit_covered,
    deposit,
    expired,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    market,
    position,
    proceed,
    resting,
    set_mode,
    taken_over,
    traded,
)

PAIR = (
    account("ann", 300),
    *position(1, BUY, price=100, lots=20, by="ann"),
    *position(3, SELL, price=100, lots=10, by="ann", on=TIN),
)
"""Wallet 300; GOLD long 20 at 100 with 100 of maintenance, TIN short 10 at 100 with 50."""


def test_the_largest_maintenance_margin_closes_first_and_each_limit_knows_of_what_is_left() -> None:
    # GOLD at 92: equity 300 - 160 = 140, maintenance 92 + 50 = 142.
    # GOLD: 1,840 - 140 x 92 / 142 = 1,749.3, so 1,750 or 87.5 each. 5 sold at 90 leave 250 in the wallet and an equity
    # of 130 with maintenance of 69 + 50: the fund pays 1,380 - 130 x 69 / 119 = 1,304.6, so 1,305.
    # TIN: all of the 55 that are left: 1,000 + 55 = 1,055, bought back at 105 instead.
    (
        scenario()
        .given(*PAIR, resting(5, BUY, price=90, lots=5), resting(6, SELL, price=105, lots=10, on=TIN), mark(92))
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=140, maintenance=142),
            forced_order("ann", SELL, lots=20, limit=88, at=92, bankruptcy=875_000),
            traded(5, "ann", price=90, lots=5),
            taken_over("ann", SELL, lots=15, value=1305),
            forced_order("ann", BUY, lots=10, limit=105, at=100, bankruptcy=1_055_000, on=TIN),
            traded(6, "ann", price=105, lots=10, on=TIN),
            liquidation_ended("ann", USD, CLOSED, equity=5),
        )
        .holds("ann", wallet=5, lots=0)
        .holds("ann", instrument=TIN, lots=0)
        .holds(INSURANCE, lots=15, entry_value=1305)
    )


def test_a_lack_is_shared_out_in_the_same_way_and_the_account_ends_at_zero() -> None:
    # GOLD at 80: equity 300 - 400 = -100, maintenance 80 + 50.
    # GOLD is worth 1,600 and closes at 1,600 + 100 x 80 / 130 = 1,661.5, so 1,662; that leaves -38 for TIN:
    # bought back at 1,000 - 38.
    (
        scenario()
        .given(deposit(INSURANCE, 1000), *PAIR, mark(80))
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=-100, maintenance=130),
            forced_order("ann", SELL, lots=20, limit=84, at=80, bankruptcy=831_000),
            taken_over("ann", SELL, lots=20, value=1662, bankruptcy=831_000),
            forced_order("ann", BUY, lots=10, limit=96, at=100, bankruptcy=962_000, on=TIN),
            taken_over("ann", BUY, lots=10, value=962, bankruptcy=962_000, on=TIN),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
        .holds("ann", wallet=0)
        .holds(INSURANCE, wallet=1000, lots=20, entry_value=1662)
        .holds(INSURANCE, instrument=TIN, lots=-10, entry_value=-962)
    )


def test_a_lack_beyond_what_a_short_is_worth_is_covered_by_the_fund() -> None:
    # TIN rises to 20: the short of 90 bought back at 5 each lost 1,350 of 500; GOLD long 10 at 100 stands at 1.
    # equity 500 - 1,350 - 990 = -1,840; maintenance 90 + 0.5. Even TIN for nothing leaves the pool below zero.
    (
        scenario(marks=None)
        .given(mark(100), mark(5, on=TIN), deposit(INSURANCE, 5000), account("ann", 500))
        .given(*position(1, BUY, price=100, lots=10, by="ann"), *position(3, SELL, price=5, lots=90, by="ann", on=TIN))
        .given(mark(20, on=TIN), mark(1))
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=-1840, maintenance=91),
            forced_order("ann", BUY, lots=90, limit=0, at=20, bankruptcy=0, on=TIN),
            taken_over("ann", BUY, lots=90, value=0, bankruptcy=0, on=TIN),
            forced_order("ann", SELL, lots=10, limit=5, at=1, bankruptcy=50_000),
            taken_over("ann", SELL, lots=10, value=50, bankruptcy=50_000),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
    )


def test_ties_close_by_instrument() -> None:
    session = (
        scenario()
        .given(account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann", on=TIN))
        .given(*position(3, BUY, price=100, lots=10, by="ann"), mark(94, on=TIN), mark(94))
        .when(proceed())
    )
    placed = [fact.instrument for fact in session.batches[-1].facts if type(fact).__name__ == "TakenOver"]
    assert placed == [GOLD, TIN]


def test_its_orders_in_every_instrument_expire_and_isolated_ones_stay() -> None:
    (
        scenario()
        .given(*PAIR, deposit("ann", 9), resting(5, BUY, price=80, lots=1, by="ann"))
        .given(resting(6, BUY, price=10, lots=1, by="ann", on=TIN), mark(91))
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=129, maintenance=141),
            expired(5, 1, Expiry.LIQUIDATION),
            expired(6, 1, Expiry.LIQUIDATION),
            forced_order("ann", SELL, lots=20, limit=87, at=91, bankruptcy=868_500),
            taken_over("ann", SELL, lots=20, value=1737, bankruptcy=868_500),
            forced_order("ann", BUY, lots=10, limit=104, at=100, bankruptcy=1_046_000, on=TIN),
            taken_over("ann", BUY, lots=10, value=1046, bankruptcy=1_046_000, on=TIN),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
    )


def test_an_isolated_position_is_no_part_of_the_pool() -> None:
    (
        scenario()
        .given(account("ann", 200), set_mode("ann", ISOLATED, on=TIN))
        .given(*position(1, BUY, price=100, lots=10, by="ann"), *position(3, BUY, price=100, lots=10, by="ann", on=TIN))
        .given(resting(5, SELL, price=120, lots=1, by="ann", on=TIN), mark(94))
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=40, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=90, at=94),
            taken_over("ann", SELL, lots=10, value=900),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
        .holds("ann", wallet=0, lots=0)
        .holds("ann", instrument=TIN, isolated=100, lots=10, open_orders=1)
    )


class TestWithoutAPosition:
    """A maker's fill can close a position at a loss beyond its pool: the fund covers what is missing."""

    def closed_below(self, mode: MarginMode, price: int, style: LiquidationStyle = LiquidationStyle.FULL) -> Scenario:
        """Long 10 at 100 on 100 of margin and 50 beside it, closed as a maker at `price` while the mark is 200."""
        return (
            scenario(pack=replace(EASY, liquidation=Liquidation(style)))
            .given(account("ann", 150, mode=mode), *position(1, BUY, price=100, lots=10, by="ann"), mark(200))
            .given(resting(3, SELL, price=price, lots=10, by="ann", reduce_only=True))
            .when(market(4, BUY, lots=10))
        )

    @pytest.mark.parametrize("style", [LiquidationStyle.FULL, LiquidationStyle.STEPS])
    def test_a_cross_pool_below_zero_is_brought_back_to_zero(self, style: LiquidationStyle) -> None:
        (
            self.closed_below(CROSS, 80, style)
            .then(traded(3, 4, price=80, lots=10), liquidation_due("ann", USD))
            .when(proceed())
            .then(
                liquidation_started("ann", USD, equity=-50, maintenance=0),
                deficit_covered("ann", USD, 50),
                liquidation_ended("ann", USD, CLOSED, equity=0),
            )
            .holds("ann", wallet=0)
            .holds(INSURANCE, wallet=-50)
        )

    def test_an_isolated_wallet_below_zero_leaves_the_cross_wallet_alone(self) -> None:
        (
            self.closed_below(ISOLATED, 80)
            .then(traded(3, 4, price=80, lots=10), liquidation_due("ann", GOLD))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=-100, maintenance=0),
                deficit_covered("ann", GOLD, 100),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
            .holds("ann", wallet=50, isolated=0)
            .holds(INSURANCE, wallet=-100)
        )

    def test_a_pool_at_exactly_zero_is_left_alone(self) -> None:
        self.closed_below(CROSS, 85).then(traded(3, 4, price=85, lots=10)).waits().holds("ann", wallet=0)
        self.closed_below(ISOLATED, 90).then(traded(3, 4, price=90, lots=10)).waits().holds("ann", wallet=50)

    def test_its_orders_expire_too(self) -> None:
        (
            scenario()
            .given(account("ann", 150), *position(1, BUY, price=100, lots=10, by="ann"), mark(200))
            .given(resting(3, SELL, price=80, lots=10, by="ann", reduce_only=True))
            .given(resting(4, BUY, price=30, lots=1, by="ann"), market(5, BUY, lots=10))
            .when(proceed())
            .then(
                liquidation_started("ann", USD, equity=-50, maintenance=0),
                expired(4, 1, Expiry.LIQUIDATION),
                deficit_covered("ann", USD, 50),
                liquidation_ended("ann", USD, CLOSED, equity=0),
            )
        )
