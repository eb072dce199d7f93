"""A server that runs: an application on its listeners, and what has to be looked after meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import structlog

from exchange.failures import SequencerError
from gateway.errors import UsageError
from gateway.serving.certificates import Certificate
from gateway.serving.hosts import Host
from gateway.serving.keys import KeyRing
from gateway.serving.venue import Overloaded

LOOK_SECONDS = 1.0
"""Keys that were made or revoked elsewhere are known after so long at most."""


_LOGGER = structlog.get_logger()


class Application(Protocol):
    """What is served, and told that it is going to end."""

    is_stopping: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        ...


class Server:
    """An application behind an HTTP address, and one with TLS where there is a certificate and a socket for it.

    on_keys is called after keys were made or revoked elsewhere.
    """

    def __init__(
        self, app: Application, keys: KeyRing, plain: socket.socket | None, secure: socket.socket | None = None,
        certificate: Certificate | None = None, on_keys: Callable[[], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self.authority: Path | None = certificate.authority if certificate else None
        self._app = app
        self._keys = keys
        self._on_keys = on_keys
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
                if self._keys.refresh() and self._on_keys is not None:
                    await self._on_keys()
            except (UsageError, OSError, SequencerError, Overloaded) as error:
                _LOGGER.warning("keys not taken up", why=str(error))
