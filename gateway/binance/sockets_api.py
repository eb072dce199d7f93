"""The order API over a WebSocket: requests with ids, answered by the handlers of the REST endpoints.

A connection may log on with an Ed25519 key, and then needs neither key nor signature in its requests. Requests of one
connection are begun in the order in which they came; answers leave as they are ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from gateway.binance.desk import Desk, Request, Route, Routes, Security
from gateway.binance.door import answered
from gateway.binance.errors import (
    BinanceError,
    banned,
    broken,
    too_many_orders,
    too_many_requests,
)
from gateway.binance.params import Params
from gateway.binance.security import check_scope, check_signature, check_time, key_of
from gateway.binance.sockets_connection import Connection, Receive, Send
from gateway.binance.sockets_methods import ENDPOINTS, LOGON, LOGOUT, STATUS, Asked, BadRequest, payloads, read
from gateway.serving.frames import WriteFrame
from gateway.serving.keys import Key, KeyKind
from gateway.serving.limits import BANNED, OK

IN_FLIGHT_MAX = 200
"""So many requests of one connection are under way at a time; it is not read from while there are."""

_LOGGER = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Api:
    """Serves connections of the order API. routes are those of the REST door."""

    def __init__(self, desk: Desk, routes: Routes) -> None:
        self._desk = desk
        self._routes = routes

    async def serve(
        self, receive: Receive, send: Send, address: str, write_frame: WriteFrame | None = None
    ) -> None:  # fmt: skip
        """Serve one connection."""
        connection = Connection(receive, send, write_frame=write_frame)
        session = Session(self._desk, self._routes, connection, address)
        try:
            await connection.serve(session.hear)
        finally:
            session.close()


class Session:
    """One connection: who logged on, and what is under way."""

    def __init__(self, desk: Desk, routes: Routes, connection: Connection, address: str) -> None:
        self._desk = desk
        self._routes = routes
        self._connection = connection
        self._address = address
        self._key: Key | None = None
        self._connected = desk.wall()
        self._authorized: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def hear(self, text: str) -> None:
        """Take a request; waits while too many are under way."""
        while len(self._tasks) >= IN_FLIGHT_MAX:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.ensure_future(self._answer(text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Nobody waits for what is under way any more; what is decided stays decided."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, text: str) -> None:
        answer: dict[str, Any] = {"id": None, "status": 200}
        limits: list[dict[str, Any]] = []
        try:
            asked = read(text)
            answer["id"] = asked.id
            if asked.values.get("returnRateLimits") is not False:
                answer["rateLimits"] = limits
            answer["result"] = await self._result(asked, limits)
        except BinanceError as error:
            if isinstance(error, BadRequest):
                answer["id"] = error.about
            answer |= {"status": error.status, "error": error.answer()}
        except Exception:
            _LOGGER.exception("the order API failed")
            answer |= {"status": 500, "error": broken().answer()}
        self._connection.push(_encode(answer).decode())

    async def _result(self, asked: Asked, limits: list[dict[str, Any]]) -> Any:
        if asked.method in (LOGON, STATUS, LOGOUT):
            self._count(2, limits)
            return self._session(asked)
        route = self._routes.get(ENDPOINTS.get(asked.method, ("", "")))
        if route is None:
            raise BinanceError(-1020, "This operation is not supported.")
        params = Params.of(asked.values)
        self._count(route.weight if isinstance(route.weight, int) else route.weight(params), limits)
        request = Request(params, None, self._address)
        if route.security is not Security.NONE:
            key = self._admitted(route, params, asked.values)
            request = request._replace(key=key)
            if route.orders:
                self._count_orders(key, route.orders, limits)
        answer = await answered(self._desk, route, request)
        return msgspec.Raw(answer) if isinstance(answer, bytes) else answer

    def _admitted(self, route: Route, params: Params, values: Mapping[str, Any]) -> Key:
        """The key of who asks: that of the request, or of who logged on if it is still in use. Raises BinanceError."""
        desk, logged_on = self._desk, self._key
        if logged_on is None or "signature" in values or "apiKey" in values:
            key = key_of(desk, params.get("apiKey") or "")
            if route.security is Security.SIGNED:
                self._check_signed(key, params, values)
        else:
            key = key_of(desk, logged_on.id)
            if route.security is Security.SIGNED:
                check_time(desk, params)
        check_scope(key, route.scope)
        desk.account(key.account)
        return key

    def _check_signed(self, key: Key, params: Params, values: Mapping[str, Any]) -> None:
        check_time(self._desk, params)
        check_signature(self._desk, key, payloads(dict(values)), params.get("signature"))

    def _session(self, asked: Asked) -> dict[str, Any]:
        """Log on, off, or say who is. Raises BinanceError."""
        if asked.method == LOGON:
            params = Params.of(asked.values)
            key = key_of(self._desk, params.get("apiKey") or "")
            if key.kind is not KeyKind.ED25519:
                raise BinanceError(-4056, "Only Ed25519 API keys may log on.")
            self._check_signed(key, params, asked.values)
            self._desk.account(key.account)
            self._key, self._authorized = key, self._desk.wall()
        elif asked.method == LOGOUT:
            self._key = self._authorized = None
        return {
            "apiKey": self._key.id if self._key else None,
            "authorizedSince": self._authorized,
            "connectedSince": self._connected,
            "returnRateLimits": True,
            "serverTime": self._desk.wall(),
        }

    def _count(self, weight: int, limits: list[dict[str, Any]]) -> None:
        """Count a request's weight, and say how much is used. Raises BinanceError."""
        known = self._desk.limits
        verdict = known.spend(self._address, weight)
        limits.append(_limit("REQUEST_WEIGHT", "MINUTE", 1, known.rules.weight_1m, verdict.used))
        if verdict.status == BANNED:
            raise banned(self._desk.wall() + 1000 * verdict.wait_s, verdict.wait_s)
        if verdict.status != OK:
            raise too_many_requests(known.rules.weight_1m, verdict.wait_s)

    def _count_orders(self, key: Key, orders: int, limits: list[dict[str, Any]]) -> None:
        known = self._desk.limits
        verdict = known.order(key.account, orders)
        limits.append(_limit("ORDERS", "SECOND", 10, known.rules.orders_10s, verdict.last_10s))
        limits.append(_limit("ORDERS", "MINUTE", 1, known.rules.orders_1m, verdict.last_1m))
        if verdict.status != OK:
            raise too_many_orders(verdict.wait_s)


def _limit(kind: str, interval: str, number: int, most: int, count: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most, "count": count}
