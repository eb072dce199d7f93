"""`ringfence log`: a session file, in the words of the command line. The verbs live in `gateway/commands`."""

# ruff: noqa: PLC0415 - only a verb that runs is imported

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.errors import told

SHOW = "show"


class ShowFirst(TyperGroup):
    """A group whose verb `show` may be left out: `log SESSION` reads the records of a session."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` before what is no verb and no question for help."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="log",
    cls=ShowFirst,
    help="Read a session's records (`log SESSION`), go to any moment of it, copy, archive and mend its file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SessionFile = Annotated[Path, typer.Argument(help="A session file.", metavar="SESSION")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command(SHOW)
def show(
    session: SessionFile,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only records of this kind, e.g. traded or traded.1. Repeatable."),
    ] = None,
    account: Annotated[str, typer.Option(help="Only records that name this account.")] = "",
    after: Annotated[int, typer.Option(help="Only records after this number.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Read the records of a session. The word `show` may be left out."""
    from gateway.commands import log as verb

    raise typer.Exit(told(lambda: verb.run(session, kind or (), account, after, as_json)))


@app.command()
def at(
    session: SessionFile,
    record: Annotated[int, typer.Option(help="After the batch with this record; 0 is the end.", min=0)] = 0,
    time: Annotated[str, typer.Option(help="At this time instead, UTC: 2023-04-05T08:00:12.5, 08:00:12, or ns.")] = "",
    account: Annotated[str, typer.Option(help="Only this account; all where it is left out.")] = "",
    levels: Annotated[int, typer.Option(help="So many levels of each side of a book.", min=0)] = 5,
    as_json: AsJson = False,
) -> None:
    """Go to any moment: marks and books, accounts, positions and open orders as they were then."""
    from gateway.commands import log_at as verb

    raise typer.Exit(told(lambda: verb.run(session, record, time, account, levels, as_json)))


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="Only this kind, e.g. traded or traded.1.", metavar="[KIND]")] = "",
    as_json: AsJson = False,
) -> None:
    """List the kinds of commands and facts; with --json their JSON Schema."""
    from gateway.commands import log_schema as verb

    raise typer.Exit(told(lambda: verb.run(kind, as_json)))


@app.command()
def export(
    session: SessionFile,
    folder: Annotated[Path, typer.Argument(help="Where to write a file a table.", metavar="FOLDER")],
    format: Annotated[str, typer.Option(help="csv, or parquet (extra `export`).")] = "csv",
    tables: Annotated[
        str, typer.Option(help="Some of trades, orders, positions, equity, funding, marks; all where it is left out.")
    ] = "",
    every: Annotated[int, typer.Option(help="Equity is sampled every so many seconds of session time.", min=1)] = 60,
) -> None:
    """Write a session as tables for pandas, polars, DuckDB and spreadsheets."""
    from gateway.commands import log_export as verb

    raise typer.Exit(told(lambda: verb.run(session, folder, format, tables, every)))


@app.command()
def backup(
    session: SessionFile,
    out: Annotated[Path, typer.Argument(help="Where to write the copy: a new file.", metavar="COPY")],
) -> None:
    """Copy a session, also while it is written to, and check every digest of the copy."""
    from gateway.commands import log_copy as verb

    raise typer.Exit(told(lambda: verb.backup(session, out)))


@app.command()
def repair(
    session: SessionFile,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Cut a damaged session back to its last good batch, after saying what would be lost. The damaged file is kept.

    Exit status: 0 nothing was wrong or it was mended, 1 left as it is, 2 the file cannot be used.
    """
    from gateway.commands import log_repair as verb

    raise typer.Exit(told(lambda: verb.run(session, yes)))


@app.command()
def pack(
    session: SessionFile,
    out: Annotated[Path, typer.Argument(help="Where to write the archive: a new file.", metavar="ARCHIVE")],
) -> None:
    """Write a session as a compressed archive, one file, and check every digest of it."""
    from gateway.commands import log_copy as verb

    raise typer.Exit(told(lambda: verb.pack(session, out)))


@app.command()
def unpack(
    archive: Annotated[Path, typer.Argument(help="An archive.", metavar="ARCHIVE")],
    out: Annotated[Path, typer.Argument(help="Where to write the session: a new file.", metavar="SESSION")],
) -> None:
    """Make a session file of an archive again, checking every digest."""
    from gateway.commands import log_copy as verb

    raise typer.Exit(told(lambda: verb.unpack(archive, out)))
