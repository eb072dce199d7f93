"""All that is public of one instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

import msgspec

from events.instruments import Instrument, InstrumentId, Inverse
from gateway.serving.tape.candles import DAY, MINUTE, Candle, flat
from gateway.serving.tape.depth import Depth
from gateway.serving.tape.ladder import Kept, Ladder
from gateway.serving.tape.quotes import Forced, Funding, Interest, Quotes, Records
from gateway.serving.tape.ticker import Day, Ticker
from gateway.serving.tape.trades import Trade, ring

HISTORY = 30 * DAY
"""So much of what was before the session's start is asked for, ms."""

History = Callable[[InstrumentId, int, int], Iterable[Candle]]
"""Minutes of an instrument before the session's start: those that begin from the first time up to but not at the
second, shown time in ms, in order and without a hole.
"""


class Price(Enum):
    """Which price candles are of."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"
    PREMIUM = "premium"


class Dumped(msgspec.Struct, array_like=True):
    """An instrument's tape as it is dumped."""

    ladders: list[list[Kept]]
    trades: list[Trade]
    quotes: Quotes
    fundings: list[Funding]
    forced: list[Forced]
    interests: list[Interest]


class InstrumentTape:
    """The public data of an instrument. Times are shown ones, ms, but that of the next funding."""

    def __init__(self, terms: Instrument, history: History | None) -> None:
        self.terms = terms
        self.depth = Depth()
        self.trades = ring()
        self.quotes = Quotes()
        self.records = Records()
        self.ladders = {price: Ladder() for price in Price}
        self._day = Day(self.ladders[Price.LAST])
        self._history = history
        self._is_inverse = isinstance(terms, Inverse)

    def value_of(self, price: int, lots: int) -> int:
        """The value of a trade at a price in ticks, atoms."""
        unit = self.terms.atoms_per_tick_lot
        return lots * unit // price if self._is_inverse else price * lots * unit

    def traded(self, trade: Trade) -> None:
        """Take a trade into account."""
        self.trades.append(trade)
        self._begin(trade.at)
        name, at, price, lots, value, bought, _ = trade
        self.ladders[Price.LAST].take(
            Candle(at, price, price, price, price, lots, value, 1, lots * bought, value * bought, name, name)
        )

    def quoted(self, at: int, mark: int = 0, index: int = 0) -> None:
        """A mark or an index price moved. As long as nobody states an index, the mark stands for it."""
        self._begin(at)
        quotes = self.quotes
        if mark:
            quotes.mark = mark
            self._quote(Price.MARK, at, mark)
        if index:
            quotes.index = index
        if index or not quotes.index:
            self._quote(Price.INDEX, at, index or mark)
        self._quote(Price.PREMIUM, at, quotes.premium or 0)

    def _quote(self, price: Price, at: int, figure: int) -> None:
        self.ladders[price].take(flat(at, figure)._replace(trades=1))

    def ticker(self, now: int) -> Ticker | None:
        """The last 24 hours, None where nothing was traded yet."""
        day = self._day.until(now)
        return None if day is None else Ticker(day, now, self.trades[-1].lots if self.trades else 0)

    def _begin(self, at: int) -> None:
        """Before anything else is taken into account: what was before the session."""
        history, self._history = self._history, None
        if history is None or not self.ladders[Price.LAST].is_empty:
            return
        end = at - at % MINUTE
        last = self.ladders[Price.LAST]
        last.begin(list(history(self.terms.id, end - HISTORY, end)))
        for price, unit in ((Price.MARK, self.terms.tick), (Price.INDEX, self.terms.tick), (Price.PREMIUM, 0)):
            self.ladders[price].begin_like(last, unit)

    def dump(self) -> Dumped:
        """All of it but the book, which is looked at anew."""
        records = self.records
        return Dumped(
            [ladder.dump() for ladder in self.ladders.values()], list(self.trades), self.quotes,
            list(records.fundings), list(records.forced), list(records.interests),
        )  # fmt: skip

    def load(self, dumped: Dumped) -> None:
        """Hold what was dumped."""
        self._history = None
        for ladder, kept in zip(self.ladders.values(), dumped.ladders, strict=True):
            ladder.load(kept)
        self.trades = ring(dumped.trades)
        self.quotes = dumped.quotes
        self.records = Records()
        self.records.fundings.extend(dumped.fundings)
        self.records.forced.extend(dumped.forced)
        self.records.interests.extend(dumped.interests)
