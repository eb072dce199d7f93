"""Numbers that follow from a seed and a place alone, many at once: integers only, the same everywhere.

A lattice gives each whole number a value between -2^30 and 2^30; between two of them the value goes over smoothly. So
what happens at any time is known without what happened before it.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BITS = 20
"""Places between two points of a lattice are counted in 2^-20 of the way."""

WHOLE = 1 << BITS
DRAWN = 1 << 31
"""What is drawn lies from 0 to below this."""

HEIGHT = 1 << 30
"""Values lie from -2^30 to 2^30 - 1."""

_GOLDEN, _MIX_1, _MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31, _33 = (np.uint64(n) for n in (30, 27, 31, 33))


def key_of(*names: object) -> int:
    """A key of 64 bits for numbers that are told apart by these names."""
    text = "/".join(map(str, names))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "little")


def hashed(key: int, places: Ints) -> Ints:
    """A value from 0 to below `DRAWN` for each place. Source of the mixing: SplitMix64 (Steele, Lea and Flood 2014)."""
    z = np.asarray(places, np.int64).astype(np.uint64) * _GOLDEN + np.array(key, np.uint64)
    z = (z ^ z >> _30) * _MIX_1
    z = (z ^ z >> _27) * _MIX_2
    return ((z ^ z >> _31) >> _33).astype(np.int64)


def smooth(key: int, period: int, times: Ints) -> Ints:
    """The value at each time of a lattice with a point every `period`, in the same unit."""
    places = times // period
    way = (times - places * period) * WHOLE // period
    if len(times) and (count := int(places[-1] - places[0]) + 2) < len(times):
        lattice = hashed(key, np.arange(places[0], places[0] + count, dtype=np.int64))
        before, after = lattice[places - places[0]], lattice[places - places[0] + 1]
    else:
        before, after = hashed(key, places), hashed(key, places + 1)
    eased = way * way * (3 * WHOLE - 2 * way) >> 2 * BITS
    found: Ints = before - HEIGHT + ((after - before) * eased >> BITS)
    return found
