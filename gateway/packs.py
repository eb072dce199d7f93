"""`ringfence pack`: the rule packs, in the words of the command line. The verbs are in `gateway/commands/pack.py`."""

# ruff: noqa: PLC0415 - only a verb that runs is imported

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told

app = typer.Typer(
    name="pack",
    help="List, show, check, fit and import rule packs: what an exchange trades, and by which rules.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the rule packs that come with Ringfence."""
    from gateway.commands import pack as verb

    raise typer.Exit(told(lambda: verb.list_packs(as_json)))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A pack's name, or a .json file.", metavar="NAME")],
    symbol: Annotated[str, typer.Option(help="Only this instrument.")] = "",
    as_json: AsJson = False,
    file: Annotated[
        bool, typer.Option("--file", help="Print the pack's file as it is: kept as a .json file, --pack takes it.")
    ] = False,
) -> None:
    """Show the rules of a pack, its instruments and their brackets."""
    from gateway.commands import pack as verb

    raise typer.Exit(told(lambda: verb.show_file(name, symbol) if file else verb.show_pack(name, symbol, as_json)))


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="A pack's .json file, or its name.", metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Check that a pack holds together, and say whether a session can be opened under it."""
    from gateway.commands import pack as verb

    raise typer.Exit(told(lambda: verb.check_pack(file, as_json)))


@app.command()
def fit(
    file: Annotated[list[Path], typer.Argument(help="Files of market history.", metavar="FILE...")],
    out: Annotated[Path, typer.Option(help="Where to write the pack: a new .json file.")],
    pack: Annotated[str, typer.Option(help="The rule pack to make it of: a name, or a .json file.")] = "binance-usdm",
    symbol: Annotated[str, typer.Option(help="Only this symbol, or these: A,B; that of files which say none.")] = "",
    columns: Annotated[str, typer.Option(help="What is what in tables of your own, as in replay.")] = "",
) -> None:
    """Make a rule pack whose ticks and lots are as fine as the prices and sizes of files of market history."""
    from gateway.commands import pack_fit as verb

    raise typer.Exit(told(lambda: verb.run(file, pack, out, symbol, columns)))


@app.command("import")
def import_(
    exchange_info: Annotated[Path, typer.Option(help="The venue's exchangeInfo as JSON, or that in gzip.")],
    brackets: Annotated[Path, typer.Option(help="The venue's leverageBracket as JSON, or that in gzip.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the pack; else it is printed.")] = None,
    name: Annotated[str, typer.Option(help="Name of the pack.")] = "imported",
    maker: Annotated[str, typer.Option(help="Maker fee rate: exchangeInfo has none.")] = "0.0002",
    taker: Annotated[str, typer.Option(help="Taker fee rate.")] = "0.0005",
    symbol: Annotated[list[str] | None, typer.Option(help="Only this symbol; may be given several times.")] = None,
) -> None:
    """Make a rule pack of a Binance venue's own exchangeInfo and leverage brackets."""
    from gateway.commands import pack_import as verb

    fees = verb.Fees(maker, taker)
    raise typer.Exit(told(lambda: verb.run(exchange_info, brackets, out, name, fees, symbol or [])))
