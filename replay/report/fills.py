"""Fills against the quote: what they cost beside the mid and the best price, and what the market did after them.

Prices are half ticks, so that a mid is a whole number. A slip is side x (fill price - reference): above 0 is worse than
the reference, below 0 better. Definitions: `docs/report.md`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, unique
from fractions import Fraction
from typing import NamedTuple

from events.commands import AccountId
from events.units import SECOND
from exchange.core.contract import Contract

HORIZONS = (1, 10, 60)
"""Seconds of session time after which a fill is compared with the mid again."""

TEN_THOUSAND = 10_000
"""Basis points in one."""

FINE = 100
"""Parts of a basis point in which single slips are counted for their spread."""


@unique
class Role(Enum):
    """Which part an account had in a fill: it rested, it took, or a liquidation took for it."""

    MAKER = "maker"
    TAKER = "taker"
    FORCED = "forced"


class Quote(NamedTuple):
    """Best prices, ticks, that a taker could meet; None where there is nobody."""

    bid: int | None
    ask: int | None

    @property
    def mid(self) -> int | None:
        """The mid price, half ticks."""
        return None if self.bid is None or self.ask is None else self.bid + self.ask

    def opposite(self, sign: int) -> int | None:
        """The best price that one who buys (sign 1) or sells (-1) could have had at once, half ticks."""
        best = self.ask if sign > 0 else self.bid
        return None if best is None else 2 * best


NO_QUOTE = Quote(None, None)


def quote_of(contract: Contract) -> Quote:
    """The quote as the book stands; none where history is there and its book is stale."""
    book = contract.book
    if book.stale and contract.feed.observations:
        return NO_QUOTE
    return Quote(book.best_price(book.bids), book.best_price(book.asks))


@dataclass(slots=True)
class Slip:
    """Slips against one reference, volume-weighted: sums over fills of lots, lots x slip and lots x reference."""

    fills: int = 0
    lots: int = 0
    cost: int = 0
    reference: int = 0

    def add(self, sign: int, price: int, lots: int, reference: int | None) -> None:
        """A fill at a price; nothing where there was no reference."""
        if reference:
            self.fills += 1
            self.lots += lots
            self.cost += sign * (price - reference) * lots
            self.reference += reference * lots

    @property
    def ticks(self) -> Fraction | None:
        """The mean per lot, ticks."""
        return Fraction(self.cost, 2 * self.lots) if self.lots else None

    @property
    def points(self) -> Fraction | None:
        """Of the references' value, basis points."""
        return Fraction(self.cost * TEN_THOUSAND, self.reference) if self.reference else None


@dataclass(slots=True)
class FillFigures:
    """The fills of an account in an instrument in one role. value is atoms of the settle asset.

    asked are slips against the quote when the order was accepted, met against that just before the fill, each beside
    the mid and beside the best price of the other side; after, by horizon, what the mid moved in favour of the fill.
    """

    fills: int = 0
    lots: int = 0
    value: int = 0
    asked_mid: Slip = field(default_factory=Slip)
    asked_best: Slip = field(default_factory=Slip)
    met_mid: Slip = field(default_factory=Slip)
    met_best: Slip = field(default_factory=Slip)
    after: dict[int, Slip] = field(default_factory=lambda: {seconds: Slip() for seconds in HORIZONS})

    def add(self, sign: int, ticks: int, lots: int, value: int, asked: Quote, met: Quote) -> None:
        """One fill."""
        self.fills += 1
        self.lots += lots
        self.value += value
        price = 2 * ticks
        self.asked_mid.add(sign, price, lots, asked.mid)
        self.asked_best.add(sign, price, lots, asked.opposite(sign))
        self.met_mid.add(sign, price, lots, met.mid)
        self.met_best.add(sign, price, lots, met.opposite(sign))


class Waiting(NamedTuple):
    """A fill that is compared with the mid at a time, ns."""

    due: int
    slip: Slip
    sign: int
    price: int
    lots: int


class Markouts:
    """The fills of an instrument that wait for the mid of a later time: those of the last minute."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[Waiting]] = {seconds: deque() for seconds in HORIZONS}

    def add(self, at: int, figures: FillFigures, sign: int, ticks: int, lots: int) -> None:
        """A fill at a time."""
        for seconds, waiting in self._waiting.items():
            waiting.append(Waiting(at + seconds * SECOND, figures.after[seconds], sign, 2 * ticks, lots))

    def next(self) -> int | None:
        """When the next one is due."""
        return min((waiting[0].due for waiting in self._waiting.values() if waiting), default=None)

    def settle(self, until: int, mid: int | None) -> None:
        """The mid was this at every time up to `until` at which one is due; a fill gains where it moved its way."""
        for waiting in self._waiting.values():
            while waiting and waiting[0].due <= until:
                its = waiting.popleft()
                if mid is not None:
                    its.slip.fills += 1
                    its.slip.lots += its.lots
                    its.slip.cost += its.sign * (mid - its.price) * its.lots
                    its.slip.reference += its.price * its.lots


class Key(NamedTuple):
    """Whose order."""

    account: AccountId
    number: int


@dataclass(slots=True)
class OpenOrder:
    """What is kept of an order while it is open: the quote when it was accepted, its open lots, when it joined the
    queue that it stands in (None: not yet), and whether it traded since.
    """

    instrument: str
    quote: Quote
    left: int
    rested_at: int | None = None
    has_traded: bool = False


def points_of(sign: int, price: int, reference: int) -> int:
    """A single slip in hundredths of a basis point, rounded towards zero."""
    slip = sign * (price - reference) * TEN_THOUSAND * FINE
    return slip // reference if slip >= 0 else -(-slip // reference)
