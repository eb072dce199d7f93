"""What history's book comes to along the diffs of a chunk, computed ahead of its rows: the best prices after each of
them, and where each price is stated.

All of it follows from the chunk's columns and from the book that stood before the first of those rows.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from events.spans import LOW, Course, Standing

Column = NDArray[np.int64]

FEW = 1 << 16
"""Prices within such a range of each other are put in order by counting."""


class Levels:
    """The levels that the depth rows of a chunk state on one side, one row's after the other's.

    sign is +1 for bids; end says how many there are up to the end of each row, 0 first.
    """

    def __init__(self, sign: int, end: Column, price: Column, lots: Column) -> None:
        self.sign, self.end, self.price, self.lots = sign, end, price, lots

    def along(self, first: int, until: int, standing: Standing) -> Along:
        """The course of the side over the depth rows from `first` until `until`, from what stands before them."""
        start, stop = self.end[first], self.end[until]
        return Along(
            self.sign, self.end[first : until + 1] - start, self.price[start:stop], self.lots[start:stop], standing
        )


class Along:
    """The course of a side, as `SideCourse` has it, by what its rows state and what stood before."""

    def __init__(self, sign: int, end: Column, price: Column, lots: Column, standing: Standing) -> None:
        self.ends: list[int] = end.tolist()
        self._price, self._lots = price, lots
        self._order = _order(price)
        in_order = price[self._order]
        self._is_first = np.concatenate([np.ones(min(1, len(price)), np.bool_), in_order[1:] != in_order[:-1]])
        self._next = np.full(len(price), len(price))
        again = ~self._is_first[1:]
        self._next[self._order[:-1][again]] = self._order[1:][again]
        self._found: dict[int, tuple[list[int], list[int]]] = {}
        self._places: dict[int, tuple[int, int]] = {}
        self.keys = self._best(sign, np.diff(end), np.fromiter(standing, np.int64, len(standing)))
        self.best = [None if key == LOW else sign * key for key in self.keys.tolist()]

    def statements(self, price: int) -> tuple[list[int], list[int]]:
        """Which of the levels state this price, rising, and with how many lots."""
        found = self._found.get(price)
        if found is None:
            if not self._places and len(self._price):
                self._places = self._where()
            first, end = self._places.get(price, (0, 0))
            places = self._order[first:end]
            found = self._found[price] = places.tolist(), self._lots[places].tolist()
        return found

    def last(self, first: int, end: int) -> tuple[list[int], list[int]]:
        """The prices that these levels state, each once, and the lots stated last."""
        is_last = self._next[first:end] >= end
        return self._price[first:end][is_last].tolist(), self._lots[first:end][is_last].tolist()

    def _where(self) -> dict[int, tuple[int, int]]:
        """Price -> where it begins and ends among the levels by price."""
        firsts = np.flatnonzero(self._is_first)
        prices: list[int] = self._price[self._order[firsts]].tolist()
        bounds = [*firsts.tolist(), len(self._price)]
        return dict(zip(prices, pairwise(bounds), strict=True))

    def _best(self, sign: int, counts: Column, standing: Column) -> Column:
        """The best price, times the sign, before the first row and after each one.

        Each level stands from the row that states it to the one that states its price again.
        """
        rows = np.repeat(np.arange(len(counts)), counts)
        stands = self._lots != 0
        ends = np.append(rows, len(counts))[self._next]
        ends_before = self._first_stated(rows, standing, len(counts))
        return _highest(
            np.concatenate([rows[stands] + 1, np.zeros(len(standing), np.int64)]),
            np.concatenate([ends[stands], ends_before]) + 1,
            sign * np.concatenate([self._price[stands], standing]),
            len(counts) + 1,
        )

    def _first_stated(self, rows: Column, prices: Column, never: int) -> Column:
        """The row that first states each of these prices."""
        firsts = self._order[self._is_first]
        stated = self._price[firsts]
        place = np.searchsorted(stated, prices)
        is_stated = np.append(stated, 0)[place] == prices
        is_stated &= place < len(stated)
        return np.where(is_stated, np.append(rows[firsts], never)[place], never)


def course_of(
    bids: Levels, asks: Levels, first: int, until: int, standing_bids: Standing, standing_asks: Standing
) -> Course:
    """The course of a book over the depth rows from `first` until `until`, from what stands before them."""
    bid, ask = bids.along(first, until, standing_bids), asks.along(first, until, standing_asks)
    is_crossed = (bid.keys[1:] >= -ask.keys[1:]) & (bid.keys[1:] != LOW) & (ask.keys[1:] != LOW)
    return Course(first, until, bid, ask, (np.flatnonzero(is_crossed) + first).tolist())


def _order(prices: Column) -> Column:
    """The places of the prices, rising, of the same price the earlier first."""
    if len(prices) and int(prices.max()) - (low := int(prices.min())) < FEW:
        return np.argsort((prices - low).astype(np.uint16), kind="stable")
    return np.argsort(prices, kind="stable")


def _highest(starts: Column, ends: Column, keys: Column, size: int) -> Column:
    """Of each of so many places the highest key of those that hold from a start to before an end, LOW where none does.

    Each is put down twice, for the largest power of two of places from its start and before its end; then every power
    hands down to its halves.
    """
    powers = np.frexp(ends - starts)[1] - 1
    holds = powers >= 0
    powers, starts, ends, keys = powers[holds], starts[holds], ends[holds], keys[holds]
    table = np.full((size.bit_length(), size), LOW)
    flat, row = table.reshape(-1), powers.astype(np.int64) * size
    np.maximum.at(flat, row + starts, keys)
    np.maximum.at(flat, row + ends - (1 << powers.astype(np.int64)), keys)
    for power in range(len(table) - 1, 0, -1):
        half, above, below = 1 << (power - 1), table[power], table[power - 1]
        np.maximum(below, above, out=below)
        np.maximum(below[half:], above[:-half], out=below[half:])
    best: Column = table[0]
    return best
