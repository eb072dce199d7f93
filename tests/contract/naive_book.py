"""A book that is easy to believe: queues are lists, prices are sorted anew for every question.

The oracle of `exchange.core.book.Book` and of what `MarketFeed` does to it. An entry is [number, lots], of MARKET's
volume [None, lots].
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import Impact, QueueModel

Entry = list[int | None]
Meeting = tuple[int, int | None, int]
"""What a taker meets: price, number of the order (None: MARKET), lots."""


class NaiveBook:
    """Both sides by sign: +1 for bids, -1 for asks."""

    def __init__(self, model: QueueModel = QueueModel.PROPORTIONAL, impact: Impact = Impact.CONSUME) -> None:
        self.queues: dict[int, dict[int, list]] = {1: {}, -1: {}}
        self.stated: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.model = model
        self.impact = impact
        self.stale = False

    def rest(self, number: int, sign: int, price: int, lots: int) -> None:
        """An order joins the queue at its price."""
        self.queues[sign].setdefault(price, []).append([number, lots])

    def cancel(self, number: int) -> None:
        """An order leaves."""
        for sign, price, entry in self.orders():
            if entry[0] == number:
                self._lose(sign, price, entry, entry[1])

    def take(self, sign: int, lots: int, limit: int | None = None) -> list[Meeting]:
        """A taker meets the orders and the volume on a side, within the limit, and takes what it can."""
        met, borrowed = [], []
        while lots and (front := next(self.walk(sign, limit), None)):
            price, number, size = front
            part = min(size, lots)
            entry = next(e for e in self.queues[sign][price] if e[0] == number)
            self._lose(sign, price, entry, part)
            met.append((price, number, part))
            lots -= part
            if number is None:
                borrowed.append((price, part))
        if self.impact is Impact.NONE:
            for price, part in borrowed:
                self.queues[sign].setdefault(price, []).insert(0, [None, part])
                self._tidy(sign, price)
        return met

    def state(self, sign: int, price: int, lots: int) -> None:
        """History says how much MARKET has at a price."""
        self.stated[sign][price] = lots
        queue = self.queues[sign].setdefault(price, [])
        change = lots - self.volume(sign, price)
        if change > 0 and queue and queue[-1][0] is None:
            queue[-1][1] += change
        elif change > 0:
            queue.append([None, change])
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
        prices = [p for p in prices if any(number is not None for number, _ in self.queues[sign][p])]
        filled, left, gone = [], lots, lots
        for at in prices:
            for entry in list(self.queues[sign][at]):
                if entry[0] is not None:
                    part = min(left, entry[1])
                    filled.append((entry[0], part))
                    self._lose(sign, at, entry, part, tidy=False)
                    left -= part
                elif at == price:
                    left -= min(left, entry[1])
                    part = min(gone, entry[1])
                    gone -= part
                    self._lose(sign, at, entry, part, tidy=False)
            self._tidy(sign, at)
        return [(number, part) for number, part in filled if part]

    def walk(self, sign: int, limit: int | None = None) -> Iterator[Meeting]:
        """All that a taker would meet, in order."""
        for price in sorted(self.queues[sign], key=lambda p: -sign * p):
            if limit is not None and price * sign < limit * sign:
                return
            for number, lots in self.queues[sign][price]:
                if number is not None or not self.stale:
                    yield price, number, lots

    def depth(self, sign: int) -> list[tuple[int, int]]:
        """Price and lots, best first."""
        total: dict[int, int] = {}
        for price, _, lots in self.walk(sign):
            total[price] = total.get(price, 0) + lots
        return list(total.items())

    def volume(self, sign: int, price: int) -> int:
        """MARKET's lots at a price."""
        return sum(lots for number, lots in self.queues[sign].get(price, []) if number is None)

    def orders(self) -> list[tuple[int, int, Entry]]:
        """Side, price and entry of every order."""
        return [
            (sign, price, entry)
            for sign, queues in self.queues.items()
            for price, queue in queues.items()
            for entry in queue
            if entry[0] is not None
        ]

    def _lose(self, sign: int, price: int, entry: Entry, lots: int, tidy: bool = True) -> None:
        entry[1] -= lots
        if tidy:
            self._tidy(sign, price)

    def _tidy(self, sign: int, price: int) -> None:
        """Empty entries go; without an order at the price MARKET's volume is one segment."""
        queue = [entry for entry in self.queues[sign][price] if entry[1]]
        if all(number is None for number, _ in queue):
            volume = sum(lots for _, lots in queue)
            queue = [[None, volume]] if volume else []
        self.queues[sign][price] = queue
        if not queue:
            del self.queues[sign][price]

    def _shrink(self, queue: list, lots: int) -> None:
        """MARKET's segments give up lots, from where the queue model says."""
        segments = [entry for entry in queue if entry[0] is None]
        if self.model is QueueModel.BEHIND:
            segments.reverse()
        rest = sum(size for _, size in segments)
        for entry in segments:
            share = lots * entry[1] // rest if self.model is QueueModel.PROPORTIONAL else lots
            part = min(share, entry[1])
            rest -= entry[1]
            entry[1] -= part
            lots -= part
