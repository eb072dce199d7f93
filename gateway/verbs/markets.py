"""Verbs on market history: make it, read it, replay it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import (
    Accounts,
    AsJson,
    Columns,
    FeedLatency,
    Funding,
    Impact,
    Jitter,
    JitterSeed,
    MaxSlippage,
    OpeningAuction,
    OrderLatency,
    PackName,
    Params,
    QueueModel,
    Speed,
    Symbols,
    TradeFills,
    end,
)


def demo(
    out: Annotated[Path, typer.Option(help="Where to write the session; an older demo there is replaced.")] = Path(
        "demo.db"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the generated market.")] = 2,
    seconds: Annotated[int, typer.Option(help="Length of the generated market, seconds of session time.")] = 600,
) -> None:
    """Generate a market with a crash, trade it isolated and cross, show who survived, and verify the session."""
    from gateway.commands import demo as verb

    end(told(lambda: verb.run(out, seed, seconds)))


def synth(
    out: Annotated[Path, typer.Argument(help="File to write; gzip where it ends in .gz.", metavar="FILE")],
    seed: Annotated[int, typer.Option(help="Seed: the same one gives the same session.")] = 7,
    seconds: Annotated[int, typer.Option(help="Length, seconds of session time.")] = 600,
    symbol: Annotated[str, typer.Option(help="Symbol, one of the rule pack.")] = "BTCUSDT",
    crash: Annotated[bool, typer.Option(help="With a crash in it.")] = True,
) -> None:
    """Write a generated market session in the Binance capture format."""
    from gateway.commands import synth as verb

    end(told(lambda: verb.run(out, seed, seconds, symbol, crash)))


def replay(
    sources: Annotated[list[Path], typer.Argument(help="Files of market history.", metavar="SOURCE...")],
    strategy: Annotated[str, typer.Option(help="Strategy as module:Class; one instance per account.")] = "",
    account: Accounts = None,
    out: Annotated[Path | None, typer.Option(help="Keep the session in this new file.")] = None,
    mark: Annotated[
        str, typer.Option(help="Marks: auto (from the data, else mid), data, mid or last (sampled once a second).")
    ] = "auto",
    pack: PackName = "binance-usdm",
    insurance: Annotated[str, typer.Option(help="Deposit to each insurance fund at the start.")] = "0",
    queue_model: QueueModel = "proportional",
    impact: Impact = "consume",
    trade_fills: TradeFills = "auto",
    latency: OrderLatency = "0",
    feed_latency: FeedLatency = "0",
    latency_jitter: Jitter = "0",
    latency_seed: JitterSeed = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first defect of a source.")] = False,
    as_json: AsJson = False,
    funding: Funding = "fed",
    index: Annotated[
        list[str] | None,
        typer.Option(help="PAIR=PRICE of a pair that values collateral, e.g. USDTUSD=1. May be given several times."),
    ] = None,
    symbol: Symbols = "",
    max_slippage: MaxSlippage = "0",
    opening_auction: OpeningAuction = 0,
    columns: Columns = "",
    param: Params = None,
    speed: Speed = "",
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
        param or [],
        trade_fills,
        latency,
        feed_latency,
        latency_jitter,
        latency_seed,
        speed,
    )
    end(told(lambda: verb.run(request, as_json)))


def sources(as_json: AsJson = False) -> None:
    """List the formats of market history that a replay reads, and how a file of each is known."""
    from gateway.commands import sources as verb

    end(told(lambda: verb.run(as_json)))


def probe(
    file: Annotated[Path, typer.Argument(help="A file of market history.", metavar="FILE")],
    pack: PackName = "binance-usdm",
    symbol: Symbols = "",
    as_json: AsJson = False,
    columns: Columns = "",
) -> None:
    """Read a file of market history and say what it is: format, symbols, span, counts, gaps and defects.

    Exit status: 0 it is sound, 1 something is wrong with it, 2 it cannot be read.
    """
    from gateway.commands import probe as verb

    end(told(lambda: verb.run(file, pack, symbol, as_json, columns)))


def fetch(
    venue: Annotated[str, typer.Argument(help="Whose archives: binance.", metavar="VENUE")],
    symbol: Annotated[str, typer.Argument(help="As the venue writes it, e.g. BTCUSDT.", metavar="SYMBOL")],
    times: Annotated[
        list[str],
        typer.Argument(help="Days, months, ranges: 2021-05-19, 2021-05, 2021-05-17..2021-05-20.", metavar="TIME..."),
    ],
    kind: Annotated[
        str, typer.Option(help="Tables, with commas; klines,markPriceKlines where it is left out. docs/sources.md.")
    ] = "",
    market: Annotated[str, typer.Option(help="um (USD-M futures), cm (COIN-M futures) or spot.")] = "um",
    interval: Annotated[str, typer.Option(help="Length of bars.")] = "1m",
    to: Annotated[Path, typer.Option(help="Folder under which they are put, as they lie in the archives.")] = Path(),
    base_url: Annotated[str, typer.Option(help="Where the archives are; the venue's own address if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Download market history, checked, and only what is not here yet; a run that was broken off goes on.

    Exit status: 0 all is here, 1 something could not be had, 2 the request makes no sense.
    """
    from gateway.commands import fetch as verb

    kinds = [name.strip() for name in kind.split(",") if name.strip()]
    request = verb.Request(venue, symbol, times, kinds, market, interval, to, base_url)
    end(told(lambda: verb.run(request, as_json)))
