"""Transfers between accounts: what can be withdrawn can be given to another, who has it at once."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import INSURANCE, MARKET
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, inverse, join, pack_of, price, several_assets, transfer, transferred
from tests.spec.words import (
    BUY,
    CURED,
    ISOLATED,
    USD,
    account,
    deposit,
    liquidation_ended,
    mark,
    open_account,
    place,
    position,
    proceed,
    refused,
    rested,
    withdraw,
)


def session() -> Scenario:
    return scenario().given(account("ann", 1000), account("bob"))


def test_one_wallet_loses_what_the_other_gains() -> None:
    told = session().when(transfer("ann", 400, "bob")).then(transferred("ann", 400, "bob"))
    told.holds("ann", wallet=600, available=600).holds("bob", wallet=400, available=400, withdrawable=400)


def test_nothing_enters_or_leaves() -> None:
    told = session().given(transfer("ann", 400, "bob"))
    assert told.state.ledger[USD].entered == 1000 + 2 * 10_000_000


def test_what_a_position_needs_stays() -> None:
    told = session().given(position(1, BUY, price=100, lots=10, by="ann"))
    told.when(transfer("ann", 901, "bob")).then(refused(Reason.INSUFFICIENT_BALANCE))
    told.when(transfer("ann", 900, "bob")).then(transferred("ann", 900, "bob")).holds("ann", available=0)


def test_a_profit_is_not_given_away_before_it_is_realised() -> None:
    told = session().given(position(1, BUY, price=100, lots=10, by="ann"), mark(150))
    told.when(transfer("ann", 851, "bob")).then(refused(Reason.INSUFFICIENT_BALANCE))
    told.when(transfer("ann", 850, "bob")).then(transferred("ann", 850, "bob"))


def test_what_was_received_may_be_traded_with() -> None:
    told = session().given(transfer("ann", 100, "bob"))
    told.when(place(1, BUY, price=100, lots=10, by="bob")).then(rested(1, 10))


def test_another_asset_than_that_of_the_positions() -> None:
    told = scenario(pack_of(inverse())).given(open_account("ann"), deposit("ann", 10, asset=OUNCE), open_account("bob"))
    told.when(transfer("ann", 10, "bob", asset=OUNCE)).then(transferred("ann", 10, "bob", asset=OUNCE))
    told.holds("bob", COIN, wallet=10)


def test_a_pool_that_is_due_may_receive_and_is_cured_by_it() -> None:
    told = session().given(deposit("bob", 150), position(1, BUY, price=100, lots=10, by="bob"), mark(87))
    told.when(transfer("bob", 1, "ann")).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
    told.when(transfer("ann", 100, "bob")).then(transferred("ann", 100, "bob"))
    told.when(proceed()).then(liquidation_ended("bob", USD, CURED, equity=120))


def test_an_isolated_wallet_gives_nothing() -> None:
    told = scenario().given(account("ann", 100, mode=ISOLATED), account("bob"))
    told.given(position(1, BUY, price=100, lots=10, by="ann"))
    told.when(transfer("ann", 1, "bob")).then(refused(Reason.INSUFFICIENT_BALANCE))


def test_of_several_assets_what_the_others_carry_may_go() -> None:
    # 100 dollars and 500 ounces at 1.8 carry 10 at 100
    told = scenario(several_assets()).given(price(2), account("ann", 100), deposit("ann", 500, asset=OUNCE))
    told.given(account("bob"), join("ann"), position(1, BUY, price=100, lots=10, by="ann"))
    told.when(transfer("ann", 100, "bob")).then(transferred("ann", 100, "bob"))
    told.when(withdraw("ann", 445, asset=OUNCE)).then(refused(Reason.INSUFFICIENT_BALANCE))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (transfer("ann", 0, "nobody", asset="GEMS"), Reason.UNKNOWN_ACCOUNT),
        (transfer("ann", 0, MARKET, asset="GEMS"), Reason.RESERVED_ACCOUNT_NAME),
        (transfer("ann", 1, INSURANCE), Reason.RESERVED_ACCOUNT_NAME),
        (transfer("ann", 0, "ann", asset="GEMS"), Reason.UNKNOWN_ASSET),
        (transfer("ann", 0, "ann"), Reason.AMOUNT_NOT_POSITIVE),
        (transfer("ann", -1, "bob"), Reason.AMOUNT_NOT_POSITIVE),
        (transfer("ann", 2000, "ann"), Reason.SAME_ON_BOTH_SIDES),
        (transfer("ann", 1001, "bob"), Reason.INSUFFICIENT_BALANCE),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_what_is_no_transfer(asked: Any, reason: Reason) -> None:
    session().when(asked).then(refused(reason))
