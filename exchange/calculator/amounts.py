"""Exact amounts: every figure of the calculator is a Fraction, and rounding is always asked for by name."""

from __future__ import annotations

from fractions import Fraction

from events.units import UNIT

Number = Fraction | int
"""An exact number. Floats are refused: they would carry an error in without a word."""

GRAIN = Fraction(1, UNIT * UNIT)
"""The unit of the core's margin arithmetic, 10^-16 of the settle asset."""


class CalculatorError(ValueError):
    """A question that has no answer; the message says which input is at fault."""


def exact(value: Number | str) -> Fraction:
    """The number as a Fraction. Text is decimal, with an exponent or without. Raises TypeError for a float."""
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: give a Fraction, a whole number or decimal text")
    return Fraction(value)


def floor_to(value: Fraction, step: Fraction) -> Fraction:
    """The largest multiple of the step that is not above the value."""
    return value // step * step


def ceil_to(value: Fraction, step: Fraction) -> Fraction:
    """The smallest multiple of the step that is not below the value."""
    return -(-value // step) * step


def truncated(value: Fraction) -> int:
    """The whole number next to the value on the side of 0."""
    whole = abs(value.numerator) // value.denominator
    return whole if value >= 0 else -whole
