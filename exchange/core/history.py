"""History's side of the book in plain numbers: the volume that it states at prices, and the order of those."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

SPARSE = 64
"""Dead entries that a queue or heap may hold before it is worth a clean-up."""


class History:
    """History's own side of the book: exactly what the data states, whatever traders do.

    stated maps price to lots; taken, what traders took of it until history states the price again. heap finds the best
    price; its keys are prices times -sign, and those no longer stated are dropped when they come up.
    """

    __slots__ = ("heap", "sign", "stated", "taken")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.stated: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.heap: list[int] = []

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

    def tidy(self) -> None:
        """Keep the heap in proportion to what is stated."""
        if len(self.heap) > 2 * len(self.stated) + SPARSE:
            self.state_all(self.stated)

    def clear(self) -> None:
        """Forget everything."""
        self.stated.clear()
        self.taken.clear()
        self.heap.clear()
