"""A new leverage of an isolated position that is open, where the venue moves margin with it.

Ten lots at 100 are 1,000: 100 of margin at 10x, 200 at 5x, 250 at 4x. Maintenance margin is 5 %.
"""

from __future__ import annotations

from typing import Any

import pytest

from events.refusals import Reason
from events.rules import ExitFee, LeverageChange
from tests.scenario import Scenario, scenario
from tests.spec.contracts import LONG, SHORT, hedge, pack_of
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    account,
    add_margin,
    instrument,
    leverage_set,
    margin_moved,
    mark,
    place,
    position,
    refused,
    resting,
    set_leverage,
)

ADDS, RESETS = LeverageChange.ADDS_MARGIN, LeverageChange.RESETS_MARGIN
TOO_LITTLE = refused(Reason.INSUFFICIENT_MARGIN)


def session(change: LeverageChange, money: int = 1000, rules: dict[str, Any] | None = None, **terms: Any) -> Scenario:
    """Ann is long ten lots at 100, isolated at 10x."""
    told = scenario(pack_of(instrument(GOLD, **terms), leverage_change=change, **rules or {}))
    return told.given(account("ann", money, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))


@pytest.mark.parametrize("change", [ADDS, RESETS], ids=lambda change: change.value)
class TestLower:
    """The margin becomes entry notional / leverage."""

    def test_it_adds_what_the_margin_lacks(self, change: LeverageChange) -> None:
        told = session(change).given(mark(102))
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5), margin_moved("ann", 100))
        told.holds("ann", isolated=200, wallet=800, leverage=5)

    def test_what_it_adds_has_to_be_available(self, change: LeverageChange) -> None:
        told = (
            session(change, 200).when(set_leverage("ann", 4)).then(TOO_LITTLE).holds("ann", isolated=100, leverage=10)
        )
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5), margin_moved("ann", 100)).holds("ann", wallet=0)

    def test_open_orders_need_more_too(self, change: LeverageChange) -> None:
        # ten more lots at 90: 90 at 10x, 180 at 5x, beside the 100 that move
        told = session(change, 379).given(resting(3, BUY, price=90, lots=10, by="ann"))
        told.when(set_leverage("ann", 5)).then(TOO_LITTLE)
        told = session(change, 380).given(resting(3, BUY, price=90, lots=10, by="ann"))
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5), margin_moved("ann", 100))
        told.holds("ann", available=0)

    def test_a_fee_for_closing_is_put_aside_with_it(self, change: LeverageChange) -> None:
        # 100 + 9 for closing - 10 for opening; at 5x 200 + 8
        told = session(change, rules={"exit_fee": ExitFee.AT_BANKRUPTCY}, taker_fee=PERCENT).holds("ann", isolated=99)
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5), margin_moved("ann", 109))
        told.holds("ann", isolated=208)

    def test_both_legs_get_theirs(self, change: LeverageChange) -> None:
        told = scenario(pack_of(instrument(GOLD), leverage_change=change)).given(account("ann", 1000, mode=ISOLATED))
        told.given(hedge("ann"), position(1, BUY, price=100, lots=10, by="ann", leg=LONG))
        told.given(position(3, SELL, price=100, lots=4, by="ann", leg=SHORT))
        told.when(set_leverage("ann", 5)).then(
            leverage_set("ann", 5), margin_moved("ann", 40, SHORT), margin_moved("ann", 100, LONG)
        )
        told.holds("ann", wallet=720)

    def test_the_same_one_moves_nothing(self, change: LeverageChange) -> None:
        session(change).given(add_margin("ann", 7)).when(set_leverage("ann", 10)).then(leverage_set("ann", 10))

    def test_the_bracket_has_to_offer_it(self, change: LeverageChange) -> None:
        # above a notional of 10,000 at most 5x
        told = session(change, 10_000).given(set_leverage("ann", 5), place(3, BUY, price=99, lots=100, by="ann"))
        told.when(set_leverage("ann", 10)).then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE))


def test_what_was_added_before_counts_where_only_the_lack_is_added() -> None:
    told = session(ADDS).given(add_margin("ann", 150)).when(set_leverage("ann", 5)).then(leverage_set("ann", 5))
    told.holds("ann", isolated=250, wallet=750)


def test_what_was_added_before_comes_back_where_margin_is_reset() -> None:
    told = session(RESETS).given(add_margin("ann", 150))
    told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5), margin_moved("ann", -50)).holds("ann", isolated=200)


def test_open_orders_need_more_where_nothing_is_added() -> None:
    told = session(ADDS, 310).given(resting(3, BUY, price=90, lots=10, by="ann"), add_margin("ann", 100))
    told.when(set_leverage("ann", 5)).then(TOO_LITTLE).holds("ann", available=20)


def test_a_higher_one_leaves_the_margin_where_only_the_lack_is_added() -> None:
    told = session(ADDS).given(set_leverage("ann", 5)).when(set_leverage("ann", 10)).then(leverage_set("ann", 10))
    told.holds("ann", isolated=200, wallet=800)


def test_a_higher_one_gives_margin_back_where_it_is_reset() -> None:
    told = session(RESETS).given(set_leverage("ann", 5))
    told.when(set_leverage("ann", 10)).then(leverage_set("ann", 10), margin_moved("ann", -100))
    told.holds("ann", isolated=100, wallet=900)


def test_margin_is_not_reset_where_the_position_would_be_due() -> None:
    # at 94, 100 - 60 are 40 of 47; at 95, 50 of 47.5
    told = session(RESETS).given(set_leverage("ann", 5), mark(94)).when(set_leverage("ann", 10)).then(TOO_LITTLE)
    told.given(mark(95)).when(set_leverage("ann", 10)).then(leverage_set("ann", 10), margin_moved("ann", -100))
