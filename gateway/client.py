"""A typed client of the native API, for asyncio: REST, and the stream as an async iterator.

    async with Client("http://127.0.0.1:8700", token) as ringfence:
        placed = await ringfence.place(NewOrder(instrument="BTCUSDT", side="buy", size="0.1"))
        async for told in ringfence.stream("account", "depth:BTCUSDT"):
            ...

A request that was cut off may have been decided. Every request that changes something therefore carries a key of its
own, and is sent again under the same one: it is decided once.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from websockets.asyncio.client import connect

from gateway.native import messages as m

T = TypeVar("T")

TRIES = 3
"""A request is sent so often where the connection fails or the server is overloaded."""

PAUSE = 0.2
"""Seconds before the second try; each further pause is twice as long."""

API = "/api/v1"


class Refused(Exception):
    """The exchange or the server did not do what was asked: `code` does not change, the text says what to do."""

    def __init__(self, status: int, problem: m.Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.status, self.code, self.record = status, problem.code, problem.record


class Client:
    """Speaks for the account of a token. `verify` is a certificate authority's file, or False, for TLS."""

    def __init__(self, url: str, token: str = "", *, verify: str | bool = True, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._verify = verify
        options: dict[str, Any] = {"ca_certs": verify} if isinstance(verify, str) else {}
        options |= {} if verify else {"cert_reqs": "CERT_NONE"}
        self._pool = urllib3.PoolManager(maxsize=32, timeout=timeout, retries=False, **options)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    # Trading

    async def place(self, order: m.NewOrder) -> m.Outcome:
        """Place an order. Raises Refused."""
        return await self._send("POST", "/orders", m.Outcome, order)

    async def place_all(self, orders: list[m.NewOrder]) -> m.Outcome:
        """Place several in one batch; what was refused of them is among the facts."""
        return await self._send("POST", "/orders/batch", m.Outcome, m.NewOrders(orders=orders))

    async def preview(self, order: m.NewOrder) -> m.Preview:
        """What an order would do to margin and liquidation price."""
        return await self._send("POST", "/orders/preview", m.Preview, order)

    async def amend(self, number: int, amendment: m.Amendment) -> m.Outcome:
        """Give an open order another price or size. Raises Refused."""
        return await self._send("PATCH", f"/orders/{number}", m.Outcome, amendment)

    async def cancel(self, number: int) -> m.Outcome:
        """Cancel an order. Raises Refused."""
        return await self._send("DELETE", f"/orders/{number}", m.Outcome)

    async def cancel_all(self, instrument: str) -> m.Outcome:
        """Cancel everything open in an instrument."""
        return await self._send("DELETE", "/orders", m.Outcome, instrument=instrument)

    async def orders(self, instrument: str = "", status: str = "open", limit: int = 100) -> list[dict[str, Any]]:
        """Orders that are open, or all that are known."""
        return await self._get("/orders", list[dict[str, Any]], instrument=instrument, status=status, limit=limit)

    async def order(self, number: int) -> dict[str, Any]:
        """One order. Raises Refused."""
        return await self._get(f"/orders/{number}", dict[str, Any])

    # The account

    async def account(self) -> m.Account:
        """Wallets, positions, open orders."""
        return await self._get("/account", m.Account)

    async def fills(self, instrument: str = "", limit: int = 100, after: int = 0) -> list[dict[str, Any]]:
        """Fills, oldest first."""
        return await self._get("/fills", list[dict[str, Any]], instrument=instrument, limit=limit, after=after)

    async def income(self, instrument: str = "", limit: int = 100, after: int = 0) -> list[dict[str, Any]]:
        """Realised PnL, fees, funding, transfers, oldest first."""
        return await self._get("/income", list[dict[str, Any]], instrument=instrument, limit=limit, after=after)

    async def settings(self, setting: m.Setting) -> list[m.Outcome]:
        """Change leverage, margin mode and the like. Raises Refused."""
        return await self._send("PUT", "/settings", list[m.Outcome], setting)

    async def move_margin(self, change: m.MarginChange) -> m.Outcome:
        """Add margin to an isolated position, or take some away. Raises Refused."""
        return await self._send("POST", "/margin", m.Outcome, change)

    async def liquidations(self) -> list[dict[str, Any]]:
        """The account's liquidations."""
        return await self._get("/liquidations", list[dict[str, Any]])

    async def explain(self, number: int, effort: int = 100_000) -> dict[str, Any]:
        """One liquidation explained."""
        return await self._get(f"/liquidations/{number}", dict[str, Any], effort=effort)

    # The market and the session

    async def instruments(self) -> list[m.InstrumentTold]:
        """The terms of everything that can be traded."""
        return await self._get("/instruments", list[m.InstrumentTold])

    async def market(self, instrument: str) -> dict[str, Any]:
        """Mark, last price, best prices, funding."""
        return await self._get(f"/market/{instrument}", dict[str, Any])

    async def depth(self, instrument: str, levels: int = 100) -> m.Depth:
        """The book."""
        return await self._get(f"/market/{instrument}/depth", m.Depth, levels=levels)

    async def candles(self, instrument: str, interval: str = "1m", limit: int = 500) -> list[m.Candle]:
        """Candles, oldest first."""
        return await self._get(f"/market/{instrument}/candles", list[m.Candle], interval=interval, limit=limit)

    async def session(self) -> m.Session:
        """The session, and where its log ends."""
        return await self._get("/session", m.Session)

    async def log(self, after: int = 0, limit: int = 1_000) -> m.LogPage:
        """Records after that number."""
        return await self._get("/log", m.LogPage, after=after, limit=limit)

    async def play(self) -> m.Session:
        """Let the market go on."""
        return await self._send("POST", "/session/play", m.Session)

    async def pause(self) -> m.Session:
        """Let session time stand still."""
        return await self._send("POST", "/session/pause", m.Session)

    async def set_speed(self, speed: str) -> m.Session:
        """Let session time pass faster or slower."""
        return await self._send("POST", "/session/speed", m.Session, m.Speed(speed=speed))

    async def seek(self, at: int) -> m.Session:
        """Let the market hurry to a time ahead, ns as shown."""
        return await self._send("POST", "/session/seek", m.Session, m.Seek(at=at))

    async def fork(self, name: str, record: int, settings: list[str] | None = None) -> m.Forked:
        """Write a fork of the session beside its file."""
        new = m.NewFork(name=name, record=record, settings=settings or [])
        return await self._send("POST", "/session/forks", m.Forked, new)

    # The stream

    async def stream(self, *channels: str) -> AsyncIterator[dict[str, Any]]:
        """What these channels say, message by message, until the iterator is closed. Raises Refused."""
        url = self._url.replace("http", "ws", 1) + f"{API}/stream"
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with connect(url, additional_headers=headers, ssl=self._tls(), max_size=None) as socket:
            await socket.send(msgspec.json.encode({"op": "subscribe", "channels": channels}), text=True)
            async for text in socket:
                message = msgspec.json.decode(text)
                if message.get("op") == "problem":
                    raise Refused(400, msgspec.convert(message, m.Problem, strict=False))
                if "channel" in message:
                    yield message

    def _tls(self) -> ssl.SSLContext | None:
        if not self._url.startswith("https"):
            return None
        context = ssl.create_default_context(cafile=self._verify if isinstance(self._verify, str) else None)
        if self._verify is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    # Requests

    async def _get(self, path: str, kind: type[T], **query: Any) -> T:
        return await self._ask("GET", path, kind, None, query, {})

    async def _send(self, method: str, path: str, kind: type[T], body: Any = None, **query: Any) -> T:
        return await self._ask(method, path, kind, body, query, {"Idempotency-Key": secrets.token_hex(16)})

    async def _ask(
        self, method: str, path: str, kind: type[T], body: Any, query: dict[str, Any], headers: dict[str, str]
    ) -> T:
        url = f"{self._url}{API}{path}?{urlencode(query)}" if query else f"{self._url}{API}{path}"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else msgspec.json.encode(body)
        answer = await self._tried(method, url, data, {**headers, "Content-Type": "application/json"})
        if answer.status >= 400:
            raise Refused(answer.status, _problem(answer))
        return msgspec.json.decode(answer.data, type=kind)

    async def _tried(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        """Send a request, again and again where nobody knows what became of it or the server has too much to do."""
        for n in range(TRIES):
            is_last = n == TRIES - 1
            try:
                answer = await asyncio.to_thread(self._pool.request, method, url, body=data, headers=headers)
            except urllib3.exceptions.HTTPError:
                if is_last:
                    raise
            else:
                if answer.status != 503 or is_last:
                    return answer
            await asyncio.sleep(PAUSE * 2**n)
        raise AssertionError("the last try either answers or raises")


def _problem(answer: urllib3.BaseHTTPResponse) -> m.Problem:
    try:
        return msgspec.json.decode(answer.data, type=m.Problem)
    except msgspec.MsgspecError:
        return m.Problem(code=f"http_{answer.status}", message=answer.data[:200].decode("utf-8", "replace"))
