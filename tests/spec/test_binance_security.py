"""How requests come to the Binance door: parameters, signatures, freshness, keys, scopes, limits."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.binance.params import Params
from gateway.serving.keys import KeyKind, Scope
from gateway.serving.limits import Rules
from tests.binance import Answer, Client, call, client, order
from tests.loop import in_loop

PATH = "/fapi/v1/order"


async def send(c: Client, method: str, query: str = "", body: str = "", key: str | None = None) -> Answer:
    headers = {"X-MBX-APIKEY": c.key.id if key is None else key, "Content-Type": "application/json;charset=utf-8"}
    return await call(c.door, method, PATH, query.encode(), body.encode(), headers)


def text_of(c: Client, **params: Any) -> str:
    pairs = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1", "timestamp": c.desk.wall()}
    return "&".join(f"{name}={value}" for name, value in (pairs | params).items() if value is not None)


@in_loop
async def test_parameters_come_in_the_query_the_body_or_both_whatever_the_method() -> None:
    c = await client()
    text = text_of(c)
    signed = f"{text}&signature={c.sign(text.encode())}"
    assert (await send(c, "POST", signed)).status == 200
    assert (await send(c, "POST", "", signed)).status == 200
    head, _, tail = text.partition("&quantity")
    both = f"quantity{tail}"
    signature = c.sign(f"{head}{both}".encode())
    assert (await send(c, "POST", head, f"{both}&signature={signature}")).status == 200
    assert (await send(c, "POST", f"{head}&signature={signature}", both)).status == 200
    rests = await c.buy("0.1", "50000")
    gone = await c.ask("DELETE", "/v1/order", in_body=True, symbol="BTCUSDT", orderId=rests["orderId"])
    assert gone.body["status"] == "CANCELED"
    shown = await c.ask("GET", "/v1/order", in_body=True, symbol="BTCUSDT", orderId=rests["orderId"])
    assert shown.body["status"] == "CANCELED"
    await c.host.close()


@in_loop
async def test_the_signature_stands_anywhere_in_any_case_and_unknown_parameters_are_ignored() -> None:
    c = await client()
    text = text_of(c, postOnly="true", returnRateLimits="false")
    signature = c.sign(text.encode())
    head, _, tail = text.partition("&")
    assert (await send(c, "POST", f"{head}&signature={signature}&{tail}")).status == 200
    assert (await send(c, "POST", f"{text}&signature={signature.upper()}")).status == 200
    await c.host.close()


@in_loop
async def test_what_was_signed_before_it_was_percent_encoded_is_taken_too() -> None:
    c = await client()
    plain = text_of(c, newClientOrderId="a:b/c")
    encoded = plain.replace("a:b/c", "a%3Ab%2Fc")
    first = await send(c, "POST", f"{encoded}&signature={c.sign(plain.encode())}")
    assert first.body["clientOrderId"] == "a:b/c"
    await c.host.close()


@in_loop
async def test_an_altered_request_is_refused() -> None:
    c = await client()
    text = text_of(c)
    signature = c.sign(text.encode())
    wrong = {"code": -1022, "msg": "Signature for this request is not valid."}
    for query in (
        f"{text_of(c, quantity='0.2')}&signature={signature}",
        f"{text}&signature={signature[:-1]}0{signature[-1]}",
        f"{text}&signature=é",
        f"{text}&reduceOnly=true&signature={signature}",
    ):
        answer = await send(c, "POST", query)
        assert (answer.status, answer.body) == (400, wrong)
    assert await c.position() is None
    await c.host.close()


@in_loop
async def test_who_asks_is_looked_at_first_then_when_then_the_signature_then_what_the_key_may() -> None:
    c = await client(scopes=(Scope.READ,))
    late = text_of(c, timestamp=c.desk.wall() - 5001)

    async def code(query: str, key: str | None = None) -> tuple[int, int]:
        answer = await send(c, "POST", query, key=key)
        return answer.status, answer.body["code"]

    assert await code(late, key="") == (401, -2014)
    assert await code(late, key="what?") == (401, -2014)
    assert await code(late, key="x" * 64) == (401, -2015)
    assert await code(text_of(c, timestamp=None)) == (400, -1102)
    assert await code(text_of(c, timestamp="soon")) == (400, -1102)
    assert await code(text_of(c, recvWindow=60_001)) == (400, -1131)
    assert await code(text_of(c, recvWindow="wide")) == (400, -1102)
    assert await code(late) == (400, -1021)
    assert await code(text_of(c)) == (400, -1102)
    assert await code(f"{text_of(c)}&signature=00") == (400, -1022)
    good = text_of(c, side=None)
    assert await code(f"{good}&signature={c.sign(good.encode())}") == (401, -2015)
    await c.host.close()


@in_loop
async def test_freshness_is_judged_by_the_wall_and_by_the_window() -> None:
    c = await client()

    async def message(**params: Any) -> str:
        text = text_of(c, **params)
        answer = await send(c, "POST", f"{text}&signature={c.sign(text.encode())}")
        return str(answer.body.get("msg", "taken"))

    now = c.desk.wall()
    assert await message(timestamp=now - 5_000) == "taken"
    assert await message(timestamp=now - 5_001) == "Timestamp for this request is outside of the recvWindow."
    assert await message(timestamp=now - 50_000, recvWindow=60_000) == "taken"
    assert await message(timestamp=now + 999) == "taken"
    ahead = "Timestamp for this request was 1000ms ahead of the server's time."
    assert await message(timestamp=now + 1_000) == ahead
    await c.host.close()


@in_loop
async def test_rsa_and_ed25519_sign_as_well() -> None:
    c = await client()
    rsa, ed = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    for kind, private in ((KeyKind.RSA, rsa), (KeyKind.ED25519, ed)):
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        key, _ = c.desk.keys.create(c.account, (Scope.READ, Scope.TRADE), kind, pem)
        text = text_of(c)
        made = rsa.sign(text.encode(), PKCS1v15(), SHA256()) if kind is KeyKind.RSA else ed.sign(text.encode())
        signature = quote(base64.b64encode(made).decode(), safe="")
        answer = await send(c, "POST", f"{text}&signature={signature}", key=key.id)
        assert answer.body["status"] == "NEW"
        wrong = await send(c, "POST", f"{text}&reduceOnly=true&signature={signature}", key=key.id)
        assert wrong.body["code"] == -1022
    await c.host.close()


@in_loop
async def test_weights_and_orders_are_counted_and_told() -> None:
    c = await client(rules=Rules(weight_1m=10, orders_10s=2, orders_1m=100))
    answer = await c.ask("POST", "/v1/order", **order("BUY", "0.1"))
    assert answer.headers["x-mbx-order-count-10s"] == "1"
    await c.buy("0.1")
    more = await c.ask("POST", "/v1/order", **order("BUY", "0.1"))
    assert (more.status, more.body["code"]) == (429, -1015)
    assert int(more.headers["retry-after"]) > 0
    assert (await c.ask("GET", "/v3/account")).headers["x-mbx-used-weight-1m"] == "5"
    await c.get("/v3/account")
    spent = await c.ask("GET", "/v3/account")
    assert (spent.status, spent.body["code"]) == (429, -1003)
    for _ in range(100):
        spent = await c.ask("GET", "/v3/account")
    assert (spent.status, spent.body["code"]) == (418, -1003)
    await c.host.close()


@in_loop
async def test_an_unknown_path_is_answered_in_json() -> None:
    c = await client()
    answer = await call(c.door, "GET", "/fapi/v1/nothing")
    assert (answer.status, answer.body["code"]) == (404, -5000)
    assert answer.headers["content-type"] == "application/json"
    assert (await call(c.door, "PATCH", PATH)).status == 404
    await c.host.close()


@in_loop
async def test_what_is_no_text_or_too_much_of_it_is_refused() -> None:
    c = await client()
    assert (await call(c.door, "POST", PATH, b"symbol=\xff")).body["code"] == -1100
    assert (await call(c.door, "POST", PATH, b"symbol=%ff")).body["code"] == -1100
    assert (await call(c.door, "POST", PATH, b"a&" * 300)).body["code"] == -1100
    large = await call(c.door, "POST", PATH, b"", b"x" * (1 << 19))
    assert (large.status, large.body["code"]) == (413, -1101)
    await c.host.close()


@in_loop
async def test_a_key_alone_is_enough_for_the_users_stream() -> None:
    c = await client()
    headers = {"X-MBX-APIKEY": c.key.id}

    async def ask(method: str) -> Answer:
        return await call(c.door, method, "/fapi/v1/listenKey", headers=headers)

    assert (await ask("PUT")).body["code"] == -1125
    first = (await ask("POST")).body["listenKey"]
    assert (await ask("POST")).body["listenKey"] == (await ask("PUT")).body["listenKey"] == first
    assert c.desk.listen_keys.account(first) == c.account
    assert (await ask("DELETE")).body == {}
    assert c.desk.listen_keys.account(first) is None
    assert (await ask("POST")).body["listenKey"] != first
    assert (await call(c.door, "POST", "/fapi/v1/listenKey")).status == 401
    await c.host.close()


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1"])
def test_booleans_are_taken_in_every_spelling(text: str) -> None:
    assert Params({"reduceOnly": text}).flag("reduceOnly")
    assert not Params({"reduceOnly": "False"}).flag("reduceOnly", True)
    assert Params.of({"reduceOnly": True, "x": None}).values == {"reduceOnly": "true"}


def test_of_a_parameter_sent_twice_the_query_counts_before_the_body() -> None:
    params = Params.read(b"a=1&b=x=y", b"a=2&c=3+4")
    assert params.values == {"a": "1", "b": "x=y", "c": "3 4"}
    assert params.signed == b"a=1&b=x=ya=2&c=3+4"


@in_loop
async def test_a_key_that_may_only_read_changes_nothing_at_any_endpoint() -> None:
    c = await client(scopes=(Scope.READ,))
    before = c.host.venue.durable.seq
    changing = [(method, path) for method, path in c.door.routes if method != "GET" and "listenKey" not in path]
    assert len(changing) >= 18
    for method, path in changing:
        answer = await c.ask(method, path.removeprefix("/fapi"), symbol="BTCUSDT")
        assert (answer.status, answer.body["code"]) == (401, -2015), path
    await c.host.venue.settled()
    assert c.host.venue.durable.seq == before
    await c.host.close()
