"""The application: whose path it is, what it answers for whoever fails, what it counts, logs and turns away."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from exchange.failures import NotAcknowledged
from gateway import app as application
from gateway.app import App, Part
from gateway.serving.journal import Journal
from gateway.serving.metrics import ROUTES_MAX, Metrics
from gateway.serving.venue import Overloaded, Venue
from tests.loop import in_loop
from tests.serving import served

HERE = ("127.0.0.1", 5000)


async def _ask(app: Any, path: str, client: tuple[str, int] | None = HERE, **more: Any) -> tuple[int, Any]:
    """The status and what was said, JSON decoded."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"secret=1",
        "headers": [],
        "client": client,
    }

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await app({**scope, **more}, receive, send)
    text = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


async def _connect(app: Any, path: str, headers: list[tuple[bytes, bytes]]) -> list[Any]:
    """What the application does about a WebSocket."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await app({"type": "websocket", "path": path, "headers": headers, "client": HERE}, receive, send)
    return sent


async def _fine(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"who":"one"}'})


async def _accepts(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


def _raising(error: Exception, begins: bool = False) -> Callable[..., Any]:
    async def part(_scope: Any, _receive: Any, send: Any) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return part


def _app(venue: Venue, *parts: Part, log: io.StringIO | None = None, is_open: bool = False) -> App:
    return App(venue, parts, Metrics(venue), Journal(log), is_open)


def _figures(app: App) -> dict[str, float]:
    lines = app.metrics.text().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@in_loop
async def test_a_path_goes_to_the_first_part_that_it_begins_with() -> None:
    host = await served()
    app = _app(host.venue, Part("/one/", _fine), Part("/", None, _accepts))
    assert await _ask(app, "/one/x") == (200, {"who": "one"})
    assert (await _ask(app, "/two"))[0] == 404
    assert await _connect(app, "/one/x", []) == [{"type": "websocket.accept"}]
    await host.close()


@in_loop
async def test_whoever_fails_is_answered_for_and_counted() -> None:
    host = await served()
    app = _app(
        host.venue,
        Part("/busy", _raising(Overloaded("later"))),
        Part("/lost", _raising(NotAcknowledged("gone"))),
        Part("/bad", _raising(KeyError("x"))),
    )
    status, said = await _ask(app, "/busy")
    assert (status, said["code"]) == (503, -1008)
    status, said = await _ask(app, "/lost")
    assert (status, said["code"]) == (503, -1006)
    status, said = await _ask(app, "/bad")
    assert (status, said["code"]) == (500, -1000)
    figures = _figures(app)
    assert (figures["ringfence_overloads_total"], figures["ringfence_failures_total"]) == (2, 2)
    assert figures['ringfence_requests_total{code="503",route="/busy"}'] == 1
    assert figures["ringfence_requests_in_flight"] == 0
    await host.close()


@in_loop
async def test_an_answer_that_had_begun_is_not_begun_again() -> None:
    host = await served()
    app = _app(host.venue, Part("/half", _raising(KeyError("x"), begins=True)))
    with pytest.raises(KeyError):
        await _ask(app, "/half")
    assert _figures(app)["ringfence_failures_total"] == 1
    await host.close()


@in_loop
async def test_more_requests_at_once_than_may_be_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "IN_FLIGHT_MAX", 1)
    host, gate = await served(), asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await _fine(scope, receive, send)

    app = _app(host.venue, Part("/wait", waits))
    first = asyncio.ensure_future(_ask(app, "/wait"))
    await asyncio.sleep(0)
    status, said = await _ask(app, "/wait")
    assert (status, said["code"]) == (503, -1008)
    gate.set()
    assert (await first)[0] == 200
    await host.close()


@in_loop
async def test_readiness_says_what_the_session_does() -> None:
    host = await served()
    app = _app(host.venue)
    assert await _ask(app, "/healthz") == (200, {"status": "ok"})
    assert await _ask(app, "/readyz") == (200, {"status": "ready", "record": host.venue.durable.seq})
    app.is_stopping = True
    status, said = await _ask(app, "/readyz")
    assert (status, said["status"]) == (503, "stopping")
    app.is_stopping = False
    await host.close()
    status, said = await _ask(app, "/readyz")
    assert (status, said["status"]) == (503, "stopped")


@in_loop
async def test_figures_are_for_this_machine_unless_they_are_for_all() -> None:
    host = await served()
    away = ("192.0.2.1", 1)
    assert (await _ask(_app(host.venue), "/metrics"))[0] == 200
    assert (await _ask(_app(host.venue), "/metrics", away))[0] == 404
    assert (await _ask(_app(host.venue), "/metrics", None))[0] == 404
    assert (await _ask(_app(host.venue, is_open=True), "/metrics", away))[0] == 200
    await host.close()


@in_loop
async def test_a_browser_speaks_for_no_page_of_somewhere_else() -> None:
    host = await served()
    app = _app(host.venue, Part("/", None, _accepts))
    here = (b"host", b"127.0.0.1:8700")
    assert await _connect(app, "/ws", [here, (b"origin", b"http://127.0.0.1:8700")]) == [{"type": "websocket.accept"}]
    for origin in (b"http://evil.example", b"null", b"http://127.0.0.1:8701"):
        assert await _connect(app, "/ws", [here, (b"origin", origin)]) == [{"type": "websocket.close", "code": 1008}]
    assert await _connect(_app(host.venue), "/ws", [here]) == [{"type": "websocket.close", "code": 1008}]
    await host.close()


@in_loop
async def test_a_websocket_that_fails_is_counted_and_no_longer_open() -> None:
    host = await served()
    log = io.StringIO()
    app = _app(host.venue, Part("/", None, _raising(KeyError("x"))), log=log)
    with pytest.raises(KeyError):
        await _connect(app, "/private/ws/listenkey", [])
    assert json.loads(log.getvalue())["path"] == "/private/ws/", "a listen key opens an account's stream"
    figures = _figures(app)
    assert (figures["ringfence_websockets"], figures["ringfence_failures_total"]) == (0, 1)
    await host.close()


@in_loop
async def test_the_log_joins_a_request_with_its_commands_and_holds_no_query() -> None:
    host, log = await served(), io.StringIO()

    async def opens(scope: Any, receive: Any, send: Any) -> None:
        await host.account("ann")
        await _fine(scope, receive, send)

    app = _app(host.venue, Part("/one", opens), Part("/bad", _raising(KeyError("x"))), log=log)
    await _ask(app, "/one")
    await _ask(app, "/bad")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    opened, deposit, request, defect, failed = lines
    assert opened["command"] == "OpenAccount"
    assert opened["request"] == deposit["request"] == request["request"] != failed["request"]
    assert deposit["record"] > opened["record"] > 0
    assert (request["method"], request["path"], request["status"]) == ("GET", "/one", 200)
    assert "KeyError" in defect["exception"]
    assert failed["status"] == 500
    assert "secret" not in log.getvalue()
    await host.close()


def test_whatever_is_called_like_a_secret_is_not_written() -> None:
    log = io.StringIO()
    Journal(log).noted("made", secret="abc", api_key="def", X_Signature="ghi", count=3)
    line = json.loads(log.getvalue())
    assert (line["secret"], line["api_key"], line["X_Signature"], line["count"]) == ("***", "***", "***", 3)
    Journal().noted("nothing")


@in_loop
async def test_whatever_paths_are_asked_for_the_figures_stay_bounded() -> None:
    host = await served()
    app = _app(host.venue, Part("/one/", _fine))
    for number in range(ROUTES_MAX + 20):
        await _ask(app, f"/one/{number}")
        await _ask(app, f"/none/{number}")
    figures = _figures(app)
    assert figures['ringfence_requests_total{code="200",route="other"}'] == 21, "one is for what is unknown"
    assert figures['ringfence_requests_total{code="404",route="unknown"}'] == ROUTES_MAX + 20
    await host.close()
