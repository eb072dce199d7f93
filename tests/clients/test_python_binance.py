"""python-binance, unmodified: its DELETE comes with a form, its lists are encoded after they were signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.running import Running
from tests.clients.vendors import BinanceAPIException, pay_funding, python_binance

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def client(server: Running) -> Iterator[Any]:
    """The client, whose account is flat before and after."""
    made = python_binance(server, server.bob)
    yield made
    made.futures_cancel_all_open_orders(symbol="BTCUSDT")
    made.futures_cancel_all_algo_open_orders(symbol="BTCUSDT")
    for position in made.futures_position_information(symbol="BTCUSDT"):
        size = float(position["positionAmt"])
        if size:
            order(made, side="SELL" if size > 0 else "BUY", quantity=abs(size), reduceOnly=True)
    made.close_connection()
    made.loop.close()
    asyncio.set_event_loop(None)


def order(client: Any, **how: Any) -> Any:
    return client.futures_create_order(
        **{"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 0.1, "newOrderRespType": "RESULT"} | how
    )


def test_an_order_from_its_placing_to_its_end(client: Any) -> None:
    rests = order(client, type="LIMIT", timeInForce="GTC", price=50000)
    assert rests["status"] == "NEW"
    changed = client.futures_modify_order(
        symbol="BTCUSDT", side="BUY", quantity=0.2, price=50100, orderId=rests["orderId"]
    )
    assert (changed["price"], changed["origQty"]) == ("50100.0", "0.200")
    assert [one["orderId"] for one in client.futures_get_open_orders()] == [rests["orderId"]]
    assert client.futures_cancel_order(symbol="BTCUSDT", orderId=rests["orderId"])["status"] == "CANCELED"
    shown = client.futures_get_order(symbol="BTCUSDT", orderId=rests["orderId"])
    assert shown["status"] == "CANCELED"


def test_a_position_its_trades_and_its_income(client: Any, server: Running) -> None:
    filled = order(client)
    assert (filled["status"], filled["executedQty"]) == ("FILLED", "0.100")
    (position,) = client.futures_position_information(symbol="BTCUSDT")
    assert (position["positionAmt"], position["entryPrice"]) == ("0.100", filled["avgPrice"])
    trade = client.futures_account_trades(symbol="BTCUSDT")[-1]
    assert (trade["orderId"], trade["qty"]) == (filled["orderId"], "0.100")
    pay_funding(server)
    assert client.futures_income_history(incomeType="FUNDING_FEE")[-1]["income"] == "-0.60000000"
    balances = {one["asset"]: one["balance"] for one in client.futures_account_balance()}
    assert float(balances["USDT"]) < 10_000
    assert client.futures_account()["assets"][0]["asset"] == "USDT"


def test_a_stop_waits_and_is_cancelled(client: Any) -> None:
    order(client)
    waits = client.futures_create_algo_order(
        symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity=0.1, triggerPrice=59000, reduceOnly=True
    )
    assert waits["algoStatus"] == "NEW"
    assert [one["algoId"] for one in client.futures_get_open_algo_orders()] == [waits["algoId"]]
    gone = client.futures_cancel_algo_order(algoId=waits["algoId"])
    assert (gone["algoId"], gone["code"]) == (waits["algoId"], "200")
    with pytest.raises(BinanceAPIException) as failure:
        client.futures_cancel_algo_order(algoId=waits["algoId"])
    assert failure.value.code == -2011


def test_a_reduce_only_stop_survives_its_position(client: Any) -> None:
    order(client)
    waits = client.futures_create_algo_order(
        symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity=0.1, triggerPrice=59000, reduceOnly=True
    )
    order(client, side="SELL", reduceOnly=True)
    assert not any(float(one["positionAmt"]) for one in client.futures_position_information(symbol="BTCUSDT"))
    assert client.futures_cancel_algo_order(algoId=waits["algoId"])["msg"] == "success"
    with pytest.raises(BinanceAPIException, match=r"Unknown order sent\.") as failure:
        client.futures_cancel_algo_order(algoId=waits["algoId"])
    assert failure.value.code == -2011


def test_a_post_only_order_that_would_take_is_refused_and_leaves_nothing(client: Any) -> None:
    with pytest.raises(BinanceAPIException) as failure:
        order(client, type="LIMIT", timeInForce="GTX", price=61000)
    assert failure.value.code == -5022
    assert client.futures_get_open_orders(symbol="BTCUSDT") == []
    assert not any(float(one["positionAmt"]) for one in client.futures_position_information(symbol="BTCUSDT"))


def test_a_conditional_order_by_the_ordinary_call_goes_where_it_belongs(client: Any) -> None:
    order(client)
    waits = order(client, side="SELL", type="STOP_MARKET", stopPrice=59000, reduceOnly=True)
    assert waits.get("algoId", waits.get("orderId")) > 0


def test_a_batch(client: Any) -> None:
    one = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    first, second, third = client.futures_place_batch_order(
        batchOrders=[
            {**one, "price": "50000"},
            {**one, "price": "61000", "timeInForce": "GTX"},
            {**one, "price": "50001"},
        ]
    )
    assert (first["status"], second["code"], third["status"]) == ("NEW", -5022, "NEW")
    ids = [first["orderId"], third["orderId"]]
    gone = client.futures_cancel_orders(symbol="BTCUSDT", orderIdList=ids)
    assert [one["status"] for one in gone] == ["CANCELED", "CANCELED"]


def test_settings_and_isolated_margin(client: Any) -> None:
    assert client.futures_change_leverage(symbol="BTCUSDT", leverage=10)["leverage"] == 10
    assert client.futures_change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")["code"] == 200
    with pytest.raises(BinanceAPIException) as failure:
        client.futures_change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")
    assert (failure.value.code, failure.value.message) == (-4046, "No need to change margin type.")
    order(client)
    (before,) = client.futures_position_information(symbol="BTCUSDT")
    client.futures_change_position_margin(symbol="BTCUSDT", amount=100, type=1)
    (after,) = client.futures_position_information(symbol="BTCUSDT")
    assert float(after["liquidationPrice"]) < float(before["liquidationPrice"])
    assert client.futures_position_margin_history(symbol="BTCUSDT")[-1]["amount"] == "100.00000000"
    assert client.futures_get_position_mode() == {"dualSidePosition": False}
    assert client.futures_leverage_bracket(symbol="BTCUSDT")[0]["brackets"][0]["initialLeverage"] == 125


def test_the_key_of_a_stream(client: Any) -> None:
    key = client.futures_stream_get_listen_key()
    assert client.futures_stream_get_listen_key() == key
    client.futures_stream_keepalive(key)
    client.futures_stream_close(key)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (-1121, {"symbol": "NONE"}), (-4164, {"quantity": 0.001}), (-2022, {"side": "SELL", "reduceOnly": True}),
        (-2019, {"quantity": 50}), (-1111, {"quantity": 0.0001}),
    ],
)  # fmt: skip
def test_refusals_have_their_codes(client: Any, code: int, how: dict[str, Any]) -> None:
    with pytest.raises(BinanceAPIException) as failure:
        order(client, **how)
    assert (failure.value.status_code, failure.value.code) == (400, code)
