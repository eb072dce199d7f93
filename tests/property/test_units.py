"""Units: exact between text and integers, and divisions that round as they say."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from events.units import UNIT, decimal_text, exact_units, mul_div_ceil, mul_div_floor, units_of

INTEGERS = st.integers(-(10**40), 10**40)
UNITS = st.integers(1, 10**12)
DECIMALS = st.from_regex(r"[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})", fullmatch=True, alphabet="0123456789+-.")


@given(INTEGERS, INTEGERS, INTEGERS)
def test_divisions_round_as_their_names_say(a: int, b: int, c: int) -> None:
    assume(c)
    assert mul_div_floor(a, b, c) == floor(Fraction(a * b, c))
    assert mul_div_ceil(a, b, c) == ceil(Fraction(a * b, c))


@given(INTEGERS, UNITS)
def test_text_and_units_are_the_same_number(units: int, unit: int) -> None:
    text = decimal_text(units, unit)
    assert Fraction(text) == Fraction(units * unit, UNIT)
    assert units_of(text, unit) == exact_units(text, unit) == units


@given(DECIMALS, UNITS)
@example("1.0000000000000000000000000001", 1)
@example("99999999999999999999999999999.5", 1)
def test_a_number_of_units_is_exact_or_none(text: str, unit: int) -> None:
    exact = Fraction(text) * UNIT / unit
    assert units_of(text, unit) == (exact.numerator if exact.denominator == 1 else None)


@given(INTEGERS, UNITS)
def test_text_has_no_needless_digit(units: int, unit: int) -> None:
    assert re.fullmatch(r"0|-?(0|[1-9]\d*)\.\d{0,7}[1-9]|-?[1-9]\d*", decimal_text(units, unit))


@given(st.text())
@example("0/0")
def test_text_that_is_no_number_is_refused(text: str) -> None:
    try:
        Fraction(text)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(ValueError, match="is not a decimal number"):
            units_of(text)
