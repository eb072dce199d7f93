"""An order is placed through the door: what became of it, and that the same one is not placed twice."""

from __future__ import annotations

from events.commands import PlaceOrder, PlaceTrigger
from events.facts import Expiry
from events.units import SECOND
from gateway.binance import shapes
from gateway.binance.desk import Desk
from gateway.binance.errors import BinanceError
from gateway.binance.refusals import FILL_OR_KILL, NOT_WITHIN_BOUND
from gateway.serving.blotter_rows import OrderRow

Placing = PlaceOrder | PlaceTrigger

RETRY_NS = 60 * SECOND
"""The same order sent again under the same client id, this soon after it traded, is a retry."""


async def placed(desk: Desk, command: Placing) -> OrderRow:
    """Place an order: what became of it. Raises BinanceError."""
    name = command.account, command.client
    if name in desk.flying or is_retried(desk, command):
        raise duplicated()
    desk.flying.add(name)
    try:
        await desk.ask(command)
    finally:
        desk.flying.discard(name)
    return outcome(desk, command)


def outcome(desk: Desk, command: Placing) -> OrderRow:
    """What became of an order that was not refused. Raises BinanceError where it was killed."""
    row = desk.blotter.order(command.account, command.number)
    assert row is not None, "an order that was accepted is in the blotter"
    if shapes.is_rejected(row):
        raise BinanceError(*(FILL_OR_KILL if row.why is Expiry.FILL_OR_KILL else NOT_WITHIN_BOUND))
    return row


def duplicated() -> BinanceError:
    """The client's id is that of another order."""
    return BinanceError(-4116, "clientOrderId is duplicated")


def is_retried(desk: Desk, command: Placing) -> bool:
    """Whether it is an order that traded just now, sent again under the same client id: it is not to trade twice.

    The venue wants the id to be unique among open orders, which the core sees to; one that traded at once is open no
    more by the time that its answer may be lost.
    """
    row = desk.blotter.by_client(command.account, command.client)
    if row is None or not row.executed or command.at - row.placed_at > RETRY_NS:
        return False
    same = (row.instrument, row.side, row.price) == (command.instrument, command.side, command.price)
    return same and row.lots == command.lots and (row.kind is None) == isinstance(command, PlaceOrder)
