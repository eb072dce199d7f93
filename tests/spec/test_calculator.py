"""What the calculator refuses to answer, and the corners that no published figure is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from events.instruments import load_pack
from events.rules import DueAt, ExitFee, MarginModel
from events.units import UNIT
from exchange.calculator import (
    LONG,
    SHORT,
    CalculatorError,
    Holding,
    Pool,
    Rules,
    bankruptcy_price,
    flat,
    hourly_rate,
    initial_margin,
    liquidation,
    margin_of_model,
    market_price,
    max_size,
    premium_of,
    rules_of,
    with_cum,
)
from exchange.calculator.drift import (
    NO_BOUND_BASE,
    NO_BOUND_LIABILITY,
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
from exchange.calculator.dydx import LiquidityTier
from exchange.calculator.synthetix import VelocityFunding, fill_price

ONE = Fraction(1)
LONG_ONE = Holding(LONG, ONE, Fraction(100))
SHORT_ONE = Holding(SHORT, ONE, Fraction(100))
COIN_LONG = Holding(LONG, ONE, Fraction(100), Fraction(100), inverse=True)
COIN_SHORT = replace(COIN_LONG, sign=SHORT)
ONE_PERCENT = Rules(flat(Fraction(1, 100)))

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Holding(0, ONE, ONE), "a side is +1 for a long or -1 for a short"),
    (lambda: Holding(LONG, Fraction(0), ONE), "size, entry price and contract value must be above 0"),
    (lambda: LONG_ONE.value(Fraction(0)), "a price must be above 0"),
    (lambda: Pool(ONE, (), ONE_PERCENT), "a pool needs a position"),
    (lambda: Pool(ONE, (LONG_ONE, COIN_LONG), ONE_PERCENT), "the legs of a symbol are all linear or all inverse"),
    (lambda: with_cum([]), "a maintenance schedule needs a bracket"),
    (lambda: flat(Fraction(-1, 10)), "must be at least 0 and below 1"),
    (lambda: Rules(flat(ONE / 2), exit_fee=ExitFee.AT_MARK, taker_fee=ONE / 2), "and so must their sum"),
    (lambda: rules_of(load_pack("gate")), "the maintenance margin rate (mmr) must be given"),
    (lambda: initial_margin(ONE, Fraction(0)), "leverage must be above 0"),
    (lambda: margin_of_model(MarginModel.LEVERAGE, ONE, ONE, ONE), "has no rate: use initial_margin"),
    (lambda: premium_of(ONE, Fraction(0)), "an index price must be above 0"),
    (lambda: hourly_rate(ONE, 0), "the hours in which a premium is paid off must be above 0"),
    (lambda: max_size(LONG_ONE, Fraction(-1), ONE, ONE), "available balance must not be below 0"),
    (lambda: fill_price(ONE, ONE, ONE, Fraction(-1)), "a skew scale must not be below 0"),
    (lambda: LiquidityTier(-1), "must not be below 0"),
]


@pytest.mark.parametrize(("ask", "line"), REFUSED, ids=[line for _, line in REFUSED])
def test_a_question_without_an_answer_is_refused(ask: Callable[[], Any], line: str) -> None:
    with pytest.raises(CalculatorError) as refusal:
        ask()
    assert line in str(refusal.value)


def test_a_long_with_all_of_its_value_as_margin_has_its_price_at_zero() -> None:
    found = liquidation(Pool(Fraction(100), (LONG_ONE,), ONE_PERCENT))
    assert (found.exact, found.shown, found.trigger, found.is_always_due) == (0, 0, None, False)


def test_a_short_in_coin_that_holds_its_value_is_never_due() -> None:
    held = liquidation(Pool(ONE, (COIN_SHORT,), ONE_PERCENT))
    assert (held.exact, held.shown, held.trigger, held.is_always_due) == (None, None, None, False)
    more = liquidation(Pool(ONE * 2, (COIN_SHORT,), ONE_PERCENT))
    assert more.exact is not None
    assert more.exact < 0
    assert (more.shown, more.trigger, more.is_always_due) == (None, None, False)


def test_a_debt_in_coin_is_due_at_every_mark() -> None:
    found = liquidation(Pool(Fraction(-2), (COIN_LONG,), ONE_PERCENT))
    assert (found.shown, found.trigger, found.is_always_due) == (None, None, True)


def test_a_perfect_hedge_is_due_where_its_maintenance_margin_has_grown_into_its_equity() -> None:
    found = liquidation(Pool(Fraction(10), (LONG_ONE, SHORT_ONE), ONE_PERCENT))
    assert (found.exact, found.falls, found.trigger) == (500, False, 500 * UNIT)
    free = liquidation(Pool(Fraction(10), (LONG_ONE, SHORT_ONE), Rules(flat(Fraction(0)))))
    assert (free.exact, free.shown, free.trigger) == (None, None, None)


def test_a_hedge_that_hardly_leans_is_due_on_the_other_side() -> None:
    """Net long, but maintenance margin grows faster than equity: the price that hurts is above."""
    legs = (Holding(LONG, Fraction(101, 100), Fraction(100)), SHORT_ONE)
    found = liquidation(Pool(Fraction(10), legs, ONE_PERCENT))
    assert not found.falls
    assert found.exact is not None
    assert found.exact > 100


def test_a_hedge_that_no_fall_makes_due_has_its_price_above() -> None:
    """Net long, and equity outlasts any fall; far above, the brackets of both legs outgrow what the net gains."""
    legs = (Holding(LONG, Fraction(2), Fraction(100)), SHORT_ONE)
    brackets = with_cum([(Fraction(0), Fraction(1, 100)), (Fraction(300), Fraction(2, 5))])
    found = liquidation(Pool(Fraction(150), legs, Rules(brackets)))
    assert (found.exact, found.falls, found.trigger) == (1420, False, 1420 * UNIT)


def test_due_below_and_due_at_maintenance_differ_by_the_mark_of_equality() -> None:
    pool = Pool(Fraction("50.5"), (LONG_ONE,), ONE_PERCENT)
    below = replace(pool, rules=replace(ONE_PERCENT, due_at=DueAt.BELOW_MAINTENANCE))
    assert liquidation(pool).exact == 50
    assert [liquidation(one).trigger for one in (pool, below)] == [50 * UNIT, 50 * UNIT - 1]
    short = Pool(Fraction("51.5"), (SHORT_ONE,), ONE_PERCENT)
    above = replace(short, rules=below.rules)
    assert [liquidation(one).trigger for one in (short, above)] == [150 * UNIT, 150 * UNIT + 1]


def test_an_inverse_position_may_have_no_bankruptcy_price() -> None:
    assert bankruptcy_price(COIN_SHORT, ONE) is None
    assert bankruptcy_price(COIN_LONG, ONE) == 50


def test_a_market_order_without_a_book_counts_at_the_mark() -> None:
    prices = {"bid": None, "ask": None, "slippage": Fraction(1, 2000)}
    assert [market_price(sign, ONE, **prices) for sign in (LONG, SHORT)] == [1, 1]
    third = {"bid": Fraction(1, 3), "ask": Fraction(1, 3), "slippage": Fraction(0)}
    assert market_price(LONG, ONE, **third) == Fraction(33_333_334, UNIT)


def test_without_a_skew_scale_neither_price_nor_funding_follows_the_skew() -> None:
    assert fill_price(Fraction(100), ONE, ONE, Fraction(0)) == 100
    assert VelocityFunding(Fraction(0), ONE).velocity(Fraction(50)) == 0
    assert [VelocityFunding(ONE, Fraction(3)).velocity(Fraction(skew)) for skew in (-50, 50)] == [-3, 3]


def test_drift_weights_without_a_factor_and_buffers() -> None:
    assert (liability_weight(10**15, 0, 11_000), asset_weight(10**15, 0, 9_000)) == (11_000, 9_000)
    assert buffered_requirement(12_000, 10_000, 1_000) == 13_000
    assert [buffered_collateral(0, pnl, 1_000) for pnl in (-10_000, -9, 10_000)] == [-1_000, 0, 0]


def test_drift_closes_as_much_as_frees_the_margin_that_is_short() -> None:
    ten, hundred, one = 10 * 10**6, 100 * 10**6, 10**6
    assert base_to_cover(ten, 1_000, 0, 0, hundred, one) == 10**9  # 10 short, 10 % of 100 freed by each
    for_nothing = [(1_000, 0, 0, 0), (1_000, 100_000, 0, hundred), (1_000, 50_000, 50_000, hundred)]
    assert {base_to_cover(ten, *terms, one) for terms in for_nothing} == {NO_BOUND_BASE}
    asset, liability = Side(8_000, one), Side(12_000, one)
    by_decimals = [liability_to_cover(ten, asset, liability, decimals, hundred, 0) for decimals in (9, 6, 5)]
    assert by_decimals == [250_000_000, 250_000, 25_000]  # 10 short, 40 % of 100 freed by each
    assert liability_to_cover(ten, liability, liability, 6, hundred, 0) == NO_BOUND_LIABILITY


def test_drift_takes_for_its_fund_what_the_position_can_pay() -> None:
    of_one = (10**9, 1_000, 10_000, 100 * 10**6, 10**6)  # 10 % of 100, less 1 % for the liquidator and what is short
    assert insurance_fee(5 * 10**6, *of_one, 50_000) == 38_000  # 95 % of 4 %
    assert insurance_fee(5 * 10**6, *of_one, 20_000) == 20_000
    assert insurance_fee(9 * 10**6, *of_one, 50_000) == 0


def test_drift_raises_the_fee_after_a_grace_and_shares_a_loss_by_size() -> None:
    fees = [ramped_fee(20_000, 50_000, slots, 1_500, 1) for slots in (0, 1_499, 1_500, 29_999, 30_001)]
    assert fees == [20_000, 20_000, 21_500, 49_999, 50_000]
    assert socialised_loss_delta(-(10**6), 2 * 10**9, -(10**9)) == 333_334_000
    with pytest.raises(CalculatorError, match="only where positions are open"):
        socialised_loss_delta(-1, 0, 0)
