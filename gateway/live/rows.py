"""Rows of a generated market, written down one by one into the columns of a chunk."""

from __future__ import annotations

from collections.abc import Iterable

from events.instruments import InstrumentId
from events.observations import Kind, Observations

Levels = Iterable[tuple[int, int]]
"""(price in ticks, lots), best first."""


class Rows:
    """A chunk in the making; `lots` are written as so many times `size`."""

    def __init__(self, instrument: InstrumentId, size: int) -> None:
        self.chunk = Observations(instrument)
        self._size = size

    def depth(self, at: int, ids: tuple[int, int, int], bids: Levels, asks: Levels, kind: Kind = Kind.DIFF) -> None:
        """What became of levels; ids are the first, the last, and that before the first."""
        chunk = self.chunk
        self._row(kind, at, len(chunk.first_id))
        for column, number in zip((chunk.first_id, chunk.last_id, chunk.previous_id), ids, strict=True):
            column.append(number)
        self._levels(bids)
        chunk.bids_end.append(len(chunk.level_price))
        self._levels(asks)
        chunk.asks_end.append(len(chunk.level_price))

    def trade(self, at: int, price: int, lots: int, is_buy: bool) -> None:
        """A taker hit a price."""
        chunk = self.chunk
        self._row(Kind.PRINT, at, len(chunk.print_price))
        chunk.print_price.append(price)
        chunk.print_lots.append(lots * self._size)
        chunk.print_side.append(1 if is_buy else -1)

    def ticker(self, at: int, update: int, bid: tuple[int, int], ask: tuple[int, int]) -> None:
        """The best prices and sizes after that update."""
        chunk = self.chunk
        self._row(Kind.TICKER, at, len(chunk.ticker_id))
        chunk.ticker_id.append(update)
        chunk.ticker_bid.append(bid[0])
        chunk.ticker_bid_lots.append(bid[1] * self._size)
        chunk.ticker_ask.append(ask[0])
        chunk.ticker_ask_lots.append(ask[1] * self._size)

    def mark(self, at: int, mark: int, index: int, rate: int, next_funding: int) -> None:
        """Mark and index price, mark units; the funding rate and when it is paid, ns."""
        chunk = self.chunk
        self._row(Kind.MARK, at, len(chunk.mark))
        chunk.mark.append(mark)
        chunk.mark_index.append(index)
        chunk.mark_rate.append(rate)
        chunk.mark_next_funding.append(next_funding)

    def _row(self, kind: Kind, at: int, index: int) -> None:
        chunk = self.chunk
        chunk.kind.append(int(kind))
        chunk.at.append(at)
        chunk.transacted.append(at)
        chunk.index.append(index)

    def _levels(self, levels: Levels) -> None:
        chunk = self.chunk
        for price, lots in levels:
            chunk.level_price.append(price)
            chunk.level_lots.append(lots * self._size)
