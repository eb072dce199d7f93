"""WebSocket connections to which a message that is framed already can be written as it is.

What many are sent is framed once for all of them, and written without a task that waits for its turn: 500 readers of a
busy book cost a third of the time so. Applications find it among the extensions of their scope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "ringfence.frames"

WriteFrame = Callable[[bytes], bool]
"""Writes a frame at once; whether that could be."""

TEXT = 0x81
"""The first byte of a whole text message. Source: RFC 6455, section 5.2."""


def frame(payload: bytes) -> bytes:
    """A whole text message as a server sends it: not masked."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 1 << 16:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


def writer_of(scope: Mapping[str, Any]) -> WriteFrame | None:
    """What writes frames to the connection of a scope, None where its server knows of none."""
    return (scope.get("extensions") or {}).get(EXTENSION)


class FramedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's connection, with `write_frame`."""

    async def run_asgi(self) -> None:
        """Serve it; the application finds how to write frames in its scope."""
        extensions: dict[Any, Any] = self.scope["extensions"]
        extensions[EXTENSION] = self.write_frame
        await super().run_asgi()

    def write_frame(self, data: bytes) -> bool:
        """Write a frame now; not where the client is behind, nor where messages are compressed or the connection is
        not open.
        """
        is_open = self.handshake_complete and not self.close_sent and not self.transport.is_closing()
        if not is_open or self.conn.extensions or not self.writable.is_set():
            return False
        self.transport.write(data)
        return True
