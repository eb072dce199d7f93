"""`ringfence calc`: what a trader asks before a trade, in the words of the command line; nothing is stored or sent.

Numbers are decimal text and reach the calculator as they were typed. The answers are in `gateway/commands/calc*.py`.
A position is described in the same words to every question, which leaves aside what it has no use for.
"""

# ruff: noqa: PLC0415 - only a question that is asked imports its answer

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.errors import told

app = typer.Typer(
    name="calc",
    help="Calculate margins, prices, costs and funding as a venue does: exactly, and shown as it shows them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Text = str | None


def _option(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, show_default=False)


Pack = Annotated[str, typer.Option("--pack", help="Rule pack: a name, or a .json file.")]
Symbol = Annotated[Text, _option("Instrument of the pack. Any other name needs --mmr or --bracket.")]
Side = Annotated[Text, _option("long or short (buy or sell).")]
Size = Annotated[Text, _option("Size in the base asset, of inverse contracts in contracts.")]
Entry = Annotated[Text, _option("Entry price.", "--entry", "--entry-price")]
Price = Annotated[Text, _option("Price of the order.", "--price", "--entry", "--order-price")]
Mark = Annotated[Text, _option("Mark price.", "--mark", "--mark-price")]
Mode = Annotated[str, typer.Option("--mode", help="isolated or cross.")]
Leverage = Annotated[Text, _option("Leverage.")]
Wallet = Annotated[Text, _option("Wallet balance; without it, entry value / leverage.")]
OrderMargin = Annotated[Text, _option("Margin that open orders hold: the wallet without it answers for the position.")]
ExtraMargin = Annotated[Text, _option("Margin added to the wallet.")]
OtherMm = Annotated[Text, _option("Cross: maintenance margin of positions in other symbols.")]
OtherUpnl = Annotated[Text, _option("Cross: unrealised PnL of positions in other symbols.")]
Leg = Annotated[list[str] | None, _option("Cross: the other leg in hedge mode, SIDE:SIZE:ENTRY.")]
Other = Annotated[
    list[str] | None, _option("Cross: a position in another symbol, SIDE:SIZE:ENTRY:MARK:MMR[:CUM], once for each.")
]
Mmr = Annotated[Text, _option("Maintenance margin rate, in place of the pack's.")]
Cum = Annotated[Text, _option("Maintenance amount, with --mmr (0).")]
Bracket = Annotated[list[str] | None, _option("FLOOR:MMR, once for each bracket; the first may state FLOOR:MMR:CUM.")]
MaxLeverage = Annotated[
    Text, _option("Max leverage, where maintenance margin is a fraction of the initial margin at it.")
]
Taker = Annotated[Text, _option("Taker fee rate, in place of the pack's.")]
Contract = Annotated[Text, _option("What one contract is: base asset of a linear one, quote asset of an inverse one.")]
Inverse = Annotated[bool | None, typer.Option("--inverse/--linear", help="Kind of an instrument not in the pack.")]
Tick = Annotated[Text, _option("Tick size of an instrument that is not in the pack.")]
Aside = Annotated[Text, typer.Option(hidden=True, help="Part of a position that this question has no use for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object of decimal strings.")]

InitialPpm = Annotated[Text, _option("dYdX: initial margin of the liquidity tier.")]
FractionPpm = Annotated[Text, _option("dYdX: maintenance fraction of the liquidity tier.")]
BaseQuantums = Annotated[Text, _option("dYdX: size.")]
OraclePrice = Annotated[Text, _option("Price of the position, as --mark; dYdX: in units of 10^exponent.")]
PriceExponent = Annotated[Text, _option("dYdX: exponent of the price.")]
Resolution = Annotated[Text, _option("dYdX: atomic resolution of the base asset.")]


@app.command("liq-price")
def liq_price(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    mode: Mode = "isolated",
    leverage: Leverage = None,
    wallet: Wallet = None,
    extra_margin: ExtraMargin = None,
    order_margin: OrderMargin = None,
    other_mm: OtherMm = None,
    other_upnl: OtherUpnl = None,
    other: Other = None,
    leg: Leg = None,
    mark: Mark = None,
    mmr: Mmr = None,
    cum: Cum = None,
    bracket: Bracket = None,
    max_leverage: MaxLeverage = None,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    tick: Tick = None,
    json: AsJson = False,
) -> None:
    """Calculate the liquidation price of a position: as shown, exactly, and the first mark that makes it due."""
    _answer("liq-price", locals())


@app.command()
def bankruptcy(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    mode: Mode = "isolated",
    leverage: Leverage = None,
    wallet: Wallet = None,
    extra_margin: ExtraMargin = None,
    order_margin: OrderMargin = None,
    other_mm: OtherMm = None,
    other_upnl: OtherUpnl = None,
    other: Other = None,
    mark: Mark = None,
    mmr: Mmr = None,
    cum: Cum = None,
    bracket: Bracket = None,
    max_leverage: MaxLeverage = None,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    tick: Tick = None,
    usdc_quote_quantums: Annotated[Text, _option("dYdX: USDC of the subaccount.")] = None,
    position: Annotated[
        list[str] | None,
        _option(
            "dYdX: ID:BASE_QUANTUMS:PRICE[:INITIAL_PPM:FRACTION_PPM], once for each; PRICE in quote per base quantum."
        ),
    ] = None,
    perpetual_id: Annotated[Text, _option("dYdX: the perpetual that is closed.")] = None,
    delta_base_quantums: Annotated[Text, _option("dYdX: by how much it is closed, below 0 for a long.")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    json: AsJson = False,
) -> None:
    """Calculate where nothing is left. With --mark, a cross position answers with its share of the pool."""
    _answer("bankruptcy", locals())


@app.command()
def margin(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    mark: Mark = None,
    price: OraclePrice = None,
    notional: Annotated[Text, _option("Notional, in place of size and price.")] = None,
    mode: Mode = "isolated",
    leverage: Leverage = None,
    wallet: Wallet = None,
    extra_margin: ExtraMargin = None,
    order_margin: OrderMargin = None,
    other_mm: OtherMm = None,
    other_upnl: OtherUpnl = None,
    other: Other = None,
    mmr: Mmr = None,
    cum: Cum = None,
    bracket: Bracket = None,
    max_leverage: MaxLeverage = None,
    imr: Annotated[Text, _option("Initial margin rate, for the models standard and leveraged.")] = None,
    model: Annotated[Text, _option("leverage, standard or leveraged, in place of the pack's.")] = None,
    in_quote: Annotated[bool, typer.Option("--in-quote", help="Inverse: margin in the quote asset.")] = False,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    open_interest: Annotated[Text, _option("Notional of all open interest, where initial margin grows by it.")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    oi_lower_cap: Annotated[Text, _option("dYdX: lower cap of open interest, quote quantums.")] = None,
    oi_upper_cap: Annotated[Text, _option("dYdX: upper cap of open interest, quote quantums.")] = None,
    oi_notional: Annotated[Text, _option("dYdX: notional of open interest, quote quantums.")] = None,
    position_notional_quote_quantums: Annotated[Text, _option("dYdX: notional of the position.")] = None,
    base_quantums: BaseQuantums = None,
    open_interest_base_quantums: Annotated[Text, _option("dYdX: open interest, in place of its notional.")] = None,
    price_exponent: PriceExponent = None,
    atomic_resolution: Resolution = None,
    collateral: Annotated[Text, _option("Synthetix: collateral of the account.")] = None,
    position: Annotated[
        list[str] | None, _option("Synthetix: SIZE:OPEN:MARK:SKEW_SCALE[:SKEW], once for each position.")
    ] = None,
    imf_factor: Annotated[Text, _option("Drift: IMF factor, in 10^-6; with a size and one of the weights.")] = None,
    size_1e9: Annotated[Text, _option("Drift: size in 10^-9, in place of --size.", "--size-1e9")] = None,
    liability_weight: Annotated[Text, _option("Drift: weight of a liability, in 10^-4.")] = None,
    asset_weight: Annotated[Text, _option("Drift: weight of collateral, in 10^-4.")] = None,
    json: AsJson = False,
) -> None:
    """Calculate initial and maintenance margin; with --entry and --mark unrealised PnL, equity and margin ratio too."""
    _answer("margin", locals())


@app.command()
def pnl(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    exit: Annotated[
        Text, _option("Price of the exit, or the mark.", "--exit", "--exit-price", "--mark", "--mark-price")
    ] = None,
    contract: Contract = None,
    inverse: Inverse = None,
    taker: Annotated[Text, _option("Taker fee rate for both trades (the pack's).")] = None,
    open_fee: Annotated[Text, _option("Fee rate of the entry, in place of --taker.")] = None,
    close_fee: Annotated[Text, _option("Fee rate of the exit, in place of --taker.")] = None,
    total_fee: Annotated[Text, _option("Both fees as an amount, below 0 where they were paid.")] = None,
    penalty: Annotated[Text, _option("Penalty rate of a liquidation.")] = None,
    funding: Annotated[Text, _option("Funding received (below 0: paid).")] = None,
    mode: Aside = None,
    leverage: Aside = None,
    wallet: Aside = None,
    extra_margin: Aside = None,
    order_margin: Aside = None,
    other_mm: Aside = None,
    other_upnl: Aside = None,
    mmr: Aside = None,
    cum: Aside = None,
    json: AsJson = False,
) -> None:
    """Calculate the PnL of a position at a price; with fees, funding and penalty, what closing there realises."""
    _answer("pnl", locals())


@app.command()
def funding(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    mark: Mark = None,
    index: Annotated[Text, _option("Index price.", "--index", "--index-price")] = None,
    contract: Contract = None,
    inverse: Inverse = None,
    rate: Annotated[Text, _option("Funding rate; without it, it comes from the premium.", "--rate")] = None,
    premium: Annotated[Text, _option("Premium over the index; without it, that of --mark.")] = None,
    interest: Annotated[Text, _option("Interest rate per interval (0.0001).")] = None,
    floor: Annotated[Text, _option("Lowest rate.")] = None,
    cap: Annotated[Text, _option("Highest rate.")] = None,
    hours: Annotated[Text, _option("Kraken: hours that are funded, at the rate of an hour (1).")] = None,
    funding_rate_8h_ppm: Annotated[Text, _option("dYdX: rate for eight hours.", "--funding-rate-8h-ppm")] = None,
    seconds_since_last_funding: Annotated[Text, _option("dYdX: time that is funded.")] = None,
    price: OraclePrice = None,
    price_exponent: PriceExponent = None,
    atomic_resolution: Resolution = None,
    perp_funding_index: Annotated[Text, _option("dYdX: funding index of the perpetual.")] = None,
    position_funding_index: Annotated[Text, _option("dYdX: funding index at which the position settled.")] = None,
    base_quantums: BaseQuantums = None,
    clamp_factor_ppm: Annotated[Text, _option("dYdX: clamp factor of funding rates.")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    skew_scale: Annotated[Text, _option("Synthetix: skew scale of the market.")] = None,
    max_funding_velocity: Annotated[
        Text, _option("Synthetix: by day.", "--max-funding-velocity", "--max-funding-velocity-per-day")
    ] = None,
    initial_skew: Annotated[Text, _option("Synthetix: skew at the start.")] = None,
    step: Annotated[list[str] | None, _option("Synthetix: DAYS:SKEW_DELTA, once for each step.")] = None,
    entry: Aside = None,
    mode: Aside = None,
    leverage: Aside = None,
    wallet: Aside = None,
    extra_margin: Aside = None,
    order_margin: Aside = None,
    other_mm: Aside = None,
    other_upnl: Aside = None,
    mmr: Aside = None,
    cum: Aside = None,
    taker: Aside = None,
    json: AsJson = False,
) -> None:
    """Calculate what funding a position pays, and the rate of it where that comes from a premium."""
    _answer("funding", locals())


@app.command()
def cost(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    price: Price = None,
    mark: Mark = None,
    ask: Annotated[Text, _option("Best ask, for a market order to buy.")] = None,
    bid: Annotated[Text, _option("Best bid, for a market order to sell.")] = None,
    leverage: Leverage = None,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    mode: Aside = None,
    wallet: Aside = None,
    extra_margin: Aside = None,
    order_margin: Aside = None,
    other_mm: Aside = None,
    other_upnl: Aside = None,
    mmr: Aside = None,
    cum: Aside = None,
    json: AsJson = False,
) -> None:
    """Calculate what an open order costs: initial margin and open loss; without --price it is a market order."""
    _answer("cost", locals())


@app.command("max-size")
def max_size(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    available: Annotated[Text, _option("Available balance.", "--available", "--wallet")] = None,
    price: Price = None,
    mark: Mark = None,
    ask: Annotated[Text, _option("Best ask, for a market order to buy.")] = None,
    bid: Annotated[Text, _option("Best bid, for a market order to sell.")] = None,
    leverage: Leverage = None,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    lot: Annotated[Text, _option("Lot size of an instrument that is not in the pack.")] = None,
    size: Aside = None,
    mode: Aside = None,
    extra_margin: Aside = None,
    order_margin: Aside = None,
    other_mm: Aside = None,
    other_upnl: Aside = None,
    mmr: Aside = None,
    cum: Aside = None,
    json: AsJson = False,
) -> None:
    """Calculate the largest order that available balance carries, in whole lots; without --price a market order."""
    _answer("max-size", locals())


def _answer(question: str, given: dict[str, Any]) -> None:
    def run() -> int:
        from gateway.commands import calc as verb

        return verb.run(question, given)

    raise typer.Exit(told(run))
