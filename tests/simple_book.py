"""The plainest way to follow a book: two dicts. An oracle for tests of sources and of generated sessions."""

from __future__ import annotations

from collections.abc import Iterable

from events.observations import Kind, Observations

Top = tuple[int, int, int, int]


class SimpleBook:
    """History's book, the ids it has seen, and how it compares with the book tickers."""

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.last_id = 0
        self.gaps = 0
        self.crossed = 0
        self.equal = 0
        self.different = 0
        self._tickers: dict[int, Top] = {}
        self._after_snapshot = False

    @property
    def top(self) -> Top:
        """Best bid and its lots, best ask and its lots."""
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def follow(self, chunks: Iterable[Observations]) -> SimpleBook:
        """Apply the depth rows of all chunks; compare the top wherever a ticker carried the id of a diff."""
        for chunk in chunks:
            for kind, i in zip(chunk.kind, chunk.index, strict=True):
                if kind == Kind.TICKER:
                    bid, ask = (
                        (chunk.ticker_bid[i], chunk.ticker_bid_lots[i]),
                        (chunk.ticker_ask[i], chunk.ticker_ask_lots[i]),
                    )
                    self._tickers[chunk.ticker_id[i]] = (*bid, *ask)
                elif kind == Kind.DIFF:
                    self._diff(chunk, i)
                elif kind == Kind.SNAPSHOT:
                    self.bids.clear()
                    self.asks.clear()
                    self._levels(chunk, i)
                    self._after_snapshot = True
        return self

    def _diff(self, chunk: Observations, i: int) -> None:
        first_id, previous_id = chunk.first_id[i], chunk.previous_id[i]
        if self._after_snapshot:
            self.gaps += not first_id <= self.last_id <= chunk.last_id[i]
        elif self.last_id:
            self.gaps += previous_id != self.last_id or first_id <= previous_id
        self._after_snapshot = False
        self._levels(chunk, i)
        if self.bids and self.asks:
            top = self.top
            self.crossed += top[0] >= top[2]
            if ticker := self._tickers.get(self.last_id):
                self.equal += ticker == top
                self.different += ticker != top

    def _levels(self, chunk: Observations, i: int) -> None:
        self.last_id = chunk.last_id[i]
        start, middle, end = chunk.asks_end[i - 1] if i else 0, chunk.bids_end[i], chunk.asks_end[i]
        for side, first, last in ((self.bids, start, middle), (self.asks, middle, end)):
            for price, lots in zip(chunk.level_price[first:last], chunk.level_lots[first:last], strict=True):
                if lots:
                    side[price] = lots
                else:
                    side.pop(price, None)
