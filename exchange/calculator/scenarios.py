"""Margin by scenarios: the largest loss of a portfolio over a matrix, and the futures leg of a portfolio margin.

A risk array is what one unit gains in each scenario, below 0 what it loses. Source: CME, "SPAN" (whose own arrays have
the opposite sign); Dederi, "Portfolio Margin".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context
from fractions import Fraction
from typing import NamedTuple

from exchange.calculator.amounts import CalculatorError

YEAR = Fraction(365)
"""Days."""

DIGITS = 40
"""So many significant digits of an exponential."""


class Holdings(NamedTuple):
    """So many units of something, below 0 where it was sold, and what one gains in each scenario."""

    size: Fraction
    array: Sequence[Fraction]


class Scanned(NamedTuple):
    """What a portfolio gains in each scenario, and its scanning risk: the largest loss, at least 0."""

    pnl: list[Fraction]
    risk: Fraction


def scan(portfolio: Sequence[Holdings]) -> Scanned:
    """Add up the arrays of a portfolio, scenario by scenario."""
    lengths = {len(held.array) for held in portfolio}
    if len(lengths) != 1 or 0 in lengths:
        raise CalculatorError("a portfolio needs risk arrays, all of them over the same scenarios")
    rows = zip(*([held.size * pnl for pnl in held.array] for held in portfolio), strict=True)
    pnl = [sum(row, Fraction(0)) for row in rows]
    return Scanned(pnl, max(Fraction(0), -min(pnl)))


def future_price(index: Fraction, rate: Fraction, days: Fraction) -> Fraction:
    """The price of a future by its yearly rate over the index, I x e^(rate x days / 365), to 40 digits."""
    context = Context(prec=DIGITS)
    power = rate * days / YEAR
    factor = context.exp(context.divide(power.numerator, power.denominator))
    return index * Fraction(factor)


def contingency(index: Fraction, factor: Fraction, sizes: Iterable[Fraction]) -> Fraction:
    """What is held against moves between futures: a factor of the index for all contracts, long and short alike."""
    return factor * index * sum(map(abs, sizes), Fraction(0))
