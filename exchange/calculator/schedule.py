"""Maintenance schedules: brackets with their maintenance amounts (cum), or one flat rate.

MM(value) = value x mmr - cum of the bracket with floor <= value; cum[1] = 0, cum[n] = cum[n-1] + floor[n] x (mmr[n] -
mmr[n-1]), so that MM is continuous. Values are in the settle asset, rates plain fractions (0.005 is 0.5 %).
Source: Binance, "Leverage and Margin of USDⓈ-M Futures" and its FAQ on how to calculate the maintenance amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from events.instruments import Instrument
from events.units import UNIT
from exchange.calculator.amounts import CalculatorError


class Tier(NamedTuple):
    """One bracket, from `floor` up to the floor of the next."""

    floor: Fraction
    mmr: Fraction
    cum: Fraction


Schedule = tuple[Tier, ...]
"""The brackets of an instrument, from the smallest on. The first holds for every value below the second."""


def flat(mmr: Fraction, cum: Fraction = Fraction(0)) -> Schedule:
    """One rate, and one maintenance amount, for every value."""
    return checked((Tier(Fraction(0), mmr, cum),))


def schedule_of(terms: Instrument) -> Schedule:
    """The schedule of an instrument; one that is a fraction of the initial margin is exact, not rounded to a Rate."""
    if terms.maintenance_fraction:
        initial = Fraction(terms.initial_margin, UNIT) or Fraction(1, terms.brackets[0].max_leverage)
        return flat(Fraction(terms.maintenance_fraction, UNIT) * initial)
    return checked(
        tuple(Tier(Fraction(b.floor, UNIT), Fraction(b.mmr, UNIT), Fraction(b.cum, UNIT)) for b in terms.brackets)
    )


def with_cum(brackets: Iterable[tuple[Fraction, Fraction]], first_cum: Fraction = Fraction(0)) -> Schedule:
    """The schedule of these (floor, mmr), each with the maintenance amount that makes MM continuous."""
    tiers: list[Tier] = []
    for floor, mmr in brackets:
        cum = tiers[-1].cum + floor * (mmr - tiers[-1].mmr) if tiers else first_cum
        tiers.append(Tier(floor, mmr, cum))
    return checked(tuple(tiers))


def checked(schedule: Schedule) -> Schedule:
    """The schedule, if its floors rise and its rates lie between 0 and 100 %. Raises CalculatorError."""
    if not schedule:
        raise CalculatorError("a maintenance schedule needs a bracket")
    if any(above.floor <= below.floor for below, above in pairwise(schedule)):
        raise CalculatorError("the floors of brackets must rise")
    if not all(0 <= tier.mmr < 1 for tier in schedule):
        raise CalculatorError("a maintenance margin rate (mmr) must be at least 0 and below 1")
    return schedule


def tier_at(schedule: Sequence[Tier], value: Fraction) -> Tier:
    """The bracket of a position value."""
    found = schedule[0]
    for tier in schedule[1:]:
        if tier.floor > value:
            break
        found = tier
    return found


def maintenance(schedule: Sequence[Tier], value: Fraction) -> Fraction:
    """MM(value), exact."""
    tier = tier_at(schedule, value)
    return value * tier.mmr - tier.cum
