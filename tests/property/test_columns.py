"""Decimal text -> doubles -> whole multiples: exact, or refused."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.units import UNIT, decimal_text
from replay.sources.columns import REFUSED, Multiples

TEXT_TO_DOUBLE = msgspec.json.Decoder(list[float], strict=False)
UNITS = st.sampled_from([1, 10, 125, 5_000, 100_000, 2_500_000, 10_000_000, 50_000_000, UNIT, 25 * UNIT, 1_000 * UNIT])


def multiple(text: str, unit: int) -> int:
    """What a source makes of the text."""
    numbers = TEXT_TO_DOUBLE.decode(msgspec.json.encode([text]))
    return int(Multiples(unit).of(np.array(numbers))[0])


@given(UNITS, st.data())
def test_whole_multiples_come_out_right(unit: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 10**7 * UNIT // unit))
    assert multiple(decimal_text(n, unit), unit) == n


@given(st.integers(0, 10**7 * UNIT), UNITS)
def test_any_price_to_ten_million_with_eight_decimals_is_right_or_refused(units: int, unit: int) -> None:
    expected = units // unit if units % unit == 0 else REFUSED
    assert multiple(decimal_text(units), unit) == expected


@given(st.decimals(0, 10**12, places=10), UNITS)
@example(Decimal("344915402.7192156613"), 10)
def test_numbers_finer_than_a_double_are_taken_for_a_multiple_only_where_both_are_the_same_double(
    number: Decimal, unit: int
) -> None:
    """Each of the two is half a spacing of doubles from it at most, so that a whole one may lie between them."""
    found = multiple(f"{number:f}", unit)
    if found != REFUSED:
        taken = Decimal(decimal_text(found, unit))
        assert float(taken) == float(number)
        assert abs(taken - number) <= Decimal(np.spacing(float(number)))


@given(st.floats(), UNITS)
def test_what_is_accepted_is_the_nearest_double_of_a_multiple(number: float, unit: int) -> None:
    n = int(Multiples(unit).of(np.array([number]))[0])
    assert n == REFUSED or float(decimal_text(n, unit)) == number


@pytest.mark.parametrize("number", [-0.1, -1e-300, float("nan"), float("inf"), float("-inf"), 1e300, 2.0**53])
def test_what_is_no_size_of_a_price_is_refused(number: float) -> None:
    assert Multiples(UNIT).of(np.array([number]))[0] == REFUSED


def test_there_is_no_fault_in_good_numbers() -> None:
    assert Multiples(10_000_000).fault([100.1, 0.0], "price", "tick") is None
    assert Multiples(10_000_000).fault([], "price", "tick") is None
