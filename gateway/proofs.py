"""`ringfence proof`: what a session owes, in the words of the command line. The verbs: `gateway/commands/proof.py`."""

# ruff: noqa: PLC0415 - only a verb that runs is imported

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told

app = typer.Typer(
    name="proof",
    help="Prove what a session owes its accounts: a sum tree, its root, and proofs that a client checks on its own.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SessionFile = Annotated[Path, typer.Argument(help="A session file.", metavar="SESSION")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Asset = Annotated[str, typer.Option(help="In which asset; may be left out where accounts have only one.")]
At = Annotated[int, typer.Option(help="After the batch with this record; 0 is the end.", min=0)]


@app.command()
def root(session: SessionFile, asset: Asset = "", at: At = 0, as_json: AsJson = False) -> None:
    """Print the root to publish: the sum that is owed to all accounts, and what backs it."""
    from gateway.commands import proof as verb

    raise typer.Exit(told(lambda: verb.root(session, asset, at, as_json)))


@app.command()
def make(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Whose proof.")],
    asset: Asset = "",
    at: At = 0,
    out: Annotated[Path, typer.Option(help="Where to write the proof; an older proof there is replaced.")] = Path(
        "proof.json"
    ),
    as_json: AsJson = False,
) -> None:
    """Write a proof that what an account is owed is part of the sum."""
    from gateway.commands import proof as verb

    raise typer.Exit(told(lambda: verb.make(session, account, asset, at, out, as_json)))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A proof.", metavar="FILE")],
    root: Annotated[
        str | None, typer.Option(help="The published root, 64 digits: the proof has to lead there.")
    ] = None,
    session: Annotated[Path | None, typer.Option(help="Build the tree again from this session and compare.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof with nothing but its file. Exit status: 0 it holds, 1 it does not, 2 a file cannot be used."""
    from gateway.commands import proof as verb

    raise typer.Exit(told(lambda: verb.check(file, root, session, as_json)))
