"""What is put under stress: rules, market, crowd, shock, and how much the book holds."""

from __future__ import annotations

from dataclasses import dataclass

from events.commands import AccountId, funds_of
from events.instruments import Instrument, Inverse, RulePack
from events.units import SECOND, UNIT, Nanos
from replay.stress.population import Crowd
from replay.stress.shocks import Point

STARTS_AT = Nanos(1_709_654_400 * SECOND)
"""5 March 2024, 16:00 UTC: when a shock that is made begins."""


@dataclass(frozen=True)
class Liquidity:
    """A block-shaped book that refills: on each side the same value at every price, up to 5 % from the best one.

    depth is the value within 1 % of the best price on either side, 10^-8 of the quote asset. What forced orders take
    moves the best price of that side away by as much of the depth; it comes back with the half-life `refill`, ns (0: at
    once). feedback is the part of this displacement, a Rate, by which the mark moves too.
    Source: Obizhaeva and Wang, "Optimal trading strategy and supply/demand dynamics", Journal of Financial Markets 16
    (2013): a block-shaped limit order book with exponential resilience.
    """

    depth: int
    refill: int = 30 * SECOND
    feedback: int = 0


@dataclass(frozen=True)
class Scenario:
    """All that a run follows from. markets are the instrument that is shocked and, where there is one, the second.

    paths are the prices that each goes through, from its first on; fund is what each insurance fund begins with, atoms;
    after is for how long the last price holds on, ns, in steps of `every`.
    """

    pack: RulePack
    markets: tuple[Instrument, ...]
    paths: tuple[list[Point], ...]
    crowd: Crowd
    liquidity: tuple[Liquidity, ...]
    fund: int
    seed: int
    at: Nanos = STARTS_AT
    after: int = 60 * SECOND
    every: int = 2 * SECOND

    @property
    def prices(self) -> tuple[int, ...]:
        """Where each market starts, mark units."""
        return tuple(path[0].price for path in self.paths)

    @property
    def funds(self) -> tuple[AccountId, ...]:
        """The insurance funds of the markets, each once."""
        funds = funds_of(self.pack)
        return tuple(dict.fromkeys(funds[terms.id] for terms in self.markets))

    @property
    def times(self) -> list[int]:
        """When prices are stated, ns after the start: the points of all paths, and the time after them."""
        points = sorted({point.after for path in self.paths for point in path})
        return points + [points[-1] + n * self.every for n in range(1, self.after // self.every + 1)]


def quote_of(terms: Instrument, lots: int, price: int) -> int:
    """The value of so many lots at a price, mark units, in the quote asset, 10^-8, rounded down."""
    face = getattr(terms, "contract_value", price)
    return lots * terms.lot * int(face) // UNIT


def value_at(terms: Instrument, lots: int, mark: int) -> int:
    """What so many lots are worth at a mark, atoms of the settle asset, rounded down."""
    if isinstance(terms, Inverse):
        return lots * terms.contract_value * terms.lot // mark
    return lots * terms.lot * mark // UNIT


def lots_of(terms: Instrument, value: int, price: int) -> int:
    """How many lots a value in the quote asset, 10^-8, buys at a price, mark units, rounded down."""
    face = getattr(terms, "contract_value", price)
    return value * UNIT // (terms.lot * int(face))
