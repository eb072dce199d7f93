"""Verbs of the server: whether it can run here, and running it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, end

SESSION = Path("live.db")
PORT, TLS_PORT = 8700, 8743
LOOPBACK = "127.0.0.1"

Session = Annotated[Path, typer.Option(help="The session's file; begun where there is none.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port of plain HTTP; 0 for any that is free.", min=0, max=65535)]
TlsPort = Annotated[int, typer.Option(help="The port of HTTPS; 0 for any that is free.", min=0, max=65535)]


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
