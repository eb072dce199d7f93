"""A WebSocket client that calls an ASGI application directly, and reads as fast or as slowly as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from gateway.serving.frames import EXTENSION


def payload_of(frame: bytes) -> bytes:
    """The payload of a whole text message that a server sends."""
    assert frame[0] == 0x81
    size, start = frame[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(frame[2:start], "big")
    assert len(frame) == start + size
    return frame[start:]


class Client:
    """`async with Client(app, "/ws?listenKey=x") as client`: what it is sent is in `heard`, unless it stalls."""

    def __init__(self, app: Any, url: str, address: str = "10.0.0.1", frames: bool = False) -> None:
        parts = urlsplit(url)
        self._app = app
        self._scope = {
            "type": "websocket",
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [],
            "client": (address, 50_000),
            "extensions": {"websocket.http.response": {}, **({EXTENSION: self._write_frame} if frames else {})},
        }
        self._says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self.heard: deque[Any] = deque()
        self.closed: tuple[int, str] | None = None
        self.refused: int | None = None
        self.framed = 0
        self._is_accepted = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Client:
        self._says.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(self._app(self._scope, self._says.get, self._send))
        await self.settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reads.set()
        self._says.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task

    async def settle(self, turns: int = 30) -> None:
        """Let everything that can go on do so."""
        for _ in range(turns):
            await asyncio.sleep(0)

    def send(self, message: Any) -> None:
        """Send a message: a text or bytes as they are, anything else as JSON."""
        if isinstance(message, bytes):
            self._says.put_nowait({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._says.put_nowait({"type": "websocket.receive", "text": text})

    async def say(self, message: Any) -> None:
        """Send a message, and let what follows from it happen."""
        self.send(message)
        await self.settle()

    async def ask(self, message: Any) -> Any:
        """Send a message, and the latest answer."""
        await self.say(message)
        return self.heard.pop()

    def take(self) -> list[Any]:
        """All that was heard since the last time."""
        found = list(self.heard)
        self.heard.clear()
        return found

    async def wait(self) -> list[Any]:
        """All that was heard since the last time, at least something, however late that comes."""
        async with asyncio.timeout(10):
            while not self.heard:
                await asyncio.sleep(0.001)
        return self.take()

    def stall(self) -> None:
        """Read nothing any more."""
        self._reads.clear()

    def resume(self) -> None:
        """Read again."""
        self._reads.set()

    @property
    def task(self) -> asyncio.Task[None]:
        """What serves it."""
        assert self._task is not None
        return self._task

    @property
    def is_open(self) -> bool:
        """Whether the application still serves it."""
        return not self.task.done()

    def _write_frame(self, data: bytes) -> bool:
        """As the server does: nothing before the handshake, nor while nothing is read."""
        if not self._reads.is_set() or not self._is_accepted:
            return False
        self.framed += 1
        self.heard.append(json.loads(payload_of(data)))
        return True

    async def _send(self, message: Any) -> None:
        await self._reads.wait()
        self._is_accepted |= message["type"] == "websocket.accept"
        if message["type"] == "websocket.send":
            self.heard.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"], message["reason"]
        elif message["type"] == "websocket.http.response.start":
            self.refused = message["status"]
