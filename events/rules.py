"""The rules that venues differ by; a rule pack states those where it is not like `binance-usdm`: the first value."""

from __future__ import annotations

from enum import Enum


class MaintenanceBasis(Enum):
    """The price at which a position is valued for its maintenance margin."""

    MARK = "mark"
    ENTRY = "entry"


class ExitFee(Enum):
    """Whether the taker fee for closing is part of the maintenance margin, and at which price."""

    NONE = "none"
    AT_MARK = "at_mark"
    AT_BANKRUPTCY = "at_bankruptcy"


class DueAt(Enum):
    """When a pool is due: once its equity is down to its maintenance margin, or once it is below."""

    AT_MAINTENANCE = "at_maintenance"
    BELOW_MAINTENANCE = "below_maintenance"


class FundingPrice(Enum):
    """The price at which a position is valued for funding."""

    MARK = "mark"
    INDEX = "index"


class PriceShown(Enum):
    """How the venue shows a liquidation price: exactly, or as the tick where the position is due first."""

    EXACT = "exact"
    TICK = "tick"


class MarginModel(Enum):
    """What initial margin is a part of.

    leverage: notional / leverage. standard: notional x the instrument's initial margin rate, whatever the leverage.
    leveraged: notional / leverage x that rate, and maintenance margin likewise.
    """

    LEVERAGE = "leverage"
    STANDARD = "standard"
    LEVERAGED = "leveraged"


class ModeSwitch(Enum):
    """When the margin mode of an instrument may change: without position and order, or also with a position open."""

    WHEN_FLAT = "when_flat"
    WHEN_OPEN = "when_open"


class LeverageChange(Enum):
    """What a new leverage does to an isolated position that is open.

    when_flat: a lower one is refused, a higher one leaves its margin. adds_margin: a lower one adds what its margin
    lacks. resets_margin: its margin becomes entry notional / leverage, whatever was added or taken before.
    """

    WHEN_FLAT = "when_flat"
    ADDS_MARGIN = "adds_margin"
    RESETS_MARGIN = "resets_margin"


AMENDMENTS = 10_000
"""How often an order may be amended unless a pack states it. Source: Binance USD-M, "Modify Order"."""


class AmendPriority(Enum):
    """When an order that is amended keeps its place in the queue: where nothing but its size changes, and that to
    less, or never.

    Source of never: Binance USD-M, "Modify Order": modified orders are reordered in the match queue.
    """

    WHEN_SMALLER = "when_smaller"
    NEVER = "never"


class ReduceOnly(Enum):
    """What becomes of a resting reduce-only order that would close more than there is.

    cap: it stays as it is, and trades no more than that when it is met. shrink: of such orders never more rests than
    the position has; those with the best price stay, at one price the older ones, and the others shrink or expire.
    Source of shrink: OKX, help page "Reduce-only".
    """

    CAP = "cap"
    SHRINK = "shrink"


class LiquidationStyle(Enum):
    """How much of a due pool is closed: everything, bracket by bracket until it is no longer due, a share of what is
    large and the rest at the next turn, or what finds a taker at a price that gets better for him step by step.
    """

    FULL = "full"
    STEPS = "steps"
    SLICES = "slices"
    AUCTION = "auction"


class Funds(Enum):
    """Whose insurance fund bears the liquidations of an instrument: one for all, or one of its own."""

    SHARED = "shared"
    PER_INSTRUMENT = "per_instrument"


class Layer(Enum):
    """Who bears what the book does not take, in the order that a pack states."""

    FUND = "fund"
    ADL = "adl"
    SOCIALISED = "socialised"
