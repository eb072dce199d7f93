"""The options that more than one question of `ringfence calc` takes, each with what its help says."""

# ruff: noqa: PLC0415 - only a question that is asked imports its answer

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.errors import told

Text = str | None


def option(help: str, *names: str) -> Any:
    """An option that is text and may be left out; its name is that of the parameter, unless names are given."""
    return typer.Option(*names, help=help, show_default=False)


Pack = Annotated[str, typer.Option("--pack", help="Rule pack: a name, or a .json file.")]
Symbol = Annotated[Text, option("Instrument of the pack. Any other name needs --mmr or --bracket.")]
Side = Annotated[Text, option("long or short (buy or sell).")]
Size = Annotated[Text, option("Size in the base asset, of inverse contracts in contracts.")]
Entry = Annotated[Text, option("Entry price.", "--entry", "--entry-price")]
Price = Annotated[Text, option("Price of the order.", "--price", "--entry", "--order-price")]
Mark = Annotated[Text, option("Mark price.", "--mark", "--mark-price")]
Mode = Annotated[str, typer.Option("--mode", help="isolated or cross.")]
Leverage = Annotated[Text, option("Leverage.")]
Wallet = Annotated[Text, option("Wallet balance; without it, entry value / leverage.")]
OrderMargin = Annotated[Text, option("Margin that open orders hold: the wallet without it answers for the position.")]
ExtraMargin = Annotated[Text, option("Margin added to the wallet.")]
OtherMm = Annotated[Text, option("Cross: maintenance margin of positions in other symbols.")]
OtherUpnl = Annotated[Text, option("Cross: unrealised PnL of positions in other symbols.")]
Leg = Annotated[list[str] | None, option("Cross: the other leg in hedge mode, SIDE:SIZE:ENTRY.")]
Other = Annotated[
    list[str] | None, option("Cross: a position in another symbol, SIDE:SIZE:ENTRY:MARK:MMR[:CUM], once for each.")
]
Mmr = Annotated[Text, option("Maintenance margin rate, in place of the pack's.")]
Cum = Annotated[Text, option("Maintenance amount, with --mmr (0).")]
Bracket = Annotated[list[str] | None, option("FLOOR:MMR, once for each bracket; the first may state FLOOR:MMR:CUM.")]
MaxLeverage = Annotated[
    Text, option("Max leverage, where maintenance margin is a fraction of the initial margin at it.")
]
Taker = Annotated[Text, option("Taker fee rate, in place of the pack's.")]
Contract = Annotated[Text, option("What one contract is: base asset of a linear one, quote asset of an inverse one.")]
Inverse = Annotated[bool | None, typer.Option("--inverse/--linear", help="Kind of an instrument not in the pack.")]
Tick = Annotated[Text, option("Tick size of an instrument that is not in the pack.")]
Aside = Annotated[Text, typer.Option(hidden=True, help="Part of a position that this question has no use for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object of decimal strings.")]

InitialPpm = Annotated[Text, option("dYdX: initial margin of the liquidity tier.")]
FractionPpm = Annotated[Text, option("dYdX: maintenance fraction of the liquidity tier.")]
BaseQuantums = Annotated[Text, option("dYdX: size.")]
OraclePrice = Annotated[Text, option("Price of the position, as --mark; dYdX: in units of 10^exponent.")]
PriceExponent = Annotated[Text, option("dYdX: exponent of the price.")]
Resolution = Annotated[Text, option("dYdX: atomic resolution of the base asset.")]

SubaccountUsdc = Annotated[Text, option("dYdX: USDC of the subaccount.")]
SubaccountPositions = Annotated[
    list[str] | None,
    option("dYdX: ID:BASE_QUANTUMS:PRICE[:INITIAL_PPM:FRACTION_PPM], once for each; PRICE in quote per base quantum."),
]
PerpetualId = Annotated[Text, option("dYdX: the perpetual that is closed.")]
DeltaBaseQuantums = Annotated[Text, option("dYdX: by how much it is closed, below 0 for a long.")]


def answer(question: str, given: dict[str, Any]) -> None:
    """Answer a question with the options that were given, print it, and end."""

    def run() -> int:
        from gateway.commands import calc as verb

        return verb.run(question, given)

    raise typer.Exit(told(run))
