"""Refusals: which rule each command can break, and which one is named where several are broken.

A `Breach` is a way to break one rule: what is given beside the ordinary situation, and what is asked otherwise. Two of
them that do not contradict each other are tried together; the reason that stands first in `Reason` has to be named.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events.refusals import Reason
from tests.scenario import opening, scenario, unopened
from tests.spec.breaches import ANN, DUE, LATE, ORDER, PLACING, RESTING, RULES, Breach, pairs
from tests.spec.contracts import (
    EXPIRY,
    LONG,
    OUNCE,
    auto_add,
    exchange,
    hedge,
    index,
    join,
    later,
    price,
    transfer,
)
from tests.spec.linking import pair
from tests.spec.tape import printed, tape
from tests.spec.test_batch import REFUSALS as OF_BATCHES
from tests.spec.test_countdown import REFUSALS as OF_COUNTDOWNS
from tests.spec.test_linked_refused import TOGETHER as OF_LINKED
from tests.spec.test_phases import PHASED
from tests.spec.test_put_off import at, tripping
from tests.spec.test_triggers_amended import REFUSED as OF_AMENDMENTS
from tests.spec.test_triggers_refused import REACHED
from tests.spec.test_triggers_with_position import REFUSED as OF_POSITIONS
from tests.spec.test_withdrawal_gate import insolvent
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    ISOLATED,
    NOW,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    amend,
    cancel,
    deposit,
    funding,
    mark,
    open_account,
    place,
    position,
    proceed,
    refused,
    remove_margin,
    rested,
    resting,
    set_leverage,
    set_mode,
    withdraw,
)


@cache
def begun() -> Any:
    return scenario(RULES, marks=None).given(mark(100), *ANN)


def session() -> Any:
    return begun().copy()


def test_an_order_that_breaks_no_rule_is_accepted() -> None:
    session().when(place(**ORDER)).then(rested(3, lots=2))


@pytest.mark.parametrize("breach", PLACING, ids=lambda breach: f"{breach.reason.value} {breach.asked}")
def test_an_order_is_refused_by_the_rule_that_it_breaks(breach: Breach) -> None:
    session().given(*breach.given).when(place(**{**ORDER, **breach.asked})).then(refused(breach.reason))


@pytest.mark.parametrize(("first", "then"), list(pairs()))
def test_of_two_broken_rules_the_first_on_the_list_is_named(first: Breach, then: Breach) -> None:
    asked = {**ORDER, **first.asked, **then.asked}
    session().given(*then.given, *first.given).when(place(**asked)).then(refused(first.reason))


def test_a_position_limit_is_named_before_the_margin_that_is_missing_too() -> None:
    session().when(place(**{**ORDER, "lots": 9_999})).then(refused(Reason.POSITION_LIMIT_AT_LEVERAGE))


ISOLATED_BOB = (account("bob", 2000, mode=ISOLATED), *position(11, BUY, price=100, lots=10, by="bob"))
"""Bob: isolated, long 10 at 100 with 100 in the isolated wallet and 1,900 beside it."""

FALLEN_BOB = (*ISOLATED_BOB, mark(94))
"""Bob's isolated equity is 40, its maintenance margin 47."""

OCO = pair(place(8, SELL, lots=4, price=110), waiting(9, SELL, at=90, lots=4))

BAD_PACK = replace(EASY, max_orders=0)
NAN = "caf\u00e9"

OTHERS: list[tuple[Reason, tuple[Any, ...], Any]] = [
    (Reason.SESSION_ALREADY_OPEN, (), c.OpenSession(NOW, 99, BAD_PACK, c.SessionOptions())),
    (Reason.RESERVED_ACCOUNT_NAME, (), open_account("MARKET", NAN)),
    (Reason.RESERVED_ACCOUNT_NAME, (), open_account("INSURANCE")),
    (Reason.RESERVED_ACCOUNT_NAME, (), deposit("MARKET", 0, asset="GEMS", request=NAN)),
    (Reason.RESERVED_ACCOUNT_NAME, (), withdraw("INSURANCE", 0, asset="GEMS")),
    (Reason.RESERVED_ACCOUNT_NAME, (), place(9, BUY, lots=0, by="INSURANCE", on="LEAD")),
    (Reason.TEXT_NOT_PRINTABLE_ASCII, (), open_account("")),
    (Reason.TEXT_NOT_PRINTABLE_ASCII, (), open_account(NAN)),
    (Reason.TEXT_NOT_PRINTABLE_ASCII, (), open_account("tab\t")),
    (Reason.TEXT_NOT_PRINTABLE_ASCII, (), open_account("ann", NAN)),
    (Reason.ACCOUNT_EXISTS, (), open_account("ann")),
    (Reason.UNKNOWN_ACCOUNT, (), deposit("nobody", 0, asset="GEMS", request=NAN)),
    (Reason.UNKNOWN_ACCOUNT, (), cancel(99, by="nobody")),
    (Reason.UNKNOWN_ASSET, (), deposit("ann", 0, asset="GEMS")),
    (Reason.UNKNOWN_ASSET, (), withdraw("ann", 0, asset="GEMS")),
    (Reason.AMOUNT_NOT_POSITIVE, (), deposit("ann", 0)),
    (Reason.AMOUNT_NOT_POSITIVE, (DUE,), withdraw("ann", -1)),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), withdraw("ann", 1_000)),
    (Reason.INSUFFICIENT_BALANCE, (), withdraw("ann", 101)),
    (Reason.TEXT_NOT_PRINTABLE_ASCII, (), replace(cancel(99, by="ann"), request=NAN)),
    (Reason.UNKNOWN_ORDER, (), cancel(99, by="ann")),
    (Reason.UNKNOWN_ORDER, (), cancel(by="ann", client="nobody's")),
    (Reason.UNKNOWN_ORDER, (resting(9, BUY, price=9, lots=2, by="ann", client="a"),), cancel(99, by="ann", client="a")),
    (Reason.SIZE_IS_LINKED, (OCO,), amend(8, by="taker", lots=3)),
    (Reason.NOTHING_TO_AMEND, (RESTING, amend(9, lots=3)), amend(9, by="ann", lots=3)),
    (Reason.TOO_MANY_AMENDMENTS, (RESTING, amend(9, lots=3), DUE), amend(9, by="ann", lots=2)),
    (Reason.UNKNOWN_INSTRUMENT, (), set_leverage("ann", 0, on="LEAD")),
    (Reason.LEVERAGE_OUT_OF_RANGE, (DUE,), set_leverage("ann", 0)),
    (Reason.LEVERAGE_OUT_OF_RANGE, (), set_leverage("ann", 11)),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), set_leverage("ann", 1)),
    (Reason.POSITION_LIMIT_AT_LEVERAGE, (mark(2_000),), set_leverage("ann", 10)),
    (Reason.OPEN_ORDERS_OR_POSITION, ISOLATED_BOB, set_leverage("bob", 9)),
    (Reason.INSUFFICIENT_MARGIN, (), set_leverage("ann", 4)),
    (Reason.UNKNOWN_INSTRUMENT, (), set_mode("ann", ISOLATED, on="LEAD")),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), set_mode("ann", ISOLATED)),
    (Reason.OPEN_ORDERS_OR_POSITION, (), set_mode("ann", ISOLATED)),
    (Reason.UNKNOWN_INSTRUMENT, (), add_margin("ann", 0, on="LEAD")),
    (Reason.AMOUNT_NOT_POSITIVE, (DUE,), add_margin("ann", 0)),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), add_margin("ann", 1)),
    (Reason.POSITION_NOT_ISOLATED, (), add_margin("ann", 1)),
    (Reason.POSITION_NOT_ISOLATED, (), add_margin("ann", 1, on=TIN)),
    (Reason.NO_POSITION, (account("eve", mode=ISOLATED),), add_margin("eve", 1)),
    (Reason.INSUFFICIENT_BALANCE, ISOLATED_BOB, add_margin("bob", 1_901)),
    (Reason.UNKNOWN_INSTRUMENT, (), remove_margin("ann", 0, on="LEAD")),
    (Reason.AMOUNT_NOT_POSITIVE, FALLEN_BOB, remove_margin("bob", 0)),
    (Reason.LIQUIDATION_IN_PROGRESS, FALLEN_BOB, remove_margin("bob", 1)),
    (Reason.POSITION_NOT_ISOLATED, (), remove_margin("ann", 1)),
    (Reason.NO_POSITION, (account("eve", mode=ISOLATED),), remove_margin("eve", 1)),
    (Reason.INSUFFICIENT_MARGIN, ISOLATED_BOB, remove_margin("bob", 1)),
    (Reason.OPEN_ORDERS_OR_POSITION, (resting(9, BUY, price=9, lots=2, by="ann"),), hedge("ann")),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), hedge("ann")),
    (Reason.LIQUIDATION_IN_PROGRESS, FALLEN_BOB, hedge("bob")),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), join("ann")),
    (Reason.LIQUIDATION_IN_PROGRESS, (*FALLEN_BOB,), join("bob")),
    (Reason.NO_INDEX_PRICE, (deposit("ann", 1, asset=OUNCE),), join("ann")),
    (Reason.MULTI_ASSET_IS_CROSS, (*ISOLATED_BOB, deposit("bob", 1, asset=OUNCE)), join("bob")),
    (Reason.INSUFFICIENT_MARGIN, (mark(88),), join("ann")),
    (Reason.MULTI_ASSET_IS_CROSS, (join("ann"),), set_mode("ann", ISOLATED)),
    (Reason.LIQUIDATION_IN_PROGRESS, (join("ann"), DUE), set_mode("ann", ISOLATED)),
    (Reason.OPEN_ORDERS_OR_POSITION, (join("ann"), resting(9, BUY, price=9, lots=2, by="ann")), join("ann", False)),
    (Reason.UNKNOWN_INSTRUMENT, (), auto_add("ann", instrument="LEAD")),
    (Reason.LEG_UNLIKE_POSITION_MODE, (join("ann"),), place(9, BUY, lots=2, price=100, by="ann", leg=LONG)),
    (Reason.UNKNOWN_ACCOUNT, (), transfer("ann", 0, "nobody", asset="GEMS")),
    (Reason.RESERVED_ACCOUNT_NAME, (), transfer("ann", 0, "MARKET", asset="GEMS")),
    (Reason.RESERVED_ACCOUNT_NAME, (), transfer("INSURANCE", 0, "nobody", asset="GEMS")),
    (Reason.UNKNOWN_ASSET, (), transfer("ann", 0, "ann", asset="GEMS")),
    (Reason.AMOUNT_NOT_POSITIVE, (), transfer("ann", 0, "ann")),
    (Reason.SAME_ON_BOTH_SIDES, (), transfer("ann", 1_000, "ann")),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), transfer("ann", 1_000, "maker")),
    (Reason.INSUFFICIENT_BALANCE, (), transfer("ann", 101, "maker")),
    (Reason.UNKNOWN_ASSET, (), exchange("ann", 0, asset="GEMS", into="GEMS")),
    (Reason.UNKNOWN_ASSET, (), exchange("ann", 0, asset=USD, into="GEMS")),
    (Reason.AMOUNT_NOT_POSITIVE, (), exchange("ann", 0, asset=USD, into=USD)),
    (Reason.SAME_ON_BOTH_SIDES, (), exchange("ann", 1_000, asset=USD, into=USD)),
    (Reason.LIQUIDATION_IN_PROGRESS, (DUE,), exchange("ann", 1_000, asset=USD, into=OUNCE)),
    (Reason.NO_INDEX_PRICE, (), exchange("ann", 1_000, asset=USD, into=OUNCE)),
    (Reason.INSUFFICIENT_BALANCE, (price(2),), exchange("ann", 101, asset=USD, into=OUNCE)),
    (Reason.INSUFFICIENT_MARGIN, (price(2), join("ann"), mark(90)), exchange("ann", 120, asset=USD, into=OUNCE)),
    (Reason.UNKNOWN_INSTRUMENT, (), mark(0, on="LEAD")),
    (Reason.UNKNOWN_INSTRUMENT, (), index(0, on="LEAD")),
    (Reason.PRICE_NOT_POSITIVE, (later(EXPIRY),), index(0, on=LATE)),
    (Reason.PRICE_NOT_POSITIVE, (), price(0)),
    (Reason.INSTRUMENT_EXPIRED, (later(EXPIRY),), index(1, on=LATE)),
    (Reason.PRICE_NOT_POSITIVE, (later(EXPIRY),), mark(0, on=LATE)),
    (Reason.INSTRUMENT_EXPIRED, (later(EXPIRY),), mark(1, on=LATE)),
    (Reason.INSTRUMENT_HAS_NO_FUNDING, (later(EXPIRY),), funding(1, on=LATE)),
    (Reason.PRICE_NOT_POSITIVE, (), mark(0)),
    (Reason.UNKNOWN_INSTRUMENT, (), funding(1, on="LEAD")),
    (Reason.NO_MARK_PRICE, (), funding(1, on=TIN)),
    (Reason.NOTHING_DUE, (), proceed()),
]  # fmt: skip


def naming(row: Any) -> str | None:
    return row.value if isinstance(row, Reason) else type(row).__name__ if isinstance(row, c.Command) else ""


@pytest.mark.parametrize(("reason", "given", "command"), OTHERS, ids=naming)
def test_each_other_command_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, given: tuple[Any, ...], command: c.Command
) -> None:
    session().given(*given).when(command).then(refused(reason))


ROWS = tape(printed(BUY, 100, 1), printed(BUY, 100, 1))


@pytest.mark.parametrize(
    ("reason", "instrument", "chunk", "first", "last"),
    [
        (Reason.UNKNOWN_INSTRUMENT, "LEAD", "no chunk", 5, 1),
        (Reason.ROWS_OUT_OF_RANGE, GOLD, "no chunk", 0, 0),
        (Reason.ROWS_OUT_OF_RANGE, TIN, "chunk 0", 0, 0),
        (Reason.ROWS_OUT_OF_RANGE, GOLD, "chunk 0", -1, 0),
        (Reason.ROWS_OUT_OF_RANGE, GOLD, "chunk 0", 1, 0),
        (Reason.ROWS_OUT_OF_RANGE, GOLD, "chunk 0", 1, 2),
    ],
)
def test_history_goes_on_by_rows_that_there_are(
    reason: Reason, instrument: str, chunk: str, first: int, last: int
) -> None:
    told = scenario().given(ROWS)
    now = told.state.now
    told.when(c.AdvanceMarket(now, instrument, chunk, first, last)).then(refused(reason))


OPENING = opening(EASY)


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        (Reason.SESSION_NOT_OPEN, place(**{**ORDER, "lots": 0, "request": NAN})),
        (Reason.SESSION_NOT_OPEN, open_account("MARKET")),
        (Reason.SESSION_NOT_OPEN, proceed()),
        (Reason.SESSION_NOT_OPEN, c.AdvanceTime(NOW)),
        (Reason.BAD_RULE_PACK, replace(OPENING, pack=BAD_PACK, rules_version=99)),
        (Reason.RULES_VERSION_UNKNOWN, replace(OPENING, rules_version=99)),
    ],
    ids=naming,
)
def test_before_anything_a_session_has_to_be_opened_by_rules_that_are_known(reason: Reason, command: c.Command) -> None:
    unopened().when(command).then(refused(reason)).given(OPENING)


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        (Reason.UNKNOWN_ASSET, withdraw("taker", 0, asset=OUNCE)),
        (Reason.UNKNOWN_ASSET, exchange("taker", 0, asset=USD, into=OUNCE)),
        (Reason.AMOUNT_NOT_POSITIVE, exchange("taker", 0, asset=USD, into=USD)),
        (Reason.NOT_COLLATERAL, exchange("taker", 10**9, asset=USD, into=USD)),
        (Reason.NOT_COLLATERAL, join("taker")),
    ],
    ids=naming,
)
def test_without_collateral_nothing_is_exchanged_or_joined(reason: Reason, asked: Any) -> None:
    scenario().when(asked).then(refused(reason))


def gated() -> Any:
    """Withdrawals are closed: the fund is below zero."""
    return insolvent()


def halted() -> Any:
    """Trading in GOLD is halted until its breaker is reset."""
    return scenario(tripping()).given(at(10, mark(100)), at(20, mark(89)))


GUARDED: list[tuple[Reason, Callable[[], Any], Any]] = [
    (Reason.UNKNOWN_ASSET, gated, withdraw("maker", 0, asset="GEMS")),
    (Reason.AMOUNT_NOT_POSITIVE, gated, withdraw("maker", 0)),
    (Reason.WITHDRAWALS_ARE_CLOSED, gated, withdraw("maker", 1)),
    (Reason.WITHDRAWALS_ARE_CLOSED, gated, withdraw("maker", 10**12)),
    (Reason.WITHDRAWALS_ARE_CLOSED, gated, transfer("maker", 1, "taker")),
    (Reason.SAME_ON_BOTH_SIDES, gated, transfer("maker", 1, "maker")),
    (Reason.SIZE_NOT_POSITIVE, halted, place(5, BUY, lots=0, by="taker", price=100)),
    (Reason.TRADING_HALTED, halted, place(5, BUY, lots=1, by="taker", price=100)),
    (Reason.TRADING_HALTED, halted, place(5, BUY, lots=1, by="taker", price=100, reduce_only=True)),
    (Reason.TRADING_HALTED, halted, place(5, BUY, lots=9_999, by="taker", price=100)),
]


@pytest.mark.parametrize(("reason", "situation", "command"), GUARDED, ids=naming)
def test_what_a_guard_forbids_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, situation: Callable[[], Any], command: c.Command
) -> None:
    session = situation()
    session.when(replace(command, at=session.state.now)).then(refused(reason))


def test_every_reason_is_reached_by_a_table_above() -> None:
    opened = {Reason.SESSION_NOT_OPEN, Reason.BAD_RULE_PACK, Reason.RULES_VERSION_UNKNOWN, Reason.ROWS_OUT_OF_RANGE}
    opened |= {Reason.NOT_COLLATERAL, Reason.BAD_SESSION_OPTIONS}
    tables = {breach.reason for breach in PLACING} | {row[0] for row in OTHERS + GUARDED + PHASED} | REACHED
    opened |= {reason for reason, _ in (*OF_BATCHES, *OF_COUNTDOWNS, *OF_LINKED)}
    opened |= {reason for reason, _, _ in (*OF_AMENDMENTS, *OF_POSITIONS)}
    assert tables | opened == set(Reason)


def test_a_refusal_uses_no_order_number() -> None:
    (
        session()
        .when(place(**{**ORDER, "lots": 0}), place(**ORDER))
        .then(refused(Reason.SIZE_NOT_POSITIVE), rested(3, lots=2))
    )
