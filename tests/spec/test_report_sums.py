"""What the report sums up in bounded memory: spreads, samples of items, returns."""

from __future__ import annotations

from decimal import Decimal
from statistics import mean, stdev

import pytest

from events.units import SECOND, UNIT
from replay.report import Samples, Spread, Thinned
from replay.report.samples import FINE
from replay.report.spread import DISTINCT, SAMPLE, rounded
from tests.reporting import ann_of
from tests.scenario import scenario
from tests.spec.contracts import later
from tests.spec.words import BUY, USD, account, mark, position


class TestSpread:
    def test_few_values_are_kept_as_they_are(self) -> None:
        spread = Spread()
        for value, weight in ((5, 1), (-3, 2), (5, 1), (9, 6)):
            spread.add(value, weight)
        assert (spread.items(), spread.total, spread.is_exact) == ([(-3, 2), (5, 2), (9, 6)], 10, True)

    @pytest.mark.parametrize(("percent", "value"), [(1, 10), (50, 20), (51, 30), (90, 40), (100, 40)])
    def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(self, percent: int, value: int) -> None:
        spread = Spread()
        for one in (40, 10, 30, 20):
            spread.add(one)
        assert spread.percentile(percent) == value

    def test_without_values_there_is_no_percentile(self) -> None:
        assert Spread().percentile(50) is None

    def test_many_values_are_rounded_to_their_leading_bits(self) -> None:
        spread = Spread()
        for value in range(5 * DISTINCT):
            spread.add(value * 1_000_003)
        middle = spread.percentile(50)
        assert (len(spread.items()) <= DISTINCT, spread.total, spread.is_exact) == (True, 5 * DISTINCT, False)
        assert middle is not None
        assert 0 <= (5 * DISTINCT - 1) // 2 * 1_000_003 - middle < middle >> 8

    def test_the_order_of_the_values_makes_no_difference(self) -> None:
        one, other = Spread(), Spread()
        for value in range(2 * DISTINCT):
            one.add(value**3)
            other.add((2 * DISTINCT - 1 - value) ** 3)
        assert one.items() == other.items()

    @pytest.mark.parametrize(("value", "result"), [(0b110111, 0b110000), (-0b110111, -0b110000), (3, 3), (0, 0)])
    def test_values_are_rounded_towards_zero(self, value: int, result: int) -> None:
        assert rounded(value, 3) == result


class TestThinned:
    def test_too_many_items_are_halved(self) -> None:
        thinned = Thinned[int]()
        for item in range(2 * SAMPLE + 10):
            thinned.add(item)
        assert thinned.items == list(range(0, 2 * SAMPLE + 10, thinned.stride))
        assert thinned.stride == 4


RETURNS = [3, -1, 4, 1, -5, 9, 2, -6, 5, 3] * 4


def sampled(returns: list[int]) -> Samples:
    """Samples of these returns in thousandths, each of an equity of 1,000."""
    samples, profit = Samples(), 0
    samples.sample(0, 1_000)
    for one in returns:
        profit += one
        samples.sample(profit, 1_000)
    return samples


class TestReturns:
    def test_sharpes_ratio_is_the_mean_over_the_standard_deviation(self) -> None:
        sharpe = sampled(RETURNS).sharpe()
        assert sharpe is not None
        assert float(sharpe) == pytest.approx(mean(RETURNS) / stdev(RETURNS), rel=1e-9)

    def test_sortinos_ratio_looks_at_the_losses_alone(self) -> None:
        sortino = sampled(RETURNS).sortino()
        assert sortino is not None
        downside = mean(min(0, one) ** 2 for one in RETURNS) ** 0.5
        assert float(sortino) == pytest.approx(mean(RETURNS) / downside, rel=1e-9)

    def test_a_year_of_intervals_multiplies_by_its_root(self) -> None:
        samples = sampled(RETURNS)
        for ratio in (samples.sharpe, samples.sortino):
            plain, annual = ratio(), ratio(10_000)
            assert plain is not None
            assert annual is not None
            assert abs(annual - 100 * plain) < Decimal("1e-20")

    @pytest.mark.parametrize("returns", [RETURNS[:29], [2] * 40, []])
    def test_too_few_returns_or_equal_ones_have_no_ratio(self, returns: list[int]) -> None:
        assert sampled(returns).sharpe() is None

    def test_without_losses_there_is_no_sortino(self) -> None:
        assert sampled([1, 2] * 20).sortino() is None

    def test_intervals_without_equity_are_counted_apart(self) -> None:
        samples = Samples()
        samples.sample(0, 0)
        samples.sample(-5, 10, times=3)
        assert (samples.count, samples.undefined, samples.sum) == (2, 1, 0)

    def test_samples_are_taken_at_equal_times_of_the_session(self) -> None:
        # 10 bought at 100 with 1,000: 50 gained by the first sample, lost by the second, nothing after
        session = scenario().given(account("ann", 1_000), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(later(5 * SECOND), mark(105), later(15 * SECOND), mark(100), later(45 * SECOND))
        samples = ann_of(session, sampled=10).standings[USD].samples
        assert (samples.count, samples.undefined) == (3, 0)
        assert samples.sum == -50 * FINE // 1_050

    def test_a_return_is_kept_in_fine_parts_rounded_down(self) -> None:
        samples = Samples()
        samples.sample(0, 3 * UNIT)
        samples.sample(UNIT, 4 * UNIT)
        assert samples.sum == FINE // 3
