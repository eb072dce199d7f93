"""dYdX v4, in the integers of the chain: liquidity tiers and funding."""

from __future__ import annotations

from exchange.calculator.dydx import (
    LiquidityTier,
    funding_index_delta,
    funding_settlement_ppm,
    notional_quantums,
)
from tests.truth.published import Case, about


def tier_of(case: Case) -> LiquidityTier:
    names = ("initial_margin_ppm", "maintenance_fraction_ppm", "oi_lower_cap", "oi_upper_cap")
    return LiquidityTier(*(case.whole(name) for name in names))


@about("dydx_liquidity_tier_margin", only=lambda case: "base_quantums" in case.inputs)
def test_margins_of_a_position(case: Case) -> None:
    price = case.whole("price"), case.whole("price_exponent"), case.whole("atomic_resolution")
    notional = notional_quantums(case.whole("base_quantums"), *price)
    interest = notional_quantums(case.whole("open_interest_base_quantums"), *price)
    case.has("initial_margin_quote_quantums", tier_of(case).initial_margin(notional, interest))
    case.has("maintenance_margin_quote_quantums", tier_of(case).maintenance_margin(notional))


@about("dydx_liquidity_tier_margin", only=lambda case: "position_notional_quote_quantums" in case.inputs)
def test_initial_margin_of_a_notional(case: Case) -> None:
    notional, interest = case.whole("position_notional_quote_quantums"), case.whole("oi_notional")
    case.has("initial_margin_quote_quantums", tier_of(case).initial_margin(notional, interest))


@about("dydx_liquidity_tier_margin", only=lambda case: "effective_initial_margin_ppm" in case.expected)
def test_initial_margin_grows_with_open_interest(case: Case) -> None:
    case.has("effective_initial_margin_ppm", tier_of(case).effective_initial_margin_ppm(case.whole("oi_notional")))


@about("dydx_liquidity_tier_margin", only=lambda case: "maintenance_margin_ppm" in case.expected)
def test_maintenance_margin_of_a_tier(case: Case) -> None:
    case.has("maintenance_margin_ppm", tier_of(case).maintenance_margin_ppm)


@about("dydx_funding", only=lambda case: "funding_index_delta" in case.expected)
def test_the_funding_index(case: Case) -> None:
    names = ("funding_rate_8h_ppm", "seconds_since_last_funding", "price", "price_exponent", "atomic_resolution")
    case.has("funding_index_delta", funding_index_delta(*(case.whole(name) for name in names)))


@about("dydx_funding", only=lambda case: "net_settlement_ppm" in case.expected)
def test_the_settlement_of_funding(case: Case) -> None:
    names = ("perp_funding_index", "position_funding_index", "base_quantums")
    case.has("net_settlement_ppm", funding_settlement_ppm(*(case.whole(name) for name in names)))


@about("dydx_funding", only=lambda case: "max_abs_funding_ppm" in case.expected)
def test_the_bound_of_funding_rates(case: Case) -> None:
    case.has("max_abs_funding_ppm", tier_of(case).max_funding_ppm(case.whole("clamp_factor_ppm")))
