"""A server as clients meet it: on free ports of the loopback, in a thread of its own, so that clients may block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import uvloop

from events.commands import AccountId
from gateway.app import build
from gateway.serving.certificates import certificate
from gateway.serving.hosts import listen
from gateway.serving.keys import KeyKind, KeyRing, Scope
from gateway.serving.limits import UNLIMITED, Limits, Rules
from gateway.serving.server import Server
from tests.serving import Moved, moved

T = TypeVar("T")
HOST = "127.0.0.1"


class Credentials(NamedTuple):
    """An account, and the key that speaks for it."""

    account: AccountId
    key: str
    secret: str


@dataclass
class Running:
    """A server that runs: where it is, and who may speak to it; admin is a bearer token of ann's for everything."""

    port: int
    tls_port: int
    authority: Path
    ann: Credentials
    bob: Credentials
    admin: str
    session: Moved
    loop: asyncio.AbstractEventLoop
    keys: KeyRing

    @property
    def http(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def https(self) -> str:
        """With the name by which ccxt chooses its table of errors."""
        return f"https://demo-fapi@{HOST}:{self.tls_port}"

    @property
    def ws(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def wss(self) -> str:
        return f"wss://{HOST}:{self.tls_port}"

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call something in the server's loop, e.g. `server.call(server.session.move, "60100")`."""

        async def called() -> T:
            return function(*arguments)

        return self.run(called())


class ServerThread:
    """Runs a server from `start` to `stop`."""

    def __init__(self, folder: Path, rules: Rules = UNLIMITED) -> None:
        self._folder = folder
        self._rules = rules
        self._up: Future[Running] = Future()
        self._end: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def start(self) -> Running:
        self._thread.start()
        return self._up.result(30)

    def stop(self) -> None:
        self._end()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if self._up.done():
                    raise
                self._up.set_exception(error)

    async def _serve(self) -> None:
        session = await moved()
        ring = KeyRing.open(self._folder / "live.db.keys")
        people = [_credentials(ring, await session.account(name)) for name in ("ann", "bob")]
        found = certificate(self._folder / "live.db.tls")
        app = build(session, ring, Limits(self._rules))
        server = Server(app, ring, listen(HOST, 0), listen(HOST, 0), found)
        await server.start()
        ending, loop = asyncio.Event(), asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(ending.set) and None
        admin = ring.create(people[0].account, tuple(Scope), KeyKind.BEARER)[1]
        self._up.set_result(Running(server.port, server.tls_port, found.authority, *people, admin, session, loop, ring))
        moving = asyncio.create_task(_move(session))
        await ending.wait()
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
        await server.stop()
        await session.close()


async def _move(session: Moved) -> None:
    """Let the market's time go on."""
    while True:
        await asyncio.sleep(0.25)
        session.move(session.price, 0.25)


def _credentials(ring: KeyRing, account: AccountId) -> Credentials:
    key, secret = ring.create(account, [Scope.READ, Scope.TRADE, Scope.WITHDRAW])
    return Credentials(account, key.id, secret)
