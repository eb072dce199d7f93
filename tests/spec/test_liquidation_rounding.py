"""Liquidation to the atom: what is rounded for whom, and what happens at the edges of a price."""

from __future__ import annotations

from events.commands import INSURANCE, MARKET
from tests.scenario import scenario
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    GOLD,
    ISOLATED,
    SELL,
    USD,
    account,
    add_margin,
    deficit_covered,
    fee_charged,
    forced_order,
    funding,
    funding_paid,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    market,
    pack,
    position,
    proceed,
    resting,
    taken_over,
    traded,
)


def test_a_single_lot_is_closed_like_many() -> None:
    (
        scenario()
        .given(account("ann", 100, mode=ISOLATED), *position(1, BUY, price=100, lots=1, by="ann"), mark(94))
        .when(proceed())
        .then(
            liquidation_started("ann", GOLD, equity=4, maintenance=5),
            forced_order("ann", SELL, lots=1, limit=90, at=94),
            taken_over("ann", SELL, lots=1, value=90),
            liquidation_ended("ann", GOLD, CLOSED, equity=0),
        )
    )


def test_the_bankruptcy_price_of_a_long_is_rounded_up() -> None:
    # 3 lots entered at 300 with W = 31: 269 / 3 = 89.66667, at or above 90
    (
        scenario()
        .given(account("ann", 100, mode=ISOLATED), *position(1, BUY, price=100, lots=3, by="ann"))
        .given(add_margin("ann", 1), resting(3, BUY, price=89, lots=3), mark(94))
        .when(proceed())
        .then(
            liquidation_started("ann", GOLD, equity=13, maintenance=15),
            forced_order("ann", SELL, lots=3, limit=90, at=94, bankruptcy=896_667),
            taken_over("ann", SELL, lots=3, value=269, bankruptcy=896_667),
            liquidation_ended("ann", GOLD, CLOSED, equity=0),
        )
    )


def test_the_bankruptcy_price_of_a_short_is_rounded_down() -> None:
    # 331 / 3 = 110.33333, at or below 110
    (
        scenario()
        .given(account("ann", 100, mode=ISOLATED), *position(1, SELL, price=100, lots=3, by="ann"))
        .given(add_margin("ann", 1), resting(3, SELL, price=111, lots=3), mark(106))
        .when(proceed())
        .then(
            liquidation_started("ann", GOLD, equity=13, maintenance=16),
            forced_order("ann", BUY, lots=3, limit=110, at=106, bankruptcy=1_103_333),
            taken_over("ann", BUY, lots=3, value=331, bankruptcy=1_103_333),
            liquidation_ended("ann", GOLD, CLOSED, equity=0),
        )
    )


def test_the_fee_is_rounded_up_from_exactly_what_was_closed() -> None:
    # 1 % of 900 and not an atom more; with 10 added W is 110 and 10 are left
    (
        scenario(pack(liquidation_fee=1_000_000))
        .given(account("ann", 200, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
        .given(add_margin("ann", 10), resting(3, BUY, price=90, lots=10), mark(93))
        .when(proceed())
        .then(
            liquidation_started("ann", GOLD, equity=40, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=89, at=93),
            traded(3, "ann", price=90, lots=10),
            fee_charged("ann", GOLD, 9),
            liquidation_ended("ann", GOLD, CLOSED, equity=1),
        )
    )


def test_history_settles_its_funding_before_it_takes_from_a_liquidation() -> None:
    # history is short 10 against bob when funding falls due; ann fell due before that
    (
        scenario()
        .given(account("ann", 100), account("bob", 1000), tape(snapshot({93: 50}, {100: 10})))
        .given(market(1, BUY, lots=10, by="bob"), *position(2, BUY, price=100, lots=10, by="ann"))
        .given(mark(94), funding(1_000_000))
        .when(proceed())
        .then(
            funding_paid("ann", -10),
            liquidation_started("ann", USD, equity=30, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=91, at=94),
            funding_paid(MARKET, 9),
            traded(MARKET, "ann", price=93, lots=10, side=SELL),
            liquidation_ended("ann", USD, CLOSED, equity=20),
            funding_paid("bob", -10),
            funding_paid("maker", 9),
        )
    )


def test_what_a_lot_for_nothing_cannot_heal_the_fund_covers() -> None:
    # ann's bid to close 9 of her 10 short lots is met at 300: she has lost 1,800 on a W of 100. The last lot is bought
    # back for nothing, which leaves 10 - 1,710 + 100 below zero
    (
        scenario()
        .given(account("ann", 500, mode=ISOLATED), *position(1, SELL, price=100, lots=10, by="ann"))
        .given(resting(3, BUY, price=300, lots=9, by="ann", reduce_only=True))
        .when(market(4, SELL, lots=9))
        .then(traded(3, 4, price=300, lots=9), liquidation_due("ann", GOLD))
        .holds("ann", isolated=-1700, wallet=400)
        .when(proceed())
        .then(
            liquidation_started("ann", GOLD, equity=-1700, maintenance=5),
            forced_order("ann", BUY, lots=1, limit=0, at=100),
            taken_over("ann", BUY, lots=1, value=0),
            deficit_covered("ann", GOLD, 1600),
            liquidation_ended("ann", GOLD, CLOSED, equity=0),
        )
        .holds("ann", isolated=0, wallet=400)
        .holds(INSURANCE, wallet=-1600, lots=-1, entry_value=0)
    )
