"""Self-trade prevention: an account does not trade with itself, and the taker's order says what goes instead."""

from __future__ import annotations

import pytest

from events.commands import AccountId, RequestId, SetPositionMode
from events.facts import Expiry
from events.instructions import SelfTrade
from events.instruments import Leg
from events.units import Nanos
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.words import (
    BUY,
    FOK,
    IOC,
    SELL,
    Expected,
    account,
    amend,
    amended,
    expired,
    market,
    place,
    position,
    rested,
    resting,
    traded,
)

NONE, TAKER, MAKER, BOTH = SelfTrade
MINE, THEIRS, LAST = 1, 2, 3
OWN = Expiry.SELF_TRADE


def queues() -> Scenario:
    """At 100 an order of the maker's behind one of the taker's own; one more of the maker's at 101."""
    return scenario().given(
        resting(MINE, SELL, price=100, lots=5, by="taker"),
        resting(THEIRS, SELL, price=100, lots=5),
        resting(LAST, SELL, price=101, lots=5),
    )


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (NONE, [traded(MINE, 4, price=100, lots=5), traded(THEIRS, 4, price=100, lots=2)]),
        (TAKER, [expired(4, 7, OWN)]),
        (MAKER, [expired(MINE, 5, OWN), traded(THEIRS, 4, price=100, lots=5), traded(LAST, 4, price=101, lots=2)]),
        (BOTH, [expired(MINE, 5, OWN), expired(4, 7, OWN)]),
    ],
)
def test_the_takers_rule_says_who_expires(rule: SelfTrade, facts: list[Expected]) -> None:
    queues().when(place(4, BUY, price=101, lots=7, self_trade=rule)).then(*facts)


def test_what_the_taker_met_before_its_own_order_stays_traded() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=100, lots=2), resting(2, SELL, price=101, lots=5, by="taker"))
        .when(place(3, BUY, price=101, lots=7, self_trade=TAKER))
        .then(traded(1, 3, price=100, lots=2), expired(3, 5, OWN))
        .book("ask 101: 5#2")
    )


def test_the_makers_rule_counts_for_nothing() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=100, lots=5, by="taker", self_trade=BOTH))
        .when(place(2, BUY, price=100, lots=5))
        .then(traded(1, 2, price=100, lots=5))
    )


def test_a_taker_whose_own_orders_are_all_gone_rests() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=100, lots=5, by="taker"), resting(2, SELL, price=101, lots=5, by="taker"))
        .when(place(3, BUY, price=101, lots=7, self_trade=MAKER))
        .then(expired(1, 5, OWN), expired(2, 5, OWN), rested(3, 7))
        .book("bid 101: 7#3")
    )


def test_an_order_keeps_its_rule_where_an_amendment_lets_it_take() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=101, lots=5, by="taker"))
        .given(place(2, BUY, price=99, lots=3, self_trade=TAKER))
        .when(amend(2, price=101))
        .then(amended(2, price=101, lots=3), expired(2, 3, OWN))
        .book("ask 101: 5#1")
    )


def test_a_market_order_is_prevented_too() -> None:
    queues().when(market(4, BUY, lots=3, self_trade=MAKER)).then(
        expired(MINE, 5, OWN), traded(THEIRS, 4, price=100, lots=3)
    )


def test_an_immediate_order_that_expired_its_own_maker_expires_for_its_own_reason() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=100, lots=5, by="taker"))
        .when(place(2, BUY, price=100, lots=7, tif=IOC, self_trade=MAKER))
        .then(expired(1, 5, OWN), expired(2, 7))
    )


@pytest.mark.parametrize("rule", list(SelfTrade))
def test_a_fill_or_kill_order_is_killed_before_its_own_order_whatever_its_rule(rule: SelfTrade) -> None:
    (
        queues()
        .when(place(4, BUY, price=101, lots=7, tif=FOK, self_trade=rule))
        .then(expired(4, 7, Expiry.FILL_OR_KILL))
        .book("ask 101: 5#3\nask 100: 5#1 5#2")
    )


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (NONE, [expired(9, 3, Expiry.NOTHING_TO_REDUCE)]),
        (TAKER, [expired(9, 3, OWN)]),
        (MAKER, [expired(3, 4, OWN), traded(4, 9, price=101, lots=3)]),
        (BOTH, [expired(3, 4, OWN), expired(9, 3, OWN)]),
    ],
)
def test_a_reduce_only_taker_gets_past_its_own_order_only_where_that_expires(
    rule: SelfTrade, facts: list[Expected]
) -> None:
    (
        scenario()
        .given(account("ann", 10_000), *position(1, SELL, price=100, lots=5, by="ann"))
        .given(resting(3, SELL, price=100, lots=4, by="ann"), resting(4, SELL, price=101, lots=9))
        .when(place(9, BUY, price=101, lots=3, by="ann", reduce_only=True, self_trade=rule))
        .then(*facts)
    )


def test_legs_of_one_account_are_one_account() -> None:
    (
        scenario()
        .given(account("ann", 10_000), SetPositionMode(Nanos(0), AccountId("ann"), RequestId(""), True))
        .given(resting(1, SELL, price=100, lots=5, by="ann", leg=Leg.SHORT))
        .when(place(2, BUY, price=100, lots=5, by="ann", leg=Leg.LONG, self_trade=TAKER))
        .then(expired(2, 5, OWN))
    )


class TestAudit:
    """The auditor knows whose orders meet, and what the taker said about it."""

    @pytest.mark.parametrize("rule", list(SelfTrade))
    def test_what_is_decided_passes(self, rule: SelfTrade) -> None:
        told(queues().given(place(4, BUY, price=101, lots=7, self_trade=rule)))

    @pytest.mark.parametrize(
        ("rule", "said", "notice"),
        [
            (NONE, TAKER, "self-trade prevention lets an account meet itself"),
            (TAKER, MAKER, "the taker's self-trade prevention says so"),
            (MAKER, TAKER, "the taker's self-trade prevention says so"),
            (BOTH, MAKER, "the taker's self-trade prevention says so"),
        ],
    )
    def test_the_rule_is_that_of_the_taker(self, rule: SelfTrade, said: SelfTrade, notice: str) -> None:
        session = queues().given(place(4, BUY, price=101, lots=7, self_trade=rule))
        noticed(session, notice, putting(self_trade=said))

    def test_only_orders_that_would_meet_expire(self) -> None:
        session = queues().given(place(4, BUY, price=100, lots=7, self_trade=MAKER))
        noticed(session, "they are of one account, and would meet", putting(price=99))
