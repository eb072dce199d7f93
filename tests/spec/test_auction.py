"""The Dutch auction: a forced order's limit leaves the mark step by step, and what stays over goes to the layers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.guards import Hold
from events.instruments import Liquidation, PackError, load_pack
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    pack,
    position,
    proceed,
    resting,
    taken_over,
    traded,
)

REDUCED = f.LiquidationOutcome.REDUCED
PERCENT = UNIT // 100
AUCTION = Liquidation(
    LiquidationStyle.AUCTION, last_resort=(Layer.FUND,), auction_start=Rate(PERCENT), auction_rise=Rate(PERCENT),
    auction_steps=3, auction_interval=Nanos(10 * SECOND),
)  # fmt: skip
"""1 % off the mark, 2 % after ten seconds, 3 % after twenty, and after thirty the layers."""


def session(side: c.Side = BUY) -> Scenario:
    """Ann holds 100 at 100 with 1,000 in GOLD's own wallet: bankrupt at 90, or at 110."""
    told = scenario(replace(pack(), liquidation=AUCTION)).given(deposit(INSURANCE, 10_000))
    return told.given(account("ann", 1_000, mode=ISOLATED), *position(1, side, price=100, lots=100, by="ann"))


def stepped(told: Scenario, step: int) -> f.AuctionStepped:
    return f.AuctionStepped("ann", GOLD, step, told.state.now + 10 * SECOND)  # type: ignore[arg-type]


def put_off() -> f.LiquidationPutOff:
    return f.LiquidationPutOff("ann", GOLD, GOLD, Hold.AUCTIONED)  # type: ignore[arg-type]


def later(told: Scenario, seconds: int = 10) -> c.AdvanceTime:
    return c.AdvanceTime(Nanos(told.state.now + seconds * SECOND))


def first_step(told: Scenario) -> Scenario:
    """At 94 equity is 400 and MM 470; the limit is 94 less 1 %, 93.06, up to the tick: 94."""
    told.when(mark(94)).then(mark_moved(94), liquidation_due("ann", GOLD))
    told.when(proceed(limit=1)).then(
        liquidation_started("ann", GOLD, equity=400, maintenance=470),
        forced_order("ann", SELL, lots=100, limit=94, at=94, bankruptcy=900_000),
        stepped(told, 0),
        liquidation_ended("ann", GOLD, REDUCED, equity=400),
        liquidation_due("ann", GOLD),
    )
    told.when(proceed()).then(put_off())
    return told.waits()


def reached(told: Scenario) -> Scenario:
    """The time of the next step comes."""
    until = told.state.accounts["ann"].positions[GOLD].auction[1]  # type: ignore[index]
    return told.when(c.AdvanceTime(Nanos(until))).then(f.AuctionStepReached(GOLD, until))  # type: ignore[arg-type]


def test_each_step_offers_more_until_somebody_takes_it() -> None:
    told = first_step(session()).given(resting(5, BUY, price=93, lots=60), resting(6, BUY, price=92, lots=60))
    reached(told).when(proceed(limit=1)).then(
        liquidation_started("ann", GOLD, equity=400, maintenance=470),
        forced_order("ann", SELL, lots=100, limit=93, at=94, bankruptcy=900_000),
        traded(5, "ann", price=93, lots=60, side=SELL),
        liquidation_ended("ann", GOLD, REDUCED, equity=340),
    )
    told.waits().holds("ann", lots=40)
    assert told.state.accounts["ann"].positions[GOLD].auction is None  # type: ignore[index]


def test_after_the_last_step_what_is_left_goes_to_the_layers() -> None:
    told = first_step(session())
    for step, limit in ((1, 93), (2, 92)):
        reached(told).when(proceed(limit=1)).then(
            liquidation_started("ann", GOLD, equity=400, maintenance=470),
            forced_order("ann", SELL, lots=100, limit=limit, at=94, bankruptcy=900_000),
            stepped(told, step),
            liquidation_ended("ann", GOLD, REDUCED, equity=400),
            liquidation_due("ann", GOLD),
        )
        told.when(proceed()).then(put_off())
    reached(told).given(resting(5, BUY, price=91, lots=30)).when(proceed()).then(
        liquidation_started("ann", GOLD, equity=400, maintenance=470),
        forced_order("ann", SELL, lots=100, limit=90, at=94),
        traded(5, "ann", price=91, lots=30, side=SELL),
        taken_over("ann", SELL, lots=70, value=6_270, bankruptcy=895_715),
        liquidation_ended("ann", GOLD, CLOSED, equity=0),
    )


def test_steps_that_passed_unseen_are_not_made_up_for() -> None:
    told = first_step(session())
    until = told.state.accounts["ann"].positions[GOLD].auction[1]  # type: ignore[index]
    told.given(later(told, 21)).when(proceed(limit=1)).then(
        liquidation_started("ann", GOLD, equity=400, maintenance=470),
        forced_order("ann", SELL, lots=100, limit=92, at=94, bankruptcy=900_000),
        stepped(told, 2),
        liquidation_ended("ann", GOLD, REDUCED, equity=400),
        liquidation_due("ann", GOLD),
    )
    assert told.state.now > until


def test_who_recovers_between_the_steps_is_let_go_and_starts_anew() -> None:
    told = first_step(session())
    told.when(mark(96)).then(mark_moved(96)).waits(("ann", GOLD))
    told.when(proceed()).then(liquidation_ended("ann", GOLD, CURED, equity=600))
    told.when(mark(94), proceed(limit=1)).then(
        mark_moved(94),
        liquidation_due("ann", GOLD),
        liquidation_started("ann", GOLD, equity=400, maintenance=470),
        forced_order("ann", SELL, lots=100, limit=94, at=94, bankruptcy=900_000),
        stepped(told, 0),
        liquidation_ended("ann", GOLD, REDUCED, equity=400),
        liquidation_due("ann", GOLD),
    )


def test_a_new_mark_brings_no_step_forward() -> None:
    told = first_step(session())
    told.when(mark(93)).then(mark_moved(93)).waits()
    reached(told).waits(("ann", GOLD))


def test_who_waits_for_one_time_is_brought_back_by_one_fact() -> None:
    told = scenario(replace(pack(), liquidation=AUCTION)).given(deposit(INSURANCE, 10_000))
    for number, name in ((1, "ann"), (3, "bob")):
        told.given(account(name, 500, mode=ISOLATED), *position(number, BUY, price=100, lots=50, by=name))
    told.given(mark(94), proceed(), proceed()).waits()
    reached(told).waits(("ann", GOLD), ("bob", GOLD))


def test_each_pool_waits_for_its_own_step_only() -> None:
    told = scenario(replace(pack(), liquidation=AUCTION)).given(deposit(INSURANCE, 10_000))
    for number, name, price in ((1, "ann", 100), (3, "bob", 98)):
        told.given(account(name, 500, mode=ISOLATED), *position(number, BUY, price=price, lots=50, by=name))
    told.given(mark(94), proceed(), proceed(), later(told, 3), mark(92), proceed(), proceed())
    first, second = (told.state.accounts[name].positions[GOLD].auction for name in ("ann", "bob"))  # type: ignore[index]
    assert first is not None
    assert second is not None
    assert second[1] - first[1] > 2 * SECOND
    told.waits().given(c.AdvanceTime(Nanos(first[1]))).waits(("ann", GOLD)).given(proceed(), proceed())
    told.waits().given(c.AdvanceTime(Nanos(second[1]))).waits(("bob", GOLD))


@pytest.mark.parametrize(("ticks", "equity", "maintenance"), [(90, 0, 450), (89, -100, 445)])
def test_who_has_nothing_left_between_the_steps_waits_for_none(ticks: int, equity: int, maintenance: int) -> None:
    told = first_step(session())
    told.when(mark(ticks)).then(mark_moved(ticks)).waits(("ann", GOLD))
    told.when(proceed()).then(
        liquidation_started("ann", GOLD, equity=equity, maintenance=maintenance),
        forced_order("ann", SELL, lots=100, limit=90, at=ticks),
        taken_over("ann", SELL, lots=100, value=9_000),
        liquidation_ended("ann", GOLD, CLOSED, equity=0),
    )


def test_a_short_bids_more_at_every_step() -> None:
    told = session(SELL)
    told.when(mark(106)).then(mark_moved(106), liquidation_due("ann", GOLD))
    told.when(proceed(limit=1)).then(
        liquidation_started("ann", GOLD, equity=400, maintenance=560),
        forced_order("ann", BUY, lots=100, limit=107, at=106, bankruptcy=1_100_000),
        stepped(told, 0),
        liquidation_ended("ann", GOLD, REDUCED, equity=400),
        liquidation_due("ann", GOLD),
    )


def test_no_limit_is_worse_than_the_bankruptcy_price() -> None:
    told = session().given(mark(91))
    told.when(proceed(limit=1)).then(
        liquidation_started("ann", GOLD, equity=100, maintenance=455),
        forced_order("ann", SELL, lots=100, limit=91, at=91, bankruptcy=900_000),
        stepped(told, 0),
        liquidation_ended("ann", GOLD, REDUCED, equity=100),
        liquidation_due("ann", GOLD),
    )
    told.given(proceed())
    reached(told).waits(("ann", GOLD)).when(proceed(limit=1))
    assert told.batches[-1].facts[1].limit == 90  # type: ignore[union-attr]


def test_where_nothing_is_left_there_is_no_auction() -> None:
    told = session().given(mark(90))
    told.when(proceed()).then(
        liquidation_started("ann", GOLD, equity=0, maintenance=450),
        forced_order("ann", SELL, lots=100, limit=90, at=90),
        taken_over("ann", SELL, lots=100, value=9_000, bankruptcy=900_000),
        liquidation_ended("ann", GOLD, CLOSED, equity=0),
    )


def test_a_cross_pool_waits_for_one_of_its_instruments() -> None:
    told = scenario(replace(pack(), liquidation=AUCTION)).given(account("ann", 1_000))
    told.given(*position(1, BUY, price=100, lots=100, by="ann"), mark(94), proceed(limit=1))
    told.when(proceed()).then(f.LiquidationPutOff("ann", USD, GOLD, Hold.AUCTIONED))  # type: ignore[arg-type]


def test_a_pool_that_one_sale_cures_keeps_its_other_positions() -> None:
    told = scenario(replace(pack(), liquidation=AUCTION)).given(account("ann", 2_000))
    told.given(*position(1, BUY, price=100, lots=100, by="ann"))
    told.given(*position(3, BUY, price=100, lots=100, by="ann", on=TIN))
    told.given(resting(5, BUY, price=95, lots=100), mark(95), mark(94, on=TIN), mark(93, on=TIN), mark(90, on=TIN))
    told.given(proceed()).holds("ann", lots=0).holds("ann", TIN, lots=100).waits()


def test_drift_lets_what_a_liquidator_gets_grow_from_2_to_5_per_cent() -> None:
    rules = load_pack("drift").liquidation
    slot = 10**6 * 400
    assert rules.auction_interval == 1_500 * slot
    assert rules.auction_rise == 1_500 * UNIT // 10**6
    offs = [rules.auction_start + step * rules.auction_rise for step in range(rules.auction_steps)]
    assert (offs[0], offs[-1]) == (2 * PERCENT, 5 * PERCENT)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"auction_steps": 0}, "go with the style auction"),
        ({"auction_interval": 0}, "go with the style auction"),
        ({"style": LiquidationStyle.FULL}, "go with the style auction"),
        ({"auction_start": UNIT}, "ends at a discount of at most 1"),
        ({"auction_rise": -1}, "rises by no less than 0"),
        ({"window": 5}, "does not go with auctions"),
    ],
)
def test_auctions_that_make_no_sense_are_refused(wrong: dict[str, Any], line: str) -> None:
    cap = 5 if "window" in wrong else 0
    with pytest.raises(PackError, match=line):
        replace(pack(liquidation_cap=cap), liquidation=replace(AUCTION, **wrong)).check()
