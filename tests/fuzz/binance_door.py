"""Requests by chance against the Binance door, over real sockets: `python -m tests.fuzz.binance_door`.

Bad and good signatures, bodies, encodings, sizes, numbers, names; also what is no HTTP at all. Every answer is JSON
with a status below 500; a refusal has a code below zero and a text; afterwards the server answers as before.
"""

from __future__ import annotations

import hmac
import json
import random
import socket
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from urllib.parse import quote

import typer

from tests.clients.running import HOST, Running, ServerThread
from tests.fuzz.native_api import is_well

NAMES = (
    "symbol", "side", "type", "quantity", "price", "stopPrice", "triggerPrice", "timeInForce", "reduceOnly", "orderId",
    "origClientOrderId", "newClientOrderId", "closePosition", "positionSide", "goodTillDate", "callbackRate", "amount",
    "leverage", "marginType", "batchOrders", "orderIdList", "interval", "limit", "startTime", "endTime", "fromId",
    "recvWindow", "algoType", "algoId", "clientAlgoId", "activatePrice", "priceMatch", "selfTradePreventionMode",
    "workingType", "countdownTime", "dualSidePosition", "multiAssetsMargin", "listenKey", "pair", "incomeType", "type",
    "contractType", "period",
)  # fmt: skip
VALUES = (
    "BTCUSDT", "ETHUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_MARKET", "TRAILING_STOP_MARKET", "GTC", "GTX", "GTD",
    "FOK", "0.01", "1", "60000", "59000.1", "0", "-1", "1e400", "NaN", "Infinity", "0x10", "1_000", "", " ", "true",
    "True", "null", "[]", "{}", '[{"symbol":"BTCUSDT"}]', "[1,2,3]", '[{"symbol":"BTCUSDT","side":"BUY"}', "LONG",
    "CROSSED", "ISOLATED", "1m", "9m", "1000", "99999999999999999999999999", "ä", "\x00", "\r\n", "%", "&", "=",
    "a" * 40, "BOTH", "CONDITIONAL", "OPPONENT", "EXPIRE_MAKER", "MARK_PRICE", "١٢", "0.000000001", "-0", "+5",
    "5.", ".5", "PERPETUAL", "5m", "1M", "999999999999999999",
)  # fmt: skip


class Fuzzer:
    """Makes requests of chance and looks at the answers. seed decides all of them."""

    def __init__(self, server: Running, paths: list[tuple[str, str]], seed: int) -> None:
        self._server = server
        self._paths = paths
        self._random = random.Random(seed)
        self._socket: socket.socket | None = None
        self.answers: Counter[str] = Counter()

    def request(self) -> bytes:
        """One request: mostly well formed, on a path that there is."""
        chance = self._random.random
        method, path = self._random.choice(self._paths)
        if chance() < 0.05:
            method, path = self._random.choice(["GET", "POST", "PATCH", "PUT"]), f"{path}{self._value()}"
        query, body = self._parameters(), self._parameters() if chance() < 0.4 else ""
        if chance() < 0.9:
            query += f"&timestamp={int(time() * 1000 + self._random.choice([0, 0, 0, -(10**5), 10**5, 10**17]))}"
        signature = hmac.new(self._server.ann.secret.encode(), (query + body).encode(), sha256).hexdigest()
        query += f"&signature={signature if chance() < 0.85 else self._value()}"
        key = self._server.ann.key if chance() < 0.9 else quote(self._value())
        raw = body.encode()
        head = f"{method} {quote(path, safe='/')}?{query} HTTP/1.1\r\nHost: {HOST}\r\nX-MBX-APIKEY: {key}\r\n"
        kind = self._random.choice(["application/x-www-form-urlencoded", "application/json", "text/plain; charset=x"])
        return f"{head}Content-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw

    def ask(self) -> None:
        """Send one and judge its answer. Raises AssertionError."""
        request = self.request() if self._random.random() < 0.97 else self._rubbish()
        status, body = self._sent(request)
        self.answers[str(status) if status else "hung up"] += 1
        assert status < 500, (status, body[:300], request[:2000])
        if status >= 400 and body and not self._is_of_http(body):
            problem = json.loads(body)
            assert problem["code"] < 0, (body, request)
            assert problem["msg"], (body, request)

    def _parameters(self) -> str:
        pairs = [(self._random.choice(NAMES), self._value()) for _ in range(self._random.randrange(9))]
        if self._random.random() < 0.6:
            pairs = [*pairs, ("symbol", "BTCUSDT"), ("side", "BUY"), ("quantity", "0.01")]
            pairs += [("type", "LIMIT"), ("timeInForce", "GTC"), ("price", self._value())]
        return "&".join(f"{name}={quote(value)}" for name, value in pairs)

    def _value(self) -> str:
        if self._random.random() < 0.8:
            return self._random.choice(VALUES)
        return "".join(chr(self._random.randrange(1, 0x2FF)) for _ in range(self._random.randrange(1, 60)))

    def _rubbish(self) -> bytes:
        cases = [
            self._random.randbytes(200),
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
            b"GET /fapi/v1/time HTTP/9.9\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
        ]
        return self._random.choice(cases)

    def _is_of_http(self, body: bytes) -> bool:
        """Whether the HTTP server answered, to whom no dialect is known yet."""
        return body.startswith((b"Invalid HTTP request", b"Bad Request"))

    def _sent(self, request: bytes) -> tuple[int, bytes]:
        """Status and body; 0 where the server hung up, or waits for more than was sent."""
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._server.port), timeout=5)
            self._socket.settimeout(2)
        try:
            self._socket.sendall(request)
            return self._received()
        except OSError:
            self._hang_up()
            return 0, b""

    def _received(self) -> tuple[int, bytes]:
        assert self._socket is not None
        data = b""
        while b"\r\n\r\n" not in data:
            if not (part := self._socket.recv(65536)):
                raise ConnectionError
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        while length and len(body) < int(length):
            body += self._socket.recv(65536)
        if b"connection: close" in head.lower() or not length:
            self._hang_up()
        return int(head[9:12]), body

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def fuzz(server: Running, requests: int, seed: int) -> Counter[str]:
    """Ask so many times: how many answers had which status. Raises AssertionError."""
    from gateway.binance.account import ACCOUNT_ROUTES  # noqa: PLC0415 - what may be asked is looked up late
    from gateway.binance.market import MARKET_ROUTES  # noqa: PLC0415
    from gateway.binance.trading import TRADING_ROUTES  # noqa: PLC0415

    fuzzer = Fuzzer(server, [*TRADING_ROUTES, *ACCOUNT_ROUTES, *MARKET_ROUTES], seed)
    for _ in range(requests):
        fuzzer.ask()
    return fuzzer.answers


def main(requests: int = 5_000, seed: int = 1) -> None:
    """Ask so many times."""
    with TemporaryDirectory() as folder:
        thread = ServerThread(Path(folder))
        server = thread.start()
        try:
            answers = fuzz(server, requests, seed)
            assert is_well(server)
        finally:
            thread.stop()
    told = ", ".join(f"{count:,} answered {status}" for status, count in sorted(answers.items()))
    sys.stdout.write(f"Binance door: {answers.total():,} requests tried, no failure: {told}\n")


if __name__ == "__main__":
    typer.run(main)
