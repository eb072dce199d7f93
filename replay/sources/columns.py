"""What sources need to make columns: decimal numbers as exact multiples of a unit, and rows that point into tables."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.arrays import set_column
from events.observations import Kind, Observations
from events.units import UNIT, decimal_text

ROWS_MAX = 4_096
"""A chunk is closed at so many rows ..."""

LEVELS_MAX = 65_536
"""... or levels; one row may exceed this by its own levels."""

EXACT_MAX = 1 << 52
"""Beyond this, neighbouring multiples of a unit may be the same double."""

REFUSED = -1
"""Stands where a number is not a whole, non-negative multiple of its unit."""


class Fault(NamedTuple):
    """Why a number is refused: a reason to count by, and words."""

    reason: str
    what: str


class Multiples:
    """Doubles read from decimal text -> whole multiples of `unit` x 10^-8.

    A number n of units is accepted where the double nearest to n x unit is the one given. With unit = numerator /
    denominator in lowest terms, n x numerator is a whole number below 2^53, so one division gives that nearest double.
    """

    def __init__(self, unit: int) -> None:
        self.unit = unit
        fraction = Fraction(unit, UNIT)
        self._numerator = float(fraction.numerator)
        self._denominator = float(fraction.denominator)

    def of(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """The multiples; REFUSED where a number is negative, too large, no number, or not a whole multiple."""
        with np.errstate(all="ignore"):
            multiples = np.rint(numbers * self._denominator / self._numerator)
            wholes = multiples * self._numerator
            exact = (wholes / self._denominator == numbers) & (numbers >= 0) & (wholes <= EXACT_MAX)
        exact &= multiples <= EXACT_MAX
        return np.where(exact, multiples, REFUSED).astype(np.int64)

    def fault(self, numbers: Sequence[float], word: str, unit_name: str, least: int = 0) -> Fault | None:
        """The first number that is refused, or is less than `least` units, and why."""
        refused = np.flatnonzero(self.of(np.array(numbers)) < least)
        if not len(refused):
            return None
        number = numbers[refused[0]]
        if number < 0:
            return Fault(f"negative_{word}", f"{word} {number} is negative")
        if number == 0:
            return Fault(f"zero_{word}", f"{word} is 0")
        if number * self._denominator / self._numerator > EXACT_MAX:
            return Fault(f"large_{word}", f"{word} {number} is too large")
        unit = decimal_text(self.unit)
        return Fault(f"off_{unit_name}", f"{word} {number} is not a whole number of {unit_name}s of {unit}")


_TABLES = ((Kind.DIFF, Kind.SNAPSHOT), (Kind.PRINT,), (Kind.TICKER,), (Kind.MARK,), (Kind.ORDERS,))


def among(kinds: NDArray[np.int64], wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Which rows are of one of these kinds."""
    found: NDArray[np.bool_] = np.logical_or.reduce([kinds == kind for kind in wanted])
    return found


def set_rows(
    into: Observations,
    kinds: NDArray[np.int64],
    at: NDArray[np.int64] | Sequence[int],
    transacted: NDArray[np.int64] | Sequence[int],
) -> None:
    """Fill the table of rows: each row points to the next unused entry of its kind's table."""
    index = np.zeros(len(kinds), np.int64)
    for table in _TABLES:
        here = among(kinds, table)
        index[here] = np.arange(here.sum())
    for name, column in (("kind", kinds), ("index", index), ("at", at), ("transacted", transacted)):
        set_column(into, name, np.asarray(column, np.int64))


def set_levels(
    into: Observations,
    lengths: NDArray[np.int64] | Sequence[int],
    price: NDArray[np.int64],
    lots: NDArray[np.int64],
) -> None:
    """Fill the table of levels; lengths are those of bids and asks in turn."""
    ends = np.cumsum(lengths, dtype=np.int64)
    for name, column in (
        ("bids_end", ends[0::2]),
        ("asks_end", ends[1::2]),
        ("level_price", price),
        ("level_lots", lots),
    ):
        set_column(into, name, column)
