"""The composition root of the server: one ASGI application that hands each path to the dialect whose it is.

It bounds how many requests are under way, counts and logs them, and answers for whoever failed to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import count
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from events.notes import NotedLog
from exchange.failures import SequencerError
from gateway.binance import desk as binance
from gateway.binance.door import Door
from gateway.binance.market import MARKET_ROUTES
from gateway.binance.sockets import Sockets
from gateway.binance.streams import Streams
from gateway.native import desk as native
from gateway.native.app import build as native_app
from gateway.native.pace import Paced, rules_of
from gateway.serving.blotter import Blotter
from gateway.serving.hosts import is_loopback
from gateway.serving.journal import REQUEST, Journal
from gateway.serving.keys import KeyRing
from gateway.serving.limits import Limits
from gateway.serving.metrics import CONTENT_TYPE, Metrics
from gateway.serving.tape.tape import Tape
from gateway.serving.venue import Overloaded, Venue
from replay.control import Control

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]

IN_FLIGHT_MAX = 4_000
"""So many requests may be under way; further ones are refused at once."""

OVERLOADED = (
    b'{"code":-1008,"msg":"Server is currently overloaded with other requests. Please try again in a few minutes."}'
)
"""Binance's words for SERVER_BUSY: "Error codes" of its Spot API; those of USD-M Futures have the same code."""

UNCERTAIN = (
    b'{"code":-1006,"msg":"An unexpected response was received from the message bus. Execution status unknown."}'
)
DEFECT = b'{"code":-1000,"msg":"An unknown error occurred while processing the request."}'
NOWHERE = b'{"code":-5000,"msg":"There is nothing at this path."}'
UNAVAILABLE = 503
JSON = b"application/json"


class Session(Protocol):
    """A session that is served: a live one, or one whose market a test moves."""

    venue: Venue
    blotter: Blotter
    tape: Tape

    @property
    def log(self) -> NotedLog:
        """Its log."""
        ...

    @property
    def control(self) -> Control | None:
        """Whoever plays its market is held by this."""
        ...

    @property
    def is_on_time(self) -> bool:
        """Whether session time is shown as the wall's."""
        ...


class Part(NamedTuple):
    """Who answers for paths that begin so."""

    prefix: str
    http: Asgi | None = None
    websocket: Asgi | None = None


class App:
    """The application; `parts` are tried in their order."""

    def __init__(
        self, venue: Venue, parts: Sequence[Part], metrics: Metrics, journal: Journal, is_open: bool = False
    ) -> None:
        self.metrics = metrics
        self._venue = venue
        self._parts = tuple(parts)
        self._journal = journal
        self._is_open = is_open
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)
        self._start = token_hex(3)
        self._numbers = count(1)
        self._own: dict[str, Asgi] = {"/healthz": self._health, "/readyz": self._ready, "/metrics": self._measures}
        self.is_stopping = False
        if journal.is_on:
            venue.on_asked = journal.asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hold a WebSocket."""
        REQUEST.set(f"{self._start}-{next(self._numbers)}")
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, path, status = perf_counter(), scope["path"], 0

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._in_flight += 1
        try:
            if self._in_flight > IN_FLIGHT_MAX:
                raise Overloaded
            await self._handler(path)(scope, receive, watched)
        except Exception as error:
            if not await self._answer_for(path, error, status, watched):
                raise
        finally:
            self._in_flight -= 1
            seconds = perf_counter() - began
            if status == UNAVAILABLE:
                self.metrics.overloads.inc()
            self.metrics.answered(scope.get("path_template") or path, status, seconds)
            if self._journal.is_on:
                self._journal.answered(scope["method"], path, status, seconds, _client(scope))

    async def _answer_for(self, path: str, error: Exception, status: int, send: Send) -> bool:
        """Answer in the place of who failed, unless an answer had begun; whether that was done."""
        if not isinstance(error, Overloaded):
            self.metrics.failures.inc()
            self._journal.failed(path, error)
        if status:
            return False
        if isinstance(error, Overloaded):
            await _respond(send, UNAVAILABLE, OVERLOADED, wait_s=1)
        elif isinstance(error, SequencerError):
            await _respond(send, UNAVAILABLE, UNCERTAIN)
        else:
            await _respond(send, 500, DEFECT)
        return True

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        part = next((part for part in self._parts if part.websocket and scope["path"].startswith(part.prefix)), None)
        if part is None or part.websocket is None or not _is_same_origin(scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        self.metrics.sockets.inc()
        try:
            await part.websocket(scope, receive, send)
        except Exception as error:
            self.metrics.failures.inc()
            self._journal.failed(_without_key(scope["path"]), error)
            raise
        finally:
            self.metrics.sockets.dec()

    def _handler(self, path: str) -> Asgi:
        own = self._own.get(path)
        if own is not None:
            return own
        for part in self._parts:
            if part.http is not None and path.startswith(part.prefix):
                return part.http
        return _nothing

    async def _health(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """The process is alive: it answers."""
        await _respond(send, 200, b'{"status":"ok"}')

    async def _ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """The session decides, and what it decides becomes durable."""
        status = "stopping" if self.is_stopping else "ready" if self._venue.is_running else "stopped"
        said = {"status": status, "record": self._venue.durable.seq}
        await _respond(send, 200 if status == "ready" else 503, msgspec.json.encode(said))

    async def _measures(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Figures for operators: only from this machine, unless all may have them."""
        if self._is_open or is_loopback(_client(scope)):
            await _respond(send, 200, self.metrics.text(), CONTENT_TYPE)
        else:
            await _nothing(scope, receive, send)


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _respond(send, 404, NOWHERE)


async def _respond(send: Send, status: int, body: bytes, content_type: bytes = JSON, wait_s: int = 0) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    if wait_s:
        headers.append((b"retry-after", str(wait_s).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _without_key(path: str) -> str:
    """The path of a WebSocket without what follows /ws/: that may be a listen key."""
    before, mark, _ = path.partition("/ws/")
    return before + mark


def _is_same_origin(scope: Scope) -> bool:
    """Whether no browser speaks for a page of somewhere else."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin.decode("latin-1")).netloc == headers.get(b"host", b"").decode("latin-1")


def build(
    session: Session, keys: KeyRing, limits: Limits, *, journal: Journal | None = None, strict_algo: bool = False,
    is_open: bool = False, path: Path | None = None,
) -> App:  # fmt: skip
    """The application that serves a session; path is its file, is_open shows figures to all who ask."""
    venue = session.venue
    desk = binance.Desk(venue, session.blotter, session.tape, keys, limits, strict_algo=strict_algo)
    own = native.Desk(
        venue, keys, session.log, session.blotter, session.tape, path.stem if path else "session", path,
        session.control, lambda: session.is_on_time,
    )  # fmt: skip
    door, api = Door(desk, MARKET_ROUTES), native_app(own)
    sockets = Sockets(desk, Streams(desk).subscribe, door.routes)
    paced = Paced(api, Limits(rules_of(limits.rules)))
    parts = (Part("/fapi/", door), Part("/futures/", door), Part("/api/", paced, api), Part("/", None, sockets))
    return App(venue, parts, Metrics(venue, lambda: sockets.dropped), journal or Journal(), is_open)
