"""Batches through the Binance door: each item for itself, answered in the order of the request."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from events.commands import ClientId, PlaceOrder, PlaceTrigger, RequestId, Side, SubmitBatch
from events.linked import PlaceLinked
from events.triggers import TriggerKind
from events.units import Lots, Ticks
from tests.binance import Client, call, client
from tests.loop import in_loop
from tests.serving import BTC


def item(price: Any = "50000", **how: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.1, "price": price,
        **how,
    }  # fmt: skip


@in_loop
async def test_failures_stand_where_their_order_stood() -> None:
    c = await client()
    items = [
        item(newClientOrderId="a"), item("60100", timeInForce="GTX"), item(50_001.5), item(side="UP"),
        item(newClientOrderId="a"),
    ]  # fmt: skip
    found = await c.post("/v1/batchOrders", batchOrders=items)
    assert [one.get("code", one.get("status")) for one in found] == ["NEW", -5022, "NEW", -1117, -4116]
    assert found[2]["price"] == "50001.5"
    assert len(await c.get("/v1/openOrders")) == 2
    await c.host.close()


@in_loop
async def test_orders_are_amended_and_cancelled_together() -> None:
    c = await client()
    first, second = await c.post("/v1/batchOrders", batchOrders=[item(), item("51000")])
    changes = [
        {"symbol": "BTCUSDT", "side": "BUY", "orderId": first["orderId"], "quantity": "0.2", "price": "50500"},
        {"symbol": "BTCUSDT", "side": "BUY", "orderId": 99, "quantity": "0.2", "price": "50500"},
        {"symbol": "BTCUSDT", "side": "BUY", "orderId": second["orderId"], "quantity": 0.1, "price": 51000},
    ]
    amended = await c.put("/v1/batchOrders", batchOrders=changes)
    assert [one.get("code", one.get("price")) for one in amended] == ["50500.0", -2013, -5027]
    ids = [first["orderId"], 99, second["orderId"], first["orderId"]]
    cancelled = await c.delete("/v1/batchOrders", symbol="BTCUSDT", orderIdList=ids)
    assert [one.get("code", one.get("status")) for one in cancelled] == ["CANCELED", -2011, "CANCELED", -2011]
    await c.host.close()


@in_loop
async def test_orders_are_cancelled_by_their_clients_names_in_any_spelling_of_the_list() -> None:
    c = await client()
    await c.buy("0.1", "50000", newClientOrderId="a")
    await c.buy("0.1", "50000", newClientOrderId="b")
    found = await c.delete("/v1/batchOrders", symbol="BTCUSDT", origclientorderidlist=["a", "b"])
    assert [one["status"] for one in found] == ["CANCELED", "CANCELED"]
    await c.host.close()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("[]", -4082), (json.dumps([item()] * 6), -4082), ("{}", -1130), ("[1]", -1130), ("[", -1130), ("", -1105),
        (None, -1102),
    ],
)  # fmt: skip
@in_loop
async def test_what_is_no_batch_is_refused(asked: str | None, code: int) -> None:
    c = await client()
    assert (await c.refused("POST", "/v1/batchOrders", batchOrders=asked))[0] == code
    await c.host.close()


@in_loop
async def test_what_is_no_list_to_cancel_is_refused() -> None:
    c = await client()
    assert (await c.refused("DELETE", "/v1/batchOrders", symbol="BTCUSDT"))[0] == -1102
    assert (await c.refused("DELETE", "/v1/batchOrders", symbol="BTCUSDT", orderIdList="[[1]]"))[0] == -1130
    assert (await c.refused("DELETE", "/v1/batchOrders", symbol="BTCUSDT", orderIdList=list(range(11))))[0] == -4082
    await c.host.close()


async def sent(c: Client, query: str, body: str, signed: str) -> Any:
    query_or_body = f"&signature={c.sign(signed.encode())}"
    query, body = (query, body + query_or_body) if body else (query + query_or_body, body)
    found = await call(
        c.door, "POST", "/fapi/v1/batchOrders", query.encode(), body.encode(), {"X-MBX-APIKEY": c.key.id}
    )
    assert found.status == 200, found
    return found.body


@in_loop
async def test_a_batch_may_come_as_raw_json_in_the_body_or_encoded_after_it_was_signed() -> None:
    c = await client()
    text = json.dumps([item()], separators=(",", ":"))
    raw = f"batchOrders={text}&timestamp={c.desk.wall()}"
    (first,) = await sent(c, "", raw, raw)
    assert first["status"] == "NEW"
    encoded = raw.replace("[", "%5B").replace("]", "%5D")
    (second,) = await sent(c, encoded, "", raw)
    assert second["status"] == "NEW"
    await c.host.close()


@in_loop
async def test_time_that_goes_on_meanwhile_parts_no_batch() -> None:
    c = await client()
    ticks = count(c.host.at)
    c.host.venue._clock = lambda: next(ticks)
    items = [item(newClientOrderId=name) for name in "abc"]
    placed = await c.post("/v1/batchOrders", batchOrders=items)
    assert [one["status"] for one in placed] == ["NEW", "NEW", "NEW"]
    changes = [
        {"symbol": "BTCUSDT", "side": "BUY", "origClientOrderId": name, "quantity": "0.2", "price": "50500"}
        for name in "ab"
    ]
    assert [one["origQty"] for one in await c.put("/v1/batchOrders", batchOrders=changes)] == ["0.200", "0.200"]
    (gone,) = await c.delete("/v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList=["a"])
    assert gone["status"] == "CANCELED"
    for trigger in ("55000", "54000"):
        await c.post(
            "/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
            quantity="0.1", triggerPrice=trigger,
        )  # fmt: skip
    await c.delete("/v1/allOpenOrders", symbol="BTCUSDT")
    assert await c.get("/v1/openOrders") == []
    await c.delete("/v1/algoOpenOrders", symbol="BTCUSDT")
    assert await c.get("/v1/openAlgoOrders") == []
    await c.host.close()


@in_loop
async def test_a_batch_that_waited_its_turn_is_decided_at_the_time_of_its_turn() -> None:
    c = await client()
    venue = c.host.venue
    early = venue.now
    number = venue.number(c.account)
    order = PlaceOrder(
        early, c.account, RequestId("one"), number, BTC, Side.BUY, Lots(100), Ticks(500_000), client=ClientId("late")
    )
    c.host.move("60000", seconds=5)
    answer = await venue.ask(SubmitBatch(early, c.account, RequestId("all"), (order,)))
    assert answer.reason is None
    assert [one["clientOrderId"] for one in await c.get("/v1/openOrders")] == ["late"]
    sell = order.__replace__(request=RequestId("two"), number=venue.number(c.account), client=ClientId(""))
    stop = PlaceTrigger(
        early, c.account, RequestId("two"), venue.number(c.account), BTC, Side.BUY, TriggerKind.STOP, Lots(100),
        Ticks(650_000),
    )  # fmt: skip
    linked = PlaceLinked(early, c.account, RequestId("two"), (sell, stop))
    assert (await venue.ask(linked)).reason is None
    await c.host.close()
