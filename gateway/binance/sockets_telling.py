"""Which facts are told on user streams, and how: by table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.record import Batch
from gateway.binance import sockets_tell_money as money
from gateway.binance import sockets_tell_orders as orders
from gateway.binance.sockets_tale import Tale

TELL: dict[type, Callable[[Tale, int, Any], None]] = {
    f.OrderAccepted: orders.accepted,
    f.OrderAmended: orders.amended,
    f.OrderShrunk: orders.amended,
    f.OrderCancelled: orders.cancelled,
    f.OrderExpired: orders.expired,
    f.TriggerPlaced: orders.waits,
    f.TriggerAmended: orders.waits,
    f.TriggerArmed: orders.waits,
    f.OrderTriggered: orders.fired,
    f.LiquidationOrderPlaced: orders.forced,
    f.Traded: orders.traded,
    f.TakenOver: orders.taken_over,
    f.Deleveraged: orders.deleveraged,
    f.LegsNetted: orders.netted,
    f.PositionSettled: money.settled,
    f.Deposited: money.deposited,
    f.Withdrawn: money.withdrawn,
    f.Transferred: money.transferred,
    f.Exchanged: money.exchanged,
    f.InterestPaid: money.interest,
    f.FundingPaid: money.funding,
    f.MarginMoved: money.margin_moved,
    f.MarginModeSet: money.mode_set,
    f.LossShared: money.loss_shared,
    f.LiquidationFeeCharged: money.fee_charged,
    f.DeficitCovered: money.deficit_covered,
    f.LeverageSet: money.leverage_set,
    f.CollateralModeSet: money.collateral_mode_set,
    f.MarginCalled: money.margin_called,
}
"""Fact -> what is told of it. Of what is not here nothing is told."""


def tell(tale: Tale, batch: Batch) -> None:
    """Tell a batch, fact by fact."""
    for record in batch.records[1:]:
        if (of := TELL.get(type(record.message))) is not None:
            of(tale, record.seq, record.message)
