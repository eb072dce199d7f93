"""How much an address may ask of the native API: bounded, so that one client leaves room for the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from gateway.native.problems import Asked
from gateway.serving.limits import OK, UNLIMITED, Limits, Rules

REQUESTS_1M = 12_000
"""So many requests in a minute of an address: ten times the orders that the other dialect takes of an account."""


def rules_of(rules: Rules) -> Rules:
    """The native API's, beside those of the other dialect: none where that has none."""
    return Rules(REQUESTS_1M, 0, 0) if rules != UNLIMITED else UNLIMITED


class Paced:
    """An application whose requests are counted by address; beyond what it may ask, it is answered 429."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]], limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        client = scope.get("client")
        verdict = self._limits.spend(client[0] if client else "", 1)
        if verdict.status == OK:
            await self._app(scope, receive, send)
            return
        body = msgspec.json.encode(Asked("too_many_requests", f"ask again in {verdict.wait_s} s", 429).told())
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % verdict.wait_s),
        ]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": body})
