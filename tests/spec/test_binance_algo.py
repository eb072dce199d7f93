"""Conditional orders through the Binance door."""

from __future__ import annotations

from typing import Any

from tests.binance import client
from tests.loop import in_loop


def algo(kind: str = "STOP_MARKET", side: str = "SELL", **how: Any) -> dict[str, Any]:
    """The parameters of a conditional order in BTCUSDT."""
    given = {"quantity": "0.1", "triggerPrice": "59000", **how}
    return {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": side, "type": kind, **given}


@in_loop
async def test_a_stop_waits_fires_and_is_followed_by_its_order() -> None:
    c = await client()
    await c.buy("0.1")
    waits = await c.post("/v1/algoOrder", **algo(reduceOnly=True, workingType="MARK_PRICE", clientAlgoId="sl"))
    assert (waits["algoStatus"], waits["orderType"], waits["actualOrderId"]) == ("NEW", "STOP_MARKET", "")
    assert (waits["triggerPrice"], waits["workingType"], waits["reduceOnly"]) == ("59000.0", "MARK_PRICE", True)
    assert await c.get("/v1/openOrders") == []
    assert await c.get("/v1/openAlgoOrders") == [await c.get("/v1/algoOrder", clientAlgoId="sl")]
    none = await c.refused("GET", "/v1/order", symbol="BTCUSDT", orderId=waits["algoId"])
    assert none == (-2013, "Order does not exist.")
    c.host.move("58000")
    await c.host.venue.settled()
    fired = await c.get("/v1/algoOrder", algoId=waits["algoId"], symbol="BTCUSDT")
    assert fired["algoStatus"] == "FINISHED"
    assert fired["triggerTime"] > 0
    actual = await c.get("/v1/order", symbol="BTCUSDT", orderId=fired["actualOrderId"])
    assert (actual["status"], actual["type"], actual["executedQty"]) == ("FILLED", "MARKET", "0.100")
    assert fired["actualPrice"] == actual["avgPrice"]
    assert await c.get("/v1/openAlgoOrders") == []
    assert [one["algoId"] for one in await c.get("/v1/allAlgoOrders", symbol="BTCUSDT")] == [waits["algoId"]]
    await c.host.close()


@in_loop
async def test_a_reduce_only_stop_survives_its_position() -> None:
    c = await client()
    await c.buy("0.1")
    waits = await c.post("/v1/algoOrder", **algo(reduceOnly=True))
    await c.sell("0.1", reduceOnly=True)
    assert await c.position() is None
    assert (await c.get("/v1/algoOrder", algoId=waits["algoId"]))["algoStatus"] == "NEW"
    cancelled = await c.delete("/v1/algoOrder", algoId=waits["algoId"])
    assert cancelled == {
        "algoId": waits["algoId"], "clientAlgoId": waits["clientAlgoId"], "code": "200", "msg": "success",
    }  # fmt: skip
    assert (await c.get("/v1/algoOrder", algoId=waits["algoId"]))["algoStatus"] == "CANCELED"
    unknown = -2011, "Unknown order sent."
    assert await c.refused("DELETE", "/v1/algoOrder", algoId=waits["algoId"]) == unknown
    await c.host.close()


@in_loop
async def test_a_stop_that_fires_with_nothing_to_reduce_is_no_order() -> None:
    c = await client()
    await c.buy("0.1")
    waits = await c.post("/v1/algoOrder", **algo(reduceOnly=True))
    await c.sell("0.1", reduceOnly=True)
    c.host.move("58000")
    await c.host.venue.settled()
    shown = await c.get("/v1/algoOrder", algoId=waits["algoId"])
    assert (shown["algoStatus"], shown["actualOrderId"]) == ("REJECTED", "")
    none = await c.refused("GET", "/v1/order", symbol="BTCUSDT", orderId=waits["algoId"])
    assert none[0] == -2013
    await c.host.close()


@in_loop
async def test_a_limit_stop_rests_once_it_fired() -> None:
    c = await client()
    waits = await c.post("/v1/algoOrder", **algo("TAKE_PROFIT", "BUY", price="58000", timeInForce="GTC"))
    assert waits["orderType"] == "TAKE_PROFIT"
    c.host.move("58990")
    await c.host.venue.settled()
    fired = await c.get("/v1/algoOrder", algoId=waits["algoId"])
    assert (fired["algoStatus"], fired["actualOrderId"]) == ("TRIGGERED", str(waits["algoId"]))
    (rests,) = await c.get("/v1/openOrders")
    assert (rests["orderId"], rests["type"], rests["price"]) == (waits["algoId"], "LIMIT", "58000.0")
    await c.delete("/v1/order", symbol="BTCUSDT", orderId=rests["orderId"])
    assert (await c.get("/v1/algoOrder", algoId=waits["algoId"]))["algoStatus"] == "FINISHED"
    await c.host.close()


@in_loop
async def test_a_trailing_stop_and_one_that_closes_the_position() -> None:
    c = await client()
    await c.buy("0.1")
    trails = await c.post(
        "/v1/algoOrder", **algo("TRAILING_STOP_MARKET", triggerPrice=None, callbackRate="1", activatePrice="61000")
    )
    assert (trails["callbackRate"], trails["activatePrice"]) == ("1.0", "61000.0")
    closes = await c.post(
        "/v1/algoOrder", **algo(quantity=None, closePosition=True, timeInForce="GTE_GTC", priceProtect=True)
    )
    assert (closes["closePosition"], closes["priceProtect"]) == (True, True)
    second = await c.refused("POST", "/v1/algoOrder", **algo(quantity=None, closePosition="True"))
    assert second[0] == -4130
    await c.sell("0.1")
    shown = await c.get("/v1/algoOrder", algoId=closes["algoId"])
    assert shown["algoStatus"] == "EXPIRED"
    await c.host.close()


@in_loop
async def test_what_waits_for_nothing_is_refused() -> None:
    c = await client()
    for code, asked in (
        (-2021, algo(triggerPrice="61000")),
        (-2021, algo("TAKE_PROFIT_MARKET", triggerPrice="59000")),
        (-1102, algo(triggerPrice=None)),
        (-1102, algo(quantity=None)),
        (-1102, algo(algoType=None)),
        (-1130, algo(algoType="VP")),
        (-1116, algo("LIMIT")),
        (-1102, algo("STOP")),
        (-1102, algo("TRAILING_STOP_MARKET")),
        (-2007, algo("TRAILING_STOP_MARKET", callbackRate="20", triggerPrice=None)),
        (-2007, algo("TRAILING_STOP_MARKET", callbackRate="0.0000001", triggerPrice=None)),
        (-4137, algo(closePosition=True)),
        (-1106, algo(quantity=None, closePosition=True, reduceOnly=True)),
        (-1130, algo(workingType="INDEX")),
        (-1115, algo(timeInForce="RPI")),
        (-1111, algo(triggerPrice="59000.01")),
    ):
        assert (await c.refused("POST", "/v1/algoOrder", **asked))[0] == code, asked
    for _ in range(10):
        await c.post("/v1/algoOrder", **algo())
    assert await c.refused("POST", "/v1/algoOrder", **algo()) == (-4045, "Reach max stop order limit.")
    await c.host.close()
