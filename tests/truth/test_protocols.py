"""Synthetix cross accounts and velocity funding; Drift's margin weights."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from exchange.calculator.drift import asset_weight, liability_weight
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


for of_liquidations in ("base_to_cover", "perp_if_fee", "liability_transfer", "liquidation_fee_ramp"):
    later(DRIFT, "sizes and fees of liquidations", only=kind(of_liquidations))
later(DRIFT, "socialised loss: liquidation", only=kind("socialized_loss_funding_delta"))
later(DRIFT, "its inputs are those of another case, which is not in the file", only=kind("isolated_vs_cross"))

later("black76_reference_prices", "options: later work")
later("derive_standard_margin", "options: later work")
later("derive_pmrm2_portfolio_margin", "portfolio margin: later work")
