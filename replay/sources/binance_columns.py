"""Messages of a Binance capture -> columns: all numbers of a stretch at once, without the rows that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from events.instruments import Instrument
from events.observations import Kind, Observations
from replay.sources.binance_messages import Depth, Level, Mark, Message, Ticker, Trade
from replay.sources.columns import Multiples, set_levels, set_rows

Bad = NDArray[np.bool_]
"""Which entries of a table cannot be used."""


class Row(Struct, gc=False):
    """A message that gives a row: its line, its time in ns, what it says."""

    line: int
    at: int
    message: Message


class Refusal(NamedTuple):
    """A row whose numbers are not those of its instrument: where, a reason to count by, and words."""

    line: int
    reason: str
    what: str


class Chunk(NamedTuple):
    """Columns, the lines of their rows, and why other rows are not in them."""

    columns: Observations
    lines: list[int]
    refusals: list[Refusal]


class Assembler:
    """Builds the columns of one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._prices = Multiples(instrument.tick)
        self._sizes = Multiples(instrument.lot)

    def chunk(self, rows: list[Row]) -> Chunk:
        """The columns of the rows that can be used, and why the others cannot."""
        columns, bad = self._assemble(rows)
        refusals = []
        if bad.any():
            refusals = [self._refusal(row) for row, refused in zip(rows, bad, strict=True) if refused]
            rows = [row for row, refused in zip(rows, bad, strict=True) if not refused]
            columns, _ = self._assemble(rows)
        return Chunk(columns, [row.line for row in rows], refusals)

    def _assemble(self, rows: list[Row]) -> tuple[Observations, Bad]:
        columns = Observations(self._instrument.id)
        messages = [row.message for row in rows]
        kinds = np.array([message.kind for message in messages], np.int64)
        transacted = [(message.transacted or message.event) * 10**6 for message in messages]
        set_rows(columns, kinds, [row.at for row in rows], transacted)
        bad = np.zeros(len(rows), np.bool_)
        bad[kinds <= Kind.SNAPSHOT] = self._depth(columns, [m for m in messages if isinstance(m, Depth)])
        bad[kinds == Kind.PRINT] = self._prints(columns, [m for m in messages if isinstance(m, Trade)])
        bad[kinds == Kind.TICKER] = self._tickers(columns, [m for m in messages if isinstance(m, Ticker)])
        bad[kinds == Kind.MARK] = self._marks(columns, [m for m in messages if isinstance(m, Mark)])
        return columns, bad

    def _depth(self, columns: Observations, depth: Sequence[Depth]) -> Bad:
        for name in ("first_id", "last_id", "previous_id"):
            setattr(columns, name, [getattr(message, name) for message in depth])
        sides = [side for message in depth for side in (message.bids, message.asks)]
        levels = list(chain.from_iterable(sides))
        price, lots = self._prices.of(_numbers(levels, "price")), self._sizes.of(_numbers(levels, "size"))
        set_levels(columns, [len(side) for side in sides], price, lots)
        bad = np.zeros(len(depth), np.bool_)
        bad[np.searchsorted(columns.asks_end, np.flatnonzero((price <= 0) | (lots < 0)), side="right")] = True
        return bad

    def _prints(self, columns: Observations, trades: Sequence[Trade]) -> Bad:
        price, lots = self._prices.of(_numbers(trades, "price")), self._sizes.of(_numbers(trades, "size"))
        columns.print_price, columns.print_lots = price.tolist(), lots.tolist()
        columns.print_side = [-1 if trade.buyer_is_maker else 1 for trade in trades]
        return _any_below_zero(price, lots)

    def _tickers(self, columns: Observations, tickers: Sequence[Ticker]) -> Bad:
        columns.ticker_id = [ticker.last_id for ticker in tickers]
        bid, bid_lots = self._prices.of(_numbers(tickers, "bid")), self._sizes.of(_numbers(tickers, "bid_size"))
        ask, ask_lots = self._prices.of(_numbers(tickers, "ask")), self._sizes.of(_numbers(tickers, "ask_size"))
        columns.ticker_bid, columns.ticker_bid_lots = bid.tolist(), bid_lots.tolist()
        columns.ticker_ask, columns.ticker_ask_lots = ask.tolist(), ask_lots.tolist()
        return _any_below_zero(bid, bid_lots, ask, ask_lots)

    def _marks(self, columns: Observations, marks: Sequence[Mark]) -> Bad:
        units = [mark.units() for mark in marks]
        columns.mark = [mark for mark, _, _ in units]
        columns.mark_index = [index for _, index, _ in units]
        columns.mark_rate = [rate for _, _, rate in units]
        columns.mark_next_funding = [mark.next_funding * 10**6 for mark in marks]
        return _any_below_zero(np.array(columns.mark, np.int64) - 1)

    def _refusal(self, row: Row) -> Refusal:
        """Find out, slowly, which number was refused."""
        message, symbol = row.message, self._instrument.id
        if isinstance(message, Mark):
            said = f"mark {message.price!a:.40}, index {message.index!a:.40}, rate {message.rate!a:.40}"
            return Refusal(row.line, "odd_mark", f"{symbol}: {said}: not usable; correct it or remove the line")
        prices, sizes = zip(*_pairs(message), strict=True)
        least = 0 if isinstance(message, Ticker) else 1
        fault = self._prices.fault(prices, "price", "tick", least) or self._sizes.fault(sizes, "size", "lot")
        assert fault, "a row is refused for one of its numbers"
        return Refusal(
            row.line,
            fault.reason,
            f"{symbol}: {fault.what}; correct it, or take a rule pack that it fits (`ringfence pack fit`)",
        )


def _any_below_zero(*columns: NDArray[np.int64]) -> Bad:
    bad: Bad = np.minimum.reduce(columns) < 0
    return bad


def _numbers(things: Sequence[Level] | Sequence[Trade] | Sequence[Ticker], name: str) -> NDArray[np.float64]:
    return np.fromiter(map(attrgetter(name), things), np.float64, len(things))


def _pairs(message: Depth | Trade | Ticker) -> Iterator[tuple[float, float]]:
    """Every (price, size) that a message states."""
    if isinstance(message, Trade):
        return iter([(message.price, message.size)])
    if isinstance(message, Ticker):
        return iter([(message.bid, message.bid_size), (message.ask, message.ask_size)])
    return ((level.price, level.size) for level in chain(message.bids, message.asks))
