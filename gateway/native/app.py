"""The native API as an ASGI application: Litestar, which reads and writes the messages with msgspec."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router, post
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from gateway import version
from gateway.native import accounts, explaining, market, reference, sessions, stream, trading
from gateway.native.access import COOKIE, Logins, client_of, key_of
from gateway.native.desk import Client, Desk
from gateway.native.messages import Problem
from gateway.native.problems import Asked, problem_of
from gateway.serving.keys import Scope

VERSION = "/api/v1"
BODY_MAX = 1 << 20
"""A request's body has so many bytes at most."""

_LOGGER = structlog.get_logger()


def build(desk: Desk) -> Litestar:
    """The application for a session that is served."""
    logins = Logins()

    def client(request: Request[Any, Any, Any]) -> Client:
        return client_of(request, desk, logins, Scope(request.route_handler.opt["scope"]))

    handlers = [
        *market.HANDLERS, *trading.HANDLERS, *accounts.HANDLERS, *sessions.HANDLERS, *explaining.HANDLERS,
        *_terminal(desk, logins), *reference.HANDLERS, stream.handler(desk, logins),
    ]  # fmt: skip
    return Litestar(
        route_handlers=[Router(VERSION, route_handlers=handlers)],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "client": Provide(client, sync_to_thread=False),
        },
        exception_handlers={Exception: _problem, HTTPException: _misfit},
        openapi_config=_openapi(),
        request_max_body_size=BODY_MAX,
        logging_config=None,
    )


def _openapi() -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer", description="A token of `ringfence keys add`.")
    return OpenAPIConfig(
        title="Ringfence",
        version=version.own(),
        description="A paper-trading exchange: the native API. Prices, sizes and money are decimal texts, times ns.",
        path=f"{VERSION}/schema",
        components=Components(security_schemes={"bearer": bearer}),
        security=[{"bearer": []}],
        use_handler_docstrings=True,
        render_plugins=[],
    )


def _terminal(desk: Desk, logins: Logins) -> list[Any]:
    """How a terminal in a browser comes to a cookie, and loses it."""

    @post("/login", status_code=200)
    async def login(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
        """Change a bearer token into a cookie, for a terminal in a browser."""
        key = key_of(request, desk, logins)
        name = Cookie(
            COOKIE, value=logins.begin(key), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return Response({"account": key.account}, cookies=[name])

    @post("/logout", status_code=200)
    async def logout(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
        """Forget the terminal's cookie."""
        logins.end(request.cookies.get(COOKIE, ""))
        return Response({}, cookies=[Cookie(COOKIE, value="", max_age=0)])

    return [login, logout]


def _problem(_request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error of ours as a problem; what nobody reckoned with is logged, and says nothing of itself."""
    asked = problem_of(error)
    if asked is None:
        _LOGGER.error("a request failed", error=repr(error), exc_info=error)
        asked = Asked("failed", "the server failed at this; its log says why", 500)
    return Response(asked.told(), status_code=asked.status)


def _misfit(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """What the framework refused: no such path, a body or parameter that is none."""
    extra = f": {error.extra}" if error.extra else ""
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "bad_request")
    return Response(Asked(code, f"{error.detail}{extra}").told(), status_code=error.status_code)
