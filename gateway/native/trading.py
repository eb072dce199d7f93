"""Orders over the native API. A request with an `Idempotency-Key` is decided once, however often it is sent."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from events.commands import OrderNumber, RequestId, Side, SubmitBatch
from events.triggers import TriggerKind
from gateway.native.desk import Client, told
from gateway.native.messages import Amendment, NewOrder, NewOrders, Outcome, Preview
from gateway.native.orders import order_of, orders_of
from gateway.native.preview import preview
from gateway.native.problems import Asked
from replay.context import Context

TRADE, READ = {"scope": "trade"}, {"scope": "read"}


def placed(context: Context, order: NewOrder) -> Any:
    """Place an order as a strategy would."""
    how: dict[str, Any] = {
        "time_in_force": order.time_in_force, "reduce_only": order.reduce_only, "leg": order.leg,
        "client": order.client, "self_trade": order.self_trade, "good_till": order.good_till,
    }  # fmt: skip
    side = Side(order.side)
    if order.trigger_kind:
        return _waiting(context, order, side, how)
    if order.trigger is not None or order.callback != "0" or order.closes:
        raise ValueError("trigger, callback and closes go with a trigger_kind: stop, take_profit or trailing_stop")
    how |= {"price_match": order.price_match} | ({} if order.visible is None else {"visible": order.visible})
    place = context.buy if side is Side.BUY else context.sell
    return place(order.instrument, order.size, order.price, **how)


def _waiting(context: Context, order: NewOrder, side: Side, how: dict[str, Any]) -> Any:
    how |= {
        "source": order.source, "protects": order.protects, "with_position": order.with_position,
        "price_match": order.price_match,
    }  # fmt: skip
    if TriggerKind(order.trigger_kind) is TriggerKind.TRAILING_STOP:
        return context.trailing_stop(order.instrument, side, order.size, order.callback, order.trigger, **how)
    if order.trigger is None:
        raise ValueError("trigger is missing; give the price that the order waits for")
    wait = context.stop if order.trigger_kind == "stop" else context.take_profit
    size = None if order.closes else order.size
    return wait(order.instrument, side, size, order.trigger, order.price, **how)


async def _told_of(client: Client, command: Any) -> Outcome:
    outcome = await client.ask(command)
    outcome.order = order_of(client, outcome.number)
    return outcome


@post("/orders", opt=TRADE, status_code=201)
async def place_order(client: NamedDependency[Client], data: JSONBody[NewOrder]) -> Outcome:
    """Place an order. Answered once it is durable, with what has happened to it by then."""
    return await _told_of(client, client.numbered(lambda context: placed(context, data)))


@post("/orders/batch", opt=TRADE, status_code=201)
async def place_orders(client: NamedDependency[Client], data: JSONBody[NewOrders]) -> Outcome:
    """Place several orders in one batch. What was refused of them is among the facts, as `item_refused.1`."""
    venue, request = client.desk.venue, client.request()
    items: list[Any] = [client.numbered(partial(placed, order=order)) for order in data.orders]
    at = venue.now
    named = (item.__replace__(at=at, request=RequestId(f"{request}.{n}")) for n, item in enumerate(items))
    batch = SubmitBatch(at, client.account, request, tuple(named))
    return told(await venue.ask(batch), batch)


@post("/orders/preview", opt=READ, status_code=200)
async def preview_order(client: NamedDependency[Client], data: JSONBody[NewOrder]) -> Preview:
    """Say what an order would do to margin and liquidation price, without placing it."""
    command = client.made(lambda context: placed(context, data))
    return await preview(client, command, data.instrument)


@get("/orders", opt=READ)
async def list_orders(
    client: NamedDependency[Client],
    instrument: FromQuery[str] = "",
    status: FromQuery[str] = "open",
    limit: FromQuery[int] = 100,
) -> list[Any]:
    """The account's orders, oldest first: those that are open or wait (`status=open`), or `all`."""
    if status not in ("open", "all"):
        raise Asked("bad_request", f"status={status}: give open or all")
    await client.desk.venue.settled()
    return orders_of(client, instrument, status == "open")[-max(1, min(limit, 1_000)) :]


@get("/orders/{number:int}", opt=READ)
async def show_order(client: NamedDependency[Client], number: FromPath[int]) -> dict[str, Any]:
    """One order of the account, open or ended."""
    await client.desk.venue.settled()
    if (order := order_of(client, number)) is None:
        raise Asked("unknown_order", f"the account has no order {number}", 404)
    return order


@patch("/orders/{number:int}", opt=TRADE)
async def amend_order(client: NamedDependency[Client], number: FromPath[int], data: JSONBody[Amendment]) -> Outcome:
    """Give an open order another price or size."""

    def amend(context: Context) -> None:
        context.amend(
            number, price=data.price, size=data.size, trigger=data.trigger, callback=data.callback,
        )  # fmt: skip

    return await _told_of(client, client.made(amend))


@delete("/orders/{number:int}", opt=TRADE, status_code=200)
async def cancel_order(client: NamedDependency[Client], number: FromPath[int]) -> Outcome:
    """Cancel what is open of an order, or one that waits for its price."""
    return await _told_of(client, client.made(lambda context: context.cancel(OrderNumber(number))))


@delete("/orders", opt=TRADE, status_code=200)
async def cancel_orders(client: NamedDependency[Client], instrument: FromQuery[str]) -> Outcome:
    """Cancel everything that is open in an instrument, conditional orders too."""
    return await client.ask(client.made(lambda context: context.cancel_all(instrument)))


HANDLERS = [
    place_order, place_orders, preview_order, list_orders, show_order, amend_order, cancel_order, cancel_orders,
]  # fmt: skip
