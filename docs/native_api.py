"""The page of the native API's reference, from the application itself: what may be asked, by whom, and all messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
from litestar.handlers import HTTPRouteHandler

from gateway.native import messages, stream
from gateway.native.app import VERSION, build
from gateway.native.desk import Desk
from gateway.native.messages import Asked, Said

INTRODUCTION = f"""Paths begin with `{VERSION}`. A running server has this too: a page at `{VERSION}/reference`,
an OpenAPI document at `{VERSION}/schema/openapi.json`, and as JSON Schema of all messages, commands and facts at
`{VERSION}/schemas`. Send `Authorization: Bearer TOKEN`; what needs no scope needs no token. A request with an
`Idempotency-Key` of your own is decided once, however often it is sent. An admin adds `?account=NAME` to speak for
another account. What is not done is answered with a `Problem`: 400 and 404 for what makes no sense, 401 and 403 for
who may not, 409 for what this session cannot, 422 for what the exchange refused (`code` is the
[refusal](refusals.md)), 503 where it has too much to do."""


def native_page(page: Callable[..., str], field_table: Callable[[Any], Iterator[str]]) -> str:
    """The page, laid out as the others are."""
    return page(
        "The native API",
        INTRODUCTION,
        "## Operations",
        "\n".join(["| | path | scope | |", "|---|---|---|---|", *_operations()]),
        "## The stream",
        f"`WS {VERSION}/stream`. {inspect.cleandoc(stream.__doc__ or '')}",
        "## Messages",
        *(_message(kind, field_table) for kind in _messages()),
    )


def _operations() -> Iterator[str]:
    """A row an operation, in the order in which the application has them."""
    app = build(cast("Desk", None))
    for route in app.routes:
        path = route.path.removeprefix(VERSION)
        handlers = [one for one in getattr(route, "route_handlers", ()) if isinstance(one, HTTPRouteHandler)]
        rows = {verb: _row(one, verb, path) for one in handlers for verb in one.http_methods if verb != "OPTIONS"}
        if route.path.startswith(VERSION) and not path.startswith("/schema/") and path != "/schema":
            yield from (rows[verb] for verb in sorted(rows))


def _row(handler: HTTPRouteHandler, verb: str, path: str) -> str:
    said = " ".join(inspect.cleandoc(handler.fn.__doc__ or "").split())
    return f"| {verb} | `{path}` | {handler.opt.get('scope', '')} | {said} |"


def _messages() -> Iterator[type[msgspec.Struct]]:
    for kind in vars(messages).values():
        if isinstance(kind, type) and issubclass(kind, (Asked, Said)) and kind not in (Asked, Said):
            yield kind


def _message(kind: type[msgspec.Struct], field_table: Callable[[Any], Iterator[str]]) -> str:
    return "\n\n".join([f"### {kind.__name__}", inspect.cleandoc(kind.__doc__ or ""), *field_table(kind)])
