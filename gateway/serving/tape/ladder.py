"""The candles that are kept of one price: the newest minutes, hours and days, each without a hole.

A time without a trade, or without a server, is filled with flat candles at the last price.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import msgspec

from gateway.serving.tape.candles import DAY, HOUR, INTERVALS, MINUTE, Candle, Interval, flat, grouped, merged

MINUTES_KEPT, HOURS_KEPT, DAYS_KEPT = 15_120, 4_320, 1_500
"""Ten days and a half of minutes, which are 504 half hours; 180 days of hours, four years of days."""

LARGEST = (1 << 63) - 1
"""What a column holds at most: a day's value in atoms may be beyond 92 billion, and is that then."""

_FIELDS = len(Candle._fields)


class Kept(msgspec.Struct, array_like=True):
    """A rung as it is dumped: the columns of closed candles, and the running one."""

    columns: list[bytes]
    running: Candle | None


class Rung:
    """The newest candles of one length: closed ones as columns, and the running one."""

    def __init__(self, step: int, most: int) -> None:
        self.step = step
        self.running: Candle | None = None
        self._most = most
        self._columns = [array("q") for _ in range(_FIELDS)]

    def __len__(self) -> int:
        return len(self._columns[0])

    @property
    def first(self) -> int | None:
        """When the oldest candle begins, None where there is none."""
        if self._columns[0]:
            return self._columns[0][0]
        return None if self.running is None else self.running.start

    def take(self, candle: Candle) -> list[Candle]:
        """Add a shorter candle, or a trade, that is not earlier than the running one; what closed by that."""
        last = self.running
        begin = candle[0] - candle[0] % self.step
        if last is None:
            self.running = candle._replace(start=begin)
            return []
        if begin <= last[0]:
            self.running = merged(last, candle)
            return []
        closed = [last, *self._flats(last, begin)]
        for one in closed:
            self._close(one)
        self.running = candle._replace(start=begin)
        return closed

    def _flats(self, last: Candle, begin: int) -> Iterator[Candle]:
        """What lies between the last candle and the one that begins then: of a long time only the end."""
        start = last.start + self.step
        if begin - start > self._most * self.step:
            start = begin - self._most * self.step
        return (flat(at, last.close) for at in range(start, begin, self.step))

    def _close(self, candle: Candle) -> None:
        columns = self._columns
        if columns[0] and candle[0] != columns[0][-1] + self.step:
            for column in columns:
                del column[:]
        for column, value in zip(columns, candle, strict=True):
            column.append(value if value <= LARGEST else LARGEST)
        if len(columns[0]) > self._most + self._most // 4:
            for column in columns:
                del column[: -self._most]

    def between(self, start: int, end: int) -> list[Candle]:
        """The closed candles that begin from start up to but not at end."""
        columns = self._columns
        if not columns[0]:
            return []
        first = columns[0][0]
        low = max(0, -(-(start - first) // self.step))
        high = max(low, -(-(end - first) // self.step))
        return list(map(Candle, *(column[low:high] for column in columns)))

    def begin(self, candles: Sequence[Candle]) -> None:
        """Hold a history without a hole, of candles of this length, in place of anything else."""
        closed = candles[-self._most - 1 : -1]
        self.running = candles[-1]
        self._columns = [array("q", column) for column in zip(*closed, strict=True)] or self._columns

    def begin_like(self, other: Rung, unit: int) -> None:
        """Hold what the prices of another rung, times a unit, would have made of this one."""
        start, *prices = other._columns[:5]
        zeros = array("q", bytes(8 * len(start)))
        scaled = (array("q", [price * unit for price in column]) for column in prices)
        self._columns = [start[:], *scaled, zeros, zeros[:], other._columns[7][:], *(zeros[:] for _ in range(4))]
        if (last := other.running) is not None:
            opened, high, low, close = (price * unit for price in last[1:5])
            self.running = Candle(last.start, opened, high, low, close, trades=last.trades)

    def dump(self) -> Kept:
        """All of it; of a column of zeros, as long as the first one, nothing."""
        many = len(self)
        columns = [b"" if column.count(0) == many else column.tobytes() for column in self._columns]
        return Kept(columns, self.running)

    def load(self, kept: Kept) -> None:
        """Hold what was dumped."""
        self.running = kept.running
        zeros = bytes(len(kept.columns[0]))
        self._columns = [array("q", column or zeros) for column in kept.columns]


class Ladder:
    """The candles of one price, in every interval."""

    def __init__(self) -> None:
        self.rungs = (Rung(MINUTE, MINUTES_KEPT), Rung(HOUR, HOURS_KEPT), Rung(DAY, DAYS_KEPT))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken yet."""
        return self.rungs[0].running is None

    @property
    def running(self) -> Candle | None:
        """The minute that something was taken in last."""
        return self.rungs[0].running

    def take(self, candle: Candle) -> None:
        """Add a trade, or a quote, as a candle of its own; of one that is earlier than the last, the time is that."""
        minutes, hours, days = self.rungs
        for minute in minutes.take(candle):
            for hour in hours.take(minute):
                days.take(hour)

    def begin(self, minutes: Sequence[Candle]) -> None:
        """Begin with a history: minutes without a hole."""
        if not minutes:
            return
        hours = list(grouped(minutes[:-1], INTERVALS["1h"]))
        days = list(grouped(hours[:-1], INTERVALS["1d"]))
        for rung, candles in zip(self.rungs, (minutes, hours, days), strict=True):
            if candles:
                rung.begin(candles)

    def candles(self, interval: Interval, start: int | None, end: int | None, limit: int, now: int) -> list[Candle]:
        """The newest candles that begin up to `end` (included, or now), or the first ones that begin at `start` or
        later, at most so many; the running one runs to now.
        """
        rung = self._rung(interval)
        last = interval.begin(now if end is None else min(end, now))
        span = interval.length + DAY * 3 * (interval.name == "1M")
        if start is None:
            first = interval.begin(max(0, last - (limit - 1) * span))
        elif start > now:
            return []
        else:
            begin = interval.begin(start)
            first = max(begin if begin == start else interval.next(begin), interval.begin(self._since(rung)))
            last = min(last, interval.begin(first + limit * span))
        if first > last:
            return []
        found = list(grouped(self._rows(rung, first, interval.next(last), now), interval))
        return found[-limit:] if start is None else found[:limit]

    def since(self, start: int, now: int) -> list[Candle]:
        """The minutes from then until now."""
        return list(self._rows(0, start - start % MINUTE, now - now % MINUTE + MINUTE, now))

    def _rung(self, interval: Interval) -> int:
        """The longest candles that those of the interval are made of."""
        return 2 if interval.length >= DAY else 1 if interval.length >= HOUR else 0

    def _since(self, rung: int) -> int:
        """When the oldest candle of a rung begins; those of a shorter one where it has none yet."""
        return next((of_it.first for of_it in self.rungs[rung::-1] if of_it.first is not None), 0)

    def _rows(self, rung: int, start: int, end: int, now: int) -> Iterator[Candle]:
        """Candles of one rung that begin before the end: closed ones, what runs, and flat ones until now."""
        step = self.rungs[rung].step
        yield from self.rungs[rung].between(start, end)
        last: Candle | None = None
        for n in range(rung, -1, -1):
            running = self.rungs[n].running
            if running is not None:
                begin = running.start - running.start % step
                if last is not None and begin > last.start:
                    if start <= last.start < end:
                        yield last
                    last = None
                last = running._replace(start=begin) if last is None else merged(last, running)
        if last is None:
            return
        if start <= last.start < end:
            yield last
        for at in range(max(last.start + step, start), min(end, now - now % step + step), step):
            yield flat(at, last.close)

    def begin_like(self, other: Ladder, unit: int) -> None:
        """Begin with what the prices of another ladder, times a unit, would have made of this one."""
        for rung, like in zip(self.rungs, other.rungs, strict=True):
            rung.begin_like(like, unit)

    def dump(self) -> list[Kept]:
        """All of it."""
        return [rung.dump() for rung in self.rungs]

    def load(self, kept: list[Kept]) -> None:
        """Hold what was dumped."""
        for rung, of_it in zip(self.rungs, kept, strict=True):
            rung.load(of_it)
