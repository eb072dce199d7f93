"""The verb `stress`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, PackName, end


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
    end(told(lambda: verb.run(request, as_json)))


def _said(context: typer.Context) -> frozenset[str]:
    """The names of the options that were given, not left at what they are by default."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")
