"""The questions of `ringfence calc` about what a liquidation leaves to others, and about margin by scenarios."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.calc_options import AsJson, Contract, Inverse, Pack, Side, Size, Symbol, Text, answer, option

app = typer.Typer(rich_markup_mode=None)


@app.command()
def fund(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    bankruptcy_price: Annotated[Text, option("Bankruptcy price of the position.")] = None,
    fill: Annotated[list[str] | None, option("Price at which it is closed, once for each liquidation.")] = None,
    fund_start: Annotated[Text, option("The fund before (0).")] = None,
    contract: Contract = None,
    inverse: Inverse = None,
    json: AsJson = False,
) -> None:
    """Calculate an insurance fund that gets all that a liquidation brings beyond bankruptcy, and pays what it lacks."""
    answer("fund", locals())


@app.command("adl-rank")
def adl_rank(
    position: Annotated[
        list[str] | None, option("PROFIT:LEVERAGE of a position: rate of entry value, effective leverage; repeatable.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Calculate the queue for auto-deleveraging: the rank of each position, and its place."""
    answer("adl-rank", locals())


@app.command("scanning-risk")
def scanning_risk(
    array: Annotated[
        list[str] | None, option("SIZE:PNL,PNL,... of one unit in each scenario, once for each instrument.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Calculate what a portfolio gains in each scenario, and the largest loss among them."""
    answer("scanning-risk", locals())
