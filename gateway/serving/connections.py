"""One HTTP connection, bounded: how long a head may be, and take; how long a body may be; how many there may be."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024
"""The request line and the headers take so many bytes, and one read, at most: a batch of orders in a query takes 6 KiB.
"""

BODY_BYTES_MAX = 1024 * 1024
HEAD_SECONDS = 10.0
"""So long a connection may take to send the head of its first request, or of one that it has begun."""

CONNECTIONS_MAX = 2_000


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is answered and closed where it is more than it may be."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        self._is_in_head = True
        self._head = self._body = 0
        self._deadline: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            self._turn_away(503, "too many connections")
        else:
            self._deadline = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended."""
        self._end_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something was sent: of a head, of a body, or of several requests."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_BYTES_MAX:
                self._turn_away(431, "the head of the request is too long")
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._is_in_head = False
        self._head = self._body = 0
        self._end_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._body += len(body)
        if self._body <= BODY_BYTES_MAX:
            super().on_body(body)
        elif not self.transport.is_closing():
            self._turn_away(413, "the body of the request is too long")

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _turn_away(self, status: int, why: str) -> None:
        """Say why, unless an answer is under way, and close."""
        self._end_deadline()
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            text = f'{{"code":{-status},"msg":"{why}"}}'.encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
            self.transport.write(STATUS_LINE[status] + head + text)
        self.transport.close()
