"""The liquidation of a dYdX subaccount: bankruptcy and fillable price, the insurance fund's part, deleveraging."""

from __future__ import annotations

from fractions import Fraction

from exchange.calculator.dydx import QUOTE_RESOLUTION, LiquidityTier, power
from exchange.calculator.subaccount import (
    BANKRUPTCY_ADJUSTMENT_PPM,
    MAX_FEE_PPM,
    SPREAD_PPM,
    Subaccount,
    TieredPosition,
    bankruptcy_quantums,
    deleverage,
    fillable_price,
    insurance_fund_delta,
    price_in_subticks,
)
from gateway.commands.calc_given import Given, number_of, whole_of
from gateway.commands.calc_text import Answer
from gateway.errors import UsageError


def of_subaccount(given: Given) -> Answer:
    """Bankruptcy price of the part of a position that is closed."""
    quantums = bankruptcy_quantums(_account(given), _perpetual(given), given.whole("delta_base_quantums"))
    return {"bankruptcy_price_quote_quantums": quantums}


def fillable(given: Given) -> tuple[Answer, str]:
    """Fillable price of a position; without a delta, of all of it."""
    account, perpetual = _account(given), _perpetual(given)
    held = account.positions.get(perpetual)
    price = fillable_price(
        account,
        perpetual,
        given.whole("delta_base_quantums", -held.size if held else 0),
        given.whole("bankruptcy_adjustment_ppm", BANKRUPTCY_ADJUSTMENT_PPM),
        given.whole("spread_to_maintenance_margin_ratio_ppm", SPREAD_PPM),
    )
    figures: dict[str, Fraction | int | None] = {"fillable_price_quote_quantums_per_base_quantum": price}
    if "atomic_resolution" in given:
        figures["fillable_price"] = price * power(QUOTE_RESOLUTION - given.whole("atomic_resolution"))
    if "quantum_conversion_exponent" in given:
        exponent, of_tick = given.whole("quantum_conversion_exponent"), given.whole("subticks_per_tick", 1)
        assert held is not None
        figures["fillable_price_subticks"] = price_in_subticks(price, held.size > 0, exponent, of_tick)
    return figures, ""


def fund_delta(given: Given) -> tuple[Answer, str]:
    """What a fill brings the insurance fund; without a side, that which closes the position."""
    account, perpetual, is_buy = _account(given), _perpetual(given), given.choice("is_buy")
    if is_buy is None:
        held = account.positions.get(perpetual)
        is_buy = held is not None and held.size < 0
    found = insurance_fund_delta(
        account,
        perpetual,
        given.whole("fill_base_quantums"),
        given.whole("subticks"),
        given.whole("quantum_conversion_exponent"),
        is_buy=is_buy,
        max_fee_ppm=given.whole("max_liquidation_fee_ppm", MAX_FEE_PPM),
    )
    return {
        "insurance_fund_delta_quote_quantums": found.insurance_fund_delta,
        "bankruptcy_price_quote_quantums": found.bankruptcy,
        "fill_quote_quantums": found.fill,
    }, ""


def deleveraged(given: Given) -> tuple[Answer, str]:
    """What both subaccounts are left with."""
    perpetual = _perpetual(given)
    liquidated, offsetting = _account(given), _account(given, "offsetting_")
    found = deleverage(liquidated, offsetting, perpetual, given.whole("delta_base_quantums"))
    return {
        "bankruptcy_price_quote_quantums": found.bankruptcy,
        "liquidated_usdc_quote_quantums": found.liquidated.collateral,
        "liquidated_base_quantums": _left(found.liquidated, perpetual),
        "offsetting_usdc_quote_quantums": found.offsetting.collateral,
        "offsetting_base_quantums": _left(found.offsetting, perpetual),
    }, ""


def _left(account: Subaccount, perpetual: str) -> int:
    held = account.positions.get(perpetual)
    return held.size if held else 0


def _perpetual(given: Given) -> str:
    return str(given.whole("perpetual_id"))


def _account(given: Given, whose: str = "") -> Subaccount:
    """The subaccount that was given; `whose` begins the names of its options."""
    tier = given.whole("initial_margin_ppm", 0), given.whole("maintenance_fraction_ppm", 0)
    name, option = f"{whose}position", f"--{whose.replace('_', '-')}position"
    positions: dict[str, TieredPosition] = {}
    for perpetual, size, price, *own in given.parts(name, "ID:BASE_QUANTUMS:PRICE[:INITIAL_PPM:FRACTION_PPM]"):
        if perpetual in positions:
            raise UsageError(f"{option}: perpetual {perpetual!r} is given twice")
        ppm = [whole_of(part, option) for part in own] or tier
        positions[perpetual] = TieredPosition(whole_of(size, option), number_of(price, option), LiquidityTier(*ppm))
    return Subaccount(given.whole(f"{whose}usdc_quote_quantums"), positions)
