"""Numbers of the report of a session as text: exact for programs, rounded for people."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from events.units import SECOND, UNIT, decimal_text
from gateway.console import money_text

BEYOND_SHOWN = 10 * UNIT
"""A margin ratio from so many times the equity on is only said to be so."""


def fraction_text(value: Fraction | None) -> str | None:
    """A quotient as a decimal, rounded half away from zero at the eighth place."""
    return None if value is None else decimal_text(_rounded(value * UNIT))


def decimal_of(value: Decimal | None) -> str | None:
    """A root as a decimal, to eight places."""
    return None if value is None else f"{value:.8f}"


def seconds_exact(ns: int | None) -> str | None:
    """A time that something lasted, in seconds, exactly."""
    if ns is None:
        return None
    whole, part = divmod(ns, SECOND)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".")


def percent_exact(rate: int | None) -> str | None:
    """A Rate in percent, exactly."""
    return None if rate is None else decimal_text(rate * 100)


def quotient(value: Fraction | None, places: int = 2) -> str:
    """A quotient for people, - where there is none."""
    return "-" if value is None else money_text(_rounded(value * UNIT), places)


def seconds(ns: int | None) -> str:
    """A time that something lasted for people: seconds below an hour, hours beyond; - where there is none."""
    if ns is None:
        return "-"
    if ns < 3600 * SECOND:
        return f"{money_text(ns // 10, 1 if ns >= 10 * SECOND else 3)} s"
    return f"{money_text(ns // 36_000, 1)} h"


def share(part: int, whole: int, places: int = 1) -> str:
    """A part in percent for people, - where there is no whole."""
    return "-" if whole <= 0 else f"{quotient(Fraction(100 * part, whole), places)} %"


def _rounded(value: Fraction) -> int:
    size = abs(value)
    rounded = (2 * size.numerator + size.denominator) // (2 * size.denominator)
    return rounded if value >= 0 else -rounded
