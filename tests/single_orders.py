"""Markets told order by order for tests, made up from a seed."""

from __future__ import annotations

from random import Random

from tests.lobster import CROSS, DELETED, EXECUTED, HALT, HIDDEN, NEW, REDUCED

MIDDLE = 1_000
"""The price, in dimes, around which orders come."""

HIDDEN_SIZE = 7
"""So much trades with a hidden order at a time."""


class Day:
    """A market of single orders, made up. orders: number -> side, price, size."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.orders: dict[int, list[int]] = {}
        self._number = 0
        for side in (1, -1):
            for _ in range(random.randrange(2, 30)):
                self._join(side)

    def sums(self, side: int) -> dict[int, int]:
        sums: dict[int, int] = {}
        for own, price, size in self.orders.values():
            if own == side:
                sums[price] = sums.get(price, 0) + size
        return sums

    def _best(self, side: int) -> int:
        prices = [side * price for own, price, _ in self.orders.values() if own == side]
        return side * max(prices) if prices else MIDDLE - side * 40

    def _join(self, side: int) -> tuple[int, int, int, int]:
        limit = self._best(-side) - side
        price = limit - side * self._random.randrange(14)
        size = self._random.randrange(1, 9) * 10
        self._number += 1
        self.orders[self._number] = [side, price, size]
        return self._number, size, price, side

    def happens(self) -> tuple[int, ...]:
        """What happens next, as LOBSTER says it: type, order, size, price, side."""
        random = self._random
        kind = random.choices([NEW, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT], [40, 8, 25, 18, 5, 1, 1])[0]
        if kind == HIDDEN:
            return HIDDEN, 0, HIDDEN_SIZE, self._best(1), random.choice((1, -1))
        if kind == CROSS:
            return CROSS, -1, 100, MIDDLE, -1
        if kind == HALT:
            return HALT, 0, 0, 0, -1
        if kind == NEW or not self.orders:
            return NEW, *self._join(random.choice((1, -1)))
        return self._leaves(kind)

    def _leaves(self, kind: int) -> tuple[int, ...]:
        """An order shrinks, goes, or trades: of those at the best price the one that came first."""
        side = self._random.choice((1, -1))
        front = [n for n, (own, price, _) in self.orders.items() if (own, price) == (side, self._best(side))]
        if kind == EXECUTED and front:
            number, kind = front[0], EXECUTED
        else:
            number, kind = self._random.choice(list(self.orders)), min(kind, DELETED)
        own, price, size = self.orders[number]
        if kind == REDUCED and size == 1:
            kind = DELETED
        gone = size if kind == DELETED else self._random.randrange(1, size + (kind == EXECUTED))
        self.orders[number][2] -= gone
        if gone == size:
            del self.orders[number]
        return kind, number, gone, price, own
