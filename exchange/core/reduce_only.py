"""The resting reduce-only orders of a position, in the order in which they shrink with it, where the pack says so.

The furthest from the market is the first to go, and of those at one price the younger, which is the one with the higher
number. Source: OKX, help page "Reduce-only", section "Order Prioritization Rules".
"""

from __future__ import annotations

from sortedcontainers import SortedDict

from exchange.core.book import Order

Place = tuple[int, int, int]
"""Side, price and number of an order, each counted so that the first to go is the least of its side."""


class ReduceOnlyOrders:
    """Both sides of them; lots are the sums by sign. One side holds some that close nothing once a position flipped."""

    __slots__ = ("lots", "queue")

    def __init__(self) -> None:
        self.queue: SortedDict[Place, Order] = SortedDict()
        self.lots = {1: 0, -1: 0}

    def add(self, order: Order) -> None:
        """An order rests from now on."""
        self.queue[_place(order)] = order
        self.lots[order.sign] += order.lots

    def lose(self, order: Order, lots: int) -> None:
        """An order lost so many lots, by whatever; with its last one it is gone."""
        self.lots[order.sign] -= lots
        if not order.lots:
            del self.queue[_place(order)]

    def first(self, sign: int) -> Order:
        """The first of a side to go."""
        order: Order = self.queue[next(self.queue.irange((sign,)))]
        return order

    def beyond(self, sign: int, held: int) -> int:
        """How many lots of a side are more than a position of so many signed lots has to close."""
        return max(0, self.lots[sign] - max(0, -sign * held))

    def check(self, resting: list[Order]) -> None:
        """Assert that exactly these are here."""
        assert dict(self.queue) == {_place(order): order for order in resting}
        for sign in self.lots:
            assert self.lots[sign] == sum(order.lots for order in resting if order.sign == sign)


def _place(order: Order) -> Place:
    return order.sign, order.sign * order.price, -order.number
