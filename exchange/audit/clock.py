"""What falls due by the passing of time, and figures that are weighted by it.

Computed funding comes on the whole intervals of the day, a dated contract ends at its expiry, debts pay interest on the
whole intervals of theirs. Funding of times that passed unseen is paid once, and the next one is the next whole
interval; interest is paid for each interval.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from events.instruments import RulePack, Terms
from events.units import SECOND, UNIT

if TYPE_CHECKING:
    from exchange.audit.contract import Contract

HOUR = 3600 * SECOND
DAMPENING = Fraction(5, 10_000)
"""By so much at most the rate is drawn from the premium towards the interest rate."""


def next_time(now: int, interval: int) -> int:
    """The first whole interval after now."""
    return now - now % interval + interval


class Average:
    """A figure that keeps its value until the next one: what it was on average since counting began."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int]] = []

    @property
    def is_known(self) -> bool:
        """Whether there was any figure yet."""
        return bool(self._steps)

    def add(self, figure: int, now: int) -> None:
        """From now on it is this."""
        self._steps.append((now, figure))

    def restart(self, now: int) -> None:
        """Only what comes from now on counts; the last figure goes on."""
        self._steps = [(now, figure) for _, figure in self._steps[-1:]]

    def until(self, end: int) -> int:
        """The average up to a time, rounded down; the last figure where none lasted."""
        ends = [at for at, _ in self._steps[1:]] + [end]
        lasted = end - self._steps[0][0]
        total = sum(figure * (to - at) for (at, figure), to in zip(self._steps, ends, strict=True))
        return floor(Fraction(total, lasted)) if lasted > 0 else self._steps[-1][1]


def premium(contract: Contract) -> int:
    """By how much the mark is above the index, a Rate, rounded down."""
    return floor(Fraction((contract.mark - contract.index) * UNIT, contract.index))


def funding_rate(contract: Contract, at: int, pack: RulePack) -> Fraction:
    """Average premium + clamp(interest - average premium, -0.05 %, +0.05 %), within floor and cap; a Rate.

    Where the venue pays the premium off over so many hours, or states its rate for so many: the share of one interval,
    which need be no whole Rate.
    """
    average, terms = contract.average.until(at), contract.terms
    if pack.premium_hours:
        rate = Fraction(average * terms.funding_interval, pack.premium_hours * HOUR)
    else:
        most = floor(DAMPENING * UNIT)
        rate = Fraction(average + sorted((-most, terms.interest - average, most))[1])
        if pack.rate_hours:
            rate *= Fraction(terms.funding_interval, pack.rate_hours * HOUR)
    cap, lowest = Fraction(terms.funding_cap), Fraction(terms.funding_floor)
    if cap:
        return sorted((lowest or -cap, rate, cap))[1]
    return max(rate, lowest) if lowest else rate


def index_moved(contract: Contract, now: int) -> None:
    """Near the expiry of a contract that settles at an average, its index prices count."""
    start = contract.terms.expiry - contract.terms.settlement_window
    if now <= start:
        contract.average = Average()
    contract.average.add(contract.index, max(now, start))


def settlement_price(contract: Contract) -> int:
    """The index at expiry, averaged over the window where the venue does; the mark where there is no index."""
    terms: Terms = contract.terms
    if terms.settlement_window and contract.average.is_known:
        return contract.average.until(terms.expiry)
    return contract.index or contract.mark
