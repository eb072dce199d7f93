"""The last 24 hours of an instrument: 1,440 minutes, the running one included."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from gateway.serving.tape.candles import DAY, MINUTE, Candle, merged
from gateway.serving.tape.ladder import Ladder


class Ticker(NamedTuple):
    """The day as one candle, from `day.start` until `at`, ms, and the lots of the last trade."""

    day: Candle
    at: int
    last_lots: int

    @property
    def change(self) -> int:
        """By how many ticks the price changed."""
        return self.day.close - self.day.open


class Day:
    """Adds up the minutes of a day, closed ones only once."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._key = (0, 0)
        self._closed: Candle | None = None

    def until(self, now: int) -> Candle | None:
        """The 24 hours until now as one candle, None where nothing was traded yet."""
        running = self._ladder.running
        if running is None:
            return None
        start = now - now % MINUTE - DAY + MINUTE
        if self._key != (key := (start, running.start)):
            minutes = [minute for minute in self._ladder.since(start, now) if minute.start != running.start]
            self._closed = reduce(merged, minutes) if minutes else None
            self._key = key
        if running.start < start or self._closed is None:
            return self._closed or running
        if self._closed.start > running.start:
            return merged(running, self._closed)._replace(close=running.close)
        return merged(self._closed, running)
