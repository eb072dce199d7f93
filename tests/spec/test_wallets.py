"""Wallets: money comes in, and goes out as far as nothing needs it."""

from __future__ import annotations

from msgspec.structs import replace

from events.commands import INSURANCE
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    EASY,
    TIN,
    USD,
    account,
    cancel,
    deposit,
    deposited,
    mark,
    opened,
    place,
    position,
    refused,
    rested,
    resting,
    withdraw,
    withdrawn,
)

LONG = (account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))
"""200 in the wallet, long 10 at 100, 100 of it initial margin."""


def test_a_deposit_is_available_at_once() -> None:
    (
        scenario()
        .when(account("ann", 200))
        .then(opened("ann"), deposited("ann", 200))
        .holds("ann", wallet=200, available=200, withdrawable=200)
    )


def test_a_withdrawal_leaves_the_session() -> None:
    session = (
        scenario()
        .given(account("ann", 200))
        .when(withdraw("ann", 200), withdraw("ann", 1))
        .then(withdrawn("ann", 200), refused(Reason.INSUFFICIENT_BALANCE))
        .holds("ann", wallet=0, available=0, withdrawable=0)
    )
    assert session.state.ledger[USD].entered == 2 * 10_000_000


def test_the_insurance_fund_takes_deposits_from_outside() -> None:
    scenario().when(deposit(INSURANCE, 500)).then(deposited(INSURANCE, 500)).holds(INSURANCE, wallet=500)


def test_initial_margin_stays() -> None:
    (
        scenario()
        .given(*LONG)
        .holds("ann", available=100, withdrawable=100)
        .when(withdraw("ann", 101), withdraw("ann", 100))
        .then(refused(Reason.INSUFFICIENT_BALANCE), withdrawn("ann", 100))
    )


def test_an_unrealised_profit_may_be_traded_with_and_not_withdrawn() -> None:
    # available 200 + 100 - 110 = 190, but of the wallet only 200 - 110 = 90 is free
    scenario().given(*LONG, mark(110)).holds("ann", available=190, withdrawable=90)


def test_an_unrealised_loss_can_be_neither() -> None:
    # 200 - 50 - 95 = 55
    scenario().given(*LONG, mark(95)).holds("ann", available=55, withdrawable=55)


def test_what_is_short_of_initial_margin_shows_as_nothing() -> None:
    # 200 - 120 - 88 = -8
    scenario().given(*LONG, mark(88)).holds("ann", available=0, withdrawable=0)


def test_an_open_order_holds_money_back_until_it_is_gone() -> None:
    # 5 x 90 / 10 = 45
    (
        scenario()
        .given(account("ann", 100), resting(1, BUY, price=90, lots=5, by="ann"))
        .holds("ann", available=55, withdrawable=55)
        .given(cancel(1))
        .holds("ann", available=100, withdrawable=100)
    )


def test_figures_are_rounded_down_for_the_account() -> None:
    # (2 x 101 + 1 x 100) / 10 = 30.2 held back
    scenario().given(account("ann", 100), resting(1, BUY, price=100, lots=1, by="ann"), mark(101)).given(
        *position(2, BUY, price=101, lots=2, by="ann")
    ).holds("ann", available=69, withdrawable=69)


def test_wallets_of_two_assets_do_not_mix() -> None:
    # TIN settles in EUR: USD cannot carry it
    euro = replace(EASY, instruments=(EASY.instruments[0], replace(EASY.instruments[1], settle="EUR")))
    (
        scenario(euro)
        .given(account("ann", 1000))
        .when(
            place(1, BUY, price=100, lots=1, by="ann", on=TIN),
            deposit("ann", 10, asset="EUR"),
            place(1, BUY, price=100, lots=1, by="ann", on=TIN),
            withdraw("ann", 1, asset="EUR"),
        )
        .then(
            refused(Reason.INSUFFICIENT_MARGIN),
            replace(deposited("ann", 10), asset="EUR"),
            rested(1, lots=1),
            refused(Reason.INSUFFICIENT_BALANCE),
        )
        .holds("ann", wallet=1000, available=1000)
        .holds("ann", instrument=TIN, wallet=10, available=0)
    )
