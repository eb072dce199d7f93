"""Where a generated price stands at any time: a pure function of the seed, the instrument and the time.

The price is a mean, moved by noise of many periods whose height grows with the root of the period, as that of a random
walk does up to twelve days; now and then it crashes, or is squeezed, and comes back within the hour. All of it are
integers: parts are counted in 10^-10 of the mean, times in ms since the epoch, fine prices in hundredths of a tick.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.live.noise import DRAWN, HEIGHT, Ints, hashed, key_of, smooth

Bools = NDArray[np.bool_]

PLACES = 1 << 20
"""How far a crash has come is counted in 2^-20 of it."""

WHOLE = 10**10
"""Parts are counted in 10^-10 ..."""

FINE = 100
"""... and fine prices in hundredths of a tick."""

FINEST_MS = 125
"""The shortest period of the noise; each further one is twice as long."""

OCTAVES = 24
"""So many periods, up to 12 days."""

QUICK = 5
"""The periods of before 4 s are not in the index: it lags behind the market by them."""

BASIS, BASIS_MS = 5_000_000, 2 * 3_600_000
"""Up to 5 bps the market stands above or below its index, for hours."""

HOUR_MS = 3_600_000

CRASHES, SQUEEZES = 6, 4
"""One hour in so many has a crash, of which one in so many is a squeeze: the other way."""

FIRST_MS, SPREAD_MS = 5 * 60_000, 20 * 60_000
"""It begins between the 5th and the 25th minute ..."""

LEAST, MORE = 150_000_000, 450_000_000
"""... takes 1.5 to 6 % of the price ..."""

FALL_MS, RISE_MS, BACK_MS = 25_000, 40_000, 30 * 60_000
"""... within 25 s, of which 40 % are back after 40 s more, and all after half an hour."""

RECOVERED = PLACES * 2 // 5


class Course(NamedTuple):
    """What the price of an instrument is like: its mean, ticks, and the height of the shortest noise, parts."""

    mean: int
    swing: int


class Prices(NamedTuple):
    """Fine prices at some times: of trades, of the index, of the mark; and how far trades are above the index for
    hours, parts.
    """

    fair: Ints
    index_price: Ints
    mark: Ints
    basis: Ints


class Path:
    """The price of one instrument."""

    def __init__(self, seed: int, instrument: str, course: Course) -> None:
        self.course = course
        self._keys = [key_of(seed, instrument, "octave", n) for n in range(OCTAVES)]
        self._heights = [isqrt(course.swing**2 << n) for n in range(OCTAVES)]
        self._basis, self._begins, self._depth, self._kind = (
            key_of(seed, instrument, name) for name in ("basis", "begins", "depth", "kind")
        )

    def at(self, times: Ints) -> Prices:
        """The prices at these times, which do not fall, ms."""
        quick = self._noise(times, 0, QUICK)
        slow = self._noise(times, QUICK, OCTAVES) + self.crash(times)
        basis = smooth(self._basis, BASIS_MS, times) * BASIS >> 30
        whole = slow + basis
        return Prices(self._price(whole + quick), self._price(slow), self._price(whole + quick // 2), basis)

    def fair(self, times: Ints) -> Ints:
        """Of these prices that of trades."""
        basis = smooth(self._basis, BASIS_MS, times) * BASIS >> 30
        return self._price(self._noise(times, 0, OCTAVES) + self.crash(times) + basis)

    def crash(self, times: Ints) -> Ints:
        """How far a crash has moved the price, parts; the other way in a squeeze."""
        after, depth = self._crash_of(times)
        fallen = np.clip(after, 0, FALL_MS) * PLACES // FALL_MS
        risen = np.clip(after - FALL_MS, 0, RISE_MS) * RECOVERED // RISE_MS
        back = np.clip(after - FALL_MS - RISE_MS, 0, BACK_MS) * (PLACES - RECOVERED) // BACK_MS
        moved: Ints = -depth * (fallen - risen - back) // PLACES
        return moved

    def is_wild(self, times: Ints) -> Bools:
        """Whether a crash goes on, or has just ended."""
        after, depth = self._crash_of(times)
        wild: Bools = (depth != 0) & (after >= 0) & (after < FALL_MS + RISE_MS)
        return wild

    def _crash_of(self, times: Ints) -> tuple[Ints, Ints]:
        """How long ago the hour's crash began, ms, and how much it takes, parts: 0 where there is none."""
        hours = times // HOUR_MS
        begins = hours * HOUR_MS + FIRST_MS + hashed(self._begins, hours) * SPREAD_MS // DRAWN
        depth = LEAST + hashed(self._depth, hours) * MORE // DRAWN
        kind = hashed(self._kind, hours) % (CRASHES * SQUEEZES)
        signed: Ints = np.where(kind == 0, -depth, depth) * (kind < SQUEEZES)
        return times - begins, signed

    def _noise(self, times: Ints, first: int, end: int) -> Ints:
        total = np.zeros(len(times), np.int64)
        for n in range(first, end):
            total += smooth(self._keys[n], FINEST_MS << n, times) * self._heights[n] // HEIGHT
        return total

    def _price(self, parts: Ints) -> Ints:
        found: Ints = self.course.mean * FINE * (WHOLE + parts) // WHOLE
        return found
