"""Orders over a WebSocket: the handlers of the REST door, asked with ids, signed in sorted order or logged on."""

from __future__ import annotations

import asyncio
import base64
import hmac
import random
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from events.commands import AccountId
from gateway.binance import sockets_api
from gateway.binance.account import ACCOUNT_ROUTES
from gateway.binance.trading import TRADING_ROUTES
from gateway.serving.keys import KeyKind, Scope
from gateway.serving.limits import Rules
from tests.binance_sockets import Front, front, story, told
from tests.loop import in_loop
from tests.sockets import Client

ROUTES = {**TRADING_ROUTES, **ACCOUNT_ROUTES}
URL = "/ws-fapi/v1"
SMALL = {"quantity": "0.010", "price": "59000"}
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


class Trader:
    """Who asks over a WebSocket, with an HMAC key."""

    def __init__(self, at: Front, client: Client, key: str, secret: str) -> None:
        self.at, self.client, self.key, self.secret = at, client, key, secret

    def signed(self, params: dict[str, Any], encode: Any = None) -> dict[str, Any]:
        """The parameters with key, time and signature; `encode` writes the sorted pairs that are signed."""
        params = {"apiKey": self.key, "timestamp": self.at.wall(), **params}
        pairs = sorted(params.items())
        text = encode(pairs) if encode else "&".join(f"{name}={_plain(value)}" for name, value in pairs)
        signature = hmac.new(self.secret.encode(), text.encode(), sha256).hexdigest()
        return {**dict(pairs), "signature": signature}

    async def ask(self, method: str, about: Any = 1, **params: Any) -> Any:
        """A signed request, and its answer."""
        return await self.client.ask({"id": about, "method": method, "params": self.signed(params)})


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


async def _trader(at: Front, client: Client, account: AccountId, *scopes: Scope) -> Trader:
    key, secret = at.desk.keys.create(account, scopes or (Scope.READ, Scope.TRADE))
    return Trader(at, client, key.id, secret)


@in_loop
async def test_an_order_lives_from_placing_to_cancelling() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client, at.listen(ann) as user:
        trader = await _trader(at, client, ann)
        placed = await trader.ask(
            "order.place", "a-1", **LIMIT, quantity="0.010", price="59000", newClientOrderId="one"
        )
        assert (placed["id"], placed["status"]) == ("a-1", 200)
        order = placed["result"]
        assert (order["status"], order["clientOrderId"], order["price"]) == ("NEW", "one", "59000.0")
        number = order["orderId"]
        amended = await trader.ask(
            "order.modify", symbol="BTCUSDT", side="BUY", orderId=number, quantity=0.02, price=59100
        )
        assert (amended["result"]["price"], amended["result"]["origQty"]) == ("59100.0", "0.020")
        shown = await trader.ask("order.status", symbol="BTCUSDT", orderId=number)
        assert shown["result"]["orderId"] == number
        cancelled = await trader.ask("order.cancel", 7, symbol="BTCUSDT", origClientOrderId="one")
        assert (cancelled["id"], cancelled["result"]["status"]) == (7, "CANCELED")
        assert [event[1] for event in story(await told(user))] == ["NEW", "AMENDMENT", "CANCELED"]
    await at.host.close()


@in_loop
async def test_conditional_orders_and_accounts_have_their_methods() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        await trader.ask("order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
        placed = await trader.ask(
            "algoOrder.place", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
            quantity="0.010", triggerPrice="59000", reduceOnly=True,
        )  # fmt: skip
        assert placed["result"]["algoStatus"] == "NEW"
        gone = await trader.ask("algoOrder.cancel", algoId=placed["result"]["algoId"])
        assert gone["status"] == 200
        for method in ("account.status", "account.position", "account.balance"):
            for name in (method, f"v2/{method}"):
                assert (await trader.ask(name))["status"] == 200
        held = [p for p in (await trader.ask("v2/account.position"))["result"] if p["symbol"] == "BTCUSDT"]
        assert [p["positionAmt"] for p in held] == ["0.010"]
    await at.host.close()


@in_loop
async def test_a_user_stream_is_begun_kept_and_ended_with_the_key_alone() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        ask = {"id": 1, "params": {"apiKey": trader.key}}
        key = (await client.ask({**ask, "method": "userDataStream.start"}))["result"]["listenKey"]
        assert at.desk.listen_keys.account(key) == ann
        assert (await client.ask({**ask, "method": "userDataStream.ping"}))["status"] == 200
        assert (await client.ask({**ask, "method": "userDataStream.stop"}))["status"] == 200
        assert at.desk.listen_keys.account(key) is None
    await at.host.close()


@pytest.mark.parametrize(
    "encode",
    [
        urlencode,
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs),
        lambda pairs: urlencode([(name, _plain(value)) for name, value in pairs]),
    ],
    ids=["encoded", "as_python", "encoded_json"],
)
def test_parameters_may_be_written_in_several_ways_to_be_signed(encode: Any) -> None:
    @in_loop
    async def run() -> None:
        at = await front(routes=ROUTES)
        ann = await at.host.account("ann")
        async with at.connect(URL) as client:
            trader = await _trader(at, client, ann)
            params = {**LIMIT, "quantity": 0.01, "price": "59000", "postOnly": True, "newClientOrderId": "a:b/c"}
            answer = await client.ask({"id": 1, "method": "order.place", "params": trader.signed(params, encode)})
            assert answer["status"] == 200, answer
        await at.host.close()

    run()


@in_loop
async def test_mistakes_are_answered_with_code_and_text() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        reader = await _trader(at, client, ann, Scope.READ)
        wrong = {**trader.signed({"symbol": "BTCUSDT", "orderId": 1}), "signature": "00"}
        late = trader.signed({"symbol": "BTCUSDT", "orderId": 1, "timestamp": at.wall() - 6_000})
        for method, params, status, code in (
            ("order.status", trader.signed({"symbol": "BTCUSDT", "orderId": 5}), 400, -2013),
            ("order.cancel", trader.signed({"symbol": "BTCUSDT", "orderId": 5}), 400, -2011),
            ("order.place", trader.signed(LIMIT), 400, -1102),
            ("order.place", reader.signed({**LIMIT, "quantity": "1", "price": "59000"}), 401, -2015),
            ("order.status", wrong, 400, -1022),
            ("order.status", late, 400, -1021),
            ("order.status", {**wrong, "apiKey": "unknown"}, 401, -2015),
            ("order.status", {}, 401, -2014),
            ("order.fly", {}, 400, -1020),
        ):
            answer = await client.ask({"id": "x", "method": method, "params": params})
            assert (answer["id"], answer["status"], answer["error"]["code"]) == ("x", status, code), answer
            assert answer["error"]["msg"]
            assert "result" not in answer
    await at.host.close()


@pytest.mark.parametrize(
    "said", ["", "{", "[]", "null", '{"id":1}', '{"id":1,"method":"ping","params":[1]}', "[[[[", "1"]
)
def test_what_is_no_request_is_answered_as_such(said: str) -> None:
    @in_loop
    async def run() -> None:
        at = await front(routes=ROUTES)
        async with at.connect(URL) as client:
            answer = await client.ask(said)
            assert (answer["status"], answer["error"]) == (400, {"code": -1135, "msg": "Invalid JSON Request"})
            assert client.is_open
        await at.host.close()

    run()


@in_loop
async def test_limits_are_counted_and_told_unless_they_are_not_wanted() -> None:
    at = await front(routes=ROUTES)
    at.desk.limits.rules = Rules(2_400, 2, 1_200)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        order = {**LIMIT, "quantity": "0.010", "price": "59000"}
        first = await trader.ask("order.place", **order)
        kinds = [(limit["rateLimitType"], limit["interval"], limit["count"]) for limit in first["rateLimits"]]
        assert kinds == [("REQUEST_WEIGHT", "MINUTE", 0), ("ORDERS", "SECOND", 1), ("ORDERS", "MINUTE", 1)]
        second = await trader.ask("order.place", **order, returnRateLimits=False)
        assert "rateLimits" not in second
        third = await trader.ask("order.place", **order)
        assert (third["status"], third["error"]["code"]) == (429, -1015)
        at.desk.limits.rules = Rules(5, 0, 0)
        answers = [await trader.ask("order.status", symbol="BTCUSDT", orderId=1) for _ in range(6)]
        assert [answer["status"] for answer in answers] == [200] * 5 + [429]
    await at.host.close()


def _ed25519(at: Front, account: AccountId) -> tuple[str, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key, _ = at.desk.keys.create(account, (Scope.READ, Scope.TRADE), KeyKind.ED25519, public)
    return key.id, private


@in_loop
async def test_whoever_logged_on_needs_no_signature_until_he_logs_out() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        key, private = _ed25519(at, ann)
        params: dict[str, Any] = {"apiKey": key, "timestamp": at.wall()}
        text = "&".join(f"{name}={value}" for name, value in params.items())
        params["signature"] = base64.b64encode(private.sign(text.encode())).decode()
        status = await client.ask({"id": 0, "method": "session.status"})
        assert status["result"]["apiKey"] is None
        logged = await client.ask({"id": 1, "method": "session.logon", "params": params})
        assert (logged["status"], logged["result"]["apiKey"]) == (200, key)
        order = {**LIMIT, "quantity": "0.010", "price": "59000", "timestamp": at.wall()}
        placed = await client.ask({"id": 2, "method": "order.place", "params": order})
        assert placed["result"]["status"] == "NEW"
        late = {**order, "timestamp": at.wall() - 6_000}
        assert (await client.ask({"id": 3, "method": "order.place", "params": late}))["error"]["code"] == -1021
        started = await client.ask({"id": 4, "method": "userDataStream.start"})
        assert at.desk.listen_keys.account(started["result"]["listenKey"]) == ann
        out = await client.ask({"id": 5, "method": "session.logout"})
        assert out["result"]["apiKey"] is None
        assert (await client.ask({"id": 6, "method": "order.place", "params": order}))["error"]["code"] == -2014
    await at.host.close()


@in_loop
async def test_a_key_that_is_revoked_is_of_no_use_to_whoever_logged_on_with_it() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        key, private = _ed25519(at, ann)
        text = f"apiKey={key}&timestamp={at.wall()}"
        signature = base64.b64encode(private.sign(text.encode())).decode()
        params = {"apiKey": key, "timestamp": at.wall(), "signature": signature}
        assert (await client.ask({"id": 1, "method": "session.logon", "params": params}))["status"] == 200
        at.desk.keys.revoke(key)
        order = {**LIMIT, "quantity": "0.010", "price": "59000", "timestamp": at.wall()}
        assert (await client.ask({"id": 2, "method": "order.place", "params": order}))["error"]["code"] == -2015
    await at.host.close()


@in_loop
async def test_a_stream_is_for_keys_that_may_read() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann, Scope.TRADE)
        answer = await client.ask({"id": 1, "method": "userDataStream.start", "params": {"apiKey": trader.key}})
        assert (answer["status"], answer["error"]["code"]) == (401, -2015)
    await at.host.close()


@in_loop
async def test_only_ed25519_keys_log_on() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        answer = await trader.ask("session.logon")
        assert (answer["status"], answer["error"]["code"]) == (400, -4056)
    await at.host.close()


@in_loop
async def test_requests_are_begun_in_the_order_in_which_they_came() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        for n in range(20):
            params = trader.signed({**LIMIT, "quantity": "0.010", "price": "59000"})
            client.send({"id": n, "method": "order.place", "params": params})
        await client.settle(200)
        answers = {answer["id"]: answer["result"]["orderId"] for answer in client.take()}
        assert [answers[n] for n in range(20)] == list(range(1, 21))
    await at.host.close()


@in_loop
async def test_what_was_decided_stays_decided_though_its_client_left() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        client.send({"id": 1, "method": "order.place", "params": trader.signed({**LIMIT, **SMALL})})
        while not at.host.venue.waiting:
            await asyncio.sleep(0)
    assert client.take() == []
    await at.host.sequencer.flush()
    assert [row.lots for row in at.desk.blotter.open_orders(ann)] == [10]
    assert at.host.venue.waiting == 0
    await at.host.close()


@in_loop
async def test_whoever_asks_too_much_at_once_is_read_no_further_until_he_is_answered() -> None:
    at = await front(routes=ROUTES)
    ann = await at.host.account("ann")
    most, sockets_api.IN_FLIGHT_MAX = sockets_api.IN_FLIGHT_MAX, 2
    try:
        async with at.connect(URL) as client:
            trader = await _trader(at, client, ann)
            for n in range(10):
                client.send({"id": n, "method": "order.place", "params": trader.signed({**LIMIT, **SMALL})})
            await client.settle(400)
            assert [answer["id"] for answer in client.take()] == list(range(10))
    finally:
        sockets_api.IN_FLIGHT_MAX = most
    await at.host.close()


@in_loop
async def test_garbage_never_breaks_the_connection() -> None:
    at, dice = await front(routes=ROUTES), random.Random(11)
    ann = await at.host.account("ann")
    values = ["", "x", -1, 1e400, True, None, [], {}, "9" * 400, "\ud800", ["a"], {"a": 1}, 0, "NaN", "é"]
    async with at.connect(URL) as client:
        trader = await _trader(at, client, ann)
        names = [*LIMIT, "quantity", "price", "newClientOrderId", "orderId", "signature", "apiKey", "timestamp"]
        for _ in range(300):
            params = trader.signed({**LIMIT, "quantity": "0.010", "price": "59000"})
            params[dice.choice(names)] = dice.choice(values)
            method = dice.choice(["order.place", "order.cancel", "order.modify", "algoOrder.place", "session.logon"])
            answer = await client.ask({"id": 1, "method": method, "params": params})
            assert answer["status"] < 500, (answer, params)
        assert client.is_open
    await at.host.close()
