"""The door: HTTP requests in the dialect of Binance USD-M Futures, from bytes to bytes.

An ASGI application without a framework: clients sign the bytes that they send, so nothing may decode them before.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from exchange.failures import NotAcknowledged, Stopped, Unfit
from gateway.binance.account import ACCOUNT_ROUTES
from gateway.binance.desk import Desk, Request, Route, Routes, Security
from gateway.binance.errors import (
    BinanceError,
    bad_characters,
    banned,
    broken,
    no_path,
    outcome_unknown,
    overloaded,
    shutting_down,
    too_large,
    too_many_orders,
    too_many_requests,
)
from gateway.binance.params import Params
from gateway.binance.security import check_scope, check_signature, check_time, key_of
from gateway.binance.trading import TRADING_ROUTES
from gateway.serving.limits import BANNED, OK
from gateway.serving.venue import Overloaded

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_MAX = 1 << 18
"""A body has so many bytes at most."""

_JSON: Header = (b"content-type", b"application/json")
_KEY, _LENGTH, _ENCODING = b"x-mbx-apikey", b"content-length", b"transfer-encoding"
_LOGGER = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Door:
    """Serves the paths below /fapi and /futures/data of a desk; `more` are the routes of market data."""

    def __init__(self, desk: Desk, more: Routes | None = None) -> None:
        self.desk = desk
        self.routes: Routes = {**TRADING_ROUTES, **ACCOUNT_ROUTES, **(more or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers: list[Header] = [_JSON]
        status, failure = 200, None
        try:
            body = await self._answer(scope, receive, headers)
        except BinanceError as error:
            status, body = error.status, error.body()
            if error.wait_s:
                headers.append((b"retry-after", b"%d" % error.wait_s))
        except Exception as error:
            _LOGGER.exception("the door failed", path=scope["path"])
            failure = error
            status, body = 500, broken().body()
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        if failure is not None:
            raise failure

    async def _answer(self, scope: Scope, receive: Receive, headers: list[Header]) -> bytes:
        method, path = scope["method"], scope["path"]
        route = self.routes.get((method, path))
        if route is None:
            raise no_path(method, path)
        name, has_body = _of_headers(scope["headers"])
        body = await _body(receive) if has_body or method != "GET" else b""
        params = Params.read(scope["query_string"], body)
        client = scope.get("client")
        request = Request(params, None, client[0] if client else "")
        self._count(route, request, headers)
        if route.security is not Security.NONE:
            request = request._replace(key=self._admit(route, params, name))
            if route.orders:
                self._count_orders(route, request, headers)
        answer = await answered(self.desk, route, request)
        return answer if isinstance(answer, bytes) else _encode(answer)

    def _admit(self, route: Route, params: Params, name: str) -> Any:
        """The key of who asks. Raises BinanceError."""
        desk = self.desk
        key = key_of(desk, name)
        if route.security is Security.SIGNED:
            check_time(desk, params)
            check_signature(desk, key, params.payloads(), params.signature)
        check_scope(key, route.scope)
        desk.account(key.account)
        return key

    def _count(self, route: Route, request: Request, headers: list[Header]) -> None:
        """Count the request's weight. Raises BinanceError."""
        weight = route.weight if isinstance(route.weight, int) else route.weight(request.params)
        limits = self.desk.limits
        verdict = limits.spend(request.address, weight)
        headers.append((b"x-mbx-used-weight-1m", b"%d" % verdict.used))
        if verdict.status == BANNED:
            raise banned(self.desk.wall() + 1000 * verdict.wait_s, verdict.wait_s)
        if verdict.status != OK:
            raise too_many_requests(limits.rules.weight_1m, verdict.wait_s)

    def _count_orders(self, route: Route, request: Request, headers: list[Header]) -> None:
        verdict = self.desk.limits.order(request.account, route.orders)
        headers.append((b"x-mbx-order-count-10s", b"%d" % verdict.last_10s))
        headers.append((b"x-mbx-order-count-1m", b"%d" % verdict.last_1m))
        if verdict.status != OK:
            raise too_many_orders(verdict.wait_s)


async def answered(desk: Desk, route: Route, request: Request) -> Any:
    """What a route answers, its failures as the dialect says them. Raises BinanceError."""
    try:
        answer = route.handler(desk, request)
        return await answer if inspect.isawaitable(answer) else answer
    except Overloaded:
        raise overloaded() from None
    except NotAcknowledged:
        raise outcome_unknown() from None
    except Stopped:
        raise shutting_down() from None
    except Unfit:
        raise bad_characters() from None


def _of_headers(headers: list[Header]) -> tuple[str, bool]:
    """The API key, and whether a body comes."""
    key, has_body = "", False
    for name, value in headers:
        if name == _KEY:
            key = value.decode("latin-1")
        elif (name == _LENGTH and value != b"0") or name == _ENCODING:
            has_body = True
    return key, has_body


async def _body(receive: Receive) -> bytes:
    """The whole body. Raises BinanceError."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > BODY_MAX:
            raise too_large()
        message = await receive()
        body += message.get("body", b"")
    if len(body) > BODY_MAX:
        raise too_large()
    return body
