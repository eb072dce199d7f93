"""`ringfence calc`: what a trader asks before a trade, in the words of the command line; nothing is stored or sent.

Numbers are decimal text and reach the calculator as they were typed. The answers are in `gateway/commands/calc*.py`.
A position is described in the same words to every question, which leaves aside what it has no use for.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gateway import calc_layers, calc_subaccounts
from gateway.calc_options import (
    Aside,
    AsJson,
    BaseQuantums,
    Bracket,
    Contract,
    Cum,
    DeltaBaseQuantums,
    Entry,
    ExtraMargin,
    FractionPpm,
    InitialPpm,
    Inverse,
    Leg,
    Leverage,
    Mark,
    MaxLeverage,
    Mmr,
    Mode,
    OraclePrice,
    OrderMargin,
    Other,
    OtherMm,
    OtherUpnl,
    Pack,
    PerpetualId,
    Price,
    PriceExponent,
    Resolution,
    Side,
    Size,
    SubaccountPositions,
    SubaccountUsdc,
    Symbol,
    Taker,
    Text,
    Tick,
    Wallet,
    answer,
    option,
)

app = typer.Typer(
    name="calc",
    help="Calculate margins, prices, costs and funding as a venue does: exactly, and shown as it shows them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(calc_subaccounts.app)
app.add_typer(calc_layers.app)


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
    answer("liq-price", locals())


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
    usdc_quote_quantums: SubaccountUsdc = None,
    position: SubaccountPositions = None,
    perpetual_id: PerpetualId = None,
    delta_base_quantums: DeltaBaseQuantums = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    json: AsJson = False,
) -> None:
    """Calculate where nothing is left. With --mark, a cross position answers with its share of the pool."""
    answer("bankruptcy", locals())


@app.command()
def margin(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    mark: Mark = None,
    price: OraclePrice = None,
    notional: Annotated[Text, option("Notional, in place of size and price.")] = None,
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
    imr: Annotated[Text, option("Initial margin rate, for the models standard and leveraged.")] = None,
    model: Annotated[Text, option("leverage, standard or leveraged, in place of the pack's.")] = None,
    in_quote: Annotated[bool, typer.Option("--in-quote", help="Inverse: margin in the quote asset.")] = False,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    open_interest: Annotated[Text, option("Notional of all open interest, where initial margin grows by it.")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    oi_lower_cap: Annotated[Text, option("dYdX: lower cap of open interest, quote quantums.")] = None,
    oi_upper_cap: Annotated[Text, option("dYdX: upper cap of open interest, quote quantums.")] = None,
    oi_notional: Annotated[Text, option("dYdX: notional of open interest, quote quantums.")] = None,
    position_notional_quote_quantums: Annotated[Text, option("dYdX: notional of the position.")] = None,
    base_quantums: BaseQuantums = None,
    open_interest_base_quantums: Annotated[Text, option("dYdX: open interest, in place of its notional.")] = None,
    price_exponent: PriceExponent = None,
    atomic_resolution: Resolution = None,
    collateral: Annotated[Text, option("Synthetix: collateral of the account.")] = None,
    position: Annotated[
        list[str] | None, option("Synthetix: SIZE:OPEN:MARK:SKEW_SCALE[:SKEW], once for each position.")
    ] = None,
    imf_factor: Annotated[Text, option("Drift: IMF factor, in 10^-6; with a size and one of the weights.")] = None,
    size_1e9: Annotated[Text, option("Drift: size in 10^-9, in place of --size.", "--size-1e9")] = None,
    liability_weight: Annotated[Text, option("Drift: weight of a liability, in 10^-4.")] = None,
    asset_weight: Annotated[Text, option("Drift: weight of collateral, in 10^-4.")] = None,
    json: AsJson = False,
) -> None:
    """Calculate initial and maintenance margin; with --entry and --mark unrealised PnL, equity and margin ratio too."""
    answer("margin", locals())


@app.command()
def pnl(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    entry: Entry = None,
    exit: Annotated[
        Text, option("Price of the exit, or the mark.", "--exit", "--exit-price", "--mark", "--mark-price")
    ] = None,
    contract: Contract = None,
    inverse: Inverse = None,
    taker: Annotated[Text, option("Taker fee rate for both trades (the pack's).")] = None,
    open_fee: Annotated[Text, option("Fee rate of the entry, in place of --taker.")] = None,
    close_fee: Annotated[Text, option("Fee rate of the exit, in place of --taker.")] = None,
    total_fee: Annotated[Text, option("Both fees as an amount, below 0 where they were paid.")] = None,
    penalty: Annotated[Text, option("Penalty rate of a liquidation.")] = None,
    funding: Annotated[Text, option("Funding received (below 0: paid).")] = None,
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
    answer("pnl", locals())


@app.command()
def funding(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    mark: Mark = None,
    index: Annotated[Text, option("Index price.", "--index", "--index-price")] = None,
    contract: Contract = None,
    inverse: Inverse = None,
    rate: Annotated[Text, option("Funding rate; without it, it comes from the premium.", "--rate")] = None,
    premium: Annotated[Text, option("Premium over the index; without it, that of --mark.")] = None,
    interest: Annotated[Text, option("Interest rate, of the time that the venue states its rate for (0.0001).")] = None,
    floor: Annotated[Text, option("Lowest rate.")] = None,
    cap: Annotated[Text, option("Highest rate.")] = None,
    hours: Annotated[Text, option("Hours that are funded, where the rate is that of an hour (1).")] = None,
    funding_rate_8h_ppm: Annotated[Text, option("dYdX: rate for eight hours.", "--funding-rate-8h-ppm")] = None,
    seconds_since_last_funding: Annotated[Text, option("dYdX: time that is funded.")] = None,
    price: OraclePrice = None,
    price_exponent: PriceExponent = None,
    atomic_resolution: Resolution = None,
    perp_funding_index: Annotated[Text, option("dYdX: funding index of the perpetual.")] = None,
    position_funding_index: Annotated[Text, option("dYdX: funding index at which the position settled.")] = None,
    base_quantums: BaseQuantums = None,
    clamp_factor_ppm: Annotated[Text, option("dYdX: clamp factor of funding rates.")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    skew_scale: Annotated[Text, option("Synthetix: skew scale of the market.")] = None,
    max_funding_velocity: Annotated[
        Text, option("Synthetix: by day.", "--max-funding-velocity", "--max-funding-velocity-per-day")
    ] = None,
    initial_skew: Annotated[Text, option("Synthetix: skew at the start.")] = None,
    step: Annotated[list[str] | None, option("Synthetix: DAYS:SKEW_DELTA, once for each step.")] = None,
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
    answer("funding", locals())


@app.command()
def cost(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    size: Size = None,
    price: Price = None,
    mark: Mark = None,
    ask: Annotated[Text, option("Best ask, for a market order to buy.")] = None,
    bid: Annotated[Text, option("Best bid, for a market order to sell.")] = None,
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
    answer("cost", locals())


@app.command("max-size")
def max_size(
    pack: Pack = "binance-usdm",
    symbol: Symbol = None,
    side: Side = None,
    available: Annotated[Text, option("Available balance.", "--available", "--wallet")] = None,
    price: Price = None,
    mark: Mark = None,
    ask: Annotated[Text, option("Best ask, for a market order to buy.")] = None,
    bid: Annotated[Text, option("Best bid, for a market order to sell.")] = None,
    leverage: Leverage = None,
    taker: Taker = None,
    contract: Contract = None,
    inverse: Inverse = None,
    lot: Annotated[Text, option("Lot size of an instrument that is not in the pack.")] = None,
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
    answer("max-size", locals())
