"""Units by example."""

from __future__ import annotations

import pytest

from events.units import UNIT, decimal_text, exact_units, mul_div_ceil, mul_div_floor, units_of

TENTH = UNIT // 10


@pytest.mark.parametrize(
    ("a", "b", "c", "down", "up"),
    [(7, 3, 2, 10, 11), (-7, 3, 2, -11, -10), (7, 3, -2, -11, -10), (6, 2, 3, 4, 4), (0, 5, 3, 0, 0)],
)
def test_a_product_is_divided_downwards_or_upwards(a: int, b: int, c: int, down: int, up: int) -> None:
    assert (mul_div_floor(a, b, c), mul_div_ceil(a, b, c)) == (down, up)


@pytest.mark.parametrize(
    ("text", "unit", "units"),
    [
        ("1", 1, UNIT),
        ("0.00000001", 1, 1),
        ("-0.5", 1, -UNIT // 2),
        ("+1.50", TENTH, 15),
        (".5", TENTH, 5),
        ("-.5", TENTH, -5),
        ("5.", TENTH, 50),
        ("007", UNIT, 7),
        ("-0", 1, 0),
        ("27123.4", TENTH, 271234),
        ("27123.45", TENTH, None),
        ("0.000000001", 1, None),
        ("0.000000010", 1, 1),
        ("1.0000000000000000000000000001", 1, None),
        ("123456789012345678901234567890.1", TENTH, 1234567890123456789012345678901),
    ],
)
def test_decimal_text_is_a_whole_number_of_units_or_none(text: str, unit: int, units: int | None) -> None:
    assert units_of(text, unit) == units


@pytest.mark.parametrize(
    "text", ["", " 1", "1\n", "1e5", "nan", "Infinity", "1_000", "1,5", "--1", ".", "+", "0x10", "١"]
)
def test_text_that_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a decimal number"):
        units_of(text)
    with pytest.raises(ValueError, match="is not a decimal number"):
        exact_units(text)


def test_exact_units_name_the_step_that_was_missed() -> None:
    assert exact_units("0.3", TENTH) == 3
    with pytest.raises(ValueError, match=r"^0\.35 is not a multiple of 0\.1$"):
        exact_units("0.35", TENTH)


@pytest.mark.parametrize(
    ("units", "unit", "text"),
    [
        (0, 1, "0"),
        (1, 1, "0.00000001"),
        (-1, TENTH, "-0.1"),
        (100, UNIT, "100"),
        (271230, TENTH, "27123"),
        (15, TENTH, "1.5"),
    ],
)
def test_units_are_shown_without_trailing_zeros(units: int, unit: int, text: str) -> None:
    assert decimal_text(units, unit) == text
