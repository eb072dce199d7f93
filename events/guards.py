"""What a venue does about prices that somebody could push: how far one statement may move them, when they are too old
to liquidate by, and when they are too disorderly to trade at.

All of it is off where a pack says nothing.
"""

from __future__ import annotations

from enum import Enum, unique

import msgspec

from events.units import UNIT, Nanos, Rate


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


@unique
class Hold(Enum):
    """Why a liquidation is put off: a mark is older than the pack allows, trading in an instrument is halted or in
    another phase than the continuous one, what the pack allows of it in a window was liquidated, or the next step of an
    auction is still to come.
    """

    STALE_MARK = "stale_mark"
    HALTED = "halted"
    CAPPED = "capped"
    AUCTIONED = "auctioned"


class Breaker(msgspec.Struct, frozen=True, omit_defaults=True):
    """A circuit breaker: a mark further than `jump`, a Rate, from one within the last `window` trips it for `halt`, ns.
    After the halt trading is continuous, or reopens by an auction of `auction` ns.

    Source: CME Group, "Dynamic Circuit Breakers": a rolling look-back window of 60 minutes whose highest and lowest
    price the limits are measured from, a halt of two minutes, and a window that starts anew when trading resumes.
    """

    jump: Rate = Rate(0)
    window: Nanos = Nanos(0)
    halt: Nanos = Nanos(0)
    auction: Nanos = Nanos(0)


NO_BREAKER = Breaker()
"""Marks trip nothing."""


class PriceGuards(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far prices may move, as Rates, and what becomes of liquidations meanwhile; 0 where there is no such rule.

    A mark stays within mark_band of the index, and within mark_step of the mark before it, which holds where both
    cannot; an index within index_step of the one before it. Nobody is liquidated by a mark older than mark_age_max, ns.
    Source of the step: Hyperliquid, HIP-3, `setOracle`, which bounds a mark to 1 % of the last one at each update.
    """

    mark_band: Rate = Rate(0)
    mark_step: Rate = Rate(0)
    index_step: Rate = Rate(0)
    mark_age_max: Nanos = Nanos(0)
    breaker: Breaker = NO_BREAKER

    def defect(self) -> str:
        """What contradicts itself, nothing where all holds together."""
        if not all(0 <= share < UNIT for share in (self.mark_band, self.mark_step, self.index_step)):
            return "mark_band, mark_step and index_step lie from 0 to below 1"
        if self.mark_age_max < 0:
            return "mark_age_max must not be below 0"
        rules = self.breaker
        is_whole = 0 < rules.jump < UNIT and rules.window > 0 and rules.halt > 0 and rules.auction >= 0
        if rules != NO_BREAKER and not is_whole:
            return "a breaker needs a jump between 0 and 1, a window and a halt"
        return ""


UNGUARDED = PriceGuards()
"""Prices are what was stated: a pack that says no more leaves no bytes."""


def either(own: PriceGuards, others: PriceGuards) -> PriceGuards:
    """Two sets of guards as one: each rule of the first where it has that rule, else the other's."""
    return PriceGuards(
        own.mark_band or others.mark_band,
        own.mark_step or others.mark_step,
        own.index_step or others.index_step,
        own.mark_age_max or others.mark_age_max,
        others.breaker if own.breaker == NO_BREAKER else own.breaker,
    )
