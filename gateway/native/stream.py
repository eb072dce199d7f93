"""The WebSocket of the native API: channels that a client subscribes to, each message with the record that it is of.

Client to server, JSON: {"op": "login", "token": ...}, {"op": "subscribe" | "unsubscribe", "channels": [...], "id": ...}
and {"op": "ping"}. Channels: `account`, `session`, `log` or `log:AFTER` (who reads it slowly reads it later),
`depth:INSTRUMENT` (a snapshot, then diffs whose `previous` is the record of the message before), `trades:INSTRUMENT`.
Whoever reads anything but the log too slowly is let go with code 1008: he subscribes again and gets a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from events.codec import decode_body
from gateway.native import feeds
from gateway.native.access import Logins, client_of
from gateway.native.desk import Client, Desk
from gateway.native.problems import Asked, problem_of
from gateway.native.sessions import session_of, told
from gateway.serving.keys import Scope
from replay.travel import batch_of

QUEUE_MAX = 1_000
"""So many messages may wait for a reader."""

CHANNELS_MAX = 200
TOO_SLOW = 1008


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What a client says."""

    op: str
    token: str = ""
    channels: list[str] = []
    id: int | str | None = None


class Connection:
    """One WebSocket: what it subscribed to, and what waits for its reader."""

    def __init__(self, socket: WebSocket[Any, Any, Any], desk: Desk, logins: Logins) -> None:
        self._socket, self._desk, self._logins = socket, desk, logins
        self._client: Client | None = None
        self._ends: dict[str, Callable[[], object]] = {}
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self._too_slow = asyncio.Event()

    async def serve(self) -> None:
        """Speak until the client leaves, or is too slow."""
        with suppress(Asked):
            self._client = client_of(self._socket, self._desk, self._logins, Scope.READ)
        await self._socket.accept()
        tasks = [asyncio.create_task(work) for work in (self._read(), self._write(), self._too_slow.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in self._ends.values():
                end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._too_slow.is_set():
            with suppress(Exception):
                await self._socket.close(TOO_SLOW, "read faster, or subscribe to less")

    def push(self, channel: str, record: int, data: Any, **more: Any) -> None:
        """Have a message sent as soon as the reader takes it."""
        self._put({"channel": channel, "record": record, **more, "data": data})

    def _put(self, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(msgspec.json.encode(message))
        except asyncio.QueueFull:
            self._too_slow.set()

    async def _write(self) -> None:
        while True:
            await self._socket.send_text((await self._queue.get()).decode())

    async def _read(self) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                self._heard(await self._socket.receive_data(mode="text"))

    def _heard(self, text: str | bytes) -> None:
        request = None
        try:
            request = msgspec.json.decode(text, type=Request)
            self._do(request)
        except msgspec.MsgspecError as error:
            self._problem(Asked("bad_request", str(error)), request)
        except Exception as error:
            self._problem(problem_of(error) or Asked("failed", "the server failed at this"), request)

    def _problem(self, problem: Asked, request: Request | None) -> None:
        self._put({"op": "problem", "id": request.id if request else None, **msgspec.to_builtins(problem.told())})

    def _do(self, request: Request) -> None:
        if request.op == "ping":
            self._put({"op": "pong", "id": request.id})
        elif request.op == "login":
            self._login(request)
        elif request.op == "subscribe":
            for channel in request.channels:
                self._subscribe(channel)
            self._put({"op": "subscribed", "id": request.id, "channels": list(self._ends)})
        elif request.op == "unsubscribe":
            for channel in request.channels:
                self._ends.pop(channel, lambda: None)()
            self._put({"op": "subscribed", "id": request.id, "channels": list(self._ends)})
        else:
            raise Asked("bad_request", f"op {request.op!r}: give login, subscribe, unsubscribe or ping")

    def _login(self, request: Request) -> None:
        key = self._desk.keys.bearer(request.token)
        if key is None:
            raise Asked("bad_token", "token: this one is not in use", 401)
        self._client = Client(self._desk, key, key.account)
        self._put({"op": "logged_in", "id": request.id, "account": key.account})

    def _subscribe(self, channel: str) -> None:
        if channel in self._ends:
            return
        if len(self._ends) >= CHANNELS_MAX:
            raise Asked("too_many_channels", f"{CHANNELS_MAX} channels at most; open another connection")
        kind, _, of = channel.partition(":")
        if kind == "log":
            self._ends[channel] = self._follow_log(channel, of)
        elif kind == "account":
            self._ends[channel] = feeds.account(self._desk, self._allowed(Scope.READ), self.push)
        elif kind == "session":
            self.push("session", self._desk.venue.durable.seq, session_of(self._desk))
            self._ends[channel] = lambda: None
        elif kind in feeds.MARKET:
            self._ends[channel] = feeds.MARKET[kind](self._desk, of, channel, self.push)
        else:
            known = ", ".join(("account", "log", "session", *feeds.MARKET))
            raise Asked("unknown_channel", f"channel {channel!r}: give {known}")

    def _allowed(self, scope: Scope) -> Client:
        client = self._client
        if client is None or client.key not in self._desk.keys.keys():  # noqa: SIM118 - it is no dict
            raise Asked("no_token", "this needs a token that is in use: log in first", 401)
        if scope not in client.key.scopes and Scope.ADMIN not in client.key.scopes:
            raise Asked("not_allowed", f"the key lacks the scope {scope.value}", 403)
        return client

    def _follow_log(self, channel: str, after: str) -> Callable[[], object]:
        self._allowed(Scope.ADMIN)
        if after and not after.isdecimal():
            raise Asked("bad_request", f"channel {channel!r}: give the number of a record")
        task = asyncio.create_task(self._log(channel, int(after) if after else self._desk.venue.durable.seq))
        return task.cancel

    async def _log(self, channel: str, after: int) -> None:
        """Send durable records in order, each batch once there is room for it."""
        log, head = self._desk.log, self._desk.venue.durable
        start = head.batch if after >= head.seq else await batch_of(log, after + 1) - 1
        async with aclosing(log.follow(start)) as batches:
            async for stored in batches:
                batch = decode_body(stored.number, stored.body)
                found = [told(batch, record) for record in batch.records if record.seq > after]
                message = {"channel": channel, "record": batch.last_seq, "data": found}
                await self._queue.put(msgspec.json.encode(message))


def handler(desk: Desk, logins: Logins) -> Any:
    """The route of the stream."""

    @websocket("/stream")
    async def stream(socket: WebSocket[Any, Any, Any]) -> None:
        """Channels of the session, its account and its market."""
        await Connection(socket, desk, logins).serve()

    return stream
