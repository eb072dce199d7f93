"""The endpoints of conditional orders: place, show, cancel."""

from __future__ import annotations

from typing import Any

from gateway.binance import shapes
from gateway.binance.asking import algo_of
from gateway.binance.changing import cancel_rows, cancelling
from gateway.binance.desk import Desk, Request, Routes, signed, trading
from gateway.binance.errors import no_order, unknown_order
from gateway.binance.finding import row_of, symbol_of, window
from gateway.binance.placing import placed
from gateway.serving.blotter_rows import OrderRow, Status


async def place(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/algoOrder."""
    return shapes.algo(desk, await placed(desk, algo_of(desk, request.account, request.params)))


def _row(desk: Desk, request: Request) -> OrderRow | None:
    """The conditional order that is named. Raises BinanceError."""
    row = row_of(desk, request, "algoId", "clientAlgoId")
    return row if row is not None and shapes.is_algo(row) else None


def show(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/algoOrder."""
    if (row := _row(desk, request)) is None:
        raise no_order()
    return shapes.algo(desk, row)


def _waits(row: OrderRow) -> bool:
    return shapes.is_algo(row) and row.status is Status.WAITING


def show_open(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/openAlgoOrders."""
    rows = desk.blotter.open_orders(request.account, symbol_of(desk, request.params))
    return [shapes.algo(desk, row) for row in rows if _waits(row)]


def show_all(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/allAlgoOrders."""
    symbol = desk.contract(request.params.need("symbol")).id
    rows = (row for row in desk.blotter.orders(request.account, symbol) if shapes.is_algo(row))
    found = window(desk, request.params, rows, lambda row: row.placed_at, lambda row: row.number, "algoId")
    return [shapes.algo(desk, row) for row in found]


async def cancel(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/algoOrder."""
    row = _row(desk, request)
    if row is None or not _waits(row):
        raise unknown_order()
    await desk.ask(cancelling(desk, request, row))
    return {"algoId": row.number, "clientAlgoId": row.client, "code": "200", "msg": "success"}


async def cancel_all(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/algoOpenOrders."""
    symbol = desk.contract(request.params.need("symbol")).id
    rows = [row for row in desk.blotter.open_orders(request.account, symbol) if _waits(row)]
    await cancel_rows(desk, request, rows)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _weight_of_open(params: Any) -> int:
    return 1 if params.values.get("symbol") else 40


ALGO_ROUTES: Routes = {
    ("POST", "/fapi/v1/algoOrder"): trading(place, 0, orders=1),
    ("GET", "/fapi/v1/algoOrder"): signed(show),
    ("DELETE", "/fapi/v1/algoOrder"): trading(cancel),
    ("GET", "/fapi/v1/openAlgoOrders"): signed(show_open, _weight_of_open),
    ("GET", "/fapi/v1/allAlgoOrders"): signed(show_all, 5),
    ("DELETE", "/fapi/v1/algoOpenOrders"): trading(cancel_all),
}
"""Method and path -> who answers."""
