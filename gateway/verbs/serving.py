"""Verbs of the server: whether it can run here, and running it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, PackName, end

SESSION = Path("live.db")
PORT, TLS_PORT = 8700, 8743
LOOPBACK = "127.0.0.1"

Session = Annotated[Path, typer.Option(help="The session's file; begun where there is none.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port of plain HTTP; 0 for any that is free.", min=0, max=65535)]
TlsPort = Annotated[int, typer.Option(help="The port of HTTPS; 0 for any that is free.", min=0, max=65535)]


def serve(
    session: Session = SESSION,
    market: Annotated[
        list[Path] | None,
        typer.Option(help="Files of market history to serve; a generated market without. May be given several times."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the generated market of a new session; 1.")] = None,
    pack: PackName = "binance-usdm",
    speed: Annotated[str, typer.Option(help="Session time for each second of yours.")] = "1",
    host: Host = LOOPBACK,
    port: Port = PORT,
    tls_port: TlsPort = TLS_PORT,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen where other machines can reach it, over TLS.")
    ] = False,
    strict_algo: Annotated[
        bool,
        typer.Option("--strict-algo", help="Refuse conditional orders on /fapi/v1/order (-4120), as the venue does."),
    ] = False,
    limits: Annotated[bool, typer.Option(help="Keep to the venue's limits of requests and orders.")] = True,
    account: Annotated[str, typer.Option(help="The account of the first key.")] = "practice",
    deposit: Annotated[str, typer.Option(help="What an account begins with.")] = "10000",
    log: Annotated[
        str, typer.Option(help="Log each request and command to this file, as JSON; -: standard error.")
    ] = "",
    seconds: Annotated[float, typer.Option("--for", help="Stop after so many seconds; 0: when stopped.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Serve a session as an exchange, in the dialect of Binance USD-M Futures and in its own, until Ctrl-C.

    A session that is there goes on where it stopped, open orders included.
    Exit status: 0 stopped, 1 the session failed, 2 it cannot be served.
    """
    from gateway.commands import serve as verb

    request = verb.Request(
        session, market or [], seed, pack, speed, host, port, tls_port, allow_remote, strict_algo, limits, account,
        deposit, log, seconds, as_json,
    )  # fmt: skip
    end(told(lambda: verb.run(request)))


def doctor(
    session: Session = SESSION,
    host: Host = LOOPBACK,
    port: Port = PORT,
    tls_port: TlsPort = TLS_PORT,
    as_json: AsJson = False,
) -> None:
    """Look whether this machine, this installation and a session are fit to be served, and say what to do where not.

    Exit status: 0 all is well, 1 something is not.
    """
    from gateway.commands import doctor as verb

    end(told(lambda: verb.run(session, host, port, tls_port, as_json)))
