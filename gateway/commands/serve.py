"""`ringfence serve`: a session as an exchange, until it is stopped; the same command goes on with it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from socket import socket
from typing import NamedTuple

import structlog
import uvloop

from events.commands import AccountId
from gateway.app import build
from gateway.binance.market_asking import known
from gateway.commands.keys import ring_of
from gateway.commands.replay import amount
from gateway.commands.serve_accounts import Accounts, first_keys
from gateway.commands.serve_market import chosen, market_of, remember
from gateway.commands.serve_said import Said, show
from gateway.console import complain, progress, say_json
from gateway.errors import UsageError, about
from gateway.live.host import LiveSession
from gateway.live.market import LiveMarket
from gateway.memory import collect_seldom
from gateway.serving.certificates import certificate
from gateway.serving.hosts import is_loopback, listen, name_of, plain_host
from gateway.serving.journal import Journal, configure
from gateway.serving.limits import UNLIMITED, USUAL, Limits
from gateway.serving.server import Server
from replay.control import Control

STANDARD_ERROR = "-"
PATIENCE_SECONDS = 1.0
BATCHES_A_STEP = 1_000
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Request(NamedTuple):
    """What is asked for."""

    session: Path
    markets: list[Path]
    seed: int | None
    pack: str
    speed: str
    host: str
    port: int
    tls_port: int
    allow_remote: bool
    strict_algo: bool
    has_limits: bool
    account: str
    deposit: str
    log: str
    seconds: float
    as_json: bool


def run(request: Request) -> int:
    """Serve until it is stopped. Returns 0, or 1 where the session failed."""
    check_reach(request.host, request.allow_remote)
    amount(request.deposit, "--deposit")
    try:
        Control(request.speed)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    with ExitStack() as closing:
        journal = closing.enter_context(_journal(request.log))
        plain = closing.enter_context(listen(plain_host(request.host), request.port))
        secure = closing.enter_context(listen(request.host, request.tls_port, "--tls-port"))
        with about(request.session), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(request, journal, plain, secure))


def check_reach(host: str, allow_remote: bool) -> None:
    """Who listens where others can reach it has said so. Raises UsageError."""
    if not is_loopback(host) and not allow_remote:
        raise UsageError(f"--host {host}: others can reach it; add --allow-remote if they shall, which is by TLS alone")


async def _serve(request: Request, journal: Journal, plain: socket, secure: socket) -> int:
    market = await chosen(request.session, request.markets, request.seed)
    beside = request.session.with_name(f"{request.session.name}.tls")
    async with AsyncExitStack() as closing:
        live = await _opened(request, market_of(market))
        closing.push_async_callback(live.close)
        await remember(live.log, market)
        ring = ring_of(request.session)
        limits = Limits(USUAL if request.has_limits else UNLIMITED)
        app = build(live, ring, limits, journal=journal, strict_algo=request.strict_algo, path=request.session)
        accounts = Accounts(live.venue, ring, amount(request.deposit, "--deposit"))
        made = first_keys(ring, AccountId(request.account))
        await accounts.open()
        found = certificate(beside, name_of(request.host))
        server = Server(app, ring, plain, secure, found, accounts.open)
        stop = closing.enter_context(Stop())
        await server.start()
        closing.push_async_callback(server.stop)
        collect_seldom()
        traded = live.market.instruments(live.venue.pack) or known(live.tape) or list(live.venue.state.contracts)
        account = request.account if made else ring.keys()[0].account
        said = Said(request.session, live.venue, server, request.host, made, account, traded)
        said.point()
        if request.as_json:
            say_json(said.object())
        else:
            show(said)
        sys.stdout.flush()
        await _end(stop, live, request.seconds)
        complain("stopping: what is under way ends, and what was decided becomes durable")
    return 0 if live.failure is None else 1


async def _opened(request: Request, market: LiveMarket) -> LiveSession:
    """The session, up to now; who waits at a terminal sees how its log is read."""
    with progress("reading", None, "batches", PATIENCE_SECONDS) as advance:

        def on_batch(number: int) -> None:
            if number % BATCHES_A_STEP == 0:
                advance(number, number, 0)

        return await LiveSession.open(
            request.session, market, pack=request.pack, speed=request.speed, on_progress=on_batch
        )


class Stop:
    """Set by the first Ctrl-C or SIGTERM while the body runs; a second one is that of a process without a handler."""

    def __enter__(self) -> asyncio.Event:
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._heard)
        return self._event

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)

    def _heard(self) -> None:
        self._event.set()
        self.__exit__()


async def _end(stop: asyncio.Event, live: LiveSession, seconds: float) -> None:
    """Wait until it is stopped, until the session fails, or for so many seconds where they are given."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, live.stopped)]
    await asyncio.wait(waits, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if live.failure is not None:
        complain(f"the session failed ({live.failure}); report it, and start again")


@contextmanager
def _journal(path: str) -> Iterator[Journal]:
    """Write what is logged to a file, to standard error, or only what goes wrong to that."""
    with ExitStack() as closing:
        stream = sys.stderr
        if path not in ("", STANDARD_ERROR):
            stream = closing.enter_context(open(path, "a", encoding="utf-8", buffering=1))
        closing.callback(structlog.configure, **structlog.get_config())
        configure(stream, is_all=bool(path))
        yield Journal(stream if path else None)
