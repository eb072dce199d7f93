"""What is quoted of an instrument beside its book and trades: mark and index price, funding, open interest, forced
orders.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from events.units import UNIT
from gateway.serving.tape.candles import MINUTE

FUNDINGS_KEPT, FORCED_KEPT, INTERESTS_KEPT = 1_000, 1_000, 8_640
"""So many are kept: of funding rates, forced orders, and samples of open interest (30 days)."""

INTEREST_EVERY = 5 * MINUTE
"""Open interest is sampled so often."""


class Funding(NamedTuple):
    """Funding that was paid: shown time, ms; the rate, a Rate to be divided by over; the mark, mark units."""

    at: int
    rate: int
    over: int
    mark: int


class Forced(NamedTuple):
    """A forced order: shown time, ms; the side as its sign; lots, and those that traded; its limit, ticks; the value of
    what traded, atoms, and the lots that traded last.
    """

    at: int
    sign: int
    lots: int
    limit: int
    executed: int = 0
    value: int = 0
    last_lots: int = 0


class Interest(NamedTuple):
    """Open interest as it was: shown time, ms; lots; the mark, mark units."""

    at: int
    lots: int
    mark: int


class Quotes(msgspec.Struct):
    """What is quoted now: mark and index price, mark units, 0 where there is none yet; the funding rate to come, a Rate
    to be divided by `over`, and when that is, session ns; open interest, lots.
    """

    mark: int = 0
    index: int = 0
    rate: int = 0
    over: int = 1
    next_funding: int = 0
    open_interest: int = 0

    @property
    def premium(self) -> int | None:
        """By how much the mark is above the index, as a Rate, rounded down; None where one of them is missing."""
        return (self.mark - self.index) * UNIT // self.index if self.mark and self.index else None


class Records:
    """The newest of what happened: funding, forced orders, samples of open interest."""

    def __init__(self) -> None:
        self.fundings: deque[Funding] = deque(maxlen=FUNDINGS_KEPT)
        self.forced: deque[Forced] = deque(maxlen=FORCED_KEPT)
        self.interests: deque[Interest] = deque(maxlen=INTERESTS_KEPT)

    def sample(self, quotes: Quotes, at: int) -> None:
        """Once in so long, what open interest is."""
        begin = at - at % INTEREST_EVERY
        if not self.interests or self.interests[-1].at < begin:
            self.interests.append(Interest(begin, quotes.open_interest, quotes.mark))
