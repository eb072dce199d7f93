"""Caps per interval: so much of an instrument is liquidated, and no more until a window passed without any."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.guards import Hold
from events.instruments import Liquidation, PackError, RulePack
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Atoms, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
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
WINDOW = Nanos(10 * SECOND)


def rules(style: LiquidationStyle = LiquidationStyle.FULL, cap: int = 6, **more: Any) -> RulePack:
    """Six lots of each instrument in ten seconds."""
    return replace(
        pack(liquidation_cap=cap),
        liquidation=Liquidation(style, last_resort=(Layer.FUND,), window=WINDOW, **more),
    )


def session(**more: Any) -> Scenario:
    """Ann is long 10 at 100 with 100; the book takes 20 at 92."""
    told = scenario(rules(**more)).given(deposit(INSURANCE, 10_000), account("ann", 100))
    told.given(*position(1, BUY, price=100, lots=10, by="ann"), resting(5, BUY, price=92, lots=20))
    return told.given(c.AdvanceTime(Nanos(100 * SECOND)))


def put_off(name: str, on: str = GOLD) -> f.LiquidationPutOff:
    return f.LiquidationPutOff(name, USD, on, Hold.CAPPED)  # type: ignore[arg-type]


def window_ended(on: str = GOLD) -> f.LiquidationWindowEnded:
    return f.LiquidationWindowEnded(on)  # type: ignore[arg-type]


def later(told: Scenario, by: int) -> c.AdvanceTime:
    return c.AdvanceTime(Nanos(told.state.now + by))


def first_six(told: Scenario) -> Scenario:
    told.when(mark(92)).then(mark_moved(92), liquidation_due("ann", USD))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=46),
        forced_order("ann", SELL, lots=6, limit=90, at=92),
        traded(5, "ann", price=92, lots=6, side=SELL),
        liquidation_ended("ann", USD, REDUCED, equity=20),
    )
    return told.waits()


@pytest.mark.parametrize("style", [LiquidationStyle.FULL, LiquidationStyle.STEPS])
class TestTheRestWaits:
    """For the window to end, closed to its owner; then the due test is made again."""

    def test_what_is_capped_and_no_longer_due_is_its_owners_again(self, style: LiquidationStyle) -> None:
        first_six(session(style=style)).holds("ann", lots=4)

    def test_what_is_still_due_waits_for_the_end_of_the_window(self, style: LiquidationStyle) -> None:
        told = first_six(session(style=style))
        told.when(mark(88)).then(mark_moved(88), liquidation_due("ann", USD))
        told.when(proceed()).then(put_off("ann")).waits()
        last = told.state.contracts[GOLD].liquidated_at
        told.when(c.AdvanceTime(Nanos(last + WINDOW))).then()
        told.when(c.AdvanceTime(Nanos(last + WINDOW + 1))).then(window_ended()).waits(("ann", USD))
        told.given(resting(6, BUY, price=88, lots=9))
        told.when(proceed()).then(
            liquidation_started("ann", USD, equity=4, maintenance=18),
            forced_order("ann", SELL, lots=4, limit=87, at=88),
            traded(5, "ann", price=92, lots=4, side=SELL),
            liquidation_ended("ann", USD, CLOSED, equity=20),
        )

    def test_who_recovered_meanwhile_is_let_go(self, style: LiquidationStyle) -> None:
        told = first_six(session(style=style)).given(mark(88), proceed())
        told.when(mark(95)).then(mark_moved(95)).waits(("ann", USD))
        told.when(proceed()).then(liquidation_ended("ann", USD, CURED, equity=32))
        told.when(later(told, WINDOW)).then(window_ended()).waits()

    def test_a_new_mark_does_not_end_the_window(self, style: LiquidationStyle) -> None:
        told = first_six(session(style=style)).given(mark(88), proceed())
        told.when(mark(87)).then(mark_moved(87)).waits()
        told.when(later(told, WINDOW)).then(window_ended()).waits(("ann", USD))


def test_the_cap_is_that_of_the_instrument_whoever_is_liquidated() -> None:
    told = session(cap=15).given(account("bob", 100), *position(7, BUY, price=100, lots=10, by="bob"), mark(92))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=46),
        forced_order("ann", SELL, lots=10, limit=90, at=92),
        traded(5, "ann", price=92, lots=10, side=SELL),
        liquidation_ended("ann", USD, CLOSED, equity=20),
        liquidation_started("bob", USD, equity=20, maintenance=46),
        forced_order("bob", SELL, lots=5, limit=90, at=92),
        traded(5, "bob", price=92, lots=5, side=SELL),
        liquidation_ended("bob", USD, REDUCED, equity=20),
        liquidation_due("bob", USD),
    )
    told.when(proceed()).then(put_off("bob"))


def test_a_window_begins_anew_with_every_liquidation_in_it() -> None:
    told = session(cap=12).given(account("bob", 100), *position(7, BUY, price=100, lots=10, by="bob"))
    told.given(mark(93), mark(94), proceed(), mark(100))
    assert told.state.contracts[GOLD].liquidated == 12


def test_a_pool_with_room_in_another_instrument_is_liquidated_there() -> None:
    told = session().given(deposit("ann", 100), *position(13, BUY, price=100, lots=10, by="ann", on=TIN))
    told.given(resting(18, BUY, price=90, lots=20, on=TIN), mark(92), mark(92, on=TIN))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=40, maintenance=92),
        forced_order("ann", SELL, lots=6, limit=90, at=92),
        traded(5, "ann", price=92, lots=6, side=SELL),
        forced_order("ann", SELL, lots=6, limit=90, at=92, bankruptcy=892_000, on=TIN),
        traded(18, "ann", price=90, lots=6, side=SELL, on=TIN),
        liquidation_ended("ann", USD, REDUCED, equity=28),
        liquidation_due("ann", USD),
    )
    told.when(proceed()).then(put_off("ann"))


def test_slices_keep_to_the_cap_too() -> None:
    more = {"slice": Rate(UNIT // 2), "slice_above": Atoms(100), "cooldown": Nanos(SECOND)}
    told = session(style=LiquidationStyle.SLICES, cap=4, **more).given(mark(92))
    told.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=46),
        forced_order("ann", SELL, lots=4, limit=90, at=92),
        traded(5, "ann", price=92, lots=4, side=SELL),
        f.CooldownStarted("ann", told.state.now + SECOND),  # type: ignore[arg-type]
        liquidation_ended("ann", USD, REDUCED, equity=20),
        liquidation_due("ann", USD),
    )
    told.when(proceed()).then(put_off("ann"))


def test_slices_pass_over_what_has_no_room() -> None:
    more = {"slice": Rate(UNIT // 2), "slice_above": Atoms(10_000), "cooldown": Nanos(SECOND)}
    told = session(style=LiquidationStyle.SLICES, cap=6, **more).given(deposit("ann", 100))
    told.given(*position(13, BUY, price=100, lots=5, by="ann", on=TIN), resting(18, BUY, price=80, lots=20, on=TIN))
    told.given(mark(85), proceed(limit=1)).holds("ann", lots=4)
    told.given(mark(70), proceed()).holds("ann", TIN, lots=0)
    told.holds("ann", lots=4)


def test_after_the_window_the_whole_cap_is_there_again() -> None:
    told = first_six(session()).given(mark(88), proceed())
    told.when(later(told, WINDOW), proceed()).then(
        window_ended(),
        liquidation_started("ann", USD, equity=4, maintenance=18),
        forced_order("ann", SELL, lots=4, limit=87, at=88),
        traded(5, "ann", price=92, lots=4, side=SELL),
        liquidation_ended("ann", USD, CLOSED, equity=20),
    )


def test_synthetix_lets_its_fees_and_its_skew_scale_say_how_much() -> None:
    """Synthetix Perps V3, Liquidation.max-liquidation-amount test: 0.7 % + 0.3 % of 1,000 a second, x 1, for 10 s: 100.

    Of a position of 150 at once 100 are liquidated, and 50 after the window.
    """
    cap = (7 + 3) * 1_000 * 1 * 10 // 1_000
    assert cap == 100
    told = scenario(rules(cap=cap)).given(deposit(INSURANCE, 10**6), account("ann", 1_500))
    told.given(*position(1, BUY, price=50, lots=150, by="ann"), resting(5, BUY, price=40, lots=200))
    told.given(c.AdvanceTime(Nanos(100 * SECOND)), mark(42), proceed(), proceed()).holds("ann", lots=50)
    told.given(later(told, WINDOW), proceed()).holds("ann", lots=0)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (replace(pack(), liquidation=Liquidation(window=WINDOW)), "a window goes with the liquidation_cap"),
        (pack(liquidation_cap=5), "a window goes with the liquidation_cap"),
        (rules(cap=-1), "liquidation_cap must not be below 0"),
    ],
)
def test_caps_that_make_no_sense_are_refused(wrong: RulePack, line: str) -> None:
    with pytest.raises(PackError, match=line):
        wrong.check()
