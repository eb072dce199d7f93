"""The endpoints of orders: place, show, amend, cancel, one by one and in batches."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from events.commands import (
    AccountId,
    AmendOrder,
    CancelAll,
    CancelOrder,
    OrderNumber,
    PlaceOrder,
    PlaceTrigger,
    RequestId,
    SetCountdown,
    SubmitBatch,
)
from events.facts import Expiry, ItemRefused
from events.instructions import PriceMatch
from events.refusals import Reason
from events.units import SECOND, Lots, Nanos
from exchange.core.contract import Contract
from exchange.core.matching.price_match import priced
from gateway.binance import shapes
from gateway.binance.asking import lots_of, match_of, order_of, response_of, side_of, ticks_of
from gateway.binance.desk import Desk, Request, Routes, signed, trading
from gateway.binance.errors import BinanceError, invalid, missing, no_order, not_required, unknown_order
from gateway.binance.finding import names_of, row_of, symbol_of, window
from gateway.binance.params import Params
from gateway.binance.refusals import FILL_OR_KILL, NOT_WITHIN_BOUND
from gateway.serving.blotter_rows import OrderRow, Status

Placing = PlaceOrder | PlaceTrigger

RETRY_NS = 60 * SECOND
"""The same order sent again under the same client id, this soon after it traded, is a retry."""


async def place(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/order."""
    row = await placed(desk, order_of(desk, request.account, request.params))
    return shapes.order(desk, row, with_time=False) if response_of(request.params) else shapes.taken(desk, row)


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


async def try_order(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/order/test: what would be asked, without asking it."""
    command = order_of(desk, request.account, request.params)
    for reason, value in (
        (Reason.SIZE_OFF_LOT, command.lots),
        (Reason.PRICE_OFF_TICK, command.price),
    ):
        if isinstance(value, str):
            raise desk.refused(reason, command)
    now = command.at
    row = OrderRow(
        command.number, command.instrument, command.side, int(command.lots), command.price,  # type: ignore[arg-type]
        command.time_in_force, command.reduce_only, now, now, 0, leg=command.leg, client=command.client,
    )  # fmt: skip
    return shapes.taken(desk, row)


def show(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/order."""
    request.params.need("symbol")
    row = row_of(desk, request)
    if row is None or not shapes.is_order(row):
        raise no_order()
    return shapes.order(desk, row)


def show_open(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/openOrder."""
    request.params.need("symbol")
    row = row_of(desk, request)
    if row is None or not row.is_live or not shapes.is_order(row):
        raise no_order()
    return shapes.order(desk, row)


def open_orders(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/openOrders."""
    rows = desk.blotter.open_orders(request.account, symbol_of(desk, request.params))
    return [shapes.order(desk, row) for row in rows if shapes.is_order(row)]


def all_orders(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/allOrders."""
    symbol = desk.contract(request.params.need("symbol")).id
    rows = (row for row in desk.blotter.orders(request.account, symbol) if shapes.is_order(row))
    found = window(desk, request.params, rows, lambda row: row.placed_at, lambda row: row.number, "orderId")
    return [shapes.order(desk, row) for row in found]


# Amending


async def amend(desk: Desk, request: Request) -> Any:
    """PUT /fapi/v1/order."""
    command, row = amending(desk, request)
    await desk.ask(command)
    return shapes.order(desk, row, with_time=False)


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


# Cancelling


async def cancel(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/order."""
    request.params.need("symbol")
    row = row_of(desk, request)
    if row is None or not row.is_live or not shapes.is_order(row):
        raise unknown_order()
    await desk.ask(cancelling(desk, request, row))
    return shapes.order(desk, row, with_time=False)


def cancelling(desk: Desk, request: Request, row: OrderRow) -> CancelOrder:
    """The command that cancels an order."""
    return CancelOrder(desk.venue.now, request.account, desk.venue.request(), OrderNumber(row.number))


async def cancel_all(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/allOpenOrders: conditional orders stay, which have an endpoint of their own."""
    contract, venue = desk.contract(request.params.need("symbol")), desk.venue
    rows = desk.blotter.open_orders(request.account, contract.id)
    if all(shapes.is_order(row) for row in rows):
        await desk.ask(CancelAll(venue.now, request.account, venue.request(), contract.id))
    else:
        await cancel_rows(desk, request, [row for row in rows if shapes.is_order(row)])
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


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


async def count_down(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/countdownCancelAll."""
    contract, venue = desk.contract(request.params.need("symbol")), desk.venue
    after = request.params.need_whole("countdownTime")
    if not 0 <= after <= 10**12:
        raise invalid("countdownTime")
    await desk.ask(SetCountdown(venue.now, request.account, venue.request(), contract.id, Nanos(after * 1_000_000)))
    return {"symbol": contract.id, "countdownTime": str(after)}


# Batches


async def place_batch(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/batchOrders: each order for itself; failures stand where their order stood."""
    items = _items(request.params, desk.venue.pack.max_batch)
    found: list[Any] = [None] * len(items)
    commands: dict[int, Placing] = {}
    clients: set[str] = set()
    for n, item in enumerate(items):
        try:
            command = order_of(desk, request.account, item)
            if command.client in clients or is_retried(desk, command):
                raise duplicated()
            commands[n] = command
            clients.add(command.client)
        except BinanceError as error:
            found[n] = error.answer()
    await _submitted(desk, request, commands, found, lambda n: _placed_item(desk, commands[n], items[n]))
    return found


def _placed_item(desk: Desk, command: Placing, item: Params) -> Any:
    row = outcome(desk, command)
    return shapes.order(desk, row, with_time=False) if response_of(item) else shapes.taken(desk, row)


async def amend_batch(desk: Desk, request: Request) -> Any:
    """PUT /fapi/v1/batchOrders."""
    items = _items(request.params, desk.venue.pack.max_batch)
    found: list[Any] = [None] * len(items)
    commands: dict[int, Any] = {}
    rows: dict[int, OrderRow] = {}
    for n, item in enumerate(items):
        try:
            commands[n], rows[n] = amending(desk, request._replace(params=item))
        except BinanceError as error:
            found[n] = error.answer()
    await _submitted(desk, request, commands, found, lambda n: shapes.order(desk, rows[n], with_time=False))
    return found


async def cancel_batch(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/batchOrders."""
    params = request.params
    symbol = desk.contract(params.need("symbol")).id
    ids = names_of(params, "orderIdList", "orderidlist")
    clients = names_of(params, "origClientOrderIdList", "origclientorderidlist")
    if ids is None and clients is None:
        raise missing("orderIdList")
    name = "origClientOrderId" if ids is None else "orderId"
    asked = [{name: one} for one in (clients if ids is None else ids) or ()]
    if not 0 < len(asked) <= desk.venue.pack.max_batch_cancels:
        raise batch_size(len(asked))
    found: list[Any] = [None] * len(asked)
    commands: dict[int, Any] = {}
    rows: dict[int, OrderRow] = {}
    for n, one in enumerate(asked):
        try:
            row = row_of(desk, request._replace(params=Params({"symbol": symbol, **one})))
            if row is None or not row.is_live or not shapes.is_order(row) or row in rows.values():
                raise unknown_order()
            commands[n], rows[n] = cancelling(desk, request, row), row
        except BinanceError as error:
            found[n] = error.answer()
    await _submitted(desk, request, commands, found, lambda n: shapes.order(desk, rows[n], with_time=False))
    return found


def batch_size(count: int) -> BinanceError:
    """Too many orders in a batch, or none."""
    return BinanceError(-4082, f"Invalid number of batch place orders: {count}")


async def _submitted(desk: Desk, request: Request, commands: dict[int, Any], found: list[Any], shape: Any) -> None:
    """Submit what of a batch makes sense as one command, and fill in what became of each item. Raises BinanceError."""
    if not commands:
        return
    venue = desk.venue
    at = max(command.at for command in commands.values())
    places, items = list(commands), tuple(replace(command, at=at) for command in commands.values())
    batch = await desk.tell(SubmitBatch(at, request.account, venue.request(), items))
    assert batch is not None, "its request is new"
    refused = {fact.item: fact.reason for fact in batch.facts if isinstance(fact, ItemRefused)}
    for number, n in enumerate(places):
        try:
            if (reason := refused.get(number)) is not None:
                raise desk.refused(reason, commands[n])
            found[n] = shape(n)
        except BinanceError as error:
            found[n] = error.answer()


def _items(params: Params, most: int) -> list[Params]:
    """The orders of a batch. Raises BinanceError."""
    items = params.json("batchOrders", "batchorders")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid("batchOrders")
    if not 0 < len(items) <= most:
        raise batch_size(len(items))
    return [Params.of(item) for item in items]


def _weight_of_open(params: Params) -> int:
    return 1 if params.values.get("symbol") else 40


TRADING_ROUTES: Routes = {
    ("POST", "/fapi/v1/order"): trading(place, 0, orders=1),
    ("POST", "/fapi/v1/order/test"): trading(try_order, 0),
    ("GET", "/fapi/v1/order"): signed(show),
    ("PUT", "/fapi/v1/order"): trading(amend, 1, orders=1),
    ("DELETE", "/fapi/v1/order"): trading(cancel),
    ("GET", "/fapi/v1/openOrder"): signed(show_open),
    ("GET", "/fapi/v1/openOrders"): signed(open_orders, _weight_of_open),
    ("GET", "/fapi/v1/allOrders"): signed(all_orders, 5),
    ("DELETE", "/fapi/v1/allOpenOrders"): trading(cancel_all),
    ("POST", "/fapi/v1/countdownCancelAll"): trading(count_down, 10),
    ("POST", "/fapi/v1/batchOrders"): trading(place_batch, 5, orders=5),
    ("PUT", "/fapi/v1/batchOrders"): trading(amend_batch, 5, orders=5),
    ("DELETE", "/fapi/v1/batchOrders"): trading(cancel_batch),
}
"""Method and path -> who answers."""
