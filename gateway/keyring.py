"""`ringfence keys`: the API keys of a session, in the words of the command line."""

# ruff: noqa: PLC0415 - only a verb that runs is imported

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, SessionFile, end

app = typer.Typer(
    name="keys",
    help="The API keys beside a session: make one, list them, take one back. A server that runs knows within a second.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def add(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Whose it is. A server opens an account that is not there yet.")],
    scope: Annotated[
        str, typer.Option(help="What it may do, with commas: read, trade, withdraw, admin.")
    ] = "read,trade",
    kind: Annotated[
        str,
        typer.Option(help="hmac (a secret), rsa or ed25519 (a public key), bearer (a token, for the native API)."),
    ] = "hmac",
    public_key: Annotated[Path | None, typer.Option(help="Your public key as PEM, for rsa and ed25519.")] = None,
    label: Annotated[str, typer.Option(help="What you know it by.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and show its secret or token, this once."""
    from gateway.commands import keys as verb

    end(told(lambda: verb.add(session, account, scope, kind, public_key, label, as_json)))


@app.command("list")
def listed(session: SessionFile, as_json: AsJson = False) -> None:
    """List the keys, without secrets."""
    from gateway.commands import keys as verb

    end(told(lambda: verb.listed(session, as_json)))


@app.command()
def revoke(
    session: SessionFile, key: Annotated[str, typer.Argument(help="The id of a key, or how it begins.", metavar="KEY")]
) -> None:
    """Take a key back."""
    from gateway.commands import keys as verb

    end(told(lambda: verb.revoke(session, key)))
