"""The door where something is wrong behind it: what a client is told, and that it is told at all."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.failures import NotAcknowledged, Stopped, Unfit
from gateway.binance.desk import Desk, Request, Route
from gateway.binance.door import Door
from gateway.serving.keys import Scope
from gateway.serving.venue import Overloaded
from tests.binance import call, client, order
from tests.loop import in_loop


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [(Overloaded, 503, -1008), (NotAcknowledged, 503, -1007), (Stopped, 503, -1016), (Unfit, 400, -1100)],
)
@in_loop
async def test_what_cannot_be_done_now_is_told_by_its_code(
    failure: type[Exception], status: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await client()

    async def fails(_command: Any) -> Any:
        raise failure("no")

    monkeypatch.setattr(c.host.venue, "ask", fails)
    answer = await c.ask("POST", "/v1/order", **order("BUY", "0.1", newClientOrderId="mine"))
    assert (answer.status, answer.body["code"]) == (status, code)
    monkeypatch.undo()
    assert (await c.buy("0.1", newClientOrderId="mine"))["status"] == "FILLED"
    await c.host.close()


@in_loop
async def test_a_defect_is_answered_and_not_hidden() -> None:
    c = await client()

    def broken(_desk: Desk, _request: Request) -> Any:
        raise ZeroDivisionError("a bug")

    c.door.routes["GET", "/fapi/v1/ping"] = Route(broken)
    heard: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        heard.append(message)

    scope = {"method": "GET", "path": "/fapi/v1/ping", "query_string": b"", "headers": [], "client": None}
    with pytest.raises(ZeroDivisionError):
        await c.door(scope, receive, send)
    assert heard[0]["status"] == 500
    assert b"-1000" in heard[1]["body"]
    await c.host.close()


@in_loop
async def test_a_key_that_may_not_read_opens_no_stream() -> None:
    c = await client(scopes=(Scope.WITHDRAW,))
    answer = await call(c.door, "POST", "/fapi/v1/listenKey", headers={"X-MBX-APIKEY": c.key.id})
    assert (answer.status, answer.body["code"]) == (401, -2015)
    await c.host.close()


@in_loop
async def test_a_key_of_an_account_that_is_not_there_is_none() -> None:
    c = await client()
    key, _ = c.desk.keys.create("nobody", (Scope.READ,))  # type: ignore[arg-type]
    answer = await call(c.door, "POST", "/fapi/v1/listenKey", headers={"X-MBX-APIKEY": key.id})
    assert (answer.status, answer.body["code"]) == (401, -2015)
    await c.host.close()


@in_loop
async def test_a_body_may_come_in_parts() -> None:
    c = await client()
    text = f"symbol=BTCUSDT&timestamp={c.desk.wall()}"
    text += f"&signature={c.sign(text.encode())}"
    parts = [text[:10].encode(), text[10:30].encode(), text[30:].encode()]
    heard: list[Any] = []

    async def receive() -> Any:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        heard.append(message)

    headers = [(b"x-mbx-apikey", c.key.id.encode()), (b"transfer-encoding", b"chunked")]
    scope = {"method": "GET", "path": "/fapi/v1/openOrders", "query_string": b"", "headers": headers}
    await Door(c.desk)(scope, receive, send)
    assert (heard[0]["status"], heard[1]["body"]) == (200, b"[]")
    await c.host.close()
