"""The units of the exchange: integers inside, decimal text at the edges.

======== ==================================================================
Ticks     order and trade prices, in tick sizes of the instrument
Lots      sizes, in lot sizes of the instrument
Atoms     money, 10^-8 of the asset
MarkUnits mark and index prices, 10^-8 of the quote asset per base asset
Rate      fees, margin and funding rates, 10^-8 (1 % is 1_000_000)
Grains    margin arithmetic, 10^-8 of an atom: fine enough that a mark times a
          size is exact
Nanos     time, nanoseconds since the epoch, UTC
======== ==================================================================
"""

from __future__ import annotations

import re
from typing import NewType

Ticks = NewType("Ticks", int)
Lots = NewType("Lots", int)
Atoms = NewType("Atoms", int)
MarkUnits = NewType("MarkUnits", int)
Rate = NewType("Rate", int)
Grains = NewType("Grains", int)
Nanos = NewType("Nanos", int)

UNIT = 10**8
"""Parts of one: atoms in an asset, mark units in a price of 1, rate units in 100 %, grains in an atom."""

SECOND = 10**9
"""Nanoseconds in a second."""

_DECIMAL = re.compile(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", re.ASCII)


def mul_div_floor(a: int, b: int, c: int) -> int:
    """Divide a x b by c, rounding towards minus infinity."""
    return a * b // c


def mul_div_ceil(a: int, b: int, c: int) -> int:
    """Divide a x b by c, rounding towards plus infinity."""
    return -(-a * b // c)


def units_of(text: str, unit: int = 1) -> int | None:
    """The decimal text in units of `unit` x 10^-8, or None where it is not a whole number of them.

    Raises ValueError where the text is not a plain decimal number.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal number")
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    if len(part) > 8:
        return None
    units = int(whole + part.ljust(8, "0"))
    return units // unit if units % unit == 0 else None


def exact_units(text: str, unit: int = 1) -> int:
    """As `units_of`, but text that is not a whole number of units raises ValueError."""
    units = units_of(text, unit)
    if units is None:
        raise ValueError(f"{text} is not a multiple of {decimal_text(unit)}")
    return units


def decimal_text(units: int, unit: int = 1) -> str:
    """The decimal text of `units` x `unit` x 10^-8, without trailing zeros."""
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units) * unit, UNIT)
    return f"{sign}{whole}.{part:08d}".rstrip("0").rstrip(".")
