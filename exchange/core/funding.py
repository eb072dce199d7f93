"""Funding: a funding time charges every position open at that moment; each account settles in its turn.

Payment = s x notional at the mark x rate; longs pay shorts when the rate is positive. What an account owes is rounded
up, what it receives down; the difference is booked as a remainder. A position that still owes funding settles before
it changes. Source: Binance USD-M, "Introduction to Futures Funding Rates"; `docs/margin.md`.
"""

from __future__ import annotations

from events.facts import FundingPaid
from events.instruments import Instrument
from events.units import SECOND, UNIT, Atoms
from exchange.core.contract import Average, Contract
from exchange.core.state import Due, Position


def payment(position: Position, rate: int, price: int, over: int = 1) -> int:
    """What the position receives (negative: pays) at rate / over, atoms, rounded down: a debt is rounded up."""
    contract = position.contract
    num, den = contract.worth_at(price)
    return -position.lots * contract.gain * num * rate // (den * UNIT * UNIT * over)


def paid(position: Position, due: Due) -> FundingPaid:
    """What the position pays or receives of a funding time."""
    amount = Atoms(payment(position, due.rate, due.mark, due.over))
    return FundingPaid(position.account, position.contract.id, amount, position.leg)


DAMPENING = UNIT // 2000
"""By so much at most the rate is drawn from the premium towards the interest rate, 0.05 %."""

HOUR = 3600 * SECOND


def sample(average: Average, figure: int, now: int) -> None:
    """From now on the figure is this; the one before counts for the time that it lasted. For `apply` only."""
    if average.at:
        average.total += average.latest * (now - average.at)
    else:
        average.since = now
    average.at, average.latest = now, figure


def restart(average: Average, now: int) -> None:
    """Count anew from now on. For `apply` only."""
    average.total, average.since = 0, now
    average.at = now if average.at else 0


def weighted(average: Average, now: int) -> int:
    """The figure weighted by the time that it lasted up to now, rounded down."""
    lasted = now - average.since
    return (average.total + average.latest * (now - average.at)) // lasted if lasted > 0 else average.latest


def premium(contract: Contract) -> int:
    """By how much the mark is above the index, as a Rate, rounded down."""
    return (contract.mark - contract.index) * UNIT // contract.index


def gcd(a: int, b: int) -> int:
    """The greatest common divisor of two numbers above 0."""
    while b:
        a, b = b, a % b
    return a


def computed_rate(contract: Contract, now: int, premium_hours: int, rate_hours: int) -> tuple[int, int]:
    """The funding rate of the premium's average over time, a Rate per funding interval, and what it is divided by.

    Average premium + clamp(interest - average premium, -0.05 %, +0.05 %), or the average alone where the venue pays a
    premium off over so many hours; of a rate for so many hours one interval's share, exactly; within floor and cap.
    Source: Binance, "Introduction to Futures Funding Rates"; Kraken, contract specifications; Hyperliquid, "Funding".
    """
    over = 1
    terms = contract.terms
    rate = weighted(contract.average, now)
    if not premium_hours:
        rate += min(DAMPENING, max(-DAMPENING, terms.interest - rate))
    if hours := premium_hours or rate_hours:
        common = gcd(terms.funding_interval, hours * HOUR)
        rate, over = rate * (terms.funding_interval // common), hours * HOUR // common
    return bounded(terms, rate, over), over


def bounded(terms: Instrument, rate: int, over: int) -> int:
    """A rate within floor and cap, Rates x over; without a floor the cap holds both ways."""
    lowest, highest = terms.funding_floor or -terms.funding_cap, terms.funding_cap
    if highest:
        rate = min(rate, highest * over)
    return max(rate, lowest * over) if lowest else rate
