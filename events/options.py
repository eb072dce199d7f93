"""What a session chooses beside its rule pack; part of its first fact."""

from __future__ import annotations

from enum import Enum

import msgspec

from events.guards import UNGUARDED, PriceGuards
from events.latency import NO_LATENCY, Latency
from events.units import UNIT, Nanos, Rate


class MarkSource(Enum):
    """Where marks come from when the data has none: the book's mid price or the last print, once a second."""

    DATA = "data"
    MID = "mid"
    LAST = "last"


class QueueModel(Enum):
    """Where shrinkage of a level that no print explains is taken from, as seen from an own order."""

    BEHIND = "behind"
    AHEAD = "ahead"
    PROPORTIONAL = "proportional"


class TradeFills(Enum):
    """What fills a resting order where history has trades and no book: nothing but a book that may still come, a trade
    through its price, or one that touches it.
    """

    BOOK = "book"
    THROUGH = "through"
    TOUCH = "touch"


class Impact(Enum):
    """Whether what a trader took from history's book stays taken until history states the level again."""

    CONSUME = "consume"
    NONE = "none"


class FundingSource(Enum):
    """Where funding rates come from: fed in by the venue's own history, or computed from the premium."""

    FED = "fed"
    PREMIUM = "premium"


WEIGHTS_MAX, WEIGHT_MAX = 64, 1_000_000
"""So many parts of a queue at most, and so large a weight."""


class SessionOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session chose beside its rule pack; part of the first fact.

    max_slippage is the Rate within which of the mark market orders trade, where that is less than the instrument's own
    market_take_bound; 0: there is no such option. Guards that a session states take the place of the pack's. For so
    long after it opens, opening_auction, ns, every contract is in an auction, which then uncrosses; 0: it is not.
    trade_fills is for instruments of which history has no book. latency is what accounts' programs were held to.
    queue_weights are a queue model of the session's own, in the place of queue_model: one for each of so many equal
    parts of a queue, front first, to which the share of a part's lots that leave is in proportion.
    """

    mark_source: MarkSource = MarkSource.DATA
    queue_model: QueueModel = QueueModel.PROPORTIONAL
    impact: Impact = Impact.CONSUME
    funding: FundingSource = FundingSource.FED
    max_slippage: Rate = Rate(0)
    guards: PriceGuards = UNGUARDED
    opening_auction: Nanos = Nanos(0)
    trade_fills: TradeFills = TradeFills.BOOK
    latency: Latency = NO_LATENCY
    queue_weights: tuple[int, ...] = ()

    def defect(self) -> str:
        """What contradicts itself, nothing where all holds together."""
        if not 0 <= self.max_slippage < UNIT:
            return "max_slippage lies from 0 to below 1"
        if self.opening_auction < 0:
            return "opening_auction must not be below 0"
        return self.guards.defect() or self.latency.defect() or self._defect_of_queue()

    def _defect_of_queue(self) -> str:
        weights = self.queue_weights
        if not weights:
            return ""
        if self.queue_model is not QueueModel.PROPORTIONAL:
            return "queue_weights take the place of queue_model; state one of them"
        if len(weights) > WEIGHTS_MAX or min(weights) < 0 or not 0 < max(weights) <= WEIGHT_MAX:
            return f"queue_weights are up to {WEIGHTS_MAX} numbers from 0 to {WEIGHT_MAX}, one of them above 0"
        return ""
