"""Hedge mode: funding and settlement of both legs."""

from __future__ import annotations

from typing import Any

from events import commands as c
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    EXPIRY,
    LONG,
    SHORT,
    dated,
    ended,
    hedge,
    index,
    later,
    pack_of,
    settled,
    settlement_due,
)
from tests.spec.words import (
    BUY,
    GOLD,
    PERCENT,
    SELL,
    account,
    cancelled,
    funding,
    funding_due,
    funding_paid,
    pack,
    place,
    position,
    proceed,
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


class TestFunding:
    """Each leg pays or receives on its own."""

    def test_both_legs_settle(self) -> None:
        (
            session()
            .given(ann(), legs())
            .when(funding(PERCENT), proceed())
            .then(
                funding_due(PERCENT, at=100),
                funding_paid("maker", 6),
                funding_paid("ann", -10, leg=LONG),
                funding_paid("ann", 4, leg=SHORT),
            )
            .holds("ann", UP, wallet=994)
        )

    def test_both_legs_settle_before_the_account_trades(self) -> None:
        (
            session()
            .given(ann(), legs(), place(5, BUY, price=90, lots=2, by="ann", leg=LONG), funding(PERCENT))
            .when(c.CancelOrder(c.Nanos(0), "ann", "", 5))
            .then(funding_paid("ann", -10, leg=LONG), funding_paid("ann", 4, leg=SHORT), cancelled(5, 2))
        )

    def test_both_legs_of_a_dated_contract_settle_in_cash(self) -> None:
        (
            scenario(pack_of(dated()))
            .given(ann(), legs(), place(5, BUY, price=90, lots=2, by="ann", leg=SHORT), index(103))
            .when(later(EXPIRY), proceed())
            .then(
                settlement_due(103),
                settled("maker", -18, at=103),
                settled("ann", 30, at=103, leg=LONG),
                ended(5, 2),
                settled("ann", -12, at=103, leg=SHORT),
            )
        )
