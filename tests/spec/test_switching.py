"""Switching the margin mode with positions open, where the pack lets it: the margin moves along, no money is made."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import Side
from events.refusals import Reason
from events.rules import ExitFee, ModeSwitch
from exchange.core.margin.model import requirement
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    LONG,
    OUNCE,
    SHORT,
    hedge,
    inverse,
    join,
    pack_of,
    several_assets,
)
from tests.spec.words import (
    BUY,
    CROSS,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    deposit,
    instrument,
    leverage_set,
    liquidation_due,
    margin_moved,
    mark,
    mark_at,
    mark_moved_at,
    mode_set,
    open_account,
    place,
    position,
    refused,
    set_leverage,
    set_mode,
)

OPEN = {"mode_switch": ModeSwitch.WHEN_OPEN}


def session(rules: dict[str, Any] | None = None, **terms: Any) -> Scenario:
    return scenario(pack_of(instrument(GOLD, **terms), instrument(TIN, **terms), **OPEN | (rules or {})))


def ann(money: int = 1000, side: Side = BUY, **more: Any) -> list[Any]:
    return [account("ann", money, **more), position(1, side, price=100, lots=10, by="ann")]


def total(told: Scenario) -> int:
    """What Ann has in all, atoms."""
    wallet = told.position("ann").wallet
    return wallet.balance + sum(position.isolated for position in wallet.positions)


class TestToIsolated:
    """The position gets entry notional / leverage out of the cross wallet."""

    @pytest.mark.parametrize("side", [BUY, SELL], ids=lambda side: side.value)
    def test_the_margin_of_the_entry_moves_in(self, side: Side) -> None:
        told = session().given(ann(side=side), mark(102))
        told.when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED), margin_moved("ann", 100))
        told.holds("ann", wallet=900, isolated=100, available=900)
        assert total(told) == 1000

    def test_from_then_on_it_falls_due_alone(self) -> None:
        # 100 + N - 1,000 <= N / 20 at 94.7368
        told = session().given(ann(), set_mode("ann", ISOLATED))
        told.when(mark_at(947_369)).then(mark_moved_at(947_369))
        told.when(mark_at(947_368)).then(mark_moved_at(947_368), liquidation_due("ann", GOLD))

    def test_a_position_that_would_be_due_in_its_wallet_stays(self) -> None:
        # 100 - 53 = 47 of 47.35; at 95 50 of 47.5
        told = session().given(ann(), mark_at(947_000))
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.given(mark(95)).when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED), margin_moved("ann", 100))

    def test_what_others_need_is_not_given_away(self) -> None:
        # 200 carry both; once TIN has lost 1 a lot they do not
        told = session().given(ann(200), position(3, BUY, price=100, lots=10, by="ann", on=TIN))
        told.given(mark(101), mark(99, on=TIN))
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.given(mark(100, on=TIN)).when(set_mode("ann", ISOLATED)).then(
            mode_set("ann", ISOLATED), margin_moved("ann", 100)
        )
        told.holds("ann", wallet=100, available=0)

    def test_its_own_profit_is_no_money_to_give(self) -> None:
        # 100 in the wallet: 90 are left at 10 less, and 60 gained do not count
        told = session().given(ann(110), position(3, SELL, price=100, lots=1, by="ann"))
        told.given(position(5, BUY, price=101, lots=1, by="ann", on=TIN), mark(106))
        told.holds("ann", wallet=110)
        told.when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED), margin_moved("ann", 90))

    def test_a_fee_for_closing_is_put_aside_with_it(self) -> None:
        # 100 + 9, as when it is opened isolated
        told = session({"exit_fee": ExitFee.AT_BANKRUPTCY}, taker_fee=PERCENT).given(ann())
        told.when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED), margin_moved("ann", 109))

    def test_the_leverage_of_the_instrument_counts(self) -> None:
        told = session().given(ann(leverage=4))
        told.when(set_mode("ann", ISOLATED)).then(mode_set("ann", ISOLATED), margin_moved("ann", 250))

    def test_both_legs_move(self) -> None:
        told = session().given(account("ann", 1000), hedge("ann"))
        told.given(position(1, BUY, price=100, lots=10, by="ann", leg=LONG))
        told.given(position(3, SELL, price=100, lots=4, by="ann", leg=SHORT))
        told.when(set_mode("ann", ISOLATED)).then(
            mode_set("ann", ISOLATED), margin_moved("ann", 100, LONG), margin_moved("ann", 40, SHORT)
        )
        told.when(set_mode("ann", CROSS)).then(
            margin_moved("ann", -100, LONG), margin_moved("ann", -40, SHORT), mode_set("ann", CROSS)
        )
        told.holds("ann", wallet=1000)

    def test_an_inverse_position_moves_coin(self) -> None:
        told = scenario(pack_of(inverse(), **OPEN)).given(open_account("ann"), deposit("ann", 1000, asset=OUNCE))
        told.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN), set_mode("ann", ISOLATED, on=COIN))
        told.holds("ann", COIN, wallet=900, isolated=100)

    def test_several_assets_answer_in_cross_only(self) -> None:
        told = scenario(several_assets(**OPEN)).given(account("ann", 1000), join("ann"))
        told.given(position(1, BUY, price=100, lots=10, by="ann"))
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.MULTI_ASSET_IS_CROSS))


class TestToCross:
    """All of the isolated wallet goes back, and the pool carries the position."""

    def test_what_was_added_comes_back_too(self) -> None:
        told = session().given(ann(mode=ISOLATED), add_margin("ann", 55)).holds("ann", wallet=845, isolated=155)
        told.when(set_mode("ann", CROSS)).then(margin_moved("ann", -155), mode_set("ann", CROSS))
        told.holds("ann", wallet=1000, isolated=0, available=900)

    def test_the_position_is_watched_in_its_pool(self) -> None:
        # 150 + N - 1,000 <= N / 20 at 89.4736
        told = session().given(ann(150, mode=ISOLATED), set_mode("ann", CROSS))
        told.when(mark_at(894_737)).then(mark_moved_at(894_737))
        told.when(mark_at(894_736)).then(mark_moved_at(894_736), liquidation_due("ann", USD))

    def test_there_and_back_leaves_all_as_it_was(self) -> None:
        told = session().given(ann(), mark(97), set_mode("ann", ISOLATED), mark(96), set_mode("ann", CROSS))
        told.holds("ann", wallet=1000, isolated=0, lots=10, entry_value=1000)
        assert requirement(told.position("ann").wallet).equity == 960 * 10**8


class TestRefusals:
    """With an order open, the mode it has already, or a venue that does not let it."""

    def test_no_order_may_be_open(self) -> None:
        told = session().given(ann(), place(3, SELL, price=120, lots=2, by="ann"))
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_the_mode_that_it_has_is_no_switch(self) -> None:
        told = session().given(ann()).when(set_mode("ann", CROSS)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))
        told.when(set_mode("ann", CROSS, on=TIN))

    def test_by_default_nothing_may_be_open(self) -> None:
        told = scenario().given(ann()).when(set_mode("ann", ISOLATED))
        told.then(refused(Reason.OPEN_ORDERS_OR_POSITION))

    def test_an_isolated_position_that_is_due_stays(self) -> None:
        told = session().given(ann(mode=ISOLATED), mark(94)).when(set_mode("ann", CROSS))
        told.then(refused(Reason.LIQUIDATION_IN_PROGRESS))


def test_leverage_changes_with_a_position_that_was_switched() -> None:
    told = session().given(ann()).when(set_leverage("ann", 5)).then(leverage_set("ann", 5)).holds("ann", available=800)
    told.given(set_mode("ann", ISOLATED)).holds("ann", isolated=200)
    told.when(set_leverage("ann", 4)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))
    told.when(set_leverage("ann", 10)).then(leverage_set("ann", 10)).holds("ann", isolated=200, removable=100)
