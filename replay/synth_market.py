"""How a generated market moves: a book of two ladders around a fair price, and takers who hit it. Integers only.

The fair price is an anchor, which crashes if the scenario says so, plus a noise that returns to zero. A step takes
about 33 ms: takers trade at the best prices, makers move their quotes to the new fair price and change some sizes, and
one diff says what became different. Prices are in ticks, sizes in lots, times in milliseconds from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LEVELS = 60
"""A ladder has at least this many levels, and at most twice as many."""

CRASH_BEGINS = 55
"""In per cent of the session."""

FALL_MS = 20_000
RECOVERY_MS = 30_000
RECOVERED = 40
"""In per cent of the fall."""

NOISE_STEPS = 40_000
"""The noise moves by up to 1 / 40,000 of the price in a step ..."""

NOISE_RETURNS = 4_096
"""... and loses 1 / 4,096 of itself, on average."""

_MASK = (1 << 64) - 1


class Random:
    """SplitMix64 (Steele, Lea and Flood 2014): the same numbers everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        return (state ^ state >> 31) * limit >> 64


class Trade(NamedTuple):
    """A taker hit the best price."""

    ms: int
    price: int
    lots: int
    taker_bought: bool


class Quote(NamedTuple):
    """The best prices and sizes after update `id`."""

    ms: int
    id: int
    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


class Diff(NamedTuple):
    """The sizes that became different since the diff before, as (price, lots), best price first."""

    ms: int
    first_id: int
    last_id: int
    previous_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class Step(NamedTuple):
    """What happened up to a diff, in order, and the diff."""

    fair: int
    events: list[Trade | Quote]
    diff: Diff


class Path(NamedTuple):
    """Where the anchor of the price goes: `depth` ticks down from `begins` on, if it crashes at all."""

    start: int
    depth: int
    begins: int
    falls: int

    def anchor(self, ms: int) -> int:
        """The price without noise."""
        fallen = min(max(ms - self.begins, 0), self.falls)
        risen = min(max(ms - self.begins - self.falls, 0), RECOVERY_MS)
        return self.start - self.depth * fallen // self.falls + self.depth * RECOVERED * risen // (RECOVERY_MS * 100)

    def is_thin(self, ms: int) -> bool:
        """Whether the crash goes on, or has just ended."""
        return self.depth > 0 and self.begins <= ms < self.begins + 2 * self.falls


def path_of(start: int, seconds: int, crash_bps: int) -> Path:
    """The path of a session; crash_bps 0 means none."""
    return Path(start, start * crash_bps // 10_000, seconds * 10 * CRASH_BEGINS, min(FALL_MS, seconds * 100))


class Ladder:
    """One side of the book: sign x price -> lots, so that the best is the greatest key on both sides."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, int] = {}
        self.changed: dict[int, int] = {}

    def set(self, key: int, lots: int) -> None:
        """State the size of a level; 0 removes it."""
        if lots:
            self.levels[key] = lots
        else:
            del self.levels[key]
        self.changed[key] = lots

    def best(self) -> tuple[int, int]:
        """Price and lots."""
        key = max(self.levels)
        return self.sign * key, self.levels[key]

    def hit(self, lots: int) -> tuple[int, int]:
        """Take up to so many lots from the best level: its price, and how many it had."""
        key = max(self.levels)
        taken = min(lots, self.levels[key])
        self.set(key, self.levels[key] - taken)
        return self.sign * key, taken

    def quote(self, limit: int, random: Random, thin: bool) -> None:
        """Makers leave what is better than the limit, fill the room below it, and change some sizes."""
        for key in [key for key in self.levels if key > limit]:
            self.set(key, 0)
        room = max(self.levels, default=limit - 3)
        key = limit - random.below(3)
        while key > room:
            self.set(key, _size(random, thin))
            key -= _gap(random, thin)
        self._lengthen(random, thin)
        keys = list(self.levels)
        for _ in range(3):
            self.set(keys[random.below(len(keys))], _size(random, thin))

    def _lengthen(self, random: Random, thin: bool) -> None:
        if len(self.levels) > 2 * LEVELS:
            for key in sorted(self.levels)[:-LEVELS]:
                self.set(key, 0)
        while len(self.levels) < LEVELS:
            self.set(min(self.levels) - _gap(random, thin), _size(random, thin))

    def changes(self) -> list[tuple[int, int]]:
        """What was set since the last call, best first."""
        changes = [(self.sign * key, self.changed[key]) for key in sorted(self.changed, reverse=True)]
        self.changed.clear()
        return changes

    def depth(self) -> list[tuple[int, int]]:
        """The whole side, best first."""
        return [(self.sign * key, self.levels[key]) for key in sorted(self.levels, reverse=True)]


class Market:
    """The market of one instrument."""

    def __init__(self, path: Path, seed: int, first_id: int) -> None:
        self._path = path
        self._random = Random(seed)
        self._noise = 0
        self._id = first_id
        self._last_quote: tuple[int, ...] = ()
        self.bids, self.asks = Ladder(1), Ladder(-1)
        self._quote(path.start, 0)
        self.bids.changes()
        self.asks.changes()

    def steps(self, end_ms: int) -> Iterator[Step]:
        """The steps up to a time."""
        ms, last_id = 0, self._id
        while (now := ms + 25 + self._random.below(17)) < end_ms:
            fair = self._fair(now)
            first_id = self._next_id()
            events = list(self._trades(ms, now, fair))
            self._quote(fair, now)
            bids, asks = self.bids.changes(), self.asks.changes()
            previous_id, last_id = last_id, self._next_id()
            events += self._news(now, last_id)
            yield Step(fair, events, Diff(now, first_id, last_id, previous_id, bids, asks))
            ms = now

    def _fair(self, ms: int) -> int:
        step = max(1, self._path.start // NOISE_STEPS)
        drift = self._random.below(2 * step + 1) - step
        pull = (abs(self._noise) + self._random.below(NOISE_RETURNS)) // NOISE_RETURNS
        self._noise += drift - (pull if self._noise > 0 else -pull)
        return self._path.anchor(ms) + self._noise

    def _trades(self, ms: int, now: int, fair: int) -> Iterator[Trade | Quote]:
        """Takers trade towards the fair price, most of the time, and in a crash they are many."""
        random, thin = self._random, self._path.is_thin(now)
        count = random.below(9) if thin else random.below(6) // 2
        for n in range(count):
            (bid, _), (ask, _) = self.bids.best(), self.asks.best()
            buys = random.below(8) >= (1 if 2 * fair > bid + ask else 7)
            price, lots = (self.asks if buys else self.bids).hit(1 + random.below(60) * random.below(12))
            at = ms + (now - ms) * (n + 1) // (count + 1)
            yield Trade(at, price, lots, buys)
            yield from self._news(at, self._next_id())

    def _quote(self, fair: int, ms: int) -> None:
        thin = self._path.is_thin(ms)
        self.bids.quote(fair, self._random, thin)
        self.asks.quote(-fair - 1, self._random, thin)

    def _news(self, ms: int, id: int) -> Iterator[Quote]:
        quote = (*self.bids.best(), *self.asks.best())
        if quote != self._last_quote:
            self._last_quote = quote
            yield Quote(ms, id, *quote)

    def _next_id(self) -> int:
        self._id += 1 + self._random.below(40)
        return self._id


def _gap(random: Random, thin: bool) -> int:
    return 1 + random.below(40 if thin else 4)


def _size(random: Random, thin: bool) -> int:
    return 1 + random.below(20) * random.below(20) if thin else 1 + random.below(90) * random.below(90)
