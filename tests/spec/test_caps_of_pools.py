"""Caps where a pool holds several instruments: one that has no room left does not hold up the others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events import commands as c
from events.commands import INSURANCE
from events.instruments import Liquidation
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Nanos, Rate
from exchange.audit import audit
from tests.scenario import Scenario, scenario
from tests.spec.words import BUY, GOLD, TIN, account, deposit, mark, pack, position, proceed

SLICES = {"slice": Rate(UNIT // 2), "slice_above": 0, "cooldown": Nanos(SECOND)}


def capped(style: LiquidationStyle, **more: object) -> Scenario:
    """Six lots of each instrument in ten seconds: GOLD's are used up by bob. Ann holds both, cross."""
    rules = replace(
        pack(liquidation_cap=6),
        liquidation=Liquidation(style, last_resort=(Layer.FUND,), window=Nanos(10 * SECOND), **more),  # type: ignore[arg-type]
    )
    told = scenario(rules).given(deposit(INSURANCE, 10_000), account("ann", 200), account("bob", 60))
    told.given(*position(1, BUY, price=100, lots=6, by="bob"))
    told.given(*position(3, BUY, price=100, lots=10, by="ann"), *position(5, BUY, price=100, lots=4, by="ann", on=TIN))
    return told.given(c.AdvanceTime(Nanos(100 * SECOND)), mark(90), proceed())


@pytest.mark.parametrize("style", [LiquidationStyle.FULL, LiquidationStyle.SLICES])
def test_the_others_are_closed_and_it_waits(style: LiquidationStyle) -> None:
    more = SLICES if style is LiquidationStyle.SLICES else {}
    told = capped(style, **more).given(mark(84)).given(proceed())
    before = {name: abs(told.state.accounts["ann"].positions[name].lots) for name in (GOLD, TIN)}
    assert before[GOLD] == 10, "bob's liquidation left no room"
    assert before[TIN] < 4
    audit(told.batches)
