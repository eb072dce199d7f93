"""dYdX v4, in the integers of the chain: what a liquidation of a subaccount comes to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from exchange.calculator import CalculatorError
from exchange.calculator.dydx import LiquidityTier
from exchange.calculator.subaccount import (
    Subaccount,
    TieredPosition,
    bankruptcy_quantums,
    deleverage,
    fillable_price,
    insurance_fund_delta,
)
from tests.truth.published import Case, about

PRICES = {0: Fraction(500), 1: Fraction(3)}
"""Quote quantums of a base quantum of BTC (50,000 USD) and of ETH (3,000 USD)."""
TIER = LiquidityTier(200_000, 500_000)


def account(stated: dict[str, Any]) -> Subaccount:
    """A subaccount in the words of the cases."""
    positions = {
        str(held["perpetual"]): TieredPosition(held["base_quantums"], PRICES[held["perpetual"]], TIER)
        for held in stated["positions"]
    }
    return Subaccount(stated["usdc_quote_quantums"], positions)


def fails(case: Case) -> bool:
    return "error" in case.expected


def works(case: Case) -> bool:
    return not fails(case)


def refused(case: Case, answer: Callable[[Case], object]) -> None:
    with pytest.raises(CalculatorError, match=case.expected["error"]):
        answer(case)


def bankruptcy_of(case: Case) -> int:
    return bankruptcy_quantums(account(case.inputs), str(case.whole("perpetual_id")), case.whole("delta_base_quantums"))


@about("dydx_bankruptcy_price", only=works)
def test_what_closing_a_part_of_a_subaccount_may_come_to(case: Case) -> None:
    case.has("bankruptcy_price_quote_quantums", bankruptcy_of(case))


@about("dydx_bankruptcy_price", only=fails)
def test_only_what_a_subaccount_holds_can_be_closed(case: Case) -> None:
    refused(case, bankruptcy_of)


def fillable_of(case: Case) -> Fraction:
    names = ("delta_base_quantums", "bankruptcy_adjustment_ppm", "spread_to_maintenance_margin_ratio_ppm")
    rest = (case.whole(name) for name in names)
    return fillable_price(account(case.inputs), str(case.whole("perpetual_id")), *rest)


@about("dydx_fillable_price", only=works)
def test_the_limit_of_a_liquidation_order(case: Case) -> None:
    case.has("fillable_price_quote_quantums_per_base_quantum", fillable_of(case))
    case.has("fillable_price_usd", fillable_of(case) * 100)


@about("dydx_fillable_price", only=fails)
def test_only_what_a_subaccount_holds_has_a_fillable_price(case: Case) -> None:
    refused(case, fillable_of)


def fund_delta_of(case: Case) -> tuple[int, int]:
    names = ("fill_base_quantums", "subticks", "quantum_conversion_exponent")
    found = insurance_fund_delta(
        account(case.inputs),
        str(case.whole("perpetual_id")),
        *(case.whole(name) for name in names),
        is_buy=case.inputs["is_buy"],
        max_fee_ppm=case.whole("max_liquidation_fee_ppm"),
    )
    return found.insurance_fund_delta, found.bankruptcy


@about("dydx_insurance_fund_delta", only=works)
def test_what_a_fill_brings_the_insurance_fund(case: Case) -> None:
    delta, bankruptcy = fund_delta_of(case)
    case.has("insurance_fund_delta_quote_quantums", delta)
    case.has("bankruptcy_price_quote_quantums", bankruptcy)


@about("dydx_insurance_fund_delta", only=fails)
def test_a_fill_of_nothing_has_no_part_for_the_fund(case: Case) -> None:
    refused(case, fund_delta_of)


def deleveraged(case: Case) -> tuple[Subaccount, Subaccount, int]:
    both = account(case.inputs["liquidated"]), account(case.inputs["offsetting"])
    return deleverage(*both, str(case.whole("perpetual_id")), case.whole("delta_base_quantums"))


@about("dydx_deleveraging", only=works)
def test_both_close_at_the_bankruptcy_price_of_the_liquidated_one(case: Case) -> None:
    liquidated, offsetting, bankruptcy = deleveraged(case)
    case.has("bankruptcy_price_quote_quantums", bankruptcy)
    assert liquidated == account(case.expected["liquidated"])
    assert offsetting == account(case.expected["offsetting"])


@about("dydx_deleveraging", only=fails)
def test_what_leaves_one_of_them_worse_is_refused(case: Case) -> None:
    refused(case, deleveraged)
