"""What a venue does about prices that somebody could push: how far one statement may move them.

All of it is off where a pack says nothing.
"""

from __future__ import annotations

from enum import Enum, unique

import msgspec

from events.units import UNIT, Rate


@unique
class PriceKind(Enum):
    """Which price of an instrument."""

    MARK = "mark"
    INDEX = "index"


@unique
class Bound(Enum):
    """What bounds a price: a band around the index, or the largest move of one update."""

    BAND = "band"
    STEP = "step"


class PriceGuards(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far prices may move, as Rates; 0 where there is no such rule.

    A mark stays within mark_band of the index, and within mark_step of the mark before it, which holds where both
    cannot; an index within index_step of the one before it. Source: Hyperliquid, HIP-3, `setOracle`, which bounds
    a mark to 1 % of the last one at each update.
    """

    mark_band: Rate = Rate(0)
    mark_step: Rate = Rate(0)
    index_step: Rate = Rate(0)

    def defect(self) -> str:
        """What contradicts itself, nothing where all holds together."""
        if not all(0 <= share < UNIT for share in (self.mark_band, self.mark_step, self.index_step)):
            return "mark_band, mark_step and index_step lie from 0 to below 1"
        return ""


UNGUARDED = PriceGuards()
"""Prices are what was stated: a pack that says no more leaves no bytes."""
