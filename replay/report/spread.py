"""Many values in bounded memory: how they are spread, and a sample of them that is the same every time."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

DISTINCT = 4096
"""So many different values are told apart; beyond that they are rounded until there are no more."""

EXACT = 64
"""Leading bits that are kept at first, more than a number of ns has."""

SHORTEST = 12
"""Leading bits that are kept once there are too many values: they are then right within 1 / 2048."""

SAMPLE = 2048
"""So many items a sample has at most."""


class Spread:
    """How values are spread, each with a weight: exact up to `DISTINCT` different ones.

    Beyond that a value keeps its leading bits only, rounded towards zero: as many as leave room. How many that are
    depends on the values, not on their order.
    """

    __slots__ = ("_bits", "_weights", "total")

    def __init__(self) -> None:
        self._weights: dict[int, int] = {}
        self._bits = EXACT
        self.total = 0

    def add(self, value: int, weight: int = 1) -> None:
        """One more value."""
        self.total += weight
        value = rounded(value, self._bits)
        self._weights[value] = self._weights.get(value, 0) + weight
        while len(self._weights) > DISTINCT:
            self._bits = min(SHORTEST, self._bits - 1)
            weights: dict[int, int] = {}
            for known, its in self._weights.items():
                known = rounded(known, self._bits)
                weights[known] = weights.get(known, 0) + its
            self._weights = weights

    def take(self, other: Spread) -> None:
        """Add all values of another."""
        for value, weight in other.items():
            self.add(value, weight)

    @property
    def is_exact(self) -> bool:
        """Whether no value was rounded."""
        return self._bits == EXACT

    def percentile(self, percent: int) -> int | None:
        """The smallest value below or at which so many percent of the weight are; None without any."""
        so_far = 0
        for value, weight in sorted(self._weights.items()):
            so_far += weight
            if so_far * 100 >= self.total * percent:
                return value
        return None

    def items(self) -> list[tuple[int, int]]:
        """Values with their weights, in order."""
        return sorted(self._weights.items())


def rounded(value: int, bits: int) -> int:
    """The value with so many leading bits, towards zero."""
    size = abs(value)
    drop = max(0, size.bit_length() - bits)
    size = size >> drop << drop
    return size if value >= 0 else -size


class Thinned(Generic[T]):
    """The items that were added or, once there are too many, every second one of those kept, and so on."""

    __slots__ = ("_seen", "items", "stride")

    def __init__(self) -> None:
        self.items: list[T] = []
        self.stride = 1
        self._seen = 0

    def add(self, item: T) -> None:
        """One more item."""
        if self._seen % self.stride == 0:
            self.items.append(item)
            if len(self.items) > SAMPLE:
                self.items = self.items[::2]
                self.stride *= 2
        self._seen += 1
