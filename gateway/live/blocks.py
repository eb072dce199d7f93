"""A minute of a generated market: a book of two ladders around the path of the price, and takers who hit it.

What is in a minute depends on the seed, the instrument and the number of the minute alone, so that whoever goes on
within it makes it again. It begins with a snapshot of the book. A step is a moment: takers trade at the best prices,
makers move their quotes to where the price has gone and change some sizes, and one diff says what became different.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from events.instruments import Instrument
from events.observations import Kind, Observations
from events.units import UNIT
from gateway.live.noise import key_of
from gateway.live.path import FINE, WHOLE, Path
from gateway.live.rows import Rows
from replay.synth_market import Ladder, Random

BLOCK_MS = 60_000
CHUNK_MS = 5_000
"""A chunk holds so much time, the first and the last of a block less."""

SECOND_MS = 1_000
MS = 10**6

IDS = 200_000
"""A block has so many update ids at most."""

UNIT_VALUE = 60 * UNIT
"""Sizes are multiples of the lots that are worth so much, quote asset."""

BASE_RATE, RATE_MAX = 10_000, 300_000
"""The funding rate without a premium, 0.01 %, and its bound, 0.3 %."""


class Style(NamedTuple):
    """How busy a market is: steps are so many ms apart on average; funding is paid at whole multiples of that time."""

    step_ms: int
    funding_ms: int
    offset_ms: int = 0
    """Chunks end so much earlier than at multiples of their length: those of several instruments apart."""


class Blocks:
    """The minutes of one instrument."""

    def __init__(self, seed: int, terms: Instrument, path: Path, style: Style) -> None:
        self.terms = terms
        self.path = path
        self.style = style
        self._seed = seed
        value = path.course.mean * terms.atoms_per_tick_lot
        self.size = max(1, UNIT_VALUE // value)

    def chunks(self, number: int) -> Iterator[Observations]:
        """The chunks of a minute, the minutes counted since the epoch."""
        return _Block(self, Random(key_of(self._seed, self.terms.id, "block", number)), number).chunks()

    def ends(self) -> list[int]:
        """Where the chunks of a block end, ms from its beginning."""
        return [*range(CHUNK_MS - self.style.offset_ms, BLOCK_MS, CHUNK_MS), BLOCK_MS]


class _Block:
    """One of them, as it goes on."""

    def __init__(self, blocks: Blocks, random: Random, number: int) -> None:
        self._blocks = blocks
        self._random = random
        self._start = number * BLOCK_MS
        self._id = number * IDS
        self._last_id = self._id
        self._bids, self._asks = Ladder(1), Ladder(-1)
        self._quote = ((0, 0), (0, 0))

    def chunks(self) -> Iterator[Observations]:
        """All of it, a chunk after the other."""
        times = np.array(self._times(), np.int64)
        prices, wild = self._blocks.path.at(times), self._blocks.path.is_wild(times).tolist()
        fair = (prices.fair // FINE).tolist()
        marks = zip(prices.mark.tolist(), prices.index_price.tolist(), prices.basis.tolist(), strict=True)
        steps = zip(times.tolist(), fair, wild, marks, strict=True)
        ends = iter(self._blocks.ends())
        rows, end = self._rows(), self._start + next(ends)
        for ms, price, thin, mark in steps:
            if ms >= end:
                yield rows.chunk
                rows, end = self._rows(), self._start + next(ends)
            self._step(rows, ms, price, thin)
            if ms % SECOND_MS == 0:
                self._mark(rows, ms, *mark)
        yield rows.chunk

    def _rows(self) -> Rows:
        return Rows(self._blocks.terms.id, self._blocks.size)

    def _times(self) -> list[int]:
        """When something happens, ms: at each whole second, and in between."""
        spread = self._blocks.style.step_ms
        found, ms = [], 0
        while ms < BLOCK_MS:
            found.append(self._start + ms)
            then = ms + spread // 2 + self._random.below(spread)
            ms = min(then, (ms // SECOND_MS + 1) * SECOND_MS)
        return found

    def _step(self, rows: Rows, ms: int, fair: int, thin: bool) -> None:
        at = ms * MS
        if ms == self._start:
            self._make(fair, thin)
            ids = (self._id, self._id, 0)
            rows.depth(at, ids, self._bids.depth(), self._asks.depth(), Kind.SNAPSHOT)
            self._bids.changed.clear()
            self._asks.changed.clear()
            self._last_id = self._id
            self._trades(rows, at, fair, 1)
            return
        first_id = self._next_id()
        self._trades(rows, at, fair, self._random.below(9 if thin else 3))
        self._make(fair, thin)
        bids, asks = self._bids.changes(), self._asks.changes()
        previous, self._last_id = self._last_id, self._next_id()
        self._news(rows, at)
        rows.depth(at, (first_id, self._last_id, previous), bids, asks)

    def _make(self, fair: int, thin: bool) -> None:
        """Makers quote around the price."""
        self._bids.quote(fair, self._random, thin)
        self._asks.quote(-fair - 1, self._random, thin)

    def _trades(self, rows: Rows, at: int, fair: int, count: int) -> None:
        """Takers trade towards the price, most of the time."""
        for _ in range(count):
            (bid, _), (ask, _) = self._bids.best(), self._asks.best()
            is_buy = self._random.below(8) >= (1 if 2 * fair > bid + ask else 7)
            lots = 1 + self._random.below(60) * self._random.below(12)
            price, taken = (self._asks if is_buy else self._bids).hit(lots)
            rows.trade(at, price, taken, is_buy)

    def _news(self, rows: Rows, at: int) -> None:
        quote = self._bids.best(), self._asks.best()
        if quote != self._quote:
            self._quote = quote
            rows.ticker(at, self._last_id, *quote)

    def _mark(self, rows: Rows, ms: int, mark: int, index: int, basis: int) -> None:
        tick, every = self._blocks.terms.tick, self._blocks.style.funding_ms
        rate = max(-RATE_MAX, min(BASE_RATE + basis * UNIT // WHOLE // 2, RATE_MAX))
        following = (ms // every + 1) * every * MS
        rows.mark(ms * MS, mark * tick // FINE, index * tick // FINE, rate, following)

    def _next_id(self) -> int:
        self._id += 1 + self._random.below(40)
        return self._id
