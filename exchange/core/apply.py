"""The only place where state changes: a table from fact to what it changes. Nothing here can refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from exchange.core.changes import account, liquidation, phases, session, trading, triggers
from exchange.core.state import State

APPLY: dict[type[f.Fact], Callable[[State, Any], None]] = {
    f.SessionOpened: session.on_session_opened,
    f.Refused: session.on_nothing,
    f.TimeAdvanced: session.on_nothing,
    f.MarketAdvanced: session.on_market_advanced,
    f.MarkPriceMoved: session.on_mark_price_moved,
    f.IndexPriceMoved: session.on_index_price_moved,
    f.PriceBounded: session.on_nothing,
    f.BreakerTripped: phases.on_breaker_tripped,
    f.BreakerReset: phases.on_breaker_reset,
    f.TradingPhaseSet: phases.on_trading_phase_set,
    f.AuctionUncrossed: phases.on_auction_uncrossed,
    f.WithdrawalsClosed: session.on_withdrawals_closed,
    f.WithdrawalsOpened: session.on_withdrawals_opened,
    f.FundingDue: session.on_funding_due,
    f.SettlementDue: session.on_settlement_due,
    f.InterestDue: session.on_interest_due,
    f.ExchangeDue: session.on_exchange_due,
    f.LiquidationDue: session.on_liquidation_due,
    f.AccountOpened: account.on_account_opened,
    f.Deposited: account.on_deposited,
    f.Withdrawn: account.on_withdrawn,
    f.Transferred: account.on_transferred,
    f.Exchanged: account.on_exchanged,
    f.DebtsExchanged: account.on_debts_exchanged,
    f.InterestPaid: account.on_interest_paid,
    f.LeverageSet: account.on_leverage_set,
    f.MarginModeSet: account.on_margin_mode_set,
    f.PositionModeSet: account.on_position_mode_set,
    f.CollateralModeSet: account.on_collateral_mode_set,
    f.AutoAddMarginSet: account.on_auto_add_margin_set,
    f.MarginMoved: account.on_margin_moved,
    f.FundingPaid: account.on_funding_paid,
    f.PositionSettled: account.on_position_settled,
    f.OrderAccepted: trading.on_order_accepted,
    f.OrderRested: trading.on_order_rested,
    f.OrderAmended: trading.on_order_amended,
    f.OrderCancelled: trading.on_order_ended,
    f.OrderExpired: trading.on_order_ended,
    f.Traded: trading.on_traded,
    f.TriggerPlaced: triggers.on_trigger_placed,
    f.TriggersReached: triggers.on_triggers_reached,
    f.OrderTriggered: triggers.on_order_triggered,
    f.LiquidationPutOff: liquidation.on_liquidation_put_off,
    f.MarginCalled: liquidation.on_margin_called,
    f.MarginRecovered: liquidation.on_margin_recovered,
    f.LiquidationStarted: session.on_nothing,
    f.LiquidationOrderPlaced: liquidation.on_liquidation_order_placed,
    f.TakenOver: liquidation.on_taken_over,
    f.LegsNetted: liquidation.on_legs_netted,
    f.Deleveraged: liquidation.on_deleveraged,
    f.LossShared: liquidation.on_loss_shared,
    f.FundOffered: liquidation.on_fund_offered,
    f.LiquidationFeeCharged: liquidation.on_liquidation_fee_charged,
    f.DeficitCovered: liquidation.on_deficit_covered,
    f.LiquidationWindowEnded: liquidation.on_liquidation_window_ended,
    f.AuctionStepped: liquidation.on_auction_stepped,
    f.AuctionStepReached: liquidation.on_auction_step_reached,
    f.CooldownStarted: liquidation.on_cooldown_started,
    f.LiquidationEnded: liquidation.on_liquidation_ended,
}
"""Fact -> what it changes."""
