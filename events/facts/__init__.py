"""What happened: the closed union of facts, by theme."""

from __future__ import annotations

from events.facts.account import (
    AccountOpened,
    Deposited,
    FundingPaid,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    Withdrawn,
)
from events.facts.base import Fact
from events.facts.liquidation import (
    DeficitCovered,
    LiquidationEnded,
    LiquidationFeeCharged,
    LiquidationOrderPlaced,
    LiquidationOutcome,
    LiquidationStarted,
    TakenOver,
)
from events.facts.session import (
    FundingDue,
    LiquidationDue,
    MarketAdvanced,
    MarkPriceMoved,
    Refused,
    SessionOpened,
    TimeAdvanced,
)
from events.facts.trading import Expiry, OrderAccepted, OrderCancelled, OrderExpired, OrderRested, Traded

AnyFact = (
    SessionOpened
    | Refused
    | TimeAdvanced
    | MarketAdvanced
    | MarkPriceMoved
    | FundingDue
    | LiquidationDue
    | AccountOpened
    | Deposited
    | Withdrawn
    | LeverageSet
    | MarginModeSet
    | MarginMoved
    | FundingPaid
    | OrderAccepted
    | OrderRested
    | OrderCancelled
    | OrderExpired
    | Traded
    | LiquidationStarted
    | LiquidationOrderPlaced
    | TakenOver
    | LiquidationFeeCharged
    | DeficitCovered
    | LiquidationEnded
)

__all__ = [
    "AccountOpened",
    "AnyFact",
    "DeficitCovered",
    "Deposited",
    "Expiry",
    "Fact",
    "FundingDue",
    "FundingPaid",
    "LeverageSet",
    "LiquidationDue",
    "LiquidationEnded",
    "LiquidationFeeCharged",
    "LiquidationOrderPlaced",
    "LiquidationOutcome",
    "LiquidationStarted",
    "MarginModeSet",
    "MarginMoved",
    "MarkPriceMoved",
    "MarketAdvanced",
    "OrderAccepted",
    "OrderCancelled",
    "OrderExpired",
    "OrderRested",
    "Refused",
    "SessionOpened",
    "TakenOver",
    "TimeAdvanced",
    "Traded",
    "Withdrawn",
]
