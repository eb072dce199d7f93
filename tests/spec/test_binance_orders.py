"""Orders through the Binance door: what becomes of them, and of the position."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import SetMarkPrice
from events.units import MarkUnits
from tests.binance import Client, client, order
from tests.loop import in_loop
from tests.serving import BTC


@in_loop
async def test_after_a_market_order_the_position_has_that_size_and_that_average() -> None:
    c = await client()
    bought = await c.buy("0.1")
    assert (bought["status"], bought["executedQty"], bought["type"]) == ("FILLED", "0.100", "MARKET")
    position = await c.position()
    assert position["positionAmt"] == "0.100"
    assert position["entryPrice"] == bought["avgPrice"] == "60000.10000000"
    sold = await c.sell("0.3")
    assert sold["avgPrice"] == "59999.90000000"
    assert ((await c.position())["positionAmt"], (await c.position())["entryPrice"]) == ("-0.200", "59999.90000000")
    await c.host.close()


@in_loop
async def test_an_order_whose_result_is_not_asked_for_is_answered_as_it_was_taken() -> None:
    c = await client()
    taken = await c.buy(newOrderRespType="ACK")
    assert (taken["status"], taken["executedQty"], taken["avgPrice"]) == ("NEW", "0.000", "0.00000000")
    shown = await c.get("/v1/order", symbol="BTCUSDT", orderId=taken["orderId"])
    assert (shown["status"], shown["executedQty"]) == ("FILLED", "0.100")
    await c.host.close()


@in_loop
async def test_a_limit_order_rests_is_shown_amended_and_cancelled() -> None:
    c = await client()
    rests = await c.buy("0.1", "50000", newClientOrderId="mine")
    assert (rests["status"], rests["price"], rests["clientOrderId"]) == ("NEW", "50000.0", "mine")
    assert await c.get("/v1/openOrders") == await c.get("/v1/openOrders", symbol="BTCUSDT")
    (shown,) = await c.get("/v1/openOrders")
    assert shown == await c.get("/v1/openOrder", symbol="BTCUSDT", origClientOrderId="mine")
    assert shown == await c.get("/v1/order", symbol="BTCUSDT", orderId=rests["orderId"])
    amended = await c.put(
        "/v1/order", symbol="BTCUSDT", side="BUY", orderId=rests["orderId"], quantity="0.2", price="51000"
    )
    assert (amended["orderId"], amended["price"], amended["origQty"]) == (rests["orderId"], "51000.0", "0.200")
    (change,) = await c.get("/v1/orderAmendment", symbol="BTCUSDT", orderId=rests["orderId"])
    assert change["amendment"]["price"] == {"before": "50000.0", "after": "51000.0"}
    cancelled = await c.delete("/v1/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert cancelled["status"] == "CANCELED"
    assert await c.get("/v1/openOrders") == []
    assert [one["status"] for one in await c.get("/v1/allOrders", symbol="BTCUSDT")] == ["CANCELED"]
    unknown = -2011, "Unknown order sent."
    assert await c.refused("DELETE", "/v1/order", symbol="BTCUSDT", origClientOrderId="mine") == unknown
    gone = -2013, "Order does not exist."
    assert await c.refused("GET", "/v1/openOrder", symbol="BTCUSDT", origClientOrderId="mine") == gone
    await c.host.close()


@in_loop
async def test_an_order_that_the_market_meets_is_partly_filled_and_then_filled_as_a_maker() -> None:
    c = await client(deposit="1000000")
    await c.buy("60", "60000")
    c.host.move("59990", depth="50")
    await c.host.venue.settled()
    (shown,) = await c.get("/v1/allOrders", symbol="BTCUSDT")
    assert shown["status"] in ("PARTIALLY_FILLED", "FILLED")
    trades = await c.get("/v1/userTrades", symbol="BTCUSDT")
    assert all(trade["maker"] and trade["price"] == "60000.0" for trade in trades)
    await c.host.close()


REFUSED: list[tuple[int, dict[str, Any]]] = [
    (-1121, order("BUY", "0.1", symbol="NONESUCH")),
    (-1117, order("UP", "0.1")),
    (-1116, order("BUY", "0.1", type="PEGGED")),
    (-1115, order("BUY", "0.1", "50000", timeInForce="RPI")),
    (-1102, order("BUY", "0.1", "50000", timeInForce=None)),
    (-1102, order("BUY", None)),
    (-1102, order("BUY", "0.1", price=None, type="LIMIT", timeInForce="GTC")),
    (-1106, order("BUY", "0.1", price=None, type="MARKET", timeInForce="GTC")),
    (-1106, {**order("BUY", "0.1"), "price": "50000"}),
    (-1100, order("BUY", "a lot")),
    (-1105, order("BUY", "0.1", positionSide="")),
    (-1111, order("BUY", "0.0001")),
    (-1111, order("BUY", "0.1", "50000.01")),
    (-4001, order("BUY", "0.1", "0")),
    (-4001, order("BUY", "0.1", "-1")),
    (-4003, order("BUY", "0")),
    (-4003, order("BUY", "-0.1")),
    (-4005, order("BUY", "500")),
    (-4015, order("BUY", "0.1", newClientOrderId="x" * 37)),
    (-4015, order("BUY", "0.1", newClientOrderId="what?")),
    (-4016, order("BUY", "0.1", "90000")),
    (-4024, order("SELL", "0.1", "10000")),
    (-4060, order("BUY", "0.1", positionSide="UP")),
    (-4061, order("BUY", "0.1", positionSide="LONG")),
    (-4164, order("BUY", "0.001")),
    (-2019, order("BUY", "80", "60000")),
    (-2022, order("SELL", "0.1", reduceOnly=True)),
    (-5022, order("BUY", "0.1", "60100", timeInForce="GTX")),
    (-5021, order("BUY", "51", "60000.1", timeInForce="FOK")),
    (-5037, order("BUY", "0.1", priceMatch="BEST")),
    (-5039, order("BUY", "0.1", selfTradePreventionMode="ALL")),
    (-5040, order("BUY", "0.1", "50000", timeInForce="GTD", goodTillDate=1)),
    (-1102, order("BUY", "0.1", "50000", timeInForce="GTD")),
    (-1130, order("BUY", "0.1", newOrderRespType="FULL")),
    (-1130, order("BUY", "0.1", reduceOnly="maybe")),
    (-4136, order("BUY", "0.1", closePosition=True)),
]
"""Code, and the order that it answers."""


@in_loop
async def test_nonsense_is_refused_by_the_venues_code_and_changes_nothing() -> None:
    c = await client("60000", "200000")
    for code, asked in REFUSED:
        found, _ = await c.refused("POST", "/v1/order", **asked)
        assert found == code, asked
    assert await c.get("/v1/allOrders", symbol="BTCUSDT") == []
    assert await c.position() is None
    await c.host.close()


@in_loop
async def test_texts_are_the_venues() -> None:
    c = await client()
    code, text = await c.refused("POST", "/v1/order", **order("BUY", "0.001"))
    assert (code, text) == (-4164, "Order's notional must be no smaller than 100 (unless you choose reduce only)")
    code, text = await c.refused("POST", "/v1/order", **order("BUY", "0.1", "60100", timeInForce="GTX"))
    assert text == (
        "Due to the order could not be executed as maker, the Post Only order will be rejected. The order will not be"
        " recorded in the order history"
    )
    code, text = await c.refused("POST", "/v1/order", side="BUY")
    assert (code, text) == (-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    await c.host.close()


@in_loop
async def test_a_retried_client_order_id_is_refused_and_not_doubled() -> None:
    c = await client()
    await c.buy("0.1", "50000", newClientOrderId="rests")
    duplicated = -4116, "clientOrderId is duplicated"
    assert await c.refused("POST", "/v1/order", **order("BUY", "0.1", "50000", newClientOrderId="rests")) == duplicated
    await c.buy("0.1", newClientOrderId="traded")
    assert await c.refused("POST", "/v1/order", **order("BUY", "0.1", newClientOrderId="traded")) == duplicated
    assert (await c.position())["positionAmt"] == "0.100"
    await c.host.close()


@in_loop
async def test_a_client_order_id_may_be_used_again_for_another_order_or_later() -> None:
    c = await client()
    await c.buy("0.1", newClientOrderId="entry")
    await c.sell("0.1", newClientOrderId="entry")
    c.host.move("60000", seconds=61)
    await c.sell("0.1", newClientOrderId="entry")
    await c.buy("0.1", "50000", newClientOrderId="bid")
    await c.delete("/v1/order", symbol="BTCUSDT", origClientOrderId="bid")
    again = await c.buy("0.1", "50000", newClientOrderId="bid")
    shown = await c.get("/v1/order", symbol="BTCUSDT", origClientOrderId="bid")
    assert shown["orderId"] == again["orderId"]
    await c.host.close()


@in_loop
async def test_what_cannot_be_amended_is_refused() -> None:
    c = await client()
    rests = await c.buy("0.1", "50000")
    of: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "orderId": rests["orderId"]}
    assert (await c.refused("PUT", "/v1/order", **of, quantity="0.1", price="50000"))[0] == -5027
    assert (await c.refused("PUT", "/v1/order", **of, price="51000"))[0] == -1102
    assert (await c.refused("PUT", "/v1/order", **of, quantity="0.1"))[0] == -1102
    assert (await c.refused("PUT", "/v1/order", **{**of, "side": "SELL"}, quantity="0.1", price="51000"))[0] == -1130
    assert (await c.refused("PUT", "/v1/order", **{**of, "orderId": 99}, quantity="0.1", price="51000"))[0] == -2013
    filled = await c.buy("0.1")
    of["orderId"] = filled["orderId"]
    assert (await c.refused("PUT", "/v1/order", **of, quantity="0.1", price="51000"))[0] == -2013
    await c.host.close()


@in_loop
async def test_an_order_is_found_by_its_symbol_alone_together_with_a_name() -> None:
    c = await client()
    rests = await c.buy("0.1", "50000")
    assert (await c.refused("GET", "/v1/order", symbol="BTCUSDT"))[0] == -1102
    assert (await c.refused("GET", "/v1/order", orderId=rests["orderId"]))[0] == -1102
    assert (await c.refused("GET", "/v1/order", symbol="ETHUSDT", orderId=rests["orderId"]))[0] == -2013
    assert (await c.refused("GET", "/v1/order", symbol="BTCUSDT", orderId="one"))[0] == -1100
    await c.host.close()


@in_loop
async def test_all_open_orders_are_cancelled_but_for_conditional_ones() -> None:
    c = await client()
    for price in range(50_000, 50_012):
        await c.buy("0.01", str(price))
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert await c.delete("/v1/allOpenOrders", symbol="BTCUSDT") == done
    assert await c.get("/v1/openOrders") == []
    await stop(c)
    for price in range(50_000, 50_012):
        await c.buy("0.01", str(price))
    assert await c.delete("/v1/allOpenOrders", symbol="BTCUSDT") == done
    assert await c.get("/v1/openOrders") == []
    assert len(await c.get("/v1/openAlgoOrders")) == 1
    assert await c.delete("/v1/algoOpenOrders", symbol="BTCUSDT") == done
    assert await c.get("/v1/openAlgoOrders") == []
    await c.host.close()


async def stop(c: Client) -> Any:
    return await c.post(
        "/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity="0.1",
        triggerPrice="59000", reduceOnly=True,
    )  # fmt: skip


@in_loop
async def test_a_countdown_ends_what_is_open() -> None:
    c = await client()
    await c.buy("0.1", "50000")
    answer = await c.post("/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=5000)
    assert answer == {"symbol": "BTCUSDT", "countdownTime": "5000"}
    c.host.move("60000", seconds=6)
    await c.host.venue.settled()
    (shown,) = await c.get("/v1/allOrders", symbol="BTCUSDT")
    assert shown["status"] == "EXPIRED"
    assert (await c.refused("POST", "/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=-1))[0] == -1130
    await c.host.close()


@in_loop
async def test_a_trial_of_an_order_changes_nothing() -> None:
    c = await client()
    tried = await c.post("/v1/order/test", **order("BUY", "0.1"))
    assert (tried["status"], tried["origQty"]) == ("NEW", "0.100")
    assert (await c.refused("POST", "/v1/order/test", **order("BUY", "0.0001")))[0] == -1111
    assert await c.position() is None
    await c.host.close()


@in_loop
async def test_orders_are_listed_from_an_id_on_between_times_and_so_many_at_most() -> None:
    c = await client()
    for price in range(50_000, 50_005):
        await c.buy("0.1", str(price))
        c.host.move("60000", seconds=10)
    every = await c.get("/v1/allOrders", symbol="BTCUSDT")
    ids = [one["orderId"] for one in every]
    assert [one["orderId"] for one in await c.get("/v1/allOrders", symbol="BTCUSDT", limit=2)] == ids[-2:]
    assert [one["orderId"] for one in await c.get("/v1/allOrders", symbol="BTCUSDT", orderId=ids[2])] == ids[2:]
    between: dict[str, Any] = {"startTime": every[1]["time"], "endTime": every[3]["time"]}
    assert [one["orderId"] for one in await c.get("/v1/allOrders", symbol="BTCUSDT", **between)] == ids[1:4]
    swapped = {"startTime": 2, "endTime": 1}
    assert (await c.refused("GET", "/v1/allOrders", symbol="BTCUSDT", **swapped))[0] == -1023
    assert (await c.refused("GET", "/v1/allOrders", symbol="BTCUSDT", limit=0))[0] == -1130
    await c.host.close()


@pytest.mark.parametrize("strict", [False, True])
@in_loop
async def test_conditional_orders_as_ordinary_ones_are_taken_unless_the_door_is_strict(strict: bool) -> None:
    c = await client(strict_algo=strict)
    await c.buy("0.1")
    asked = order("SELL", "0.1", type="STOP_MARKET", stopPrice="59000", reduceOnly=True)
    if strict:
        code, text = await c.refused("POST", "/v1/order", **asked)
        assert code == -4120
        assert text.endswith("Please use the Algo Order API endpoints instead.")
    else:
        waits = await c.post("/v1/order", **asked)
        assert (waits["type"], waits["stopPrice"], waits["status"]) == ("STOP_MARKET", "59000.0", "NEW")
        assert [one["orderId"] for one in await c.get("/v1/openOrders")] == [waits["orderId"]]
        assert await c.get("/v1/openAlgoOrders") == []
        c.host.move("58000")
        await c.host.venue.settled()
        shown = await c.get("/v1/order", symbol="BTCUSDT", orderId=waits["orderId"])
        assert (shown["status"], shown["type"], shown["origType"]) == ("FILLED", "MARKET", "STOP_MARKET")
        assert await c.position() is None
    await c.host.close()


@in_loop
async def test_a_market_order_that_would_trade_too_far_from_the_mark_is_rejected() -> None:
    c = await client(deposit="1000000")
    venue = c.host.venue
    c.host.sequencer.decide(SetMarkPrice(venue.now, BTC, MarkUnits(50_000 * 10**8)))
    code, text = await c.refused("POST", "/v1/order", **order("BUY", "0.1"))
    assert (code, text) == (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit")
    assert await c.get("/v1/allOrders", symbol="BTCUSDT") == []
    code, text = await c.refused("POST", "/v1/order", **order("BUY", "0.1", "53000"))
    assert (code, text) == (-4016, "Limit price can't be higher than 52500.0.")
    await c.host.close()


@in_loop
async def test_an_order_takes_its_price_from_the_book() -> None:
    c = await client()
    asked = {**order("BUY", "0.1"), "type": "LIMIT", "timeInForce": "GTC", "priceMatch": "QUEUE"}
    rests = await c.post("/v1/order", **asked)
    assert (rests["price"], rests["priceMatch"]) == ("59999.9", "QUEUE")
    await c.put("/v1/order", symbol="BTCUSDT", side="BUY", orderId=rests["orderId"], quantity="0.1", price="59000")
    of: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "orderId": rests["orderId"], "quantity": "0.1"}
    amended = await c.put("/v1/order", **of, priceMatch="QUEUE")
    assert amended["price"] == "59999.9"
    assert (await c.refused("PUT", "/v1/order", **of, priceMatch="QUEUE", price="1"))[0] == -1106
    assert (await c.refused("PUT", "/v1/order", **of, priceMatch="QUEUE_20"))[0] == -5041
    assert (await c.refused("POST", "/v1/order", **{**asked, "price": "59000"}))[0] == -1106
    await c.host.close()
