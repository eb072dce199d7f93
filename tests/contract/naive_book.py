"""A book that is easy to believe: queues are lists, prices are sorted anew for every question.

The oracle of `exchange.core.book.Book` and of what `MarketFeed` does to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from events.commands import Impact, QueueModel


@dataclass(eq=False)
class Entry:
    """What stands in a queue: lots of an order, of MARKET where it has no number. An iceberg hides more of them.

    name is that of MARKET's order, 0 where only the size is known.
    """

    number: int | None
    lots: int
    visible: int = 0
    hidden: int = 0
    name: int = 0

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
        self.known: dict[int, dict[int, list[int]]] = {1: {}, -1: {}}
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
                borrowed.append((price, part, entry.name))
        if self.impact is Impact.NONE:
            for price, part, name in sorted(borrowed, key=lambda taken: not taken[2]):
                self._give_back(sign, price, part, name)
        return met

    def _give_back(self, sign: int, price: int, lots: int, name: int) -> None:
        """What was taken from MARKET is there again: as the order's that it was, behind those before it, or ahead."""
        queue = self.queues[sign].setdefault(price, [])
        known = [order for order, (at, _) in self.known[sign].items() if at == price]
        same = next((e for e in queue if e.name == name and e.number is None), None)
        if same and (name or (known and same is queue[0])):
            same.lots += lots
        else:
            ahead = [e for e in queue if e.name and name and known.index(e.name) < known.index(name)]
            queue.insert(queue.index(ahead[-1]) + 1 if ahead else 0, Entry(None, lots, name=name))
        self._tidy(sign, price)

    def state(self, sign: int, price: int, lots: int) -> None:
        """History says how much MARKET has at a price."""
        self._forget(sign, price)
        self.stated[sign][price] = lots
        queue = self.queues[sign].setdefault(price, [])
        change = lots - self.volume(sign, price)
        if change > 0 and queue and queue[-1].number is None and not queue[-1].name:
            queue[-1].lots += change
        elif change > 0:
            queue.append(Entry(None, change))
        else:
            self._shrink(queue, -change, self.model)
        self._tidy(sign, price)

    def added(self, sign: int, name: int, price: int, lots: int) -> None:
        """An order of history joins."""
        if name in self.known[sign]:
            self.deleted(sign, name, price, lots)
        self.known[sign][name] = [price, lots]
        self.stated[sign][price] = self.stated[sign].get(price, 0) + lots
        self.queues[sign].setdefault(price, []).append(Entry(None, lots, name=name))
        self._tidy(sign, price)

    def changed(self, sign: int, name: int, price: int, lots: int) -> None:
        """An order of history has this price and these lots now."""
        at, had = self.known[sign].get(name, (price, 0))
        if lots <= had and (at == price or not lots):
            self.reduced(sign, name, price, had - lots)
        else:
            self.added(sign, name, price, lots)

    def reduced(self, sign: int, name: int, price: int, lots: int) -> None:
        """An order of history loses lots."""
        if name in self.known[sign]:
            self._less(sign, name, lots)
        else:
            self._less_unnamed(sign, price, lots, self.model)

    def deleted(self, sign: int, name: int, price: int, lots: int) -> None:
        """An order of history leaves."""
        self.reduced(sign, name, price, self.known[sign].get(name, (price, lots))[1])

    def leveled(self, sign: int, price: int, lots: int) -> None:
        """History says by size what MARKET has at a price: what is new there stands ahead."""
        if lots and not self.stated[sign].get(price):
            self.queues[sign].setdefault(price, []).insert(0, Entry(None, lots))
        self.state(sign, price, lots)

    def cleared(self) -> None:
        """History begins anew."""
        self.snapshot({}, {})

    def executed(self, sign: int, name: int, price: int, lots: int) -> list[tuple[int, int]]:
        """A print that names the order of history that traded, 0 for one that was not displayed."""
        filled = self.printed(sign, price, lots, gone=0)
        if name in self.known[sign]:
            self._less(sign, name, lots)
        elif name:
            self._less_unnamed(sign, price, lots, QueueModel.AHEAD)
        return filled

    def _less(self, sign: int, name: int, lots: int) -> None:
        price, had = self.known[sign][name]
        gone = min(lots, had)
        for entry in self.queues[sign].get(price, []):
            if entry.name == name:
                entry.lots = min(entry.lots, had - gone)
        if gone == had:
            del self.known[sign][name]
        else:
            self.known[sign][name][1] -= gone
        self.stated[sign][price] -= gone
        self._tidy(sign, price)

    def _less_unnamed(self, sign: int, price: int, lots: int, model: QueueModel) -> None:
        there = self.stated[sign].get(price, 0) - sum(lots for at, lots in self.known[sign].values() if at == price)
        gone = min(lots, there)
        if not gone:
            return
        queue = self.queues[sign].get(price, [])
        standing = sum(entry.lots for entry in queue if entry.number is None and not entry.name)
        self._shrink(queue, max(0, standing - there + gone), model)
        self.stated[sign][price] -= gone
        self._tidy(sign, price)

    def _forget(self, sign: int, price: int) -> None:
        self.known[sign] = {name: order for name, order in self.known[sign].items() if order[0] != price}
        for entry in self.queues[sign].get(price, []):
            entry.name = 0

    def snapshot(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        """History states the whole book."""
        for sign, levels in ((1, bids), (-1, asks)):
            for price in {*self.queues[sign], *self.stated[sign], *levels}:
                self.state(sign, price, levels.get(price, 0))

    def printed(self, sign: int, price: int, lots: int, gone: int | None = None) -> list[tuple[int, int]]:
        """A print on a side: (number, lots) of the orders that it fills. `gone` of MARKET's lots go, else as many."""
        prices = [p for p in sorted(self.queues[sign], key=lambda p: -sign * p) if (p - price) * sign >= 0]
        prices = [p for p in prices if any(entry.number is not None for entry in self.queues[sign][p])]
        filled, left, gone = [], lots, lots if gone is None else gone
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
                    part = 0 if entry.name else min(gone, entry.lots)
                    gone -= part
                    entry.lots -= part
            self._tidy(sign, at)
        return [(number, part) for number, part in filled if part]

    def walk(self, sign: int, limit: int | None = None) -> Iterator[Meeting]:
        """All that a taker would meet, in order."""
        for price in sorted(self.queues[sign], key=lambda p: -sign * p):
            if limit is not None and price * sign < limit * sign:
                return
            queue = self.queues[sign][price]
            turn = [Entry(e.number, e.lots, e.visible, e.hidden) for e in queue]
            if all(entry.number is None for entry in queue):
                turn = [Entry(None, self.volume(sign, price))]
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
        """Empty entries go; without an order at the price the front of MARKET's volume is what was taken."""
        queue = [entry for entry in self.queues[sign].get(price, []) if entry.lots]
        if all(entry.number is None for entry in queue):
            queue = self._lined_up(sign, price, self.stated[sign].get(price, 0) - sum(entry.lots for entry in queue))
        self.queues[sign][price] = queue
        if not queue:
            del self.queues[sign][price]

    def _lined_up(self, sign: int, price: int, taken: int) -> list[Entry]:
        """MARKET's volume at a price, order by order, without the front of it that was taken."""
        known = {name: lots for name, (at, lots) in self.known[sign].items() if at == price}
        queue = []
        for name, lots in {0: self.stated[sign].get(price, 0) - sum(known.values()), **known}.items():
            part = min(taken, lots)
            taken -= part
            queue.append(Entry(None, lots - part, name=name))
        return [entry for entry in queue if entry.lots]

    def _shrink(self, queue: list[Entry], lots: int, model: QueueModel) -> None:
        """MARKET's segments of known size give up lots, from where the queue model says."""
        segments = [entry for entry in queue if entry.number is None and not entry.name]
        if model is QueueModel.BEHIND:
            segments.reverse()
        rest = sum(entry.lots for entry in segments)
        for entry in segments:
            share = lots * entry.lots // rest if model is QueueModel.PROPORTIONAL else lots
            part = min(share, entry.lots)
            rest -= entry.lots
            entry.lots -= part
            lots -= part
