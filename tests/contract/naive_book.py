"""A book that is easy to believe: queues are lists, prices are sorted anew for every question.

The oracle of `exchange.core.book.Book` and of what `MarketFeed` does to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from events.commands import Impact, QueueModel


@dataclass(eq=False)
class Entry:
    """What stands in a queue: lots of an order, of MARKET where it has no number. An iceberg hides more of them."""

    number: int | None
    lots: int
    visible: int = 0
    hidden: int = 0

    def show(self) -> None:
        """The next part is shown."""
        self.lots = min(self.visible, self.hidden)
        self.hidden -= self.lots


Meeting = tuple[int, int | None, int]
"""What a taker meets: price, number of the order (None: MARKET), lots."""


class NaiveBook:
    """Both sides by sign: +1 for bids, -1 for asks."""

    def __init__(self, model: QueueModel = QueueModel.PROPORTIONAL, impact: Impact = Impact.CONSUME) -> None:
        self.queues: dict[int, dict[int, list[Entry]]] = {1: {}, -1: {}}
        self.stated: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.model = model
        self.impact = impact
        self.stale = False

    def rest(self, number: int, sign: int, price: int, lots: int, visible: int = 0) -> None:
        """An order joins the queue at its price, with all of it or so much."""
        shown = min(visible or lots, lots)
        self.queues[sign].setdefault(price, []).append(Entry(number, shown, visible, lots - shown))

    def cancel(self, number: int) -> None:
        """An order leaves."""
        for sign, price, entry in self.orders():
            if entry.number == number:
                entry.hidden = 0
                self._lose(sign, price, entry, entry.lots)

    def take(self, sign: int, lots: int, limit: int | None = None) -> list[Meeting]:
        """A taker meets the orders and the volume on a side, within the limit, and takes what it can."""
        met, borrowed = [], []
        while lots and (front := next(self.walk(sign, limit), None)):
            price, number, size = front
            part = min(size, lots)
            entry = next(e for e in self.queues[sign][price] if e.number == number)
            self._lose(sign, price, entry, part)
            met.append((price, number, part))
            lots -= part
            if number is None:
                borrowed.append((price, part))
        if self.impact is Impact.NONE:
            for price, part in borrowed:
                self.queues[sign].setdefault(price, []).insert(0, Entry(None, part))
                self._tidy(sign, price)
        return met

    def state(self, sign: int, price: int, lots: int) -> None:
        """History says how much MARKET has at a price."""
        self.stated[sign][price] = lots
        queue = self.queues[sign].setdefault(price, [])
        change = lots - self.volume(sign, price)
        if change > 0 and queue and queue[-1].number is None:
            queue[-1].lots += change
        elif change > 0:
            queue.append(Entry(None, change))
        else:
            self._shrink(queue, -change)
        self._tidy(sign, price)

    def snapshot(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        """History states the whole book."""
        for sign, levels in ((1, bids), (-1, asks)):
            for price in {*self.queues[sign], *levels}:
                self.state(sign, price, levels.get(price, 0))

    def printed(self, sign: int, price: int, lots: int) -> list[tuple[int, int]]:
        """A print on a side: (number, lots) of the orders that it fills, which lose them."""
        prices = [p for p in sorted(self.queues[sign], key=lambda p: -sign * p) if (p - price) * sign >= 0]
        prices = [p for p in prices if any(entry.number is not None for entry in self.queues[sign][p])]
        filled, left, gone = [], lots, lots
        for at in prices:
            queue = self.queues[sign][at]
            turn = list(queue)
            while turn:
                entry = turn.pop(0)
                if entry.number is not None:
                    part = min(left, entry.lots)
                    filled.append((entry.number, part))
                    entry.lots -= part
                    left -= part
                    if not entry.lots and entry.hidden:
                        self._turn(queue, entry)
                        turn.append(entry)
                elif at == price:
                    left -= min(left, entry.lots)
                    part = min(gone, entry.lots)
                    gone -= part
                    entry.lots -= part
            self._tidy(sign, at)
        return [(number, part) for number, part in filled if part]

    def walk(self, sign: int, limit: int | None = None) -> Iterator[Meeting]:
        """All that a taker would meet, in order."""
        for price in sorted(self.queues[sign], key=lambda p: -sign * p):
            if limit is not None and price * sign < limit * sign:
                return
            turn = [Entry(e.number, e.lots, e.visible, e.hidden) for e in self.queues[sign][price]]
            while turn:
                entry = turn.pop(0)
                if entry.number is not None or not self.stale:
                    yield price, entry.number, entry.lots
                if entry.hidden:
                    entry.show()
                    turn.append(entry)

    def depth(self, sign: int) -> list[tuple[int, int]]:
        """Price and the lots that are shown, best first."""
        total: dict[int, int] = {}
        for price in dict.fromkeys(price for price, _, _ in self.walk(sign)):
            seen = (e for e in self.queues[sign][price] if e.number is not None or not self.stale)
            total[price] = sum(entry.lots for entry in seen)
        return list(total.items())

    def volume(self, sign: int, price: int) -> int:
        """MARKET's lots at a price."""
        return sum(entry.lots for entry in self.queues[sign].get(price, []) if entry.number is None)

    def orders(self) -> list[tuple[int, int, Entry]]:
        """Side, price and entry of every order."""
        return [
            (sign, price, entry)
            for sign, queues in self.queues.items()
            for price, queue in queues.items()
            for entry in queue
            if entry.number is not None
        ]

    def _lose(self, sign: int, price: int, entry: Entry, lots: int) -> None:
        entry.lots -= lots
        if not entry.lots and entry.hidden:
            self._turn(self.queues[sign][price], entry)
        self._tidy(sign, price)

    def _turn(self, queue: list[Entry], entry: Entry) -> None:
        """What an iceberg showed is used up: its next part goes to the back of the queue."""
        entry.show()
        queue.remove(entry)
        queue.append(entry)

    def _tidy(self, sign: int, price: int) -> None:
        """Empty entries go; without an order at the price MARKET's volume is one segment."""
        queue = [entry for entry in self.queues[sign][price] if entry.lots]
        if all(entry.number is None for entry in queue):
            volume = sum(entry.lots for entry in queue)
            queue = [Entry(None, volume)] if volume else []
        self.queues[sign][price] = queue
        if not queue:
            del self.queues[sign][price]

    def _shrink(self, queue: list[Entry], lots: int) -> None:
        """MARKET's segments give up lots, from where the queue model says."""
        segments = [entry for entry in queue if entry.number is None]
        if self.model is QueueModel.BEHIND:
            segments.reverse()
        rest = sum(entry.lots for entry in segments)
        for entry in segments:
            share = lots * entry.lots // rest if self.model is QueueModel.PROPORTIONAL else lots
            part = min(share, entry.lots)
            rest -= entry.lots
            entry.lots -= part
            lots -= part
