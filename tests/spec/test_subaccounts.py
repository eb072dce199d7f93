"""What a liquidation of a dYdX subaccount comes to, in the calculator and on the command line."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.calculator import CalculatorError
from exchange.calculator.dydx import LiquidityTier
from exchange.calculator.subaccount import (
    MOST_SUBTICKS,
    Subaccount,
    TieredPosition,
    fillable_price,
    insurance_fund_delta,
    may_become,
    price_in_subticks,
)
from tests.command_line import ringfence

TIER = LiquidityTier(200_000, 500_000)


def holding(size: int, usdc: int, price: int = 10) -> Subaccount:
    """A subaccount with one position, initial margin 20 % and maintenance margin 10 % of it."""
    return Subaccount(usdc, {"0": TieredPosition(size, Fraction(price), TIER)} if size else {})


def test_the_fillable_price_leaves_the_oracle_price_as_the_subaccount_nears_bankruptcy() -> None:
    """1,000 base quantums at 10 have a maintenance margin of 1,000; a spread of 1,000,000 ppm is all of it."""
    found = [fillable_price(holding(1_000, usdc), "0", -1, spread_ppm=1_000_000) for usdc in (-8_000, -9_500, -11_000)]
    assert found == [10, Fraction(95, 10), 9]
    assert fillable_price(holding(-1_000, 10_500), "0", 1, spread_ppm=1_000_000) == Fraction(105, 10)


def test_a_spread_of_more_than_the_notional_leaves_no_fillable_price() -> None:
    with pytest.raises(CalculatorError, match="a spread of more than the notional"):
        fillable_price(holding(1_000, -10_000), "0", -1, spread_ppm=11_000_000)


def test_a_subaccount_without_maintenance_margin_has_neither_price() -> None:
    free = Subaccount(0, {"0": TieredPosition(1, Fraction(1), LiquidityTier(0))})
    with pytest.raises(CalculatorError, match="need a maintenance margin"):
        fillable_price(free, "0", -1)


def test_a_fillable_price_is_on_a_tick_in_favour_of_the_account() -> None:
    price = Fraction(49_999, 100)
    assert [price_in_subticks(price, is_long, -1, 100) for is_long in (True, False)] == [5_000, 4_900]
    assert price_in_subticks(Fraction(0), False, -1, 100) == 100
    assert price_in_subticks(Fraction(2**64), True, -1, 100) == MOST_SUBTICKS - MOST_SUBTICKS % 100
    with pytest.raises(CalculatorError, match="at least one subtick"):
        price_in_subticks(price, True, -1, 0)


def test_the_largest_fee_of_a_fill_is_rounded_down() -> None:
    found = insurance_fund_delta(holding(1_000, -9_500), "0", 3, 333, 0, is_buy=False, max_fee_ppm=5_000)
    assert (found.fill, found.insurance_fund_delta) == (999, 4)


BECOMES = [
    ("initial margin is met", holding(100, -900), holding(100, -800), True),
    ("nothing is left and nothing is owed", holding(100, -1_000), holding(0, 0), True),
    ("maintenance margin grows", holding(100, -950), holding(110, -1_050), False),
    ("a debt is left", holding(100, -950), holding(0, -1), False),
    ("a debt shrinks", holding(0, -2), holding(0, -1), True),
    ("a debt stays", holding(0, -2), holding(0, -2), False),
    ("the ratio stays", holding(100, -950), holding(50, -475), True),
    ("the ratio falls", holding(100, -950), holding(50, -476), False),
]


@pytest.mark.parametrize(("before", "after", "may"), [row[1:] for row in BECOMES], ids=[row[0] for row in BECOMES])
def test_a_subaccount_becomes_no_riskier(before: Subaccount, after: Subaccount, may: bool) -> None:
    assert may_become(before, after) is may


TIERS = ("--initial-margin-ppm", "200000", "--maintenance-fraction-ppm", "500000")
SHORT = ("--usdc-quote-quantums", "5499000000", "--position", "0:-10000000:500", "--perpetual-id", "0", *TIERS)


def test_a_fillable_price_is_shown_as_the_market_has_it() -> None:
    market = ("--atomic-resolution", "-8", "--quantum-conversion-exponent", "-8", "--subticks-per-tick", "1000000")
    assert ringfence("calc", "fillable-price", *SHORT, *market).out == (
        "fillable price quote quantums per base quantum       500.01\n"
        "fillable price                                        50001  quote asset per base asset\n"
        "fillable price subticks                         50001000000\n"
    )


@pytest.mark.parametrize("side", [(), ("--is-buy",)])
def test_the_side_of_a_fill_is_that_which_closes_the_position(side: tuple[str, ...]) -> None:
    fill = ("--fill-base-quantums", "10000000", "--subticks", "50000000000", "--quantum-conversion-exponent", "-8")
    assert ringfence("calc", "insurance-fund-delta", *SHORT, *fill, *side, "--json").json == {
        "insurance_fund_delta_quote_quantums": "25000000",
        "bankruptcy_price_quote_quantums": "-5499000000",
        "fill_quote_quantums": "-5000000000",
    }


MISTAKES = [
    (("fillable-price", *SHORT, "--position", "0:1:1"), "--position: perpetual '0' is given twice"),
    (("fillable-price", *SHORT[2:]), "--usdc-quote-quantums is missing"),
    (("deleverage", *SHORT, "--delta-base-quantums", "1"), "--offsetting-usdc-quote-quantums is missing"),
    (("insurance-fund-delta", *SHORT, "--is-sell", "--fill-base-quantums", "0", "--subticks", "1",
      "--quantum-conversion-exponent", "0"), "ErrInvalidQuantumsForInsuranceFundDeltaCalculation"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "line"), MISTAKES)
def test_a_mistake_is_told_in_one_line(words: tuple[str, ...], line: str) -> None:
    assert ringfence("calc", *words, status=2).complaint.startswith(line)
