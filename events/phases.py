"""What may be done in an instrument: its trading phase."""

from __future__ import annotations

from enum import Enum, unique


@unique
class TradingPhase(Enum):
    """What may be done in an instrument.

    continuous: orders meet the book as they come. halted: none is accepted, cancels pass. cancel_only: likewise, and
    the refusal says so. auction: limit orders rest without meeting, until trading is continuous again; what crosses
    then trades at one price.
    """

    CONTINUOUS = "continuous"
    HALTED = "halted"
    CANCEL_ONLY = "cancel_only"
    AUCTION = "auction"
