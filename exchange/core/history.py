"""History's side of the book in plain numbers: the volume that it states at prices, and the order of those."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from events.commands import OrderNumber

if TYPE_CHECKING:
    from events.spans import SideCourse
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

    While history goes along a course, `row` says how many of its rows are applied; what they state is found in the
    course, and entered in `stated` and heap, up to row `entered`, only where somebody wants to see all of it.
    """

    __slots__ = (
        "_stated", "course", "entered", "heap", "orders", "queues", "row", "segments", "sign", "taken",
    )  # fmt: skip

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self._stated: dict[int, int] = {}
        self.course: SideCourse | None = None
        self.row = self.entered = 0
        self.taken: dict[int, int] = {}
        self.heap: list[int] = []
        self.queues: dict[int, dict[int, int]] = {}
        self.orders: dict[int, int] = {}
        self.segments: dict[int, Order] = {}

    @property
    def stated(self) -> dict[int, int]:
        """All prices that history states, with their lots."""
        if self.course is not None and self.entered < self.row:
            self._enter(self.course)
        return self._stated

    def follow(self, course: SideCourse) -> None:
        """History goes along a course from now on, which begins with what it states now."""
        self.course, self.row, self.entered = course, 0, 0

    def leave(self) -> dict[int, int]:
        """History goes along no course any more; all that it states."""
        stated = self.stated
        self.course = None
        return stated

    def _enter(self, course: SideCourse) -> None:
        """Enter what the rows of the course state up to the present one."""
        prices, lots = course.last(course.ends[self.entered], course.ends[self.row])
        self.entered = self.row
        for price, size in zip(prices, lots, strict=True):
            self._state(price, size)
        self.tidy()

    def lots(self, price: int) -> int:
        """The lots that history states at a price, 0 for none."""
        if (course := self.course) is not None:
            places, lots = course.statements(price)
            if place := bisect_left(places, course.ends[self.row]):
                return lots[place - 1]
        return self._stated.get(price, 0)

    def best(self) -> int | None:
        """The best price that history states."""
        if self.course is not None:
            return self.course.best[self.row]
        heap, sign, stated = self.heap, self.sign, self._stated
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
        stated = self.stated
        heap = self.heap
        ahead = [(heap[0], 0)] if heap else []
        while ahead:
            key, place = heappop(ahead)
            for child in range(2 * place + 1, min(2 * place + 3, len(heap))):
                heappush(ahead, (heap[child], child))
            if (price := -self.sign * key) in stated:
                yield price

    def state_all(self, stated: dict[int, int]) -> None:
        """History states exactly this."""
        self.course = None
        self._stated = stated
        self._pile_up()

    def _pile_up(self) -> None:
        self.heap = [-self.sign * price for price in self._stated]
        heapify(self.heap)

    def state(self, price: int, lots: int) -> None:
        """History states that a price has these lots in all, 0 for none."""
        self.leave()
        self._state(price, lots)

    def _state(self, price: int, lots: int) -> None:
        if not lots:
            self._stated.pop(price, None)
        else:
            if price not in self._stated:
                heappush(self.heap, -self.sign * price)
            self._stated[price] = lots

    def forget(self, price: int) -> None:
        """Of the volume at a price only the size is known from now on."""
        for number in self.queues.pop(price, ()):
            del self.orders[number]
            if (segment := self.segments.pop(number, None)) is not None:
                segment.number = OrderNumber(0)

    def tidy(self) -> None:
        """Keep the heap in proportion to what is stated."""
        if len(self.heap) > 2 * len(self._stated) + SPARSE:
            self._pile_up()

    def clear(self) -> None:
        """Forget everything."""
        self.course = None
        self._stated.clear()
        self.taken.clear()
        self.heap.clear()
        for price in list(self.queues):
            self.forget(price)
