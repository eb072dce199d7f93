"""History made up: the columns of a market that drifts, with diffs, prints, tickers, marks, gaps and crossed books."""

from __future__ import annotations

from random import Random

from events.instruments import Instrument
from events.observations import Kind, Observations
from events.units import SECOND

DEPTH = 6
"""Levels that a snapshot states on each side."""


class History:
    """One instrument's market: its price in ticks, its book, its update id, and its next funding time. One that is
    bare has hardly anything but trades and marks.
    """

    def __init__(self, terms: Instrument, price: int, lots: int, bare: bool = False) -> None:
        self.terms = terms
        self.bare = bare
        self.price = price
        self.lots = lots
        self.last_id = 0
        self.next_funding = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def chunk(self, dice: Random, at: int, rows: int) -> Observations:
        """The next rows, from `at` on; the first chunk begins with a snapshot, or with a book that is stale."""
        columns = Observations(self.terms.id)
        if not (self.last_id or self.bare) and dice.random() < 0.8:
            self._depth(columns, dice, at, Kind.SNAPSHOT, 1)
        while len(columns) < rows:
            at += dice.choice((0, 1, SECOND // 10, SECOND, 90 * SECOND))
            self._row(columns, dice, at)
        columns.check()
        return columns

    def _row(self, columns: Observations, dice: Random, at: int) -> None:
        shares = (0.3, 80, 0, 19, 0.2) if self.bare else (45, 30, 10, 12, 3)
        kind = dice.choices((Kind.DIFF, Kind.PRINT, Kind.TICKER, Kind.MARK, Kind.SNAPSHOT), shares)[0]
        if self.bare:
            self._drift(dice)
        if kind is Kind.PRINT:
            self._print(columns, dice, at)
        elif kind is Kind.MARK:
            self._mark(columns, dice, at)
        else:
            self._drift(dice)
            ids = dice.randint(1, 4)
            if kind is Kind.TICKER:
                self._ticker(columns, dice, at, self.last_id + ids)
                kind = Kind.DIFF
            self._depth(columns, dice, at, kind, ids)

    def _drift(self, dice: Random) -> None:
        self.price = max(DEPTH + 2, self.price + dice.choice((-9, -2, -1, -1, 0, 0, 1, 1, 2, 9)))
        self.bids = {price: lots for price, lots in self.bids.items() if price < self.price}
        self.asks = {price: lots for price, lots in self.asks.items() if price > self.price}
        for book, step in ((self.bids, -1), (self.asks, 1)):
            for distance in range(1, DEPTH):
                if dice.random() < 0.4:
                    book[self.price + step * distance] = dice.randint(1, self.lots)
            if book and dice.random() < 0.3:
                del book[dice.choice(sorted(book))]

    def _add(self, columns: Observations, kind: Kind, at: int, index: int) -> None:
        columns.kind.append(int(kind))
        columns.at.append(at)
        columns.transacted.append(at)
        columns.index.append(index)

    def _depth(self, columns: Observations, dice: Random, at: int, kind: Kind, ids: int) -> None:
        """A whole side each time: what is no longer there is stated as 0 lots."""
        gap = kind is Kind.DIFF and dice.random() < 0.05
        previous = self.last_id + 3 if gap else self.last_id
        self.last_id = previous + ids
        self._add(columns, kind, at, len(columns.first_id))
        columns.first_id.append(previous + 1)
        columns.last_id.append(self.last_id)
        columns.previous_id.append(previous if kind is Kind.DIFF else 0)
        crossed = kind is Kind.DIFF and dice.random() < 0.03
        around = range(self.price - 2 * DEPTH - 10, self.price + 2 * DEPTH + 10)
        for book, ends, side in ((self.bids, columns.bids_end, 1), (self.asks, columns.asks_end, -1)):
            levels = {price: 0 for price in around if price > 0} if kind is Kind.DIFF else {}
            levels |= book
            if crossed and side > 0:
                levels[self.price + 3] = 1
            columns.level_price.extend(levels)
            columns.level_lots.extend(levels.values())
            ends.append(len(columns.level_price))

    def _print(self, columns: Observations, dice: Random, at: int) -> None:
        self._add(columns, Kind.PRINT, at, len(columns.print_price))
        side = dice.choice((1, -1))
        book = self.asks if side > 0 else self.bids
        touch = min(book, key=lambda price: price * side, default=self.price)
        columns.print_price.append(max(1, touch + side * dice.choice((0, 0, 0, 1, 3))))
        columns.print_lots.append(dice.randint(1, self.lots))
        columns.print_side.append(side)

    def _ticker(self, columns: Observations, dice: Random, at: int, id: int) -> None:
        """The best prices that the next diff leads to, told ahead of it; not always rightly."""
        if not (self.bids and self.asks):
            return
        self._add(columns, Kind.TICKER, at, len(columns.ticker_id))
        bid, ask = max(self.bids), min(self.asks)
        columns.ticker_id.append(id)
        columns.ticker_bid.append(bid)
        columns.ticker_bid_lots.append(self.bids[bid] + (dice.random() < 0.1))
        columns.ticker_ask.append(ask)
        columns.ticker_ask_lots.append(self.asks[ask])

    def _mark(self, columns: Observations, dice: Random, at: int) -> None:
        self._add(columns, Kind.MARK, at, len(columns.mark))
        if dice.random() < 0.2:
            self.next_funding = at + self.terms.funding_interval
        mark = self.price * self.terms.tick
        columns.mark.append(max(1, mark + dice.randint(-self.terms.tick, self.terms.tick)))
        columns.mark_index.append(dice.choice((0, mark)))
        columns.mark_rate.append(dice.randint(-2_000_000, 2_000_000))
        following = dice.choice((0, self.next_funding, self.next_funding))
        columns.mark_next_funding.append(following if self.terms.funding_interval else 0)
