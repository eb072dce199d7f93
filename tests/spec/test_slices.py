"""Liquidation in slices: a share of what is large, then whole positions for the time of a cooldown."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.instruments import Liquidation, PackError, load_pack
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Atoms, Nanos, Rate
from tests.scenario import Scenario, scenario
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
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    pack,
    position,
    proceed,
    resting,
    traded,
)

REDUCED = f.LiquidationOutcome.REDUCED
SLICES = Liquidation(
    LiquidationStyle.SLICES, last_resort=(Layer.FUND,), slice=Rate(20 * UNIT // 100), slice_above=Atoms(500),
    cooldown=Nanos(30 * SECOND),
)  # fmt: skip


def cooldown(told: Scenario) -> f.CooldownStarted:
    """For 30 seconds from now on."""
    return f.CooldownStarted("ann", told.state.now + 30 * SECOND)  # type: ignore[arg-type]


def session(money: int = 100, lots: int = 10) -> Scenario:
    """Ann is long at 100; slices are a fifth of what is above 500."""
    told = scenario(replace(pack(), liquidation=SLICES)).given(deposit(INSURANCE, 10_000), account("ann", money))
    return told.given(*position(1, BUY, price=100, lots=lots, by="ann"))


def at(seconds: int) -> c.AdvanceTime:
    return c.AdvanceTime(Nanos(seconds * SECOND))


def test_a_fifth_of_what_is_large_is_closed_and_cures_the_pool() -> None:
    # at 94 equity 40, MM 47; two lots at 100 leave 8 x 94: equity 52, MM 37.6
    told = session().given(resting(5, BUY, price=100, lots=2), at(1), mark(94))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=40, maintenance=47),
        forced_order("ann", SELL, lots=2, limit=90, at=94),
        traded(5, "ann", price=100, lots=2, side=SELL),
        cooldown(told),
        liquidation_ended("ann", USD, REDUCED, equity=52),
    )
    told.waits().holds("ann", lots=8)


def test_in_the_cooldown_orders_are_for_whole_positions() -> None:
    told = session().given(resting(5, BUY, price=94, lots=9), at(1), mark(94))
    told.given(proceed(), mark(93), at(30)).waits(("ann", USD))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=32, maintenance=38),
        forced_order("ann", SELL, lots=8, limit=89, at=93),
        traded(5, "ann", price=94, lots=7, side=SELL),
        f.TakenOver("ann", GOLD, SELL, 1, 54, 540_000),  # type: ignore[arg-type]
        liquidation_ended("ann", USD, CLOSED, equity=0),
    )


def test_a_pool_that_a_slice_leaves_due_is_named_at_once_and_closed_at_its_next_turn() -> None:
    # at 92 equity 20, MM 46; two lots at 92 leave MM 36.8
    told = session().given(resting(5, BUY, price=92, lots=10), at(1), mark(92))
    told.when(proceed(limit=1)).then(
        liquidation_started("ann", USD, equity=20, maintenance=46),
        forced_order("ann", SELL, lots=2, limit=90, at=92),
        traded(5, "ann", price=92, lots=2, side=SELL),
        cooldown(told),
        liquidation_ended("ann", USD, REDUCED, equity=20),
        liquidation_due("ann", USD),
    )
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=37),
        forced_order("ann", SELL, lots=8, limit=90, at=92, bankruptcy=895_000),
        traded(5, "ann", price=92, lots=8, side=SELL),
        liquidation_ended("ann", USD, CLOSED, equity=20),
    )


def test_after_the_cooldown_slices_are_taken_again() -> None:
    told = session().given(resting(5, BUY, price=100, lots=2), at(1), mark(94), proceed())
    told.given(resting(6, BUY, price=92, lots=2), at(31), mark(92))
    told.when(proceed(limit=1)).then(
        liquidation_started("ann", USD, equity=36, maintenance=37),
        forced_order("ann", SELL, lots=2, limit=88, at=92, bankruptcy=875_000),
        traded(6, "ann", price=92, lots=2, side=SELL),
        cooldown(told),
        liquidation_ended("ann", USD, REDUCED, equity=36),
    )


def test_what_is_not_large_is_closed_whole() -> None:
    told = session(50, lots=5).given(resting(5, BUY, price=94, lots=5), at(1))
    told.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=24),
        forced_order("ann", SELL, lots=5, limit=90, at=94),
        traded(5, "ann", price=94, lots=5, side=SELL),
        liquidation_ended("ann", USD, CLOSED, equity=20),
    )


def test_positions_are_tried_one_after_the_other_until_the_pool_is_no_longer_due() -> None:
    told = session(200).given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN))
    told.given(resting(5, BUY, price=100, lots=2, on=TIN), at(1), mark(94), mark(96, on=TIN))
    told.when(mark(95, on=TIN)).then(mark_moved(95, on=TIN), liquidation_due("ann", USD))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=90, maintenance=95),
        forced_order("ann", SELL, lots=2, limit=91, at=95, bankruptcy=905_000, on=TIN),
        traded(5, "ann", price=100, lots=2, side=SELL, on=TIN),
        cooldown(told),
        liquidation_ended("ann", USD, REDUCED, equity=100),
    )


def test_hyperliquid_sends_a_fifth_of_what_is_above_100_000_and_nothing_but_whole_positions_for_30_seconds() -> None:
    rules = load_pack("hyperliquid").liquidation
    assert (rules.style, rules.slice, rules.slice_above) == (LiquidationStyle.SLICES, UNIT // 5, 100_000 * UNIT)
    assert (rules.cooldown, rules.last_resort) == (30 * SECOND, (Layer.ADL,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"slice": 0}, {"slice": UNIT + 1}, {"cooldown": 0}, {"slice_above": -1},
        {"style": LiquidationStyle.FULL}, {"style": LiquidationStyle.FULL, "slice": 0},
    ],
)  # fmt: skip
def test_slices_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PackError, match=r"easy: liquidation: a (slice|cooldown)"):
        replace(pack(), liquidation=replace(SLICES, **wrong)).check()
