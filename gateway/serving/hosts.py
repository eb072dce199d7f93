"""Listeners: one ASGI application on several sockets, plain and with TLS, in the event loop that runs already."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import uvicorn

from gateway.errors import UsageError
from gateway.serving.connections import BoundedProtocol
from gateway.serving.frames import FramedProtocol

LOOPBACK = "127.0.0.1"

MESSAGE_BYTES_MAX = 64 * 1024
"""A message on a WebSocket takes so many bytes at most."""

PING_SECONDS = 20.0
IDLE_SECONDS = 75
"""A connection that was answered is kept so long for the next request."""

GRACE_SECONDS = 3
"""At shutdown, requests under way have so long to end."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach who listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def name_of(host: str) -> str:
    """By which name others call who listens there: the machine's own where it is every address."""
    try:
        return socket.gethostname() if ip_address(host).is_unspecified else host
    except ValueError:
        return host


def plain_host(host: str) -> str:
    """Where plain HTTP is: never where others could listen to it."""
    return host if is_loopback(host) else LOOPBACK


def in_url(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket that listens; port 0 for any that is free. Raises UsageError."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        raise UsageError(f"--host {host}: {error}; give an address of this machine") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.setblocking(False)
    except (OSError, OverflowError) as error:
        found.close()
        raise UsageError(f"{option} {port}: {_why(host, error)}") from None
    return found


def _why(host: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"in use on {host}; stop what listens there, or give another, or 0 for any that is free"
    if code == errno.EACCES:
        return "not yours to listen on; give one from 1024"
    if code == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; give another --host"
    return f"nothing can listen there ({error})"


class Listener(uvicorn.Server):
    """One server of uvicorn on one socket, which leaves signals to whoever runs it."""

    def __init__(self, app: Any, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            uvicorn.Config(
                app, loop="none", http=BoundedProtocol, ws=FramedProtocol, ws_max_size=MESSAGE_BYTES_MAX,
                ws_ping_interval=PING_SECONDS, ws_ping_timeout=PING_SECONDS, ws_per_message_deflate=False,
                lifespan="off", interface="asgi3", log_config=None, log_level="critical", access_log=False,
                proxy_headers=False, server_header=False, timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS, ssl_context_factory=None,
            )
        )  # fmt: skip
        self.config.load()
        self.config.ssl = tls
        self.listening = listening
        self.is_up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.is_up.set()


class Host:
    """What serves an application: begin with `start`, end with `stop`."""

    def __init__(self, app: Any, plain: socket.socket | None, secure: socket.socket | None = None,
                 tls: ssl.SSLContext | None = None) -> None:  # fmt: skip
        self._listeners = [Listener(app, plain, None)] if plain else []
        if secure:
            assert tls is not None, "who listens for TLS has a certificate"
            self._listeners.append(Listener(app, secure, tls))
        self.port = _port(plain)
        self.tls_port = _port(secure)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """So many are open, WebSockets among them."""
        return sum(len(listener.server_state.connections) for listener in self._listeners)

    async def start(self) -> None:
        """Listen."""
        self._tasks = [asyncio.create_task(each.serve([each.listening])) for each in self._listeners]
        up = [asyncio.create_task(each.is_up.wait()) for each in self._listeners]
        for task, waiting in zip(self._tasks, up, strict=True):
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Take no more connections, let requests under way end, tell WebSockets, and close."""
        for listener in self._listeners:
            listener.should_exit = True
        await asyncio.gather(*self._tasks)


def _port(listening: socket.socket | None) -> int:
    return int(listening.getsockname()[1]) if listening else 0
