"""Hedge mode: a long and a short leg side by side, each a position of its own name; mode and leverage are shared."""

from __future__ import annotations

from typing import Any

import pytest

from events import facts as f
from events.commands import Side
from events.facts import Expiry
from events.instruments import Leg
from events.refusals import Reason
from exchange.core.margin.model import requirement
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    LONG,
    OUNCE,
    SHORT,
    auto_add,
    hedge,
    inverse,
    pack_of,
)
from tests.spec.words import (
    BUY,
    CLOSED,
    CROSS,
    CURED,
    FOK,
    GOLD,
    IOC,
    ISOLATED,
    SELL,
    TIN,
    account,
    add_margin,
    deposit,
    expired,
    forced_order,
    leverage_set,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    margin_moved,
    mark,
    mark_moved,
    market,
    mode_set,
    open_account,
    pack,
    place,
    position,
    proceed,
    refused,
    remove_margin,
    rested,
    resting,
    set_leverage,
    set_mode,
    taken_over,
    traded,
)

UNIT = 10**8
UP, DOWN = f"{GOLD}:long", f"{GOLD}:short"


def ann(money: int = 1000, **more: Any) -> list[Any]:
    return [account("ann", money, **more), hedge("ann")]


def legs(*, long: int = 10, short: int = 4, price: int = 100, number: int = 1) -> list[Any]:
    """A long and a short leg at one price."""
    return [
        *position(number, BUY, price=price, lots=long, by="ann", leg=LONG),
        *position(number + 2, SELL, price=price, lots=short, by="ann", leg=SHORT),
    ]


def session(**terms: Any) -> Scenario:
    return scenario(pack(**terms))


class TestMode:
    """Chosen for the account as a whole, where nothing is open."""

    def test_it_is_set_and_set_back(self) -> None:
        told = session().given(account("ann", 1000))
        told.when(hedge("ann")).then(f.PositionModeSet("ann", True))
        told.when(hedge("ann", False)).then(f.PositionModeSet("ann", False))
        told.when(place(1, BUY, price=100, lots=2, by="ann")).then(rested(1, lots=2))

    @pytest.mark.parametrize(
        "opened", [position(1, BUY, price=100, lots=2, by="ann"), place(1, BUY, price=90, lots=2, by="ann")]
    )
    def test_it_stays_while_anything_is_open(self, opened: Any) -> None:
        told = session().given(account("ann", 1000), opened)
        told.when(hedge("ann")).then(refused(Reason.OPEN_ORDERS_OR_POSITION))
        told.when(hedge("ann", False)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_it_stays_while_a_leg_is_open(self) -> None:
        session().given(ann(), legs()).when(hedge("ann", False)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_it_stays_during_a_liquidation(self) -> None:
        told = session().given(ann(160), legs(), mark(70))
        told.when(hedge("ann", False)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
        told = session().given(ann(1000, mode=ISOLATED), legs(), mark(94))
        told.when(hedge("ann", False)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))

    @pytest.mark.parametrize(
        ("hedges", "leg"), [(True, Leg.NET), (False, LONG), (False, SHORT)], ids=lambda value: str(value)
    )
    def test_an_order_says_its_leg_in_hedge_mode_and_only_there(self, hedges: bool, leg: Leg) -> None:
        told = session().given(account("ann", 1000), hedge("ann", hedges))
        told.when(place(1, BUY, price=100, lots=2, by="ann", leg=leg)).then(refused(Reason.LEG_UNLIKE_POSITION_MODE))

    def test_mode_and_leverage_of_before_are_those_of_both_legs(self) -> None:
        (
            session()
            .given(ann(1000, mode=ISOLATED, leverage=5), legs())
            .holds("ann", UP, isolated=200, leverage=5)
            .holds("ann", DOWN, isolated=80, leverage=5, wallet=720)
        )


class TestLegs:
    """Each leg has its own size and entry value; what closes a leg only reduces it."""

    def test_both_sides_are_held_at_once(self) -> None:
        (
            session()
            .given(ann(), legs())
            .holds("ann", UP, lots=10, entry_value=1000)
            .holds("ann", DOWN, lots=-4, entry_value=-400)
            .holds("ann", GOLD, lots=0)
        )

    def test_a_trade_says_the_leg_of_its_taker(self) -> None:
        (
            session()
            .given(ann(), resting(1, SELL, price=100, lots=3))
            .when(market(2, BUY, lots=3, by="ann", leg=LONG))
            .then(traded(1, 2, price=100, lots=3, leg=LONG))
        )

    def test_the_leg_of_a_maker_is_that_of_its_order(self) -> None:
        (
            session()
            .given(ann(), resting(1, SELL, price=100, lots=3, by="ann", leg=SHORT))
            .when(market(2, BUY, lots=3))
            .then(traded(1, 2, price=100, lots=3))
            .holds("ann", DOWN, lots=-3)
        )

    @pytest.mark.parametrize(("side", "leg"), [(SELL, LONG), (BUY, SHORT)], ids=lambda value: value.value)
    def test_nothing_closes_a_leg_that_is_not_held(self, side: Side, leg: Leg) -> None:
        told = session().given(ann())
        told.when(place(1, side, price=100, lots=2, by="ann", leg=leg)).then(refused(Reason.REDUCE_ONLY_WOULD_INCREASE))

    def test_a_close_realises_its_own_leg_and_leaves_the_other(self) -> None:
        (
            session()
            .given(ann(), legs(), resting(5, BUY, price=110, lots=6))
            .when(market(6, SELL, lots=6, by="ann", leg=LONG))
            .then(traded(5, 6, price=110, lots=6, leg=LONG))
            .holds("ann", UP, lots=4, entry_value=400, wallet=1060)
            .holds("ann", DOWN, lots=-4, entry_value=-400)
        )

    def test_a_close_does_not_go_through_zero(self) -> None:
        (
            session()
            .given(ann(), legs(), resting(5, BUY, price=100, lots=30))
            .when(market(6, SELL, lots=12, by="ann", leg=LONG))
            .then(traded(5, 6, price=100, lots=10, leg=LONG), expired(6, 2, Expiry.NOTHING_TO_REDUCE))
            .holds("ann", UP, lots=0)
            .holds("ann", DOWN, lots=-4)
        )

    def test_a_resting_close_fills_no_further_than_its_leg(self) -> None:
        (
            session()
            .given(ann(), legs(), place(5, BUY, price=95, lots=9, by="ann", leg=SHORT))
            .when(market(6, SELL, lots=9))
            .then(traded(5, 6, price=95, lots=4), expired(5, 5, Expiry.NOTHING_TO_REDUCE), expired(6, 5))
            .holds("ann", DOWN, lots=0, wallet=1020)
        )

    def test_a_fill_or_kill_close_is_no_larger_than_its_leg(self) -> None:
        (
            session()
            .given(ann(), legs(), resting(5, BUY, price=100, lots=30))
            .when(place(6, SELL, price=100, lots=11, by="ann", leg=LONG, tif=FOK))
            .then(expired(6, 11, Expiry.FILL_OR_KILL))
            .when(place(7, SELL, price=100, lots=10, by="ann", leg=LONG, tif=FOK))
            .then(traded(5, 7, price=100, lots=10, leg=LONG))
        )

    def test_an_order_of_the_other_leg_is_an_order_of_the_same_account(self) -> None:
        # a trade of ann with herself would close nothing
        (
            session()
            .given(ann(), legs(), resting(5, BUY, price=99, lots=3, by="ann", leg=LONG))
            .when(place(6, SELL, price=99, lots=3, by="ann", leg=LONG, tif=IOC))
            .then(expired(6, 3, Expiry.NOTHING_TO_REDUCE))
        )

    def test_a_small_close_is_smaller_than_the_smallest_order(self) -> None:
        told = session(min_notional=150).given(ann(), legs(), resting(5, BUY, price=100, lots=5))
        told.when(place(6, SELL, price=100, lots=1, by="ann", leg=LONG)).then(traded(5, 6, price=100, lots=1, leg=LONG))
        told.when(place(7, BUY, price=100, lots=1, by="ann", leg=LONG)).then(refused(Reason.NOTIONAL_BELOW_MINIMUM))


class TestMargin:
    """Both legs share the cross pool: their PnL cancel, their margins add up."""

    def test_margins_add_up_and_profits_cancel(self) -> None:
        # 20 + (10 - 4) x 10 = 1,060 - 110 - 44
        told = session().given(ann(), legs(), mark(110)).holds("ann", UP, available=906, withdrawable=846)
        margin = requirement(told.position("ann", UP).wallet)
        assert margin == (1060 * UNIT, 154 * UNIT, 77 * UNIT)

    def test_orders_reserve_per_leg(self) -> None:
        # 1,000 - 100 - 40; 2 more at 90 in each leg: 18 and 18; closing orders reserve nothing
        told = session().given(ann(), legs()).holds("ann", UP, available=860)
        told.given(place(5, BUY, price=90, lots=2, by="ann", leg=LONG)).holds("ann", UP, available=842)
        told.given(place(6, SELL, price=110, lots=2, by="ann", leg=SHORT)).holds("ann", UP, available=820)
        told.given(place(7, SELL, price=110, lots=2, by="ann", leg=LONG)).holds("ann", UP, available=820)

    def test_leverage_is_that_of_both_legs(self) -> None:
        (
            session()
            .given(ann(), legs())
            .when(set_leverage("ann", 5))
            .then(leverage_set("ann", 5))
            .holds("ann", UP, leverage=5, available=1000 - 200 - 80)
            .holds("ann", DOWN, leverage=5)
            .when(set_leverage("ann", 1))
            .then(refused(Reason.INSUFFICIENT_MARGIN))
        )

    def test_a_leverage_too_high_for_one_leg_is_refused(self) -> None:
        # at 10x no leg may exceed 10,000
        told = session().given(ann(20_000, leverage=5), legs(long=10, short=101))
        told.when(set_leverage("ann", 10)).then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE))

    def test_margin_mode_is_that_of_both_legs(self) -> None:
        told = session().given(ann()).when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED))
        told.given(legs()).holds("ann", UP, isolated=100).holds("ann", DOWN, isolated=40, wallet=860)
        told.when(set_mode("ann", CROSS)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_an_open_order_in_a_leg_holds_the_margin_mode(self) -> None:
        told = session().given(ann(), place(1, SELL, price=110, lots=2, by="ann", leg=SHORT))
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_margin_is_added_to_and_removed_from_a_leg(self) -> None:
        told = session().given(ann(mode=ISOLATED), legs())
        told.when(add_margin("ann", 50, leg=SHORT)).then(margin_moved("ann", 50, SHORT))
        told.holds("ann", DOWN, isolated=90, removable=50).holds("ann", UP, isolated=100, removable=0)
        told.when(remove_margin("ann", 51, leg=SHORT)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.when(remove_margin("ann", 50, leg=SHORT)).then(margin_moved("ann", -50, SHORT))
        told.when(add_margin("ann", 50)).then(refused(Reason.NO_POSITION))

    def test_the_legs_of_another_instrument_have_modes_of_their_own(self) -> None:
        told = session().given(ann(mode=ISOLATED), position(1, BUY, price=100, lots=3, by="ann", on=TIN, leg=LONG))
        told.holds("ann", f"{TIN}:long", isolated=0, lots=3)

    def test_legs_of_an_inverse_contract(self) -> None:
        # at 80 a lot is worth 125: the long loses 250, the short gains 100
        told = scenario(pack_of(inverse()))
        told.given(open_account("ann"), deposit("ann", 1000, asset=OUNCE), hedge("ann"))
        told.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN, leg=LONG))
        told.given(position(3, SELL, price=100, lots=4, by="ann", on=COIN, leg=SHORT), mark(80, on=COIN))
        told.holds("ann", f"{COIN}:long", entry_value=-1000, available=1000 - 150 - 125 - 50)
        told.holds("ann", f"{COIN}:short", entry_value=400)


class TestLiquidation:
    """An isolated leg is a pool of its own; in cross both are in one, the larger margin is closed first."""

    def test_an_isolated_leg_is_liquidated_and_the_other_is_not(self) -> None:
        (
            session()
            .given(ann(mode=ISOLATED), legs(), place(5, BUY, price=80, lots=2, by="ann", leg=LONG))
            .given(place(6, SELL, price=120, lots=3, by="ann", leg=SHORT))
            .when(mark(94))
            .then(mark_moved(94), liquidation_due("ann", UP))
            .when(proceed())
            .then(
                liquidation_started("ann", UP, equity=40, maintenance=47),
                expired(5, 2, Expiry.LIQUIDATION),
                forced_order("ann", SELL, lots=10, limit=90, at=94, leg=LONG),
                taken_over("ann", SELL, lots=10, value=900, leg=LONG),
                liquidation_ended("ann", UP, CLOSED, equity=0),
            )
            .holds("ann", UP, lots=0, isolated=0)
            .holds("ann", DOWN, lots=-4, isolated=40, open_orders=1)
        )

    def test_a_leg_that_is_due_is_closed_to_orders_and_the_other_is_open(self) -> None:
        told = session().given(ann(mode=ISOLATED), legs(), mark(94))
        told.when(place(5, BUY, price=94, lots=2, by="ann", leg=LONG)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
        told.when(place(5, SELL, price=94, lots=2, by="ann", leg=SHORT)).then(rested(5, 2))

    @pytest.mark.parametrize("asked", [set_leverage("ann", 5), set_mode("ann", CROSS)], ids=["leverage", "mode"])
    def test_what_both_legs_share_is_closed_while_one_is_due(self, asked: Any) -> None:
        told = session().given(ann(mode=ISOLATED), legs(), mark(94))
        told.when(asked).then(refused(Reason.LIQUIDATION_IN_PROGRESS))

    def test_the_cross_pool_closes_the_leg_of_most_margin_first(self) -> None:
        # at 75: 200 - 250 + 100 = 50, and 5 % of 750 and of 300 is 52.5; the long bears 750 / 1,050 of the 50
        (
            session()
            .given(ann(200), legs(), resting(5, BUY, price=75, lots=10), mark(75))
            .when(proceed())
            .then(
                liquidation_started("ann", "USD", equity=50, maintenance=53),
                forced_order("ann", SELL, lots=10, limit=72, at=75, bankruptcy=715_000, leg=LONG),
                traded(5, "ann", price=75, lots=10, side=SELL, leg=LONG),
                # 50 are left behind 4 lots: 300 + 50
                forced_order("ann", BUY, lots=4, limit=87, at=75, bankruptcy=875_000, leg=SHORT),
                taken_over("ann", BUY, lots=4, value=350, bankruptcy=875_000, leg=SHORT),
                liquidation_ended("ann", "USD", CLOSED, equity=0),
            )
            .holds("ann", UP, lots=0, wallet=0)
        )

    def test_margin_is_added_to_the_leg_that_falls_due(self) -> None:
        # both legs of the instrument take the setting; at 94 the initial margin, 94, is added
        (
            session()
            .given(ann(mode=ISOLATED), legs())
            .when(auto_add("ann"))
            .then(f.AutoAddMarginSet("ann", GOLD, True))
            .when(mark(94), proceed())
            .then(
                mark_moved(94),
                liquidation_due("ann", UP),
                margin_moved("ann", 94, LONG),
                liquidation_ended("ann", UP, CURED, equity=134),
            )
            .holds("ann", UP, isolated=194, wallet=860 - 94)
            .holds("ann", DOWN, isolated=40)
        )
