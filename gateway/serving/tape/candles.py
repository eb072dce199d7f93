"""Candles: what they are, how they add up, and the intervals that they are asked for in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

MINUTE = 60_000
"""A minute in ms, as all times here."""

HOUR, DAY = 60 * MINUTE, 1440 * MINUTE

WEEKS_BEGIN = 4 * DAY
"""The first Monday after the epoch: weeks begin on Mondays."""


class Candle(NamedTuple):
    """What was traded, or quoted, from `start` (shown time, ms) on for the length of an interval.

    Prices are ticks (mark units for marks and index prices, a Rate for premiums). lots is the volume, value the same in
    atoms; bought and bought_value are the part of both that takers bought. first and last are the ids of its trades, 0
    where it has none.
    """

    start: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    value: int = 0
    trades: int = 0
    bought: int = 0
    bought_value: int = 0
    first: int = 0
    last: int = 0


def flat(start: int, price: int) -> Candle:
    """A candle in which nothing happened."""
    return Candle(start, price, price, price, price)


def merged(a: Candle, b: Candle) -> Candle:
    """Two candles as one; b is the later one. One in which nothing happened has no say."""
    if not b[7]:
        return a
    if not a[7]:
        return b._replace(start=a[0])
    return Candle(
        a[0], a[1], a[2] if a[2] > b[2] else b[2], a[3] if a[3] < b[3] else b[3], b[4], a[5] + b[5], a[6] + b[6],
        a[7] + b[7], a[8] + b[8], a[9] + b[9], a[10] or b[10], b[11] or a[11],
    )  # fmt: skip


class Interval(NamedTuple):
    """A length of candles: its name, about how long one is, ms, and where the one begins that a time lies in."""

    name: str
    length: int
    begin: Callable[[int], int]

    def next(self, start: int) -> int:
        """When the candle after that one begins."""
        return self.begin(start + self.length + (4 * DAY if self.name == "1M" else 0))


def _even(name: str, length: int, origin: int = 0) -> Interval:
    return Interval(name, length, lambda at: at - (at - origin) % length)


def _month(at: int) -> int:
    day = datetime.fromtimestamp(at // 1000, UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000


_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}

INTERVALS: dict[str, Interval] = {
    **{
        name: _even(name, int(name[:-1]) * _UNITS[name[-1]])
        for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d")
    },
    "1w": _even("1w", 7 * DAY, WEEKS_BEGIN),
    "1M": Interval("1M", 28 * DAY, _month),
}
"""The intervals by name. Source: Binance USD-M, "Public API Definitions": kline intervals."""


def grouped(candles: Iterable[Candle], interval: Interval) -> Iterator[Candle]:
    """Shorter candles, in order, as those of an interval."""
    found: Candle | None = None
    until = 0
    for candle in candles:
        if found is None or candle.start >= until:
            if found is not None:
                yield found
            begin = interval.begin(candle.start)
            found, until = candle._replace(start=begin), interval.next(begin)
        else:
            found = merged(found, candle)
    if found is not None:
        yield found
