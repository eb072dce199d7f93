"""The endpoints of batches: each item for itself, answered in the order of the request, failures where they stood."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events.commands import SubmitBatch
from events.facts import ItemRefused
from gateway.binance import shapes
from gateway.binance.asking import order_of, response_of
from gateway.binance.changing import amending, cancelling
from gateway.binance.desk import Desk, Request, Routes, trading
from gateway.binance.errors import BinanceError, invalid, missing, unknown_order
from gateway.binance.finding import names_of, row_of
from gateway.binance.params import Params
from gateway.binance.placing import Placing, duplicated, is_retried, outcome
from gateway.serving.blotter_rows import OrderRow


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


BATCH_ROUTES: Routes = {
    ("POST", "/fapi/v1/batchOrders"): trading(place_batch, 5, orders=5),
    ("PUT", "/fapi/v1/batchOrders"): trading(amend_batch, 5, orders=5),
    ("DELETE", "/fapi/v1/batchOrders"): trading(cancel_batch),
}
"""Method and path -> who answers."""
