"""Bars -> columns: the path that a price takes within a bar, as prints and a book around them, or as marks.

The path is open, low, high, close where the bar closes at or above its open, and else open, high, low, close: the
shorter way round. A price that is that of the point before makes no point of its own. The points come at the open time,
after one and two thirds of the bar, and a millisecond before it ends.

Prints share the volume evenly, rounded down to lots, and the last one has the rest. One is bought where its price is at
or above that of the print before, else sold. Ahead of each stands a book of one level a side, a tick apart, as deep as
the print is large: the print is at its best ask if bought, at its best bid if sold.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from events.instruments import Instrument
from events.observations import Kind, Observations
from events.units import units_of
from replay.sources.bars_text import Bar
from replay.sources.binance_messages import MARK_MAX, Unused
from replay.sources.columns import EXACT_MAX, Fault, Multiples, set_rows

LAST_BEFORE_END = 10**6
"""The close comes so many ns before the bar ends."""

ROWS_A_BAR_MAX = 8
"""Four points, and at each a book and a print."""

_FIT = "correct it, or take a rule pack that it fits (`ringfence pack fit`)"
_MEND = "correct it or remove the line"


class Shape(NamedTuple):
    """What a bar says in integers: prices in ticks and volume in lots; or prices in mark units and no volume."""

    open: int
    high: int
    low: int
    close: int
    lots: int
    is_mark: bool = False

    @property
    def route(self) -> tuple[int, int, int, int]:
        """The prices in the order in which the path comes to them."""
        turns = (self.low, self.high) if self.close >= self.open else (self.high, self.low)
        return self.open, *turns, self.close


class Point(NamedTuple):
    """Where the price is at a time, ns."""

    at: int
    price: int


class Reader:
    """Reads the numbers of one instrument's bars."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def shape(self, bar: Bar) -> Shape | Unused:
        """The bar in integers, or why it cannot be used."""
        if bar.is_mark:
            return _marks(self._instrument.id, bar.prices)
        if not Decimal(bar.volume):
            return Unused("bar_without_trades")
        ticks = [_whole(price, self._instrument.tick) for price in bar.prices]
        lots = _whole(bar.volume, self._instrument.lot)
        if not (lots and all(ticks)):
            return self._refusal(bar.prices, bar.volume)
        start, high, low, close = ticks
        shape = Shape(start, high, low, close, lots)
        return _odd(self._instrument.id, bar.prices, shape) or shape

    def _refusal(self, prices: Sequence[str], volume: str) -> Unused:
        """Find out, slowly, which number was refused."""
        tick, lot = self._instrument.tick, self._instrument.lot
        fault = Multiples(tick).fault([*map(float, prices)], "price", "tick", 1)
        fault = fault or Multiples(lot).fault([float(volume)], "volume", "lot", 1)
        fault = fault or Fault("odd_bar", f"{', '.join(prices)}, {volume}: more digits than can be kept")
        return Unused(fault.reason, f"{self._instrument.id}: {fault.what}; {_FIT}")


def path(bar: Bar, shape: Shape) -> list[Point]:
    """The points that the price comes through, one to four."""
    third, opened, prices = (bar.until - bar.opened) // 3, bar.opened, shape.route
    times = (opened, opened + third, opened + 2 * third, bar.until - LAST_BEFORE_END)
    points = [Point(times[0], prices[0])]
    for at, price in zip(times[1:], prices[1:], strict=True):
        if price != points[-1].price:
            points.append(Point(at, price))
    return points


class Assembler:
    """Builds the columns of one instrument, chunk after chunk; without books where `makes_books` is False."""

    def __init__(self, instrument: Instrument, makes_books: bool = True) -> None:
        self._instrument = instrument
        self._makes_books = makes_books
        self._last = 0
        self._begin()

    def _begin(self) -> None:
        self._columns = Observations(self._instrument.id)
        self._kinds: list[int] = []
        self._at: list[int] = []
        self.lines: list[int] = []

    def __len__(self) -> int:
        """How many rows wait for `chunk`."""
        return len(self._kinds)

    def add(self, bar: Bar, shape: Shape) -> None:
        """Add the rows of a bar."""
        points = path(bar, shape)
        rows = len(self._kinds)
        if shape.is_mark:
            for point in points:
                self._mark(point)
        else:
            share = shape.lots // len(points)
            for point in points[:-1]:
                self._print(point, share)
            self._print(points[-1], shape.lots - share * (len(points) - 1))
        self.lines += [bar.line] * (len(self._kinds) - rows)

    def chunk(self) -> tuple[Observations, list[int]]:
        """The columns of what was added since the last call, and the line of each row."""
        columns, lines = self._columns, self.lines
        set_rows(columns, np.array(self._kinds, np.int64), self._at, list(self._at))
        self._begin()
        return columns, lines

    def _row(self, kind: Kind, at: int) -> None:
        self._kinds.append(int(kind))
        self._at.append(at)

    def _mark(self, point: Point) -> None:
        self._row(Kind.MARK, point.at)
        columns = self._columns
        columns.mark.append(point.price)
        for column in (columns.mark_index, columns.mark_rate, columns.mark_next_funding):
            column.append(0)

    def _print(self, point: Point, lots: int) -> None:
        """A book, and the print that happens in it."""
        columns, price = self._columns, point.price
        side = 1 if price >= self._last else -1
        self._last = price
        if self._makes_books:
            self._book(point, lots, side)
        self._row(Kind.PRINT, point.at)
        columns.print_price.append(price)
        columns.print_lots.append(lots)
        columns.print_side.append(side)

    def _book(self, point: Point, lots: int, side: int) -> None:
        columns, price = self._columns, point.price
        bid, ask = (price - 1, price) if side > 0 else (price, price + 1)
        self._row(Kind.SNAPSHOT, point.at)
        for column in (columns.first_id, columns.last_id, columns.previous_id):
            column.append(0)
        stated = [level for level in (bid, ask) if level]
        columns.level_price += stated
        columns.level_lots += [lots] * len(stated)
        columns.asks_end.append(len(columns.level_price))
        columns.bids_end.append(len(columns.level_price) - 1)


def _marks(symbol: str, prices: Sequence[str]) -> Shape | Unused:
    units = [units_of(price) or 0 for price in prices]
    if not all(0 < unit < MARK_MAX for unit in units):
        return Unused("odd_mark", f"{symbol}: marks {', '.join(prices)}: not usable; {_MEND}")
    start, high, low, close = units
    shape = Shape(start, high, low, close, 0, is_mark=True)
    return _odd(symbol, prices, shape) or shape


def _whole(text: str, unit: int) -> int:
    """The number in units, or 0 where it is not a whole number of them, or beyond what other sources can read."""
    units = units_of(text, unit) or 0
    return units if 0 < units <= EXACT_MAX else 0


def _odd(symbol: str, prices: Sequence[str], shape: Shape) -> Unused | None:
    """Why a bar of these numbers cannot have been."""
    opened, high, low, close = prices
    if shape.high < shape.low:
        return Unused("odd_bar", f"{symbol}: high {high} is below low {low}; {_MEND}")
    if not shape.low <= min(shape.open, shape.close) <= max(shape.open, shape.close) <= shape.high:
        what = f"open {opened} or close {close} is not between low {low} and high {high}"
        return Unused("odd_bar", f"{symbol}: {what}; {_MEND}")
    points = 1 + sum(a != b for a, b in pairwise(shape.route))
    if not shape.is_mark and shape.lots < points:
        what = f"{shape.lots} lots cannot have traded at the {points} prices of its path"
        return Unused("thin_bar", f"{symbol}: {what}; {_MEND}")
    return None
