"""History's side of the book in plain numbers: the volume that it states at prices, and the order of those."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from events.commands import OrderNumber

if TYPE_CHECKING:
    from exchange.core.book import Order

SPARSE = 64
"""Dead entries that a queue or heap may hold before it is worth a clean-up."""


class History:
    """History's own side of the book: exactly what the data states, whatever traders do.

    stated maps price to lots; taken, what traders took of it until history states the price again. heap finds the best
    price; its keys are prices times -sign, and those no longer stated are dropped when they come up.

    Where history tells orders apart, queues has the lots of each order of a price in their turn, behind what is known
    by size only, and orders the price of each. segments are the entries that stand for orders in queues where a trader
    rests; used up ones may linger, with 0 lots.
    """

    __slots__ = ("heap", "orders", "queues", "segments", "sign", "stated", "taken")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.stated: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.heap: list[int] = []
        self.queues: dict[int, dict[int, int]] = {}
        self.orders: dict[int, int] = {}
        self.segments: dict[int, Order] = {}

    def best(self) -> int | None:
        """The best price that history states."""
        heap, sign, stated = self.heap, self.sign, self.stated
        while heap:
            price = -sign * heap[0]
            if price in stated:
                return price
            heappop(heap)
        return None

    def prices(self) -> Iterator[int]:
        """The prices that history states, best first, each at the cost of its place: the heap stays as it is, and so it
        must until the last one is asked for. A price stated anew may come twice in a row.
        """
        heap, stated = self.heap, self.stated
        ahead = [(heap[0], 0)] if heap else []
        while ahead:
            key, place = heappop(ahead)
            for child in range(2 * place + 1, min(2 * place + 3, len(heap))):
                heappush(ahead, (heap[child], child))
            if (price := -self.sign * key) in stated:
                yield price

    def state_all(self, stated: dict[int, int]) -> None:
        """History states exactly this."""
        self.stated = stated
        self.heap = [-self.sign * price for price in stated]
        heapify(self.heap)

    def state(self, price: int, lots: int) -> None:
        """History states that a price has these lots in all, 0 for none."""
        if not lots:
            self.stated.pop(price, None)
        else:
            if price not in self.stated:
                heappush(self.heap, -self.sign * price)
            self.stated[price] = lots

    def forget(self, price: int) -> None:
        """Of the volume at a price only the size is known from now on."""
        for number in self.queues.pop(price, ()):
            del self.orders[number]
            if (segment := self.segments.pop(number, None)) is not None:
                segment.number = OrderNumber(0)

    def tidy(self) -> None:
        """Keep the heap in proportion to what is stated."""
        if len(self.heap) > 2 * len(self.stated) + SPARSE:
            self.state_all(self.stated)

    def clear(self) -> None:
        """Forget everything."""
        self.stated.clear()
        self.taken.clear()
        self.heap.clear()
        for price in list(self.queues):
            self.forget(price)
