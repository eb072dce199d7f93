"""The withdrawal gate: while a deficit is seen that nobody covers, no money leaves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.guards import PriceGuards
from events.instruments import PackError, RulePack, load_pack
from events.refusals import Reason
from events.units import SECOND, UNIT, Nanos
from tests.scenario import Scenario, scenario
from tests.spec.contracts import exchange, several_assets, transfer
from tests.spec.words import (
    BUY,
    EASY,
    USD,
    account,
    deposit,
    deposited,
    funding,
    mark,
    mark_moved,
    position,
    proceed,
    refused,
    withdraw,
    withdrawn,
)

MINUTE = 60 * SECOND
GATED = replace(EASY, withdrawal_gate=Nanos(MINUTE))
CLOSED = refused(Reason.WITHDRAWALS_ARE_CLOSED)
OPENED = f.WithdrawalsOpened()


def closed(deficit: int, until: int, account: str = INSURANCE) -> f.WithdrawalsClosed:
    return f.WithdrawalsClosed(account, USD, deficit, until)  # type: ignore[arg-type]


def later(seconds: int) -> c.AdvanceTime:
    """Time passes until then."""
    return c.AdvanceTime(Nanos(seconds * SECOND))


def insolvent(rules: RulePack = GATED, fund: int = 0) -> Scenario:
    """Ann's ten lots are taken over at 90 while they are worth 88: the fund is 20 below zero, less what it had."""
    money = [deposit(INSURANCE, fund)] if fund else []
    session = scenario(rules).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), *money)
    return session.given(mark(88), proceed())


def test_a_fund_below_zero_closes_it_for_its_time_with_the_liquidation_that_left_it_so() -> None:
    session = scenario(GATED).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(88))
    now = session.state.now
    last = session.run(proceed())[-1]
    assert last == closed(20, now + 1 + MINUTE)
    assert session.causes() == [
        "WithdrawalsClosed",
        "LiquidationEnded",
        "LiquidationDue",
        "MarkPriceMoved",
        "SetMarkPrice",
    ] or (session.causes()[:2] == ["WithdrawalsClosed", "LiquidationEnded"])


def test_while_it_is_closed_no_money_leaves_and_all_else_goes_on() -> None:
    session = insolvent()
    session.when(withdraw("maker", 1)).then(CLOSED)
    session.when(transfer("maker", 1, "taker")).then(CLOSED)
    session.when(deposit("maker", 5)).then(deposited("maker", 5))
    session.given(*position(5, BUY, price=88, lots=1, by="taker"), mark(89))


def test_it_opens_after_its_time_where_nothing_is_lacking_any_more() -> None:
    session = insolvent().given(deposit(INSURANCE, 50))
    session.when(withdraw("maker", 1)).then(CLOSED)
    session.when(later(61)).then(OPENED)
    session.when(withdraw("maker", 1)).then(withdrawn("maker", 1))


def test_it_opens_before_the_command_that_brings_its_time() -> None:
    session = insolvent().given(deposit(INSURANCE, 50))
    session.when(replace(withdraw("maker", 1), at=Nanos(61 * SECOND))).then(OPENED, withdrawn("maker", 1))


def test_it_stays_closed_for_as_long_again_where_something_still_is() -> None:
    session = insolvent()
    session.when(later(61)).then(closed(20, 121 * SECOND))
    session.when(later(120), withdraw("maker", 1)).then(CLOSED)
    session.given(mark(90)).when(later(121)).then(OPENED)


def test_a_mark_that_takes_the_fund_below_zero_closes_it_too() -> None:
    session = insolvent(fund=30)
    session.when(mark(87)).then(mark_moved(87))
    session.when(mark(86)).then(mark_moved(86), closed(10, session.state.now + MINUTE))


def test_who_is_below_zero_and_put_off_closes_it_and_keeps_it_closed() -> None:
    rules = replace(GATED, guards=PriceGuards(mark_age_max=Nanos(10 * SECOND)))
    session = scenario(rules).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(replace(funding(UNIT * 15 // 100), at=Nanos(20 * SECOND)), proceed())
    facts = session.run(proceed())
    assert [type(fact) for fact in facts] == [f.LiquidationPutOff, f.WithdrawalsClosed]
    assert facts[-1] == closed(50, session.state.now + MINUTE, "ann")
    session.when(later(81)).then(closed(50, 141 * SECOND, "ann"))
    session.given(deposit(INSURANCE, 100), replace(mark(100), at=Nanos(90 * SECOND)), proceed())
    session.when(later(141)).then(OPENED)


def test_who_is_put_off_and_has_something_left_closes_nothing() -> None:
    rules = replace(GATED, guards=PriceGuards(mark_age_max=Nanos(10 * SECOND)))
    session = scenario(rules).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(replace(funding(UNIT * 6 // 100), at=Nanos(20 * SECOND)), proceed())
    assert [type(fact) for fact in session.run(proceed())] == [f.LiquidationPutOff]
    assert not session.given(later(30)).state.gated_until


def test_an_exchange_of_assets_leaves_nothing_and_passes() -> None:
    rules = replace(several_assets(), withdrawal_gate=Nanos(MINUTE))
    session = scenario(rules).given(c.SetIndexPrice(Nanos(0), "OUNCE/USD", 2 * UNIT), account("ann", 100))  # type: ignore[arg-type]
    session.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(88), proceed())
    assert session.state.gated_until
    session.given(exchange("maker", 10, USD, "OUNCE"))


def test_without_the_rule_a_deficit_closes_nothing() -> None:
    insolvent(EASY).when(withdraw("maker", 1)).then(withdrawn("maker", 1))


def test_dydx_closes_it_for_fifty_blocks() -> None:
    assert load_pack("dydx-v4").withdrawal_gate == 50 * SECOND


def test_its_time_is_not_below_nothing() -> None:
    with pytest.raises(PackError, match=r"easy: withdrawal_gate, .* must not be below 0"):
        replace(EASY, withdrawal_gate=Nanos(-1)).check()


def test_who_is_put_off_and_has_something_left_does_not_keep_it_closed() -> None:
    rules = replace(GATED, guards=PriceGuards(mark_age_max=Nanos(10 * SECOND)))
    session = scenario(rules).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(account("bob", 110), *position(3, BUY, price=100, lots=10, by="bob"))
    session.given(mark(88), proceed(), deposit(INSURANCE, 500))
    assert session.state.gated_until
    session.given(*position(5, BUY, price=88, lots=10, by="taker"), account("cat", 100))
    session.given(*position(7, BUY, price=88, lots=10, by="cat"))
    session.given(replace(funding(UNIT * 8 // 100), at=Nanos(20 * SECOND)), proceed(), proceed())
    assert [key[2] for waiting in session.state.put_off.values() for key in waiting] == ["cat"]
    session.when(later(61)).then(OPENED)
