"""The words of trading phases and auctions."""

from __future__ import annotations

from events import commands as c
from events import facts as f
from events.phases import TradingPhase
from events.units import SECOND, Nanos
from tests.spec.words import GOLD, TICK

CONTINUOUS, HALTED = TradingPhase.CONTINUOUS, TradingPhase.HALTED
CANCEL_ONLY, AUCTION = TradingPhase.CANCEL_ONLY, TradingPhase.AUCTION


def phase(phase: TradingPhase, *, until: float = 0, on: str = GOLD) -> c.SetTradingPhase:
    """The operator says what may be done, until so many seconds after the beginning."""
    return c.SetTradingPhase(Nanos(0), on, phase, Nanos(int(until * SECOND)))  # type: ignore[arg-type]


def phase_set(phase: TradingPhase, *, until: float = 0, on: str = GOLD) -> f.TradingPhaseSet:
    return f.TradingPhaseSet(on, phase, Nanos(int(until * SECOND)))  # type: ignore[arg-type]


def uncrossed(*, price: int, lots: int, surplus: int = 0, near: int = 100, on: str = GOLD) -> f.AuctionUncrossed:
    """near: the reference, ticks."""
    return f.AuctionUncrossed(on, price, lots, surplus, near * TICK)  # type: ignore[arg-type]
