"""The WebSockets of the dialect: market streams, user streams, and the order API, as one ASGI application.

A connection hears the streams that its address names and that it subscribes to; a listen key is a stream too. So many
connections may be open at a time, from one address and in all; whoever sends too much, or reads too slowly, is closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.binance.desk import Desk, Routes
from gateway.binance.sockets_api import Api
from gateway.binance.sockets_connection import Connection, Receive, Send
from gateway.binance.sockets_control import STREAMS_MAX, reply
from gateway.binance.sockets_hubs import Hubs, Subscribe
from gateway.binance.sockets_paths import API, Asked, asked
from gateway.binance.sockets_user import UserStreams
from gateway.serving.frames import WriteFrame, writer_of

CONNECTIONS_MAX = 2_000
"""So many connections in all."""

CONNECTIONS_OF_ADDRESS_MAX = 1_000
"""So many of one address."""

PACE = 100
"""A connection of streams may say so much in a second. The venue allows 10; clients that start many subscriptions at
once are met with patience here.
"""


class Streams:
    """The streams of a connection, by name, in the order in which it asked for them."""

    def __init__(self, connection: Connection, wraps: bool, hubs: Hubs, users: UserStreams) -> None:
        self._connection = connection
        self._wraps = wraps
        self._hubs = hubs
        self._users = users
        self._ends: dict[str, Callable[[], object]] = {}

    def names(self) -> list[str]:
        """Of which it hears."""
        return list(self._ends)

    def add(self, name: str) -> None:
        """Hear this one too: an account's, where it is a listen key; a name that nobody knows stays silent."""
        if name in self._ends:
            return
        end = self._users.join(name, self._connection, self._wraps)
        self._ends[name] = end or self._hubs.join(name, self._connection, self._wraps)

    def remove(self, name: str) -> None:
        """Hear this one no more."""
        if (end := self._ends.pop(name, None)) is not None:
            end()

    def close(self) -> None:
        """Hear nothing more."""
        for name in list(self._ends):
            self.remove(name)

    async def hear(self, text: str) -> None:
        """Take what the client says."""
        self._connection.push(reply(self, text))


class Figures(NamedTuple):
    """How much there is to serve: connections, market streams and accounts that somebody hears."""

    connections: int
    streams: int
    accounts: int


class Sockets:
    """The WebSockets of a session: market streams from `subscribe`, requests answered by the REST `routes`.

    dropped counts those that were closed for reading too slowly.
    """

    def __init__(self, desk: Desk, subscribe: Subscribe, routes: Routes) -> None:
        self._users = UserStreams(desk)
        self._hubs = Hubs(subscribe)
        self._api = Api(desk, routes)
        self._open: Counter[str] = Counter()
        self.dropped = 0

    @property
    def figures(self) -> Figures:
        """What is open by now."""
        return Figures(self._open.total(), len(self._hubs), len(self._users))

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        names = asked(scope["path"], scope.get("query_string", b""))
        is_api = scope["path"].rstrip("/") == API
        if names is None and not is_api:
            await _refuse(scope, send, 404, "no such path")
            return
        address = (scope.get("client") or ("", 0))[0]
        if self._open.total() >= CONNECTIONS_MAX or self._open[address] >= CONNECTIONS_OF_ADDRESS_MAX:
            await _refuse(scope, send, 429, "too many connections")
            return
        self._open[address] += 1
        try:
            if names is None:
                await self._api.serve(receive, send, address, writer_of(scope))
            else:
                await self._stream(names, receive, send, writer_of(scope))
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def _stream(
        self, names: Asked, receive: Receive, send: Send, write_frame: WriteFrame | None
    ) -> None:  # fmt: skip
        connection = Connection(receive, send, PACE, write_frame)
        streams = Streams(connection, names.wraps, self._hubs, self._users)
        try:
            for name in names.names[:STREAMS_MAX]:
                streams.add(name)
            await connection.serve(streams.hear)
        finally:
            streams.close()
            self.dropped += connection.was_slow


async def _refuse(scope: Any, send: Send, status: int, why: str) -> None:
    """Refuse the handshake, with a reason where the server can say one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    body = f'{{"code":-1000,"msg":"{why}"}}'.encode()
    await send({"type": "websocket.http.response.body", "body": body})
