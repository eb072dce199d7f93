"""Arguments and options that several verbs share, and how a verb ends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SessionFile = Annotated[Path, typer.Argument(help="A session file.", metavar="SESSION")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object (or lines of them) instead of text.")]
Columns = Annotated[
    str,
    typer.Option(
        help="What is what in a table of your own: time=T,price=P,size=S or time=T,open=O,high=H,low=L,close=C."
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(help="NAME:MODE:LEVERAGE:DEPOSIT, e.g. ann:isolated:20:10000. May be given several times."),
]
Params = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE: a parameter of the strategy, e.g. size=0.01. May be given several times."),
]
Symbols = Annotated[str, typer.Option(help="Only this symbol, or these: A,B. Also says that of a file which does not.")]
PackName = Annotated[str, typer.Option("--pack", help="Rule pack: a name, or a .json file.")]


def end(status: int) -> None:
    """End the command with this exit status."""
    raise typer.Exit(status)
