"""The yardstick: price levels in a SortedDict, orders in deques, and nothing else. No accounts, no margin, no facts."""

from __future__ import annotations

from collections import deque

from sortedcontainers import SortedDict

BUY, SELL = 1, -1


class Resting:
    """An order of the bare book."""

    __slots__ = ("lots", "price", "side")

    def __init__(self, side: int, price: int, lots: int) -> None:
        self.side, self.price, self.lots = side, price, lots


class BareBook:
    """Limit orders by price and time; a cancelled order stays in its queue as 0 lots until it comes up."""

    def __init__(self) -> None:
        self._levels: dict[int, SortedDict[int, deque[Resting]]] = {BUY: SortedDict(), SELL: SortedDict()}
        self.resting: dict[int, Resting] = {}

    def best(self, side: int) -> int | None:
        """The best price with something alive on the side."""
        levels = self._levels[side]
        while levels:
            price, queue = levels.peekitem(-1 if side == BUY else 0)
            while queue and not queue[0].lots:
                queue.popleft()
            if queue:
                return int(price)
            del levels[price]
        return None

    def take(self, side: int, price: int, lots: int) -> int:
        """Match a taker of `side` down to `price`; what is left of it."""
        other = -side
        while lots and (best := self.best(other)) is not None and (price - best) * side >= 0:
            maker = self._levels[other][best][0]
            traded = min(lots, maker.lots)
            maker.lots -= traded
            lots -= traded
        return lots

    def limit(self, id: int, side: int, price: int, lots: int) -> None:
        """Match, then rest the remainder."""
        if left := self.take(side, price, lots):
            order = self.resting[id] = Resting(side, price, left)
            levels = self._levels[side]
            if price not in levels:
                levels[price] = deque()
            levels[price].append(order)

    def cancel(self, id: int) -> None:
        """Take an order out."""
        self.resting.pop(id).lots = 0
