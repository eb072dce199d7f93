"""Synthetix cross accounts and velocity funding; Drift's margin weights and liquidations."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from exchange.calculator.drift import (
    BUFFER,
    Side,
    asset_weight,
    base_to_cover,
    buffered_collateral,
    buffered_requirement,
    insurance_fee,
    liability_to_cover,
    liability_weight,
    ramped_fee,
    socialised_loss_delta,
)
from exchange.calculator.synthetix import SkewedPosition, Step, VelocityFunding, available_margin
from tests.truth.published import Case, about, agrees, later

SYNTHETIX, DRIFT = "synthetix_v3_cross_margin", "drift_liquidation_math"


@about(SYNTHETIX, only=lambda case: "available_margin" in case.expected)
def test_the_margin_of_a_cross_account(case: Case) -> None:
    columns = (case.inputs[name] for name in ("sizes", "open_prices", "mark_prices", "skew_scale"))
    positions = [SkewedPosition(*map(Fraction, row)) for row in zip(*columns, strict=True)]
    for market, position, pnl in zip(case.inputs["markets"], positions, case.expected["pnl"], strict=True):
        agrees(f"{case.id}: pnl in {market}", position.pnl, pnl)
    case.has("available_margin", available_margin(case.number("collateral_usd"), positions))


@about(SYNTHETIX, only=lambda case: "accrued_funding" in case.expected)
def test_funding_whose_rate_has_a_velocity(case: Case) -> None:
    market = VelocityFunding(case.number("skew_scale"), case.number("max_funding_velocity_per_day"))
    steps = [Step(Fraction(step["days"]), Fraction(step["skew_delta"])) for step in case.inputs["steps"]]
    owed = market.accrued(case.number("position"), case.number("price"), case.number("initial_skew"), steps)
    for n, (figure, published) in enumerate(zip(owed, case.expected["accrued_funding"], strict=True), 1):
        agrees(f"{case.id}: after step {n}", figure, published)


def kind(name: str) -> Callable[[Case], bool]:
    return lambda case: case.inputs["kind"] == name


@about(DRIFT, only=kind("size_premium_liability_weight"))
def test_the_weight_of_a_liability_grows_with_its_size(case: Case) -> None:
    names = ("size_1e9", "imf_factor", "liability_weight")
    case.has("weight", liability_weight(*(case.whole(name) for name in names)))


@about(DRIFT, only=kind("size_discount_asset_weight"))
def test_the_weight_of_collateral_falls_with_its_size(case: Case) -> None:
    case.has("weight", asset_weight(*(case.whole(name) for name in ("size_1e9", "imf_factor", "asset_weight"))))


@about(DRIFT, only=kind("base_to_cover"))
def test_the_size_that_covers_a_shortage(case: Case) -> None:
    names = ("margin_shortage", "margin_ratio", "liquidation_fee", "if_fee", "oracle_price", "quote_price")
    case.has("base_asset_amount", base_to_cover(*(case.whole(name) for name in names)))


@about(DRIFT, only=kind("perp_if_fee"))
def test_the_fee_that_a_position_can_pay_to_the_insurance_fund(case: Case) -> None:
    names = ("margin_shortage", "base", "margin_ratio", "liquidator_fee", "oracle_price", "quote_price", "max_if_fee")
    case.has("if_fee_ppm", insurance_fee(*(case.whole(name) for name in names)))


@about(DRIFT, only=kind("liability_transfer"))
def test_the_liability_that_covers_a_shortage(case: Case) -> None:
    asset = Side(case.whole("asset_weight"), case.whole("asset_liq_multiplier"))
    liability = Side(case.whole("liability_weight"), case.whole("liability_liq_multiplier"))
    terms = (case.whole(name) for name in ("liability_decimals", "liability_price", "if_fee"))
    case.has("liability_transfer", liability_to_cover(case.whole("margin_shortage"), asset, liability, *terms))


@about(DRIFT, only=kind("liquidation_fee_ramp"))
def test_the_fee_of_an_account_that_was_left_alone(case: Case) -> None:
    names = ("base_fee", "max_fee", "slots_elapsed", "grace_slots", "increase_per_slot")
    case.has("fee_ppm", ramped_fee(*(case.whole(name) for name in names)))


@about(DRIFT, only=kind("socialized_loss_funding_delta"))
def test_a_loss_that_all_positions_bear(case: Case) -> None:
    names = ("loss_quote", "base_long", "base_short")
    case.has("cumulative_funding_rate_delta", socialised_loss_delta(*(case.whole(name) for name in names)))


ISOLATED = {"requirement": 1_000, "liability": 10_000, "pnl": -1_000, "deposit": 100}
CROSS = {"requirement": 12_000, "liability": 10_000}
"""A cross pool that borrows 100 SOL at 100 USD and a weight of 1.2, and an isolated position of 100 SOL, bought for
11,000 USD, at a margin ratio of 10 %. Source: drift-labs/protocol-v2, math/margin/tests.rs,
isolated_position_margin_requirement; the case itself points to another one for them.
"""


@about(DRIFT, only=kind("isolated_vs_cross"))
def test_the_buffer_of_a_liquidation_on_either_side_of_an_isolated_position(case: Case) -> None:
    buffer = int(case.number("margin_buffer") * BUFFER)
    for name, pool in (("cross_margin", CROSS), ("isolated_margin", ISOLATED)):
        requirement = buffered_requirement(pool["requirement"], pool["liability"], buffer)
        case.has(f"{name}_requirement_plus_buffer", requirement)
    held = ISOLATED["deposit"] + ISOLATED["pnl"]
    case.has("isolated_total_collateral_plus_buffer", buffered_collateral(held, ISOLATED["pnl"], buffer))


later("black76_reference_prices", "options: later work")
later("derive_standard_margin", "options: later work")
later("derive_pmrm2_portfolio_margin", "portfolio margin: later work")
