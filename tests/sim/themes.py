"""Rules by chance but for a theme: what meets seldom by chance is put together, so that it meets in all such worlds."""

from __future__ import annotations

from events.guards import UNGUARDED
from events.rules import Layer, LiquidationStyle, MarginModel
from events.units import SECOND, UNIT
from tests.sim.chance import HOUR, Theme

BESIDE = ("BTCUSDT", "BTCUSDT-Q", "ETHUSDT-Q")
"""Instruments that share a pool."""

CALM = {"guards": UNGUARDED, "margin_model": MarginModel.LEVERAGE, "margin_step": 0, "withdrawal_gate": 0}
AUCTION = {
    "style": LiquidationStyle.AUCTION, "window": 0, "backstop": 0, "auction_start": 0, "auction_rise": UNIT // 1000,
    "auction_steps": 5, "auction_interval": 60 * SECOND,
}  # fmt: skip

SLICES = {"style": LiquidationStyle.SLICES, "slice_above": 0, "cooldown": 30 * SECOND, "backstop": 0}

THEMES = {
    "auctions": Theme(CALM, AUCTION, {}, BESIDE, False),
    "auctions in full batches": Theme(CALM, AUCTION, {}, BESIDE, False, 5),
    "caps of whole pools": Theme(
        CALM, {"style": LiquidationStyle.FULL, "window": HOUR, "backstop": 0}, {"liquidation_cap": 3}, BESIDE, False
    ),
    "caps of slices": Theme(
        CALM, SLICES | {"window": HOUR, "slice": UNIT}, {"liquidation_cap": 100}, BESIDE, False
    ),
    "slices": Theme(CALM, SLICES | {"window": 0, "slice": UNIT // 5}, {}, BESIDE, False),
    "losses that are shared": Theme(CALM, {"last_resort": (Layer.SOCIALISED,), "backstop": 0}, {}, BESIDE, False),
    "winners": Theme(CALM, {"last_resort": (Layer.ADL,), "backstop": 0}, {}, BESIDE),
    "winners in full batches": Theme(
        CALM, {"last_resort": (Layer.ADL,), "style": LiquidationStyle.FULL, "backstop": 0, "window": 0}, {}, BESIDE,
        False, 6,
    ),
    "debts in full batches": Theme(CALM | {"interest_interval": HOUR // 10}, batch_facts=4),
    "legs": Theme(
        CALM, {"style": LiquidationStyle.STEPS, "backstop": 0, "last_resort": (Layer.ADL,)}, {}, BESIDE, False
    ),
    "warnings": Theme(CALM, {"warning": UNIT * 3 // 10}),
}  # fmt: skip
"""Each in its turn."""


def theme_of(seed: int) -> Theme | None:
    """The theme of a seed, if it has one: every fourth has."""
    return list(THEMES.values())[seed // 4 % len(THEMES)] if seed % 4 == 2 else None
