"""Days of LOBSTER with any number of levels, made up order by order: after each message MARKET's book is its line's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from events.commands import SessionOptions
from exchange.core.book import Book, BookSide
from exchange.core.matching.market import MarketFeed
from exchange.core.triggers.index import PriceIndex
from replay.sources import open_source
from tests import lobster
from tests.captures import PACK
from tests.lobster import CROSS, DELETED, EXECUTED, HALT, HIDDEN, NEW, REDUCED, Pair, message

MIDDLE = 1_000
"""The price, in dimes, around which orders come."""

LOTS = 1_000
"""Of a thousandth, in a share."""

Level = tuple[int, int]


class Day:
    """A market of single orders; what a file of so many levels tells of it."""

    def __init__(self, random: Random, levels: int) -> None:
        self._random, self._levels = random, levels
        self._orders: dict[int, list[int]] = {}
        self._number = 0
        for side in (1, -1):
            for _ in range(random.randrange(2, 30)):
                self._join(side)

    def lines(self, events: int) -> Iterator[Pair]:
        """What each event makes of both files: nothing where it changes nothing that they show."""
        before = self.shown()
        for n in range(events):
            kind, *what = self._happens()
            after = self.shown()
            if after != before or kind >= HIDDEN:
                at = f"{34_200 + n // 10}.{n % 10}{self._random.randrange(10**8):08d}"
                yield Pair(message(at, kind, *what), lobster.book(*map(dict, after), self._levels))
            before = after

    def shown(self) -> tuple[list[Level], list[Level]]:
        """Bids and asks that a line has room for."""
        bids, asks = (self._sums(side) for side in (1, -1))
        return sorted(bids.items(), reverse=True)[: self._levels], sorted(asks.items())[: self._levels]

    def _sums(self, side: int) -> dict[int, int]:
        sums: dict[int, int] = {}
        for own, price, size in self._orders.values():
            if own == side:
                sums[price] = sums.get(price, 0) + size
        return sums

    def _best(self, side: int) -> int:
        prices = [side * price for own, price, _ in self._orders.values() if own == side]
        return side * max(prices) if prices else MIDDLE - side * 40

    def _join(self, side: int) -> tuple[int, int, int, int]:
        limit = self._best(-side) - side
        price = limit - side * self._random.randrange(14)
        size = self._random.randrange(1, 9) * 10
        self._number += 1
        self._orders[self._number] = [side, price, size]
        return self._number, size, price, side

    def _happens(self) -> tuple[int, ...]:
        random = self._random
        kind = random.choices([NEW, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT], [40, 8, 25, 18, 5, 1, 1])[0]
        if kind == HIDDEN:
            return HIDDEN, 0, 7, self._best(1), random.choice((1, -1))
        if kind == CROSS:
            return CROSS, -1, 100, MIDDLE, -1
        if kind == HALT:
            return HALT, 0, 0, 0, -1
        if kind == NEW or not self._orders:
            return NEW, *self._join(random.choice((1, -1)))
        return self._leaves(kind)

    def _leaves(self, kind: int) -> tuple[int, ...]:
        """An order shrinks, goes, or trades: of those at the best price the one that came first."""
        side = self._random.choice((1, -1))
        front = [n for n, (own, price, _) in self._orders.items() if (own, price) == (side, self._best(side))]
        if kind == EXECUTED and front:
            number, kind = front[0], EXECUTED
        else:
            number, kind = self._random.choice(list(self._orders)), min(kind, DELETED)
        own, price, size = self._orders[number]
        if kind == REDUCED and size == 1:
            kind = DELETED
        gone = size if kind == DELETED else self._random.randrange(1, size + (kind == EXECUTED))
        self._orders[number][2] -= gone
        if gone == size:
            del self._orders[number]
        return kind, number, gone, price, own


def best(side: BookSide, levels: int) -> list[Level]:
    """History's best levels: price and shares."""
    return [(price, side.history.stated[price] // LOTS) for price in islice(side.prices(stale=False), levels)]


def of_line(line: str, levels: int) -> tuple[list[Level], list[Level]]:
    cells = list(map(int, line.split(",")))
    asks, bids = (
        [(cells[n] // lobster.DIME, cells[n + 1]) for n in range(first, 4 * levels, 4) if cells[n + 1]]
        for first in (0, 2)
    )
    return bids, asks


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3, 5, 10, 20]))
def test_after_each_message_the_book_is_the_one_of_its_line(seed: int, levels: int) -> None:
    pairs = list(Day(Random(seed), levels).lines(200))
    options = SessionOptions()
    feed = MarketFeed(Book(options), options, lambda order: order.lots, PriceIndex({}))
    with TemporaryDirectory() as folder:
        source = open_source(lobster.write(Path(folder) / lobster.NAME, pairs), PACK, strict=True)
        for chunk in source:
            lines = [int(source.locate(row, "BTCUSDT").rpartition(":")[2]) for row in range(len(chunk))]
            for row, (line, following) in enumerate(pairwise([*lines, 0])):
                feed.advance(chunk, row, row)
                if line != following:
                    shown = best(feed.book.bids, levels), best(feed.book.asks, levels)
                    assert shown == of_line(pairs[line - 1].book, levels), (line, pairs[line - 1])
        feed.book.check()
        assert (feed.defects, source.report.problems, source.report.lines) == ([], [], len(pairs))
