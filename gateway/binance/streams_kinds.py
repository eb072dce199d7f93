"""What market streams have in common, and those of trades and of the book.

Source of events and of update speeds: Binance USD-M, "Websocket Market Streams" and the page of each stream.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.binance import market_words as words
from gateway.binance.desk import Desk
from gateway.binance.market_asking import Asked, of_symbol
from gateway.serving.tape.depth import Change, Gathered
from gateway.serving.tape.seen import DepthSeen, Seen, TopSeen, TradeSeen
from gateway.serving.tape.trades import Trade, aggregates

AGGREGATE_MS = 100


class Stream:
    """One stream: of which instrument, at which pace, ms (0: at once), and what it says."""

    pace_ms = 0

    def __init__(self, desk: Desk, symbol: str) -> None:
        self.desk = desk
        self.symbol = symbol

    @property
    def now(self) -> int:
        """The shown time of an event."""
        return self.desk.venue.shown_ms

    def of(self, symbol: str) -> Asked:
        """An instrument with its tape."""
        return of_symbol(self.desk, symbol)

    def hear(self, _seen: Seen) -> Iterator[object]:
        """What to say at once of something that happened."""
        return iter(())

    def tick(self) -> Iterator[object]:
        """What to say whenever its time has come."""
        return iter(())


class Trades(Stream):
    """Each trade."""

    def hear(self, seen: Seen) -> Iterator[object]:
        """A trade is told at once."""
        if isinstance(seen, TradeSeen):
            yield words.trade(self.of(self.symbol), self.now, seen.trade)


class Aggregates(Stream):
    """Trades of one taker at one price, as one."""

    pace_ms = AGGREGATE_MS

    def __init__(self, desk: Desk, symbol: str) -> None:
        super().__init__(desk, symbol)
        self._trades: list[Trade] = []

    def hear(self, seen: Seen) -> Iterator[object]:
        """Trades wait for those that they are one with."""
        if isinstance(seen, TradeSeen):
            self._trades.append(seen.trade)
        return iter(())

    def tick(self) -> Iterator[object]:
        """Those that were gathered."""
        trades, self._trades = self._trades, []
        of_it, now = self.of(self.symbol), self.now
        return iter([words.aggregate(of_it, now, one) for one in aggregates(trades)])


class BookTicker(Stream):
    """The best prices, of one instrument or of all, whenever they change."""

    def hear(self, seen: Seen) -> Iterator[object]:
        """They changed."""
        if isinstance(seen, TopSeen):
            yield words.book_ticker(self.of(seen.instrument), self.now, seen.top, seen.last)


class Diffs(Stream):
    """Changes of the book, at a pace or at once: a chain of its own."""

    def __init__(self, desk: Desk, symbol: str, pace_ms: int) -> None:
        super().__init__(desk, symbol)
        self.pace_ms = pace_ms
        self._depth = self.of(symbol).tape.depth
        self._gathered = Gathered(self._depth)

    def hear(self, seen: Seen) -> Iterator[object]:
        """The book changed."""
        if isinstance(seen, DepthSeen):
            if not self.pace_ms:
                yield words.depth(self.of(self.symbol), self.now, seen.change)
            else:
                self._gathered.add(seen.change)

    def tick(self) -> Iterator[object]:
        """What changed since."""
        if (change := self._gathered.take(self._depth)) is not None:
            yield words.depth(self.of(self.symbol), self.now, change)


class Partial(Stream):
    """The best levels of the book, at a pace, where it changed."""

    def __init__(self, desk: Desk, symbol: str, pace_ms: int, levels: int) -> None:
        super().__init__(desk, symbol)
        self.pace_ms = pace_ms
        self._levels = levels
        self._depth = self.of(symbol).tape.depth
        self._last = 0

    def hear(self, seen: Seen) -> Iterator[object]:
        """The book changed."""
        return self.tick() if isinstance(seen, DepthSeen) and not self.pace_ms else iter(())

    def tick(self) -> Iterator[object]:
        """The book as it is."""
        depth, previous = self._depth, self._last
        if depth.last != previous:
            self._last = depth.last
            change = Change(previous or depth.last, depth.last, *depth.levels(self._levels))
            yield words.depth(self.of(self.symbol), self.now, change)
