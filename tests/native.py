"""The native API for tests: a session in memory, its market moved by hand, and a client that holds a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from events.commands import AccountId
from events.instruments import load_pack
from events.store.memory import MemoryLog
from gateway.native.app import build
from gateway.native.desk import Desk
from gateway.serving.blotter import Blotter
from gateway.serving.keys import KeyKind, KeyRing, Scope
from gateway.serving.tape.tape import Tape
from tests.serving import Served, served

BASE = "/api/v1"


@dataclass
class Native:
    """A served session and a client of it."""

    host: Served
    desk: Desk
    app: Any
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, json: Any = None, token: str = "", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        return await self.http.request(method, f"{BASE}{path}", json=json, headers=named)

    async def told(self, method: str, path: str, json: Any = None, status: int = 200, **headers: str) -> Any:
        """What is answered, which has this status."""
        answer = await self.ask(method, path, json, **headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def token(self, account: str, *scopes: Scope) -> str:
        return self.desk.keys.create(AccountId(account), scopes or tuple(Scope), KeyKind.BEARER)[1]


@asynccontextmanager
async def native() -> AsyncIterator[Native]:
    pack = load_pack("binance-usdm")
    log, blotter, tape, keys = MemoryLog(), Blotter(pack), Tape(pack), KeyRing.open(None)
    host = await served(models=(blotter, tape), look=tape.look, log=log)
    await host.account("ann")
    desk = Desk(host.venue, keys, log, blotter, tape)
    app = build(desk)
    token = keys.create(AccountId("ann"), tuple(Scope), KeyKind.BEARER)[1]
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, base_url="http://ringfence", headers={"Authorization": f"Bearer {token}"}
    ) as http:
        yield Native(host, desk, app, http)
    await host.close()


class Socket:
    """One end of a WebSocket of an ASGI application, without a network."""

    def __init__(self, app: Any, path: str = f"{BASE}/stream", **headers: str) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.holds = asyncio.Event()
        self.holds.set()
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": named,
            "scheme": "ws", "http_version": "1.1", "subprotocols": [], "client": ("127.0.0.1", 5), "extensions": {},
            "server": ("127.0.0.1", 80), "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app(scope, self._to_app.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        await self.holds.wait()
        self._from_app.put_nowait(message)

    async def say(self, **message: Any) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": msgspec.json.encode(message).decode()})

    async def say_text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        """The next message of the application; of a close its code."""
        while (message := await asyncio.wait_for(self._from_app.get(), 5))["type"] == "websocket.accept":
            pass
        if message["type"] == "websocket.close":
            return message["code"]
        return msgspec.json.decode(message["text"])

    async def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, 5)
