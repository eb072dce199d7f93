"""Chance from a seed: one stream of numbers for each name, the same on every platform and Python.

The numbers are SplitMix64's; logarithms and powers are taken with `decimal`, whose results are correctly rounded, so
that no library of the system has a say. Streams are apart from each other: who changes one distribution draws the same
from all others.
"""

from __future__ import annotations

from decimal import Context, Decimal
from hashlib import sha256

from events.units import UNIT
from replay.synth_market import Random

DIGITS = Context(prec=15)
"""The digits to which logarithms and powers are taken."""

_GRAIN = 1 << 48
_TWELVE = 12


def stream(seed: int, name: str) -> Random:
    """The stream of that name."""
    return Random(int.from_bytes(sha256(f"{seed}:{name}".encode()).digest()[:8], "big"))


def happens(random: Random, rate: int) -> bool:
    """Whether something of this probability, a Rate, happens."""
    return random.below(UNIT) < rate


def uniform(random: Random) -> Decimal:
    """A number between 0 and 1, never one of them."""
    return DIGITS.divide(Decimal(2 * random.below(_GRAIN) + 1), Decimal(2 * _GRAIN))


def exponential(random: Random, mean: int) -> int:
    """A number of an exponential distribution: - mean x ln(u), rounded down."""
    return int(DIGITS.multiply(Decimal(-mean), DIGITS.ln(uniform(random))))


def normal(random: Random, deviation: int) -> int:
    """A number about 0 with this standard deviation, near to a normal distribution: the sum of twelve uniform ones."""
    total = sum(random.below(UNIT) for _ in range(_TWELVE)) - _TWELVE * UNIT // 2
    return total * deviation // UNIT


def pareto(random: Random, low: int, rest: Decimal, tail: Decimal) -> int:
    """A number of a Pareto distribution from low on with this tail exponent, rounded down.

    rest is the part of the distribution that is cut off (`beyond`). By inversion: low x (1 - u (1 - rest))^(-1 / tail).
    """
    inside = DIGITS.multiply(uniform(random), 1 - rest)
    power = DIGITS.divide(DIGITS.ln(1 - inside), -tail)
    return int(DIGITS.multiply(Decimal(low), DIGITS.exp(power)))


def beyond(low: int, high: int, tail: Decimal) -> Decimal:
    """The part of a Pareto distribution from low on that lies above high: (low / high)^tail."""
    return DIGITS.power(DIGITS.divide(Decimal(low), Decimal(high)), tail)
