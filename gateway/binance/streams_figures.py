"""The market streams of marks, candles, tickers and forced orders, each at its pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.binance import market_words as words
from gateway.binance.desk import Desk
from gateway.binance.market_asking import Asked, traded
from gateway.binance.market_words import Words
from gateway.binance.streams_kinds import Stream
from gateway.serving.tape.candles import Candle, Interval
from gateway.serving.tape.quotes import Forced
from gateway.serving.tape.seen import ForcedSeen, Seen

KLINE_MS, TICKER_MS = 250, 1_000

LATE_MS = 2_000
"""A candle waits so long for the market to reach its end, before it counts as closed."""


class Mark(Stream):
    """Mark and index price, of one instrument."""

    def __init__(self, desk: Desk, symbol: str, pace_ms: int) -> None:
        super().__init__(desk, symbol)
        self.pace_ms = pace_ms

    def tick(self) -> Iterator[object]:
        """They are told whether they moved or not."""
        if self.of(self.symbol).tape.quotes.mark:
            yield self.said(self.symbol)

    def said(self, symbol: str) -> Words:
        """Of one instrument."""
        of_it = self.of(symbol)
        return words.mark(of_it, self.now, self.desk.tape.next_funding(of_it.symbol))


class Marks(Mark):
    """Mark and index prices of all instruments."""

    def tick(self) -> Iterator[object]:
        """All at once."""
        if names := traded(self.desk):
            yield [self.said(name) for name in names if self.of(name).tape.quotes.mark]


class Klines(Stream):
    """The running candle, and each that closed; `kind` where it is of a pair's contract of that type."""

    pace_ms = KLINE_MS

    def __init__(self, desk: Desk, symbol: str, interval: Interval, kind: str = "") -> None:
        super().__init__(desk, symbol)
        self._interval = interval
        self._kind = kind
        self._told: Candle | None = None

    def tick(self) -> Iterator[object]:
        """The candles since the last one that was told, if anything about them is new."""
        told, interval, now = self._told, self._interval, self.now
        start = interval.begin(now) if told is None else told.start
        of_it = self.of(self.symbol)
        for candle in self.desk.tape.candles(of_it.symbol, interval.name, start, None, 3, now=now):
            end = interval.next(candle.start)
            is_closed = end <= self.desk.tape.now or end + LATE_MS <= now
            if candle != told or is_closed:
                yield self._said(of_it, candle, is_closed)
            self._told = None if is_closed else candle
            if not is_closed:
                break

    def _said(self, of_it: Asked, candle: Candle, is_closed: bool) -> Words:
        if self._kind:
            return words.continuous_kline(of_it, self.now, self._interval, candle, is_closed, self._kind)
        return words.kline(of_it, self.now, self._interval, candle, is_closed)


class Tickers(Stream):
    """The last 24 hours of one instrument, in full or in short."""

    pace_ms = TICKER_MS

    def __init__(self, desk: Desk, symbol: str, is_mini: bool) -> None:
        super().__init__(desk, symbol)
        self._say: Callable[..., Words] = words.mini_ticker if is_mini else words.ticker

    def tick(self) -> Iterator[object]:
        """Once a second."""
        return self.said([self.symbol])

    def said(self, symbols: list[str]) -> Iterator[Words]:
        """Of these instruments, as far as they were traded."""
        for symbol in symbols:
            of_it, now = self.of(symbol), self.now
            if (ticker := of_it.tape.ticker(now)) is not None:
                yield self._say(of_it, now, ticker)


class AllTickers(Tickers):
    """The last 24 hours of all instruments."""

    def tick(self) -> Iterator[object]:
        """All at once."""
        if found := list(self.said(list(traded(self.desk)))):
            yield found


class ForcedOrders(Stream):
    """The newest forced order of each instrument, once a second."""

    pace_ms = TICKER_MS

    def __init__(self, desk: Desk, symbol: str) -> None:
        super().__init__(desk, symbol)
        self._newest: dict[str, Forced] = {}

    def hear(self, seen: Seen) -> Iterator[object]:
        """The venue tells the latest within a second."""
        if isinstance(seen, ForcedSeen):
            self._newest[seen.instrument] = seen.forced
        return iter(())

    def tick(self) -> Iterator[object]:
        """Those of the last second."""
        newest, self._newest = self._newest, {}
        for symbol, forced in newest.items():
            yield words.forced(self.of(symbol), self.now, forced)
