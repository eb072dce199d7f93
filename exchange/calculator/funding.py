"""Funding: what a position pays, and the rate that a premium comes to.

Payment = s x value x rate: longs pay shorts while the rate is positive. Binance values the position at the mark, Kraken
at the index; of an inverse position the payment is in coin. Source: Binance, "Introduction to Futures Funding Rates";
Kraken, contract specifications of inverse and linear perpetuals.
"""

from __future__ import annotations

from fractions import Fraction

from exchange.calculator.amounts import CalculatorError
from exchange.calculator.holding import Holding

INTEREST = Fraction(1, 10_000)
"""Binance's interest rate for eight hours, 0.01 %."""

DAMPENING = Fraction(5, 10_000)
"""By so much at most the rate is drawn from the premium towards the interest rate, 0.05 %."""


def payment(leg: Holding, price: Fraction, rate: Fraction) -> Fraction:
    """What the position pays at a funding time, below 0 where it receives."""
    return leg.sign * leg.value(price) * rate


def premium_of(price: Fraction, index: Fraction) -> Fraction:
    """The premium of a price over its index, as a rate."""
    if index <= 0:
        raise CalculatorError("an index price must be above 0")
    return (price - index) / index


def hourly_rate(premium: Fraction, hours: int) -> Fraction:
    """The rate of one hour where a premium is paid off over so many (Kraken: 24), or a rate is stated for so many."""
    if hours <= 0:
        raise CalculatorError("the hours in which a premium is paid off must be above 0")
    return premium / hours


def clamped_rate(
    premium: Fraction,
    interest: Fraction = INTEREST,
    *,
    lowest: Fraction | None = None,
    highest: Fraction | None = None,
) -> Fraction:
    """Premium + clamp(interest - premium, -0.05 %, +0.05 %), then kept within the bounds that the instrument has."""
    return bounded(premium + min(DAMPENING, max(-DAMPENING, interest - premium)), lowest, highest)


def bounded(rate: Fraction, lowest: Fraction | None, highest: Fraction | None) -> Fraction:
    """The rate, at least the lowest and at most the highest where there are such bounds."""
    if lowest is not None:
        rate = max(rate, lowest)
    return rate if highest is None else min(rate, highest)
