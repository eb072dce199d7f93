"""What several scripts begin with."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import INSURANCE
from events.instruments import Liquidation
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.spec.words import BUY, PERCENT, TIN, account, deposit, pack, position

FUND, ADL = (Layer.FUND,), (Layer.ADL,)
LATER = c.AdvanceTime(Nanos(100 * SECOND))
WARNS = Rate(80 * PERCENT)

AUCTION = Liquidation(
    LiquidationStyle.AUCTION, last_resort=FUND, auction_start=Rate(PERCENT), auction_rise=Rate(PERCENT),
    auction_steps=3, auction_interval=Nanos(10 * SECOND),
)  # fmt: skip
"""1 % off the mark, 2 % after ten seconds, 3 % after twenty, and after thirty the layers."""

SLICES = Liquidation(LiquidationStyle.SLICES, last_resort=FUND, slice=Rate(UNIT // 5), cooldown=Nanos(SECOND))
STEPS = Liquidation(LiquidationStyle.STEPS, last_resort=FUND)
WINDOW = {"window": Nanos(10 * SECOND)}


def under(liquidation: Liquidation, fund: int = 10_000, **terms: Any) -> Scenario:
    """A session under the easy pack, but for how pools are liquidated; the fund has means."""
    told = scenario(replace(pack(**terms), liquidation=liquidation))
    return told.given(deposit(INSURANCE, fund)) if fund else told


def ann(money: int = 100, lots: int = 10, **more: Any) -> list[Any]:
    """Ann is long GOLD at 100."""
    return [account("ann", money, **more), *position(1, BUY, price=100, lots=lots, by="ann")]


def and_tin(lots: int = 10, by: str = "ann") -> list[Any]:
    """And long TIN."""
    return position(3, BUY, price=100, lots=lots, by=by, on=TIN)
