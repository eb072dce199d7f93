"""Facts of a liquidation, in the order in which they happen."""

from __future__ import annotations

from enum import Enum, unique

from events.commands import INSURANCE, AccountId, Side
from events.facts.base import Fact
from events.guards import Hold
from events.instruments import InstrumentId, Leg
from events.units import Atoms, Lots, MarkUnits, Nanos, Ticks


@unique
class LiquidationOutcome(Enum):
    """How a liquidation ended: the pool recovered before anything was closed, everything in it was closed, as much as
    it took until it was no longer due, as its slices were, or as one batch has room for, where it is due again at once.
    """

    CURED = "cured"
    CLOSED = "closed"
    REDUCED = "reduced"


class LiquidationPutOff(Fact, tag="liquidation_put_off.1"):
    """A pool that is due waits for an instrument that it holds: for its next mark, for the end of its halt, for the
    end of its window, or for the next step of its auction.
    """

    account: AccountId
    pool: str
    instrument: InstrumentId
    why: Hold


class MarginCalled(Fact, tag="margin_called.1"):
    """MM / equity of a pool came to the pack's warning ratio: its owner is warned, once until `MarginRecovered`.

    equity is rounded down, maintenance up, atoms of the settle asset.
    """

    account: AccountId
    pool: str
    equity: Atoms
    maintenance: Atoms


class MarginRecovered(Fact, tag="margin_recovered.1"):
    """MM / equity of a warned pool is below the warning ratio again, or it carries no position any more."""

    account: AccountId
    pool: str


class LiquidationStarted(Fact, tag="liquidation_started.1"):
    """The engine took over a pool. equity is rounded down, maintenance up, atoms of the settle asset."""

    account: AccountId
    pool: str
    equity: Atoms
    maintenance: Atoms


class LiquidationOrderPlaced(Fact, tag="liquidation_order_placed.1"):
    """A forced immediate-or-cancel order meets the book; `limit` is the bankruptcy price, or that of a step
    of an auction, rounded to a safe tick.

    mark is the mark price at that moment, bankruptcy the bankruptcy price in mark units.
    """

    account: AccountId
    instrument: InstrumentId
    side: Side
    lots: Lots
    limit: Ticks
    mark: MarkUnits
    bankruptcy: MarkUnits
    leg: Leg = Leg.NET


class TakenOver(Fact, tag="taken_over.1"):
    """The insurance fund took what the book could not, at the bankruptcy price: `value` atoms for `lots`.

    side is the side on which the account traded: sell where it was long. fee, atoms, is the account's, where the venue
    charges the taker fee for a liquidation.
    """

    account: AccountId
    instrument: InstrumentId
    side: Side
    lots: Lots
    value: Atoms
    bankruptcy: MarkUnits
    leg: Leg = Leg.NET
    fee: Atoms = Atoms(0)


class LegsNetted(Fact, tag="legs_netted.1"):
    """Long and short leg of an instrument closed each other, both at `value` atoms for `lots`: the mark."""

    account: AccountId
    instrument: InstrumentId
    lots: Lots
    value: Atoms


class Deleveraged(Fact, tag="deleveraged.1"):
    """A position was closed against another one of the opposite side, at the bankruptcy price: `value` for `lots`.

    side is the side on which the liquidated account traded. `against` is the account of the other position, chosen by
    rank; MARKET where no ranked account was left. fee is that of the liquidated account, as in `TakenOver`.
    """

    account: AccountId
    instrument: InstrumentId
    side: Side
    lots: Lots
    value: Atoms
    bankruptcy: MarkUnits
    against: AccountId
    leg: Leg = Leg.NET
    against_leg: Leg = Leg.NET
    fee: Atoms = Atoms(0)


class LossShared(Fact, tag="loss_shared.1"):
    """A winner of the instrument paid its part of a loss that the insurance fund could not bear."""

    account: AccountId
    instrument: InstrumentId
    amount: Atoms
    leg: Leg = Leg.NET


class FundOffered(Fact, tag="fund_offered.1"):
    """The insurance fund offered what it holds of an instrument to the book, at the mark or better."""

    instrument: InstrumentId
    lots: Lots


class LiquidationFeeCharged(Fact, tag="liquidation_fee_charged.1"):
    """The liquidation fee went from the pool to the insurance fund, that of the instrument which was closed."""

    account: AccountId
    pool: str
    amount: Atoms
    fund: AccountId = INSURANCE


class DeficitCovered(Fact, tag="deficit_covered.1"):
    """The insurance fund brought a pool without a position, and below zero, back to zero."""

    account: AccountId
    pool: str
    amount: Atoms
    fund: AccountId = INSURANCE


class CooldownStarted(Fact, tag="cooldown_started.1"):
    """A slice of a position was liquidated: until then forced orders of the account are for whole positions."""

    account: AccountId
    until: Nanos


class LiquidationWindowEnded(Fact, tag="liquidation_window_ended.1"):
    """A window without any liquidation of the instrument passed: its cap is there again for those who waited."""

    instrument: InstrumentId


class AuctionStepped(Fact, tag="auction_stepped.1"):
    """A step of an auction, the first is 0, left the pool due: the next one comes at `until`."""

    account: AccountId
    pool: str
    step: int
    until: Nanos


class AuctionStepReached(Fact, tag="auction_step_reached.1"):
    """The time came for the next step of those auctions that wait for the instrument."""

    instrument: InstrumentId
    at: Nanos


class LiquidationEnded(Fact, tag="liquidation_ended.1"):
    """The liquidation of a pool is over, for this time; equity is what is left in it."""

    account: AccountId
    pool: str
    outcome: LiquidationOutcome
    equity: Atoms
