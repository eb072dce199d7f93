"""One WebSocket connection: what it is to be sent waits in a bounded queue, so that whoever reads slowly is dropped
and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from gateway.serving.frames import WriteFrame, frame

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WAITING_MAX = 4_096
"""So many messages may wait to be sent to one connection."""

WAITING_CHARACTERS_MAX = 8 * 1024 * 1024
"""So many characters of them."""

MESSAGE_MAX = 64 * 1024
"""A message of a client has so many characters at most."""

GOODBYE_SECONDS = 1.0
"""A connection that is closed is given so long to take notice."""

POLICY, TOO_BIG = 1008, 1009
"""Close codes. Source: RFC 6455, section 7.4.1."""


class Connection:
    """A client's connection. `pace` is how many messages it may send in a second; 0: as many as it likes.

    write_frame, where the server has it, sends what nothing else waits before.
    """

    def __init__(
        self, receive: Receive, send: Send, pace: int = 0, write_frame: WriteFrame | None = None
    ) -> None:  # fmt: skip
        self._receive = receive
        self._send = send
        self._write_frame = write_frame
        self._pace = pace
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._second = 0.0
        self._heard = 0
        self.was_slow = False

    def push(self, text: str, framed: bytes = b"") -> None:
        """Have this sent after all that waits. Never waits; a client that is too far behind is dropped.

        framed is the text as a frame, where it was made already.
        """
        if self._over.done():
            return
        if not self._characters and self._write_frame and self._write_frame(framed or frame(text.encode())):
            return
        if len(self._waiting) >= WAITING_MAX or self._characters + len(text) > WAITING_CHARACTERS_MAX:
            self.was_slow = True
            self.close(POLICY, "too slow: messages were waiting")
            return
        self._waiting.append(text)
        self._characters += len(text)
        self._more.set()

    def close(self, code: int, why: str) -> None:
        """End the connection; what waits is not sent any more."""
        if not self._over.done():
            self._over.set_result((code, why))

    @property
    def is_over(self) -> bool:
        """Whether it was closed from here."""
        return self._over.done()

    async def serve(self, hear: Callable[[str], Awaitable[None]]) -> None:
        """Accept the client, have `hear` told what it says, and send what is pushed, until either side ends it."""
        await self._send({"type": "websocket.accept"})
        tasks = [asyncio.ensure_future(self._read(hear)), asyncio.ensure_future(self._write())]
        try:
            waited: list[asyncio.Future[Any]] = [*tasks, self._over]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        if self._over.done():
            await self._say_goodbye(*self._over.result())
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, OSError):
                raise end

    async def _read(self, hear: Callable[[str], Awaitable[None]]) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            if message["type"] != "websocket.receive":
                continue
            text = message.get("text")
            if text is None:
                text = (message.get("bytes") or b"").decode(errors="replace")
            if len(text) > MESSAGE_MAX:
                self.close(TOO_BIG, "message too big")
            elif self._is_too_fast():
                self.close(POLICY, "Too many requests")
            else:
                await hear(text)

    def _is_too_fast(self) -> bool:
        now = self._loop.time()
        if now >= self._second + 1:
            self._second, self._heard = now, 0
        self._heard += 1
        return 0 < self._pace < self._heard

    async def _write(self) -> None:
        waiting = self._waiting
        while True:
            await self._more.wait()
            while waiting:
                text = waiting.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._characters -= len(text)
            self._more.clear()

    async def _say_goodbye(self, code: int, why: str) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": why})
