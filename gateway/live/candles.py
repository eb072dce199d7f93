"""Candles of a generated market before its session began: read off the path of the price, many days at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.live.blocks import Blocks
from gateway.live.noise import DRAWN, Ints, hashed, key_of
from gateway.live.path import FINE

MINUTE_MS = 60_000
MS = 10**6

SAMPLES = 4
"""The path is looked at so often in a minute, and at its end."""

LOTS_A_TRADE = 163
"""What a taker hits on average, in units of size."""

WILD = 3
"""A minute in a crash has so many times the trades."""


class Candles(NamedTuple):
    """Minutes one after the other: when each begins, ns of session time; prices in ticks; lots traded, those of takers
    who bought, and how many trades. value is the sum of price x lots, ticks x lots.
    """

    at: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    lots: Ints
    bought: Ints
    trades: Ints
    value: Ints


def no_candles() -> Candles:
    """Of a market of which nothing is known before its session began."""
    return Candles(*(np.zeros(0, np.int64) for _ in Candles._fields))


def candles(seed: int, blocks: Blocks, start: int, end: int) -> Candles:
    """The minutes that begin from one session time on and before the other, ns."""
    first, last = -(-start // (MINUTE_MS * MS)), -(-end // (MINUTE_MS * MS))
    if last <= first:
        return no_candles()
    minutes = np.arange(first, last, dtype=np.int64)
    times = np.arange(first * SAMPLES, last * SAMPLES + 1, dtype=np.int64) * (MINUTE_MS // SAMPLES)
    path = blocks.path.fair(times) // FINE
    seen = np.stack([path[n : len(path) - SAMPLES + n : SAMPLES] for n in range(SAMPLES + 1)])
    low, high = seen.min(axis=0), seen.max(axis=0)
    lots, bought, trades = _volumes(seed, blocks, minutes)
    at, value = minutes * MINUTE_MS * MS, (low + high) // 2 * lots
    return Candles(at, seen[0], high, low, seen[-1], lots, bought, trades, value)


def _volumes(seed: int, blocks: Blocks, minutes: Ints) -> tuple[Ints, Ints, Ints]:
    """Lots, lots bought by takers, and trades: about as many as a minute has that is played."""
    names = ("trades", "sizes", "sides")
    many, large, sides = (hashed(key_of(seed, blocks.terms.id, name), minutes) for name in names)
    wild = np.where(blocks.path.is_wild(minutes * MINUTE_MS), WILD, 1)
    trades = MINUTE_MS // blocks.style.step_ms * (DRAWN // 2 + many) // DRAWN * wild
    lots = trades * LOTS_A_TRADE * blocks.size * (DRAWN // 2 + large) // DRAWN
    return lots, lots * (DRAWN // 2 + sides) // (2 * DRAWN), trades
