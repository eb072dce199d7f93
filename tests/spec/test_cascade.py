"""Cascades: a liquidation may bring others down, each in its turn, and every record names what it follows from."""

from __future__ import annotations

from events.commands import INSURANCE, MARKET
from events.facts import LiquidationOrderPlaced, Traded
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.tape import marked, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    GOLD,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    forced_order,
    funding,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    position,
    proceed,
    refused,
    resting,
    taken_over,
    traded,
)


def falling() -> Scenario:
    """Ann is long 10 at 100 and due; bob's bid at 93 is the best of the book, and he has 100."""
    return scenario().given(
        account("ann", 100),
        account("bob", 100),
        *position(1, BUY, price=100, lots=10, by="ann"),
        resting(3, BUY, price=93, lots=10, by="bob"),
        mark(80),
    )


def test_a_maker_of_a_liquidation_may_fall_due_by_it() -> None:
    # bob buys 10 at 93 while the mark is 80: equity 100 - 130
    (
        falling()
        .when(proceed())
        .then(
            liquidation_started("ann", USD, equity=-100, maintenance=40),
            forced_order("ann", SELL, lots=10, limit=90, at=80),
            traded(3, "ann", price=93, lots=10),
            liquidation_ended("ann", USD, CLOSED, equity=30),
            liquidation_due("bob", USD),
        )
        .when(proceed())
        .then(
            liquidation_started("bob", USD, equity=-30, maintenance=40),
            forced_order("bob", SELL, lots=10, limit=83, at=80),
            taken_over("bob", SELL, lots=10, value=830),
            liquidation_ended("bob", USD, CLOSED, equity=0),
        )
        .waits()
    )


def test_each_fact_names_its_cause_up_to_the_mark() -> None:
    session = falling().given(proceed())
    ann_fell = ["LiquidationDue", "MarkPriceMoved", "SetMarkPrice"]
    ann_sold = ["Traded", "LiquidationOrderPlaced", "LiquidationStarted", *ann_fell]
    assert session.causes(Traded) == ann_sold
    assert session.causes() == ["LiquidationDue", *ann_sold]
    session.given(proceed())
    assert session.causes() == ["LiquidationEnded", "LiquidationDue", *ann_sold]
    assert session.causes(LiquidationOrderPlaced) == [
        "LiquidationOrderPlaced", "LiquidationStarted", "LiquidationDue", *ann_sold,
    ]  # fmt: skip


def test_a_proceed_is_caused_by_the_work_that_it_does() -> None:
    session = falling().given(proceed())
    command, due = session.batches[-1].records[0], session.batches[-2].records[-1]
    assert (command.cause, type(due.message).__name__) == (due.seq, "LiquidationDue")


def test_the_record_that_touched_the_pool_last_is_the_cause() -> None:
    # ann's bid is filled by a print, and the mark of the next row is too low for what she then holds
    session = (
        scenario()
        .given(account("ann", 1201), *position(1, BUY, price=100, lots=10, by="ann"))
        .given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN), tape(snapshot({94: 500})))
        .given(mark(10, on=TIN), deposit("ann", 1), mark(100, on=TIN), resting(5, BUY, price=95, lots=90, by="ann"))
        .when(tape(printed(SELL, 95, 90), marked(85)))
        .then(traded(5, MARKET, price=95, lots=90), mark_moved(85), liquidation_due("ann", USD))
    )
    assert session.causes() == ["LiquidationDue", "MarkPriceMoved", "AdvanceMarket"]


def test_a_deposit_that_is_not_enough_is_no_cause() -> None:
    session = scenario().given(
        account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(94), deposit("ann", 1), proceed()
    )
    assert session.causes() == ["LiquidationEnded", "LiquidationDue", "MarkPriceMoved", "SetMarkPrice"]


def test_proceed_begins_no_further_work_once_its_limit_is_reached() -> None:
    two = scenario().given(
        account("ann", 100),
        account("bob", 100),
        *position(1, BUY, price=100, lots=10, by="ann"),
        *position(3, BUY, price=100, lots=10, by="bob"),
        mark(94),
    )
    two.when(proceed(limit=1)).waits(("bob", USD)).holds("ann", lots=0).holds("bob", lots=10)
    two.when(proceed(limit=0)).then().waits(("bob", USD))
    two.when(proceed(limit=1)).waits()
    two.when(proceed()).then(refused(Reason.NOTHING_DUE))


def test_work_is_done_by_time_then_funding_before_liquidation_then_by_name() -> None:
    (
        scenario(clock=0)
        .given(account("bob", 100), *position(1, BUY, price=100, lots=10, by="bob"))
        .given(account("ann", 100), *position(3, BUY, price=100, lots=10, by="ann"))
        .given(mark(94), funding(1_000_000))
        .waits((GOLD, ""), ("ann", USD), ("bob", USD))
    )


def test_a_crash_without_bids_ends_with_the_fund_holding_everything() -> None:
    names = ["ann", "bob", "eve"]
    session = scenario()
    for n, name in enumerate(names):
        session.given(account(name, 100 + 10 * n), *position(2 * n + 1, BUY, price=100, lots=10, by=name))
    session.given(mark(60), proceed(), mark(50))
    for name in names:
        session.holds(name, lots=0, wallet=0)
    session.holds(INSURANCE, lots=30, entry_value=900 + 890 + 880).holds("maker", lots=-30).waits()
