"""Candles of the trades: open, high, low, close and lots of every minute in which there was a trade."""

from __future__ import annotations

from events.facts import Traded
from events.record import Batch
from events.units import SECOND, Lots, Ticks
from events.views import Row
from exchange.projections.kept import Rows

MINUTE = 60 * SECOND


class Candle(Row, frozen=True):
    """Prices in ticks."""

    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    lots: Lots


class Candles:
    """A `Projection`: instrument and the minute's first nanosecond -> Candle."""

    name = "candles"
    version = 1
    row = Candle

    def fold(self, rows: Rows, batch: Batch) -> None:
        """See `Projection.fold`."""
        minute = batch.at - batch.at % MINUTE
        for fact in batch.facts:
            if type(fact) is Traded:
                key, price = f"{fact.instrument} {minute}", fact.price
                before = rows.get(key, Candle(price, price, price, price, Lots(0)))
                high, low = max(before.high, price), min(before.low, price)
                rows.put(key, Candle(before.open, high, low, price, Lots(before.lots + fact.lots)))
