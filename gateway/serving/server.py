"""A server that runs: an application on its listeners, and what has to be looked after meanwhile."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, Protocol

from gateway.errors import UsageError
from gateway.serving.certificates import Certificate
from gateway.serving.hosts import Host
from gateway.serving.keys import KeyRing

LOOK_SECONDS = 1.0
"""Keys that were made or revoked elsewhere are known after so long at most."""


class Application(Protocol):
    """What is served, and told that it is going to end."""

    is_stopping: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        ...


class Server:
    """An application behind an HTTP address, and one with TLS where there is a certificate and a socket for it."""

    def __init__(
        self, app: Application, keys: KeyRing, plain: socket.socket | None, secure: socket.socket | None = None,
        certificate: Certificate | None = None,
    ) -> None:  # fmt: skip
        self.authority: Path | None = certificate.authority if certificate else None
        self._app = app
        self._keys = keys
        self._host = Host(app, plain, secure, certificate.context() if certificate else None)
        self._looking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where plain HTTP is, 0 if nowhere."""
        return self._host.port

    @property
    def tls_port(self) -> int:
        """Where TLS is, 0 if nowhere."""
        return self._host.tls_port

    async def start(self) -> None:
        """Listen."""
        await self._host.start()
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Stop listening once what is under way has ended."""
        self._app.is_stopping = True
        if self._looking is not None:
            self._looking.cancel()
        await self._host.stop()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._keys.refresh()
            except (UsageError, OSError):
                continue
