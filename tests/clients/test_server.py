"""The server itself: it begins, answers on both ports, turns away what is too much, and ends."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from gateway import app as application
from gateway.errors import UsageError
from gateway.native import pace
from gateway.serving import connections
from gateway.serving.hosts import listen
from gateway.serving.keys import KeyRing, Scope
from gateway.serving.limits import PATIENCE, Rules
from tests.clients.running import HOST, Running, ServerThread


def _get(server: Running, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_it_is_alive_and_ready(server: Running) -> None:
    assert _get(server, "/healthz")[::2] == (200, b'{"status":"ok"}')
    status, _, body = _get(server, "/readyz")
    assert status == 200
    assert json.loads(body)["status"] == "ready"


def test_clients_verify_its_certificate_by_the_authority_beside_the_session(server: Running) -> None:
    trusting = ssl.create_default_context(cafile=server.authority)
    for host in (HOST, "localhost"):
        with urlopen(f"https://{host}:{server.tls_port}/healthz", timeout=10, context=trusting) as answer:
            assert answer.status == 200
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(f"https://{HOST}:{server.tls_port}/healthz", timeout=10, context=ssl.create_default_context())


def test_a_path_that_is_nobodys_is_said_to_be_so_in_json(server: Running) -> None:
    status, headers, body = _get(server, "/nothing/here?signature=abc")
    assert (status, headers["content-type"]) == (404, "application/json")
    assert set(json.loads(body)) == {"code", "msg"}


def test_its_figures_count_requests_by_route_and_what_the_session_did(server: Running) -> None:
    _get(server, "/healthz")
    _get(server, "/nothing/at/all")
    status, headers, body = _get(server, "/metrics")
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    assert (status, headers["content-type"][:10]) == (200, "text/plain")
    assert float(lines['ringfence_requests_total{code="200",route="/healthz"}']) >= 1
    assert float(lines['ringfence_requests_total{code="404",route="unknown"}']) >= 1
    assert float(lines["ringfence_records_total"]) > 0
    assert float(lines["ringfence_durable_lag_records"]) >= 0
    assert "/nothing" not in body.decode()


def _said(server: Running, *sent: bytes) -> bytes:
    """What the server says to these bytes until it closes."""
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        for part in sent:
            try:
                connection.sendall(part)
            except OSError:
                break
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def test_a_head_without_end_is_turned_away(server: Running) -> None:
    said = _said(server, b"GET /healthz HTTP/1.1\r\n", *[b"x: " + b"y" * 9_000 + b"\r\n"] * 30)
    assert said.startswith(b"HTTP/1.1 431") or said == b""


def test_a_body_beyond_bounds_is_turned_away(server: Running) -> None:
    said = _said(server, b"POST /readyz HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n", *[b"x" * 100_000] * 30)
    assert said.startswith((b"HTTP/1.1 413", b"HTTP/1.1 200")) or said == b""


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nhost: x\r\n"])
def test_who_does_not_get_on_with_a_request_is_closed(
    server: Running, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.01)
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        connection.sendall(begun)
        assert connection.recv(100) == b""


def test_more_connections_than_may_be_are_told_and_closed(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 0)
    assert _said(server).startswith(b"HTTP/1.1 503")
    monkeypatch.undo()
    assert _get(server, "/healthz")[0] == 200


@pytest.mark.parametrize("sent", [b"\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_answered_400(server: Running, sent: bytes) -> None:
    assert _said(server, sent).startswith(b"HTTP/1.1 400")
    assert _get(server, "/healthz")[0] == 200


def test_a_port_that_is_in_use_is_told(server: Running) -> None:
    with pytest.raises(UsageError, match=rf"--port {server.port}: in use on 127.0.0.1; stop what listens there"):
        listen(HOST, server.port)


def test_it_stops_and_its_port_is_free_again(tmp_path: Path) -> None:
    thread = ServerThread(tmp_path)
    running = thread.start()
    assert _get(running, "/readyz")[0] == 200
    thread.stop()
    with pytest.raises(ConnectionRefusedError):
        _get(running, "/readyz")
    listen(HOST, running.port).close()


def test_a_key_that_is_revoked_elsewhere_is_no_longer_one(server: Running) -> None:
    ring = server.keys
    assert ring.path is not None
    key, secret = ring.create(server.ann.account, [Scope.READ])
    assert _signed(server, key.id, secret)[0] == 200
    KeyRing.open(ring.path).revoke(key.id)
    server.call(ring.refresh)
    status, said = _signed(server, key.id, secret)
    assert (status, said["code"]) == (401, -2015)


def test_who_asks_too_much_is_told_to_wait_and_then_banned(tmp_path: Path) -> None:
    thread = ServerThread(tmp_path, Rules(weight_1m=1, orders_10s=1, orders_1m=1))
    server = thread.start()
    found = [_get(server, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")]
    while found[-1][0] == 429 and len(found) <= 2 * PATIENCE:
        found.append(_get(server, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000"))
    thread.stop()
    assert len(found) > PATIENCE, "a minute that ends meanwhile gives it more"
    assert [status for status, *_ in found] == [429] * (len(found) - 1) + [418]
    for status, headers, body in (found[0], found[-1]):
        said = json.loads(body)
        assert (said["code"], "banned until" in said["msg"]) == (-1003, status == 418)
        assert 1 <= int(headers["retry-after"]) <= (60 if status == 429 else 120)


def test_the_native_api_has_a_pace_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "REQUESTS_1M", 2)
    thread = ServerThread(tmp_path, Rules())
    server = thread.start()
    found = [_get(server, "/api/v1/session") for _ in range(5)]
    beside = _get(server, "/fapi/v1/ping")[0]
    thread.stop()
    refused = [one for one in found if one[0] == 429]
    assert found[0][0] == beside == 200
    assert len(refused) >= 1, "a minute that ends meanwhile gives two more"
    _, headers, body = refused[-1]
    assert (json.loads(body)["code"], 1 <= int(headers["retry-after"]) <= 60) == ("too_many_requests", True)


def test_who_comes_when_it_is_overloaded_is_told_so_at_once(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "IN_FLIGHT_MAX", 0)
    status, headers, body = _get(server, "/fapi/v1/ping")
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", -1008)
    monkeypatch.undo()
    assert _get(server, "/fapi/v1/ping")[0] == 200


def _signed(server: Running, key: str, secret: str) -> tuple[int, Any]:
    """What a signed question about the account is answered."""
    query = f"timestamp={int(time.time() * 1000)}"
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
    connection.request("GET", f"/fapi/v3/account?{query}&signature={signature}", headers={"X-MBX-APIKEY": key})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found
