"""What a generated market says, in the words of Binance USD-M streams. Prices in ticks, sizes in lots, times in ms."""

from __future__ import annotations

from typing import NamedTuple

from events.units import UNIT, decimal_text
from replay.synth_market import Diff, Market, Quote, Trade

FIRST_TRADE = 5_000_000_000
FUNDING_MS = 8 * 3600 * 1_000
BASE_RATE = 10_000
"""The funding rate without a premium: 0.01 %."""

RATE_MAX = 300_000


class MarkPrice(NamedTuple):
    """Mark and index price and funding rate in 10^-8, and the next funding time."""

    mark: int
    index_price: int
    rate: int
    next_funding_ms: int


class Marks:
    """Mark and index price, once a second: the index follows the fair price with a lag, the mark lies between them."""

    def __init__(self, price: int, funding_at: int) -> None:
        self._index = price
        self._next_funding_ms = funding_at // 10**6

    def at(self, ms: int, fair: int) -> MarkPrice:
        """The mark at a time, for a fair price in 10^-8. It is finer than a tick."""
        self._index += (fair - self._index) * 3 // 5
        mark = self._index + (fair - self._index) * 4 // 7
        premium = (mark - self._index) * UNIT // self._index
        if ms >= self._next_funding_ms:
            self._next_funding_ms += FUNDING_MS
        rate = max(-RATE_MAX, min(BASE_RATE + premium // 8, RATE_MAX))
        return MarkPrice(mark, self._index, rate, self._next_funding_ms)


class Decimals:
    """Whole multiples of a unit, none negative, as decimal text with the decimals that the unit needs, at least two."""

    def __init__(self, unit: int) -> None:
        self._digits = max(2, len(decimal_text(unit).partition(".")[2]))
        self._factor = unit * 10**self._digits // UNIT

    def __call__(self, multiple: int) -> str:
        """The text of so many units."""
        digits = self._digits
        text = str(multiple * self._factor).zfill(digits + 1)
        return f"{text[:-digits]}.{text[-digits:]}"


class Dialect:
    """The messages of one instrument."""

    def __init__(self, symbol: str, tick: int, lot: int) -> None:
        self._symbol = symbol
        self._price, self._size, self._fine = Decimals(tick), Decimals(lot), Decimals(1)
        self._trades = FIRST_TRADE

    def trade(self, ms: int, trade: Trade) -> str:
        """A print. Trades are numbered as they are asked for."""
        self._trades += 1
        price, size = self._price(trade.price), self._size(trade.lots)
        maker = "false" if trade.taker_bought else "true"
        what = f'"t":{self._trades},"p":"{price}","q":"{size}","X":"MARKET","m":{maker}'
        return self._stream("trade", f"{self._head('trade', ms)},{what}")

    def ticker(self, ms: int, quote: Quote) -> str:
        """The best bid and ask."""
        bid = f'"b":"{self._price(quote.bid)}","B":"{self._size(quote.bid_lots)}"'
        ask = f'"a":"{self._price(quote.ask)}","A":"{self._size(quote.ask_lots)}"'
        what = f'"e":"bookTicker","u":{quote.id},"s":"{self._symbol}",{bid},{ask},"T":{ms},"E":{ms}'
        return self._stream("bookTicker", what)

    def diff(self, ms: int, diff: Diff) -> str:
        """What changed in the book."""
        ids = f'"U":{diff.first_id},"u":{diff.last_id},"pu":{diff.previous_id}'
        levels = f'"b":{self._levels(diff.bids)},"a":{self._levels(diff.asks)}'
        return self._stream("depth@0ms", f"{self._head('depthUpdate', ms)},{ids},{levels}")

    def body(self, ms: int, last_id: int, market: Market) -> str:
        """The whole book, as a REST depth request would return it now."""
        levels = f'"bids":{self._levels(market.bids.depth())},"asks":{self._levels(market.asks.depth())}'
        return f'{{"lastUpdateId":{last_id},"E":{ms},"T":{ms},{levels}}}'

    def mark(self, ms: int, mark: MarkPrice) -> str:
        """The mark price."""
        price, index = self._fine(mark.mark), self._fine(mark.index_price)
        rate = ("-" if mark.rate < 0 else "") + self._fine(abs(mark.rate))
        what = f'"p":"{price}","P":"{index}","i":"{index}","r":"{rate}","T":{mark.next_funding_ms}'
        return self._stream("markPrice@1s", f'"e":"markPriceUpdate","E":{ms},"s":"{self._symbol}",{what}')

    def _stream(self, name: str, data: str) -> str:
        return f'{{"stream":"{self._symbol.lower()}@{name}","data":{{{data}}}}}'

    def _head(self, event: str, ms: int) -> str:
        return f'"e":"{event}","E":{ms},"T":{ms},"s":"{self._symbol}"'

    def _levels(self, levels: list[tuple[int, int]]) -> str:
        price, size = self._price, self._size
        texts = [f'["{price(ticks)}","{size(lots)}"]' for ticks, lots in levels]
        return f"[{','.join(texts)}]"
