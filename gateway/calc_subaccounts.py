"""The questions of `ringfence calc` about the liquidation of a dYdX subaccount, in quote and base quantums."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.calc_options import (
    AsJson,
    DeltaBaseQuantums,
    FractionPpm,
    InitialPpm,
    Pack,
    PerpetualId,
    Resolution,
    SubaccountPositions,
    SubaccountUsdc,
    Text,
    answer,
    option,
)

app = typer.Typer(rich_markup_mode=None)

Conversion = Annotated[Text, option("Quantum conversion exponent of the market: 10^it is what a subtick is.")]


@app.command("fillable-price")
def fillable_price(
    pack: Pack = "dydx-v4",
    usdc_quote_quantums: SubaccountUsdc = None,
    position: SubaccountPositions = None,
    perpetual_id: PerpetualId = None,
    delta_base_quantums: DeltaBaseQuantums = None,
    bankruptcy_adjustment_ppm: Annotated[Text, option("How fast the spread grows (1000000).")] = None,
    spread_to_maintenance_margin_ratio_ppm: Annotated[
        Text, option("The largest spread, as a part of the position's maintenance margin (100000).")
    ] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    atomic_resolution: Resolution = None,
    quantum_conversion_exponent: Conversion = None,
    subticks_per_tick: Annotated[Text, option("Subticks of a tick (1).")] = None,
    json: AsJson = False,
) -> None:
    """Calculate the limit of a dYdX liquidation order: exactly, and on the tick where the market is described."""
    answer("fillable-price", locals())


@app.command("insurance-fund-delta")
def insurance_fund_delta(
    pack: Pack = "dydx-v4",
    usdc_quote_quantums: SubaccountUsdc = None,
    position: SubaccountPositions = None,
    perpetual_id: PerpetualId = None,
    is_buy: Annotated[
        bool | None, typer.Option("--is-buy/--is-sell", help="Whether a short is bought back, or a long sold.")
    ] = None,
    fill_base_quantums: Annotated[Text, option("What is filled.")] = None,
    subticks: Annotated[Text, option("The price of the fill.")] = None,
    quantum_conversion_exponent: Conversion = None,
    max_liquidation_fee_ppm: Annotated[Text, option("Largest liquidation fee of the fill (5000).")] = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    json: AsJson = False,
) -> None:
    """Calculate what a fill of a dYdX liquidation brings the insurance fund; below 0 it costs the fund."""
    answer("insurance-fund-delta", locals())


@app.command()
def deleverage(
    pack: Pack = "dydx-v4",
    usdc_quote_quantums: SubaccountUsdc = None,
    position: SubaccountPositions = None,
    offsetting_usdc_quote_quantums: Annotated[Text, option("USDC of the subaccount on the other side.")] = None,
    offsetting_position: Annotated[
        list[str] | None, option("A position of the subaccount on the other side, as --position.")
    ] = None,
    perpetual_id: PerpetualId = None,
    delta_base_quantums: DeltaBaseQuantums = None,
    initial_margin_ppm: InitialPpm = None,
    maintenance_fraction_ppm: FractionPpm = None,
    json: AsJson = False,
) -> None:
    """Calculate what two dYdX subaccounts are left with where one is deleveraged against the other."""
    answer("deleverage", locals())
