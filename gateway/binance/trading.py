"""The endpoints of orders: place, show, amend, cancel."""

from __future__ import annotations

from typing import Any

from events.commands import CancelAll, SetCountdown
from events.refusals import Reason
from events.units import Nanos
from gateway.binance import shapes
from gateway.binance.asking import order_of, response_of
from gateway.binance.batching import BATCH_ROUTES
from gateway.binance.changing import amending, cancel_rows, cancelling
from gateway.binance.desk import Desk, Request, Routes, signed, trading
from gateway.binance.errors import invalid, no_order, unknown_order
from gateway.binance.finding import row_of, symbol_of, window
from gateway.binance.params import Params
from gateway.binance.placing import placed
from gateway.serving.blotter_rows import OrderRow


async def place(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/order."""
    row = await placed(desk, order_of(desk, request.account, request.params))
    return shapes.order(desk, row, with_time=False) if response_of(request.params) else shapes.taken(desk, row)


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


async def amend(desk: Desk, request: Request) -> Any:
    """PUT /fapi/v1/order."""
    command, row = amending(desk, request)
    await desk.ask(command)
    return shapes.order(desk, row, with_time=False)


async def cancel(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/order."""
    request.params.need("symbol")
    row = row_of(desk, request)
    if row is None or not row.is_live or not shapes.is_order(row):
        raise unknown_order()
    await desk.ask(cancelling(desk, request, row))
    return shapes.order(desk, row, with_time=False)


async def cancel_all(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/allOpenOrders: conditional orders stay, which have an endpoint of their own."""
    contract, venue = desk.contract(request.params.need("symbol")), desk.venue
    rows = desk.blotter.open_orders(request.account, contract.id)
    if all(shapes.is_order(row) for row in rows):
        await desk.ask(CancelAll(venue.now, request.account, venue.request(), contract.id))
    else:
        await cancel_rows(desk, request, [row for row in rows if shapes.is_order(row)])
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


async def count_down(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/countdownCancelAll."""
    contract, venue = desk.contract(request.params.need("symbol")), desk.venue
    after = request.params.need_whole("countdownTime")
    if not 0 <= after <= 10**12:
        raise invalid("countdownTime")
    await desk.ask(SetCountdown(venue.now, request.account, venue.request(), contract.id, Nanos(after * 1_000_000)))
    return {"symbol": contract.id, "countdownTime": str(after)}


def _weight_of_open(params: Params) -> int:
    return 1 if params.values.get("symbol") else 40


TRADING_ROUTES: Routes = {
    **BATCH_ROUTES,
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
}
"""Method and path -> who answers."""
