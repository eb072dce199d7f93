"""What a liquidation leaves to the fund and to the queue, and margin by scenarios."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.calculator import LONG, SHORT, CalculatorError, Holding
from exchange.calculator.layers import deleveraging_order, deleveraging_rank, fund_gain
from exchange.calculator.scenarios import Holdings, contingency, future_price, scan
from tests.command_line import ringfence

ONE, HUNDRED = Fraction(1), Fraction(100)


def test_a_fund_gains_by_a_close_that_is_better_than_bankruptcy() -> None:
    long, short = Holding(LONG, ONE, HUNDRED), Holding(SHORT, ONE, HUNDRED)
    gains = [fund_gain(leg, Fraction(99), Fraction(fill)) for leg in (long, short) for fill in (98, 99, 101)]
    assert gains == [-1, 0, 2, 1, 0, -2]
    coin = Holding(LONG, HUNDRED, HUNDRED, inverse=True)
    assert fund_gain(coin, Fraction(80), Fraction(100)) == Fraction(1, 4)


def test_a_loss_is_ranked_the_lower_the_less_it_is_leveraged() -> None:
    ranks = [deleveraging_rank(Fraction(profit), Fraction(2)) for profit in (1, 0, -1)]
    assert ranks == [2, 0, Fraction(-1, 2)]
    assert deleveraging_order([ONE, Fraction(3), ONE]) == [2, 1, 3]
    with pytest.raises(CalculatorError, match="an effective leverage must be above 0"):
        deleveraging_rank(ONE, Fraction(0))


def test_a_portfolio_that_gains_everywhere_has_no_scanning_risk() -> None:
    assert scan([Holdings(ONE, [ONE, Fraction(2)])]).risk == 0
    arrays = [[], [Holdings(ONE, [ONE]), Holdings(ONE, [ONE, ONE])], [Holdings(ONE, [])]]
    for portfolio in arrays:
        with pytest.raises(CalculatorError, match="risk arrays, all of them over the same scenarios"):
            scan(portfolio)


def test_a_future_grows_by_its_rate_and_what_is_held_against_it_by_all_contracts() -> None:
    assert future_price(HUNDRED, Fraction(0), Fraction(9)) == HUNDRED
    assert round(future_price(HUNDRED, ONE, Fraction(365)), 8) == Fraction("271.82818285")
    assert contingency(HUNDRED, Fraction(1, 100), [ONE, -ONE]) == 2


SHOWN = [
    (
        ("fund", "--side", "short", "--size", "1", "--bankruptcy-price", "99", "--fill", "98", "--fill", "99.5"),
        "fund after  1, 0.5  quote asset\n",
    ),
    (
        ("adl-rank", "--position", "0.1:4", "--position", "-0.1:2"),
        "adl rank   0.4, -0.05\nadl order        1, 2\n",
    ),
    (
        ("scanning-risk", "--array", "1:5,-5", "--array", "-2:1,1"),
        "portfolio array pnl  3, -7\nscanning risk            7\n",
    ),
]


@pytest.mark.parametrize(("words", "shown"), SHOWN)
def test_the_command_line_shows_them(words: tuple[str, ...], shown: str) -> None:
    assert ringfence("calc", *words).out == shown


MISTAKES = [
    (("fund", "--side", "long", "--size", "1", "--bankruptcy-price", "9"), "--fill is missing"),
    (("fund", "--side", "long", "--size", "1", "--fill", "9"), "--bankruptcy-price is missing"),
    (("adl-rank",), "--position is missing"),
    (("adl-rank", "--position", "1"), "--position: '1' is not PROFIT:LEVERAGE"),
    (("scanning-risk",), "a portfolio needs risk arrays"),
    (("scanning-risk", "--array", "1:2,x"), "--array: 'x' is not a decimal number"),
]


@pytest.mark.parametrize(("words", "line"), MISTAKES)
def test_a_mistake_is_told_in_one_line(words: tuple[str, ...], line: str) -> None:
    assert ringfence("calc", *words, status=2).complaint.startswith(line)
