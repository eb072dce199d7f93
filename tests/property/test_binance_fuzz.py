"""Whatever is sent to the Binance door is answered in the dialect: done, or refused with a code. Never a failure."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.binance.desk import Security
from tests.binance import Answer, Client, call, client

NAMES = (
    "symbol", "side", "type", "quantity", "price", "stopPrice", "triggerPrice", "timeInForce", "positionSide",
    "reduceOnly", "closePosition", "newClientOrderId", "clientAlgoId", "newOrderRespType", "goodTillDate",
    "selfTradePreventionMode", "priceMatch", "workingType", "priceProtect", "callbackRate", "activationPrice",
    "activatePrice", "algoType", "orderId", "algoId", "origClientOrderId", "batchOrders", "orderIdList",
    "origClientOrderIdList", "countdownTime", "leverage", "marginType", "amount", "dualSidePosition",
    "multiAssetsMargin", "feeBurn", "startTime", "endTime", "limit", "fromId", "incomeType", "autoCloseType",
    "recvWindow", "timestamp", "signature", "x",
)  # fmt: skip
VALUES = (
    "BTCUSDT", "ETHUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT",
    "TRAILING_STOP_MARKET", "GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC", "BOTH", "LONG", "SHORT", "true",
    "false", "True", "RESULT",
    "CONDITIONAL", "MARK_PRICE", "OPPONENT", "QUEUE_5", "ISOLATED", "CROSSED", "0.1", "1", "0", "-1", "60000",
    "59000.5", "1e5", "NaN", "99999999999999999999", "99999999999999999999.00000001", "0.000000000001", "[]", "[1]",
    '["a"]', "{}", "[[]]", '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":0.1}]', "253402300798999", "",
)  # fmt: skip

texts = st.one_of(st.sampled_from(VALUES), st.text(max_size=12), st.integers().map(str), st.decimals().map(str))
parameters = st.dictionaries(st.sampled_from(NAMES), texts, max_size=12)
KINDS = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
numbers = st.one_of(st.sampled_from(["0.1", "1", "60000", "50000.5", "59000", "0", "-1", ""]), texts)
USUAL = {"quantity": numbers, "price": numbers, "stopPrice": numbers, "triggerPrice": numbers, "callbackRate": numbers}
SELDOM = {"timeInForce": st.sampled_from(["GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC", "X"]), "priceMatch": texts}
plain = st.fixed_dictionaries(
    {"symbol": st.just("BTCUSDT"), "side": st.sampled_from(["BUY", "SELL"]), "type": st.sampled_from(KINDS)},
    optional=USUAL | SELDOM | dict.fromkeys(("goodTillDate", "reduceOnly", "closePosition", "newClientOrderId"), texts),
)


class World:
    """A client in an event loop of its own, for as many examples as there are."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.client: Client = self.loop.run_until_complete(client(deposit="1000000"))
        self.routes = sorted(self.client.door.routes)
        self.asked = 0

    def call(self, *args: Any, **how: Any) -> Answer:
        self.asked += 1
        return self.loop.run_until_complete(call(self.client.door, *args, **how))

    def send(self, route: tuple[str, str], params: dict[str, str], in_body: bool, signs: bool) -> Answer:
        """A request with these parameters, signed if asked for."""
        at = self.client
        if signs:
            params = {name: value for name, value in params.items() if name not in ("signature", "recvWindow")}
            params["timestamp"] = str(at.desk.wall())
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in params.items())
        if signs:
            text += f"&signature={at.sign(text.encode())}"
        parts = (b"", text.encode()) if in_body else (text.encode(), b"")
        return self.call(*route, *parts, {"X-MBX-APIKEY": at.key.id})


WORLD = World()


def check(answer: Answer) -> None:
    """It is an answer of the dialect."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.status < 500, answer
    if answer.status != 200:
        assert answer.body["code"] < 0
        assert answer.body["msg"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WORLD.routes), parameters, st.booleans(), st.booleans())
def test_any_parameters_at_any_endpoint(
    route: tuple[str, str], params: dict[str, str], in_body: bool, signs: bool
) -> None:
    answer = WORLD.send(route, params, in_body, signs)
    check(answer)
    if not signs and WORLD.client.door.routes[route].security is Security.SIGNED:
        assert answer.status != 200


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["/fapi/v1/order", "/fapi/v1/algoOrder"]), plain, st.booleans())
def test_orders_of_any_kind(path: str, params: dict[str, str], in_body: bool) -> None:
    check(WORLD.send(("POST", path), {"algoType": "CONDITIONAL", **params}, in_body, True))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(VALUES), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["POST", "PUT", "DELETE"]), json_values)
def test_batches_of_anything(method: str, value: Any) -> None:
    text = json.dumps(value)
    params = {"symbol": "BTCUSDT", "batchOrders": text, "orderIdList": text}
    check(WORLD.send((method, "/fapi/v1/batchOrders"), params, True, True))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=70), st.sampled_from(WORLD.routes))
def test_any_bytes(query: bytes, body: bytes, key: bytes, route: tuple[str, str]) -> None:
    answer = WORLD.call(*route, query, body, raw_headers=[(b"x-mbx-apikey", key)])
    check(answer)
    if WORLD.client.door.routes[route].security is not Security.NONE:
        assert answer.status != 200


def test_the_session_stands_whatever_was_asked() -> None:
    at = WORLD.client

    async def state_is_sound() -> None:
        await at.host.venue.settled()
        position = await at.position()
        held = at.desk.blotter.held(at.account, "BTCUSDT")
        assert held.lots == (0 if position is None else int(position["positionAmt"].replace(".", "")))
        assert len(at.desk.flying) == 0

    WORLD.loop.run_until_complete(state_is_sound())
