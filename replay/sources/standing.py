"""The orders of a venue that stand in its book, as far as a file tells: what may cross them, and what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sortedcontainers import SortedDict

from events.observations import Action
from replay.sources.order_events import Change

BUY, SELL = 1, -1


@dataclass(slots=True)
class Order:
    """An order: ticks and lots; since: when it came, ns."""

    side: int
    price: int
    lots: int
    since: int = 0


class Standing:
    """Orders by id, and by side and price the lots that are known by size only."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.unnamed: dict[tuple[int, int], int] = {}
        self._prices: dict[int, SortedDict[int, int]] = {BUY: SortedDict(), SELL: SortedDict()}

    def clear(self) -> Change:
        """The book begins anew."""
        self.orders.clear()
        self.unnamed.clear()
        for prices in self._prices.values():
            prices.clear()
        return Change(Action.CLEAR, 0, 0, 0, 0)

    def crosses(self, order: Order) -> bool:
        """Whether an order would trade at once with what stands on the other side; one without a price would."""
        prices = self._prices[-order.side]
        if not order.price or not prices:
            return not order.price
        best: int = prices.keys()[0 if order.side == BUY else -1]
        return order.side * order.price >= order.side * best

    def add(self, number: int, order: Order) -> Change:
        """An order joins, or changes; with the number 0 it is volume known by size only."""
        was = self.orders.get(number)
        if was is not None:
            self._count(was, -1)
        if number:
            self.orders[number] = order
            self._count(order, 1)
        else:
            key = order.side, order.price
            self._count(order, key not in self.unnamed)
            self.unnamed[key] = self.unnamed.get(key, 0) + order.lots
        action = Action.ADD if was is None else Action.CHANGE
        return Change(action, number, order.side, order.price, order.lots)

    def drop(self, number: int) -> Iterator[Change]:
        """An order leaves; nothing is left to say of one that prints have used up."""
        order = self.orders.pop(number)
        self._count(order, -1)
        if order.lots:
            yield Change(Action.DELETE, number, order.side, order.price, 0)

    def take_unnamed(self, side: int, price: int, lots: int) -> int:
        """What is known by size only at a price loses lots: how many it had to lose."""
        key = side, price
        there = self.unnamed.get(key, 0)
        gone = min(there, lots)
        if there and gone == there:
            del self.unnamed[key]
            self._count(Order(side, price, 0), -1)
        elif gone:
            self.unnamed[key] = there - gone
        return gone

    def _count(self, order: Order, more: int) -> None:
        prices = self._prices[order.side]
        left = prices.get(order.price, 0) + more
        if left:
            prices[order.price] = left
        else:
            del prices[order.price]
