"""Exact amounts: every figure of the calculator is a Fraction, and rounding is always asked for by name."""

from __future__ import annotations

from fractions import Fraction

from events.units import UNIT

GRAIN = Fraction(1, UNIT * UNIT)
"""The unit of the core's margin arithmetic, 10^-16 of the settle asset."""


class CalculatorError(ValueError):
    """A question that has no answer; the message says which input is at fault."""


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
