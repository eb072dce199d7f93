"""Client order ids: a trader's own names, one of each among his open orders, free again when the order ends."""

from __future__ import annotations

from typing import Any

import pytest

from events.facts import Expiry
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    FOK,
    IOC,
    SELL,
    cancel,
    cancelled,
    expired,
    place,
    refused,
    rested,
    resting,
    traded,
)

MINE = resting(1, BUY, price=90, lots=5, by="taker", client="mine")


def numbers(told: Scenario, name: str = "taker") -> dict[str, int]:
    """The numbers that an account's client ids stand for."""
    return dict(told.state.accounts[name].clients)  # type: ignore[index]


@pytest.mark.parametrize("client", ["a", "A-1.b:c/d_E", 36 * "z", "0"])
def test_an_order_is_accepted_with_a_name_of_the_traders_own(client: str) -> None:
    told = scenario().when(resting(1, BUY, price=90, lots=5, by="taker", client=client)).then(rested(1, lots=5))
    assert numbers(told) == {client: 1}


@pytest.mark.parametrize("client", ["a b", "a,b", "a|b", "a\tb", "~", 37 * "z"])
def test_a_name_of_other_characters_or_too_long_is_refused(client: str) -> None:
    scenario().when(place(1, BUY, price=90, lots=5, client=client)).then(refused(Reason.CLIENT_ID_MALFORMED))


def test_a_name_is_that_of_one_open_order() -> None:
    (
        scenario()
        .given(MINE)
        .when(place(2, SELL, price=120, lots=1, client="mine"))
        .then(refused(Reason.CLIENT_ID_IN_USE))
        .when(place(2, SELL, lots=1, client="mine"))
        .then(refused(Reason.CLIENT_ID_IN_USE))
        .when(resting(3, BUY, price=90, lots=1, by="maker", client="mine"))
        .then(rested(3, lots=1))
    )


@pytest.mark.parametrize("end", [cancel(1), place(2, SELL, price=90, lots=5, by="maker")], ids=["cancelled", "filled"])
def test_a_name_may_be_used_again_once_its_order_ended(end: Any) -> None:
    told = scenario().given(MINE, end)
    assert numbers(told) == {}
    told.when(place(9, BUY, price=80, lots=1, client="mine")).then(rested(9, lots=1))


def test_a_name_stays_with_what_is_left_of_an_order() -> None:
    told = scenario().given(MINE, place(2, SELL, price=90, lots=4, by="maker"))
    assert numbers(told) == {"mine": 1}


def test_an_order_that_does_not_rest_leaves_its_name_free() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=101, lots=2))
        .when(place(2, BUY, price=101, lots=3, tif=IOC, client="mine"))
        .then(traded(1, 2, price=101, lots=2), expired(2, 1))
        .when(place(3, BUY, price=101, lots=3, tif=FOK, client="mine"))
        .then(expired(3, 3, Expiry.FILL_OR_KILL))
        .when(place(4, BUY, lots=3, client="mine"))
        .then(expired(4, 3))
        .when(place(5, BUY, price=90, lots=3, client="mine"))
        .then(rested(5, lots=3))
    )


def test_an_order_is_cancelled_by_its_name() -> None:
    scenario().given(MINE).when(cancel(by="taker", client="mine")).then(cancelled(1, 5)).book("")


def test_the_number_prevails_where_both_are_said() -> None:
    (
        scenario()
        .given(MINE, resting(2, BUY, price=91, lots=1, by="taker", client="other"))
        .when(cancel(2, client="mine"))
        .then(cancelled(2, 1))
        .when(cancel(2, client="mine"))
        .then(refused(Reason.UNKNOWN_ORDER))
        .book("bid 90: 5#1")
    )


def test_nobody_cancels_by_the_name_of_another_account() -> None:
    scenario().given(MINE).when(cancel(by="maker", client="mine")).then(refused(Reason.UNKNOWN_ORDER))


def test_an_order_without_a_name_is_not_found_by_none() -> None:
    (
        scenario()
        .given(resting(1, BUY, price=90, lots=5, by="taker"))
        .when(cancel(by="taker"))
        .then(refused(Reason.UNKNOWN_ORDER))
    )
