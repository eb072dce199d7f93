"""The commands that amend and cancel orders which a request names."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from events.commands import AccountId, AmendOrder, CancelOrder, OrderNumber, PlaceOrder, RequestId, SubmitBatch
from events.instructions import PriceMatch
from events.refusals import Reason
from events.units import Lots
from exchange.core.contract import Contract
from exchange.core.matching.price_match import priced
from gateway.binance import shapes
from gateway.binance.asking import lots_of, match_of, side_of, ticks_of
from gateway.binance.desk import Desk, Request
from gateway.binance.errors import BinanceError, invalid, missing, no_order, not_required
from gateway.binance.finding import row_of
from gateway.serving.blotter_rows import OrderRow, Status


def amending(desk: Desk, request: Request) -> tuple[AmendOrder, OrderRow]:
    """What is to be amended to what. Raises BinanceError."""
    params, venue = request.params, desk.venue
    contract = desk.contract(params.need("symbol"))
    row, side = row_of(desk, request), side_of(params)
    if row is None or not row.is_live or not shapes.is_order(row):
        raise no_order()
    if row.price is None or row.status is Status.WAITING:
        raise BinanceError(-5025, "Only limit order is supported.")
    lots, price = lots_of(contract, params), ticks_of(contract, params, "price")
    if lots is None:
        raise missing("quantity")
    if (match := match_of(params)) is not PriceMatch.NONE:
        price = _matched(desk, contract, row, match, price)
    if price is None:
        raise missing("price")
    if side is not row.side:
        raise invalid("side")
    number = OrderNumber(row.number)
    return AmendOrder(venue.now, request.account, venue.request(), number, price, lots), row


def _matched(desk: Desk, contract: Contract, row: OrderRow, match: PriceMatch, price: Any) -> Any:
    """The price of the book that an amended order takes. Raises BinanceError."""
    if price is not None:
        raise not_required("price")
    venue, number = desk.venue, OrderNumber(row.number)
    order = PlaceOrder(
        venue.now, AccountId(""), RequestId(""), number, contract.id, row.side, Lots(row.lots), price_match=match
    )
    found = priced(contract, order)
    if isinstance(found, Reason):
        raise desk.refused(found, order)
    return found.price


def cancelling(desk: Desk, request: Request, row: OrderRow) -> CancelOrder:
    """The command that cancels an order."""
    return CancelOrder(desk.venue.now, request.account, desk.venue.request(), OrderNumber(row.number))


async def cancel_rows(desk: Desk, request: Request, rows: list[OrderRow]) -> None:
    """Cancel these, in as many batches as it takes; who ended meanwhile needs none."""
    most = desk.venue.pack.max_batch_cancels or 1
    parts = [rows[n : n + most] for n in range(0, len(rows), most)]
    await asyncio.gather(*(desk.ask(_cancelling_all(desk, request, part)) for part in parts))


def _cancelling_all(desk: Desk, request: Request, rows: list[OrderRow]) -> SubmitBatch:
    """One batch that cancels these; its items have its time."""
    venue = desk.venue
    at = venue.now
    items = tuple(replace(cancelling(desk, request, row), at=at) for row in rows)
    return SubmitBatch(at, request.account, venue.request(), items)
