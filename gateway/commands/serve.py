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

import uvloop

from events.commands import AccountId
from gateway.app import build
from gateway.commands.keys import ring_of
from gateway.commands.replay import amount
from gateway.commands.serve_accounts import Accounts, first_keys
from gateway.commands.serve_market import chosen, market_of, remember
from gateway.commands.serve_said import Said, show
from gateway.console import complain, say_json
from gateway.errors import UsageError, about
from gateway.live.host import LiveSession
from gateway.memory import collect_seldom
from gateway.serving.certificates import certificate
from gateway.serving.hosts import is_loopback, listen
from gateway.serving.journal import Journal, configure
from gateway.serving.limits import UNLIMITED, USUAL, Limits
from gateway.serving.server import Server

LOOPBACK = "127.0.0.1"
STANDARD_ERROR = "-"


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
    with ExitStack() as closing:
        journal = closing.enter_context(_journal(request.log))
        plain = closing.enter_context(listen(_plain_host(request.host), request.port))
        secure = closing.enter_context(listen(request.host, request.tls_port, "--tls-port"))
        with about(request.session), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(request, journal, plain, secure))


def check_reach(host: str, allow_remote: bool) -> None:
    """Who listens where others can reach it has said so. Raises UsageError."""
    if not is_loopback(host) and not allow_remote:
        raise UsageError(f"--host {host}: others can reach it; add --allow-remote if they shall, which is by TLS alone")


def _plain_host(host: str) -> str:
    """Where plain HTTP is: never where others could listen to it."""
    return host if is_loopback(host) else LOOPBACK


async def _serve(request: Request, journal: Journal, plain: socket, secure: socket) -> int:
    market = await chosen(request.session, request.markets, request.seed)
    beside = request.session.with_name(f"{request.session.name}.tls")
    async with AsyncExitStack() as closing:
        live = await LiveSession.open(request.session, market_of(market), pack=request.pack, speed=request.speed)
        closing.push_async_callback(live.close)
        await remember(live.log, market)
        ring = ring_of(request.session)
        accounts = Accounts(live.venue, ring, amount(request.deposit, "--deposit"))
        made = first_keys(ring, AccountId(request.account))
        await accounts.open()
        limits = Limits(USUAL if request.has_limits else UNLIMITED)
        app = build(live, ring, limits, journal=journal, strict_algo=request.strict_algo, path=request.session)
        found = certificate(beside, "" if is_loopback(request.host) else request.host)
        server = Server(app, ring, plain, secure, found, accounts.open)
        await server.start()
        closing.push_async_callback(server.stop)
        collect_seldom()
        traded = live.market.instruments(live.venue.pack) or list(live.venue.state.contracts)
        said = Said(request.session, live.venue, server, request.host, made, request.account, traded)
        said.point()
        if request.as_json:
            say_json(said.object())
        else:
            show(said)
        sys.stdout.flush()
        await _stopped(live, request.seconds)
        complain("stopping: what is under way ends, and what was decided becomes durable")
    return 0 if live.failure is None else 1


async def _stopped(live: LiveSession, seconds: float) -> None:
    """Wait for a signal, for the session to fail, or for so many seconds where they are given.

    A second signal is that of a process without a handler.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waits = [asyncio.create_task(event.wait()) for event in (stop, live.stopped)]
    try:
        await asyncio.wait(waits, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        for wait in waits:
            wait.cancel()
    if live.failure is not None:
        complain(f"the session failed ({live.failure}); report it, and start again")


@contextmanager
def _journal(path: str) -> Iterator[Journal]:
    """Write what is logged to a file, to standard error, or only what goes wrong to that."""
    if not path:
        configure(sys.stderr, is_all=False)
        yield Journal()
    elif path == STANDARD_ERROR:
        configure(sys.stderr, is_all=True)
        yield Journal(sys.stderr)
    else:
        with open(path, "a", encoding="utf-8", buffering=1) as stream:
            configure(stream, is_all=True)
            yield Journal(stream)
