"""What happened: the closed union of facts, by theme."""

from __future__ import annotations

from events.facts.account import (
    AccountOpened,
    AutoAddMarginSet,
    CollateralModeSet,
    DebtsExchanged,
    Deposited,
    Exchanged,
    FundingPaid,
    InterestPaid,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    PositionModeSet,
    PositionSettled,
    Transferred,
    Withdrawn,
)
from events.facts.base import Fact
from events.facts.handling import (
    AllCancelled,
    CountdownEnded,
    CountdownSet,
    CountdownsReached,
    ItemRefused,
    ItemRepeated,
)
from events.facts.liquidation import (
    AuctionStepped,
    AuctionStepReached,
    CooldownStarted,
    DeficitCovered,
    Deleveraged,
    FundOffered,
    LegsNetted,
    LiquidationEnded,
    LiquidationFeeCharged,
    LiquidationOrderPlaced,
    LiquidationOutcome,
    LiquidationPutOff,
    LiquidationStarted,
    LiquidationWindowEnded,
    LossShared,
    MarginCalled,
    MarginRecovered,
    TakenOver,
)
from events.facts.session import (
    AuctionUncrossed,
    BreakerReset,
    BreakerTripped,
    ExchangeDue,
    FundingDue,
    IndexPriceMoved,
    InterestDue,
    LiquidationDue,
    MarketAdvanced,
    MarkPriceMoved,
    PriceBounded,
    Refused,
    SessionOpened,
    SettlementDue,
    TimeAdvanced,
    TradingPhaseSet,
    WithdrawalsClosed,
    WithdrawalsOpened,
)
from events.facts.trading import (
    Expiry,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderRested,
    OrderShrunk,
    Traded,
)
from events.facts.triggers import OrderTriggered, TriggerAmended, TriggerArmed, TriggerPlaced, TriggersReached

AnyFact = (
    SessionOpened
    | Refused
    | TimeAdvanced
    | MarketAdvanced
    | MarkPriceMoved
    | IndexPriceMoved
    | PriceBounded
    | BreakerTripped
    | BreakerReset
    | TradingPhaseSet
    | AuctionUncrossed
    | WithdrawalsClosed
    | WithdrawalsOpened
    | FundingDue
    | SettlementDue
    | InterestDue
    | ExchangeDue
    | LiquidationDue
    | AccountOpened
    | Deposited
    | Withdrawn
    | Transferred
    | Exchanged
    | DebtsExchanged
    | InterestPaid
    | LeverageSet
    | MarginModeSet
    | PositionModeSet
    | CollateralModeSet
    | AutoAddMarginSet
    | MarginMoved
    | FundingPaid
    | PositionSettled
    | OrderAccepted
    | OrderRested
    | OrderAmended
    | OrderShrunk
    | OrderCancelled
    | OrderExpired
    | Traded
    | AllCancelled
    | ItemRefused
    | ItemRepeated
    | CountdownSet
    | CountdownsReached
    | CountdownEnded
    | TriggerPlaced
    | TriggerAmended
    | TriggerArmed
    | TriggersReached
    | OrderTriggered
    | LiquidationPutOff
    | MarginCalled
    | MarginRecovered
    | LiquidationStarted
    | LiquidationOrderPlaced
    | TakenOver
    | LegsNetted
    | Deleveraged
    | LossShared
    | FundOffered
    | LiquidationFeeCharged
    | DeficitCovered
    | AuctionStepped
    | AuctionStepReached
    | CooldownStarted
    | LiquidationWindowEnded
    | LiquidationEnded
)

__all__ = [
    "AccountOpened",
    "AllCancelled",
    "AnyFact",
    "AuctionStepReached",
    "AuctionStepped",
    "AuctionUncrossed",
    "AutoAddMarginSet",
    "BreakerReset",
    "BreakerTripped",
    "CollateralModeSet",
    "CooldownStarted",
    "CountdownEnded",
    "CountdownSet",
    "CountdownsReached",
    "DebtsExchanged",
    "DeficitCovered",
    "Deleveraged",
    "Deposited",
    "ExchangeDue",
    "Exchanged",
    "Expiry",
    "Fact",
    "FundOffered",
    "FundingDue",
    "FundingPaid",
    "IndexPriceMoved",
    "InterestDue",
    "InterestPaid",
    "ItemRefused",
    "ItemRepeated",
    "LegsNetted",
    "LeverageSet",
    "LiquidationDue",
    "LiquidationEnded",
    "LiquidationFeeCharged",
    "LiquidationOrderPlaced",
    "LiquidationOutcome",
    "LiquidationPutOff",
    "LiquidationStarted",
    "LiquidationWindowEnded",
    "LossShared",
    "MarginCalled",
    "MarginModeSet",
    "MarginMoved",
    "MarginRecovered",
    "MarkPriceMoved",
    "MarketAdvanced",
    "OrderAccepted",
    "OrderAmended",
    "OrderCancelled",
    "OrderExpired",
    "OrderRested",
    "OrderShrunk",
    "OrderTriggered",
    "PositionModeSet",
    "PositionSettled",
    "PriceBounded",
    "Refused",
    "SessionOpened",
    "SettlementDue",
    "TakenOver",
    "TimeAdvanced",
    "Traded",
    "TradingPhaseSet",
    "Transferred",
    "TriggerAmended",
    "TriggerArmed",
    "TriggerPlaced",
    "TriggersReached",
    "WithdrawalsClosed",
    "WithdrawalsOpened",
    "Withdrawn",
]
