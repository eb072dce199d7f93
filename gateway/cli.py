"""The `ringfence` command: what can be asked, in the words of the command line. Each verb lives in
`gateway/commands`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import calc, logs, packs, proofs
from gateway.errors import told

app = typer.Typer(
    name="ringfence",
    help="A paper-trading exchange that remembers everything: replay, liquidate, explain, verify.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(calc.app, name="calc")
app.add_typer(packs.app, name="pack")
app.add_typer(logs.app, name="log")
app.add_typer(proofs.app, name="proof")

SessionFile = Annotated[Path, typer.Argument(help="A session file.", metavar="SESSION")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object (or lines of them) instead of text.")]
Columns = Annotated[
    str,
    typer.Option(
        help="What is what in a table of your own: time=T,price=P,size=S or time=T,open=O,high=H,low=L,close=C."
    ),
]
PackName = Annotated[str, typer.Option("--pack", help="Rule pack: a name, or a .json file.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where to write the session; an older demo there is replaced.")] = Path(
        "demo.db"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the generated market.")] = 2,
    seconds: Annotated[int, typer.Option(help="Length of the generated market, seconds of session time.")] = 600,
) -> None:
    """Generate a market with a crash, trade it isolated and cross, show who survived, and verify the session."""
    from gateway.commands import demo as verb

    _exit(told(lambda: verb.run(out, seed, seconds)))


@app.command()
def synth(
    out: Annotated[Path, typer.Argument(help="File to write; gzip where it ends in .gz.", metavar="FILE")],
    seed: Annotated[int, typer.Option(help="Seed: the same one gives the same session.")] = 7,
    seconds: Annotated[int, typer.Option(help="Length, seconds of session time.")] = 600,
    symbol: Annotated[str, typer.Option(help="Symbol, one of the rule pack.")] = "BTCUSDT",
    crash: Annotated[bool, typer.Option(help="With a crash in it.")] = True,
) -> None:
    """Write a generated market session in the Binance capture format."""
    from gateway.commands import synth as verb

    _exit(told(lambda: verb.run(out, seed, seconds, symbol, crash)))


@app.command()
def replay(
    sources: Annotated[list[Path], typer.Argument(help="Files of market history.", metavar="SOURCE...")],
    strategy: Annotated[str, typer.Option(help="Strategy as module:Class; one instance per account.")] = "",
    account: Annotated[
        list[str] | None,
        typer.Option(help="NAME:MODE:LEVERAGE:DEPOSIT, e.g. ann:isolated:20:10000. May be given several times."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Keep the session in this new file.")] = None,
    mark: Annotated[
        str, typer.Option(help="Marks: auto (from the data, else mid), data, mid or last (sampled once a second).")
    ] = "auto",
    pack: PackName = "binance-usdm",
    insurance: Annotated[str, typer.Option(help="Deposit to each insurance fund at the start.")] = "0",
    queue_model: Annotated[
        str, typer.Option(help="Where volume that left unexplained stood in the queue: proportional, ahead or behind.")
    ] = "proportional",
    impact: Annotated[
        str, typer.Option(help="What an account took from history's book: consume (gone until restated) or none.")
    ] = "consume",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first defect of a source.")] = False,
    as_json: AsJson = False,
    funding: Annotated[
        str, typer.Option(help="fed: rates of the data; premium: computed from mark and index.")
    ] = "fed",
    index: Annotated[
        list[str] | None,
        typer.Option(help="PAIR=PRICE of a pair that values collateral, e.g. USDTUSD=1. May be given several times."),
    ] = None,
    symbol: Annotated[str, typer.Option(help="What files are about that do not say it themselves, e.g. BTCUSDT.")] = "",
    max_slippage: Annotated[
        str, typer.Option(help="Market orders trade within this share of the mark, e.g. 0.02; 0: at any price.")
    ] = "0",
    opening_auction: Annotated[
        int, typer.Option(help="Begin with an auction of so many seconds, which then uncrosses; 0: without one.")
    ] = 0,
    columns: Columns = "",
) -> None:
    """Replay market history through the exchange, with accounts that trade in it."""
    from gateway.commands import replay as verb

    request = verb.Request(
        sources,
        strategy,
        account or [],
        out,
        mark,
        pack,
        insurance,
        strict,
        queue_model,
        impact,
        funding,
        symbol,
        index or [],
        max_slippage,
        opening_auction,
        columns,
    )
    _exit(told(lambda: verb.run(request, as_json)))


@app.command()
def sources(as_json: AsJson = False) -> None:
    """List the formats of market history that a replay reads, and how a file of each is known."""
    from gateway.commands import sources as verb

    _exit(told(lambda: verb.run(as_json)))


@app.command()
def probe(
    file: Annotated[Path, typer.Argument(help="A file of market history.", metavar="FILE")],
    pack: PackName = "binance-usdm",
    symbol: Annotated[str, typer.Option(help="What the file is about if it does not say so itself.")] = "",
    as_json: AsJson = False,
    columns: Columns = "",
) -> None:
    """Read a file of market history and say what it is: format, symbols, span, counts, gaps and defects.

    Exit status: 0 it is sound, 1 something is wrong with it, 2 it cannot be read.
    """
    from gateway.commands import probe as verb

    _exit(told(lambda: verb.run(file, pack, symbol, as_json, columns)))


@app.command()
def verify(session: SessionFile, as_json: AsJson = False) -> None:
    """Check the digest chain, rebuild from the facts, decide everything again, and compare every record.

    Exit status: 0 all agree, 1 they differ, 2 the file cannot be used, 3 decided under another version of the rules.
    """
    from gateway.commands import verify as verb

    _exit(told(lambda: verb.run(session, as_json)))


@app.command()
def audit(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Only the pools of this account; all where it is left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compute every account's equity and margins a second time, by other arithmetic, and compare at every record.

    Exit status: 0 all agree, 1 they differ, 2 the file cannot be used.
    """
    from gateway.commands import audit as verb

    _exit(told(lambda: verb.run(session, account, as_json)))


@app.command()
def fork(
    session: SessionFile,
    at: Annotated[
        str, typer.Option(help="From the batch of this record on, or after this time: N, 2023-04-05T08:00:12.")
    ],
    out: Annotated[Path, typer.Option(help="Where to write the fork: a new file.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="What is otherwise, e.g. ann:leverage:BTCUSDT=5. May be given several times."),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Refer to the session's file for the past instead of copying it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take another road from any moment: the same past, one thing changed, everything after it decided again.

    \b
    --set ann:leverage:BTCUSDT=5         --set ann:mode:BTCUSDT=isolated
    --set ann:deposit:USDT=1000          --set ann:margin:BTCUSDT=250
    --set ann:collateral=multi           --set pack=bybit-linear   (--at 1)
    --set ann:order:3=none               --set ann:order:3:size=0.5   or :price=
    """  # noqa: D301 - the mark is Click's
    from gateway.commands import fork as verb

    _exit(told(lambda: verb.run(session, at, change or [], out, link, as_json)))


@app.command()
def diff(
    left: Annotated[Path, typer.Argument(help="A session file.", metavar="A")],
    right: Annotated[Path, typer.Argument(help="Another.", metavar="B")],
    as_json: AsJson = False,
) -> None:
    """Compare two sessions: how far they are one, the first record that differs, what came of it for each account.

    Exit status: 0 the same, 1 they differ, 2 a file cannot be used.
    """
    from gateway.commands import diff as verb

    _exit(told(lambda: verb.run(left, right, as_json)))


@app.command()
def why(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Whose liquidations; all accounts where it is left out.")] = "",
    liquidation: Annotated[
        int | None, typer.Option(help="Explain this one; they are listed where it is left out.")
    ] = None,
    effort: Annotated[
        int, typer.Option(help="What forks may decide again, in records and rows of history; 0 for no forks.")
    ] = 5_000_000,
    html: Annotated[Path | None, typer.Option(help="Write that one as a page with charts to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """List liquidations, or explain one: what led to it, each step with its figures, what would have prevented it."""
    from gateway.commands import why as verb

    _exit(told(lambda: verb.run(session, account, liquidation, as_json, effort, html)))


@app.command()
def lab(
    session: SessionFile,
    modes: Annotated[
        str, typer.Option(help="Some of isolated, cross, multi and recorded (as it was); the first three if left out.")
    ] = "",
    account: Annotated[str, typer.Option(help="Which account; all that traded where it is left out.")] = "",
    html: Annotated[
        Path | None, typer.Option(help="Where to write the page with charts; SESSION.lab.html where it is left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fold one history under several margin modes and show side by side how it would have gone."""
    from gateway.commands import lab as verb

    _exit(told(lambda: verb.run(session, modes, account, html, as_json)))


@app.command()
def stress(
    context: typer.Context,
    pack: PackName = "binance-usdm",
    symbol: Annotated[str, typer.Option(help="Which perpetual of the pack; the first where it is left out.")] = "",
    accounts: Annotated[int, typer.Option(help="How many accounts.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed: the same one gives the same bytes.")] = 1,
    shock: Annotated[
        list[str] | None,
        typer.Option(help="How far the price goes, -30% unless said; or files of candles, in order.", metavar="SHOCK"),
    ] = None,
    shape: Annotated[str, typer.Option(help="How it gets there: step, ramp, v (and back) or jumps.")] = "ramp",
    over: Annotated[str, typer.Option(help="For how long; 10m, of candles all, where it is left out.")] = "",
    every: Annotated[str, typer.Option(help="How often a price is stated.")] = "2s",
    start: Annotated[str, typer.Option("--from", help="Where to begin in candles, UTC, e.g. 2021-05-19T12:00.")] = "",
    after: Annotated[str, typer.Option(help="For how long the last price holds on.")] = "1m",
    price: Annotated[str, typer.Option(help="Price at the start; 600,000 ticks where it is left out.")] = "",
    depth: Annotated[
        str, typer.Option(help="What the book holds within 1 %: an amount, or a share of the open interest.")
    ] = "1%",
    refill: Annotated[str, typer.Option(help="Half-life with which the book refills; 0s for at once.")] = "30s",
    feedback: Annotated[str, typer.Option(help="How much of the book's displacement moves the mark.")] = "0%",
    fund: Annotated[
        str, typer.Option(help="Each insurance fund: an amount, or a share of the open interest.")
    ] = "0.5%",
    longs: Annotated[str, typer.Option(help="How many are long.")] = "60%",
    isolated: Annotated[str, typer.Option(help="How many trade isolated.")] = "50%",
    leverage: Annotated[str, typer.Option(help="LEVERAGE:WEIGHT with commas.")] = "3:10,5:15,10:25,20:25,50:15,100:10",
    size: Annotated[str, typer.Option(help="Notional, Pareto: SMALLEST:LARGEST:TAIL.")] = "1000:1000000:1.5",
    spare: Annotated[str, typer.Option(help="Mean of what lies in the wallet beyond the position's cost.")] = "100%",
    second: Annotated[str, typer.Option(help="A second instrument, which is not shocked.")] = "",
    second_share: Annotated[str, typer.Option(help="How many hold a position in the second one too.")] = "30%",
    alone: Annotated[bool, typer.Option("--alone", help="Do not run it all isolated and all cross beside it.")] = False,
    session: Annotated[Path | None, typer.Option(help="Keep the session in this new file.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Where to write the page with charts; SESSION.stress.html beside a session.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fill a market with accounts, shock it, and show what liquidations make of it.

    The crowd is drawn from stated distributions, the book holds a stated depth and refills, and the real exchange
    decides all that follows: as drawn, all of it isolated, and all of it cross.
    """
    from gateway.commands import stress as verb

    request = verb.Request(
        pack=pack, symbol=symbol, accounts=accounts, seed=seed, shock=shock or ["-30%"], shape=shape, over=over,
        every=every, start=start, after=after, price=price, depth=depth, refill=refill, feedback=feedback, fund=fund,
        longs=longs, isolated=isolated, leverage=leverage, size=size, spare=spare, second=second,
        second_share=second_share, alone=alone, session=session, html=html, said=_said(context),
    )  # fmt: skip
    _exit(told(lambda: verb.run(request, as_json)))


def _said(context: typer.Context) -> frozenset[str]:
    """The names of the options that were given, not left at what they are by default."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


def _print_version(is_wanted: bool) -> None:
    """Print the versions that a report of a defect needs, and end."""
    if is_wanted:
        from gateway import version

        sys.stdout.write(version.text())
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the versions of it, the rules and Python.",
        ),
    ] = False,
) -> None:
    """A paper-trading exchange that remembers everything: replay, liquidate, explain, verify."""


def _exit(status: int) -> None:
    raise typer.Exit(status)


def main() -> None:
    """Run the command line."""
    sys.path.insert(0, "")
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
