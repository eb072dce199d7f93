"""MARKET's book of one instrument under stress: what it holds at each moment, and where forced orders pushed it."""

from __future__ import annotations

from decimal import Decimal

from events.commands import Side
from events.instruments import Instrument
from events.observations import Kind, Observations
from events.units import UNIT, Nanos
from replay.stress.chance import DIGITS
from replay.stress.scenario import Liquidity, lots_of

SPACING = UNIT // 2000
"""Levels lie 0.05 % of the price apart ..."""

LEVELS = 100
"""... and there are so many on either side: up to 5 % from the best price."""

WITHIN = UNIT // 100
"""Depth is stated within 1 % of the best price."""

FARTHEST = 9 * UNIT // 10
"""No displacement takes a price further than 90 % away."""


class Ladder:
    """The book. displaced is how far forced orders pushed the best price of each side away, a Rate of the price."""

    def __init__(self, terms: Instrument, liquidity: Liquidity) -> None:
        self._terms = terms
        self._liquidity = liquidity
        self._kept: dict[int, int] = {}
        self._price = 0
        self.displaced = {Side.SELL: 0, Side.BUY: 0}

    def take(self, side: Side, value: int) -> None:
        """Forced orders on this side took a value, 10^-8 of the quote asset."""
        moved = self.displaced[side] + value * WITHIN // self._liquidity.depth
        self.displaced[side] = min(FARTHEST, moved)

    def pass_time(self, time: int, price: int) -> bool:
        """The book refills for so many ns, and the path is at this price now. Says whether either changes the book."""
        kept = self._kept.get(time)
        if kept is None:
            kept = self._kept[time] = self._part_kept(time)
        changes = price != self._price or any(self.displaced.values())
        self._price = price
        for side in self.displaced:
            self.displaced[side] = self.displaced[side] * kept // UNIT
        return changes

    def _part_kept(self, time: int) -> int:
        """What is left of a displacement after so many ns, a Rate: 2^-(time / half-life)."""
        half_life = self._liquidity.refill
        if not half_life:
            return 0
        return int(DIGITS.power(Decimal(2), DIGITS.divide(Decimal(-time), Decimal(half_life))) * UNIT)

    def mark(self, price: int) -> int:
        """The mark where the path is at this price: displaced too, as far as it is fed back."""
        shift = (self.displaced[Side.BUY] - self.displaced[Side.SELL]) * self._liquidity.feedback // UNIT
        return max(1, price + price * shift // UNIT)

    def state(self, at: Nanos, price: int) -> Observations:
        """The whole book around a price of the path, mark units, and the mark, as rows of this time."""
        bids, asks = self._bids(price), self._asks(price)
        if bids and asks and next(iter(bids)) >= next(iter(asks)):
            asks = {tick + 1: lots for tick, lots in asks.items()}
        return rows(self._terms, at, bids, asks, self.mark(price))

    def _bids(self, price: int) -> dict[int, int]:
        best = price - price * self.displaced[Side.SELL] // UNIT
        return self._levels(best, -1)

    def _asks(self, price: int) -> dict[int, int]:
        best = price + price * self.displaced[Side.BUY] // UNIT
        return self._levels(best, 1)

    def _levels(self, best: int, sign: int) -> dict[int, int]:
        """Ticks -> lots, from the best price outwards; a level that holds less than a lot leaves it to the next."""
        tick, held = self._terms.tick, self._liquidity.depth * SPACING // WITHIN
        levels: dict[int, int] = {}
        rest = 0
        for n in range(LEVELS):
            price = best + sign * best * SPACING * n // UNIT
            ticks = sign * -(-sign * price // tick)
            lots = lots_of(self._terms, held + rest, price)
            rest = held + rest if not lots else 0
            if lots and ticks > 0:
                levels[ticks] = levels.get(ticks, 0) + lots
        return levels


def rows(terms: Instrument, at: Nanos, bids: dict[int, int], asks: dict[int, int], mark: int) -> Observations:
    """A chunk of two rows: a book, and a mark."""
    return Observations(
        terms.id,
        kind=[int(Kind.SNAPSHOT), int(Kind.MARK)], at=[at, at], transacted=[at, at], index=[0, 0],
        first_id=[0], last_id=[0], previous_id=[0], bids_end=[len(bids)], asks_end=[len(bids) + len(asks)],
        level_price=[*bids, *asks], level_lots=[*bids.values(), *asks.values()],
        mark=[mark], mark_index=[0], mark_rate=[0], mark_next_funding=[0],
    )  # fmt: skip
