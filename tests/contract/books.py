"""The two books asked in the same words, side by side, and operations by chance that both have to answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from events.commands import AccountId, Impact, OrderNumber, QueueModel, SessionOptions, Side
from events.instruments import InstrumentId
from exchange.core import iceberg
from exchange.core.book import Book, BookSide, Order
from exchange.core.matching.market import MarketFeed
from exchange.core.triggers.index import PriceIndex
from tests.contract.naive_book import Meeting, NaiveBook
from tests.spec import tape as rows
from tests.spec.tape import diff, printed, snapshot, tape
from tests.spec.words import BUY, SELL

BID, ASK = 1, -1


class FastBook:
    """The book of the core, and the feed that history comes in by, asked as the naive book is."""

    def __init__(self, model: QueueModel = QueueModel.PROPORTIONAL, impact: Impact = Impact.CONSUME) -> None:
        options = SessionOptions(queue_model=model, impact=impact)
        self.book = Book(options)
        self.feed = MarketFeed(self.book, options, lambda order: order.lots, PriceIndex({}))
        self.orders: dict[int, Order] = {}
        self.second = 0
        self.stale = False

    @property
    def stale(self) -> bool:
        return self.book.stale

    @stale.setter
    def stale(self, stale: bool) -> None:
        self.book.stale = stale

    def side(self, sign: int) -> BookSide:
        return self.book.bids if sign > 0 else self.book.asks

    def rest(self, number: int, sign: int, price: int, lots: int, visible: int = 0) -> None:
        order = Order(AccountId("ann"), OrderNumber(number), InstrumentId("GOLD"), sign, price, lots, visible=visible)
        self.orders[number] = order
        self.side(sign).rest(order)

    def cancel(self, number: int) -> None:
        self.book.fill(self.orders[number], self.orders[number].lots)

    def fill(self, number: int, lots: int) -> None:
        """A trade of a resting order, whoever stands before it."""
        self._fill(self.orders[number], lots)

    def take(self, sign: int, lots: int, limit: int | None = None) -> list[Meeting]:
        side, met = self.side(sign), []
        while lots and (front := self.book.front(side, limit)):
            price, order, size = front
            part = min(size, lots)
            if order is None:
                self.book.take_market(side, price, part)
            else:
                self._fill(order, part)
            met.append((price, None if order is None else order.number, part))
            lots -= part
        self.book.give_back()
        return met

    def state(self, sign: int, price: int, lots: int) -> None:
        bids, asks = ({price: lots}, {}) if sign > 0 else ({}, {price: lots})
        self._advance(diff(bids, asks, previous=0, at=self.second))

    def snapshot(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        self._advance(snapshot(bids, asks, at=self.second))

    def added(self, sign: int, name: int, price: int, lots: int) -> None:
        self._advance(rows.event(rows.added(_word(sign), name, price, lots), at=self.second))

    def changed(self, sign: int, name: int, price: int, lots: int) -> None:
        self._advance(rows.event(rows.changed(_word(sign), name, price, lots), at=self.second))

    def reduced(self, sign: int, name: int, price: int, lots: int) -> None:
        self._advance(rows.event(rows.reduced(_word(sign), name, price, lots), at=self.second))

    def deleted(self, sign: int, name: int, price: int, lots: int) -> None:
        self._advance(rows.event(rows.deleted(_word(sign), name, price, lots), at=self.second))

    def leveled(self, sign: int, price: int, lots: int) -> None:
        self._advance(rows.event(rows.leveled(_word(sign), price, lots), at=self.second))

    def cleared(self) -> None:
        self._advance(rows.event(rows.cleared(), at=self.second))

    def executed(self, sign: int, name: int, price: int, lots: int) -> list[tuple[int, int]]:
        return self._printed(printed(_word(-sign), price, lots, at=self.second, order=name))

    def printed(self, sign: int, price: int, lots: int) -> list[tuple[int, int]]:
        return self._printed(printed(_word(-sign), price, lots, at=self.second))

    def _printed(self, row: rows.Row) -> list[tuple[int, int]]:
        self._advance(row)
        fills = [(fill.order.number, fill.lots) for fill in self.feed.fills]
        for fill in self.feed.fills:
            self._fill(fill.order, fill.lots)
        return fills

    def _fill(self, order: Order, lots: int) -> None:
        """As a trade does it."""
        self.book.fill(order, lots)
        if order.shown:
            iceberg.traded(self.side(order.sign), order, lots)

    def walk(self, sign: int, limit: int | None = None) -> Iterator[Meeting]:
        for price, order, lots in self.book.walk(self.side(sign), limit):
            yield price, None if order is None else order.number, lots

    def depth(self, sign: int) -> list[tuple[int, int]]:
        return self.book.depth(self.side(sign), 1000)

    def _advance(self, row: object) -> None:
        """One row of history; whether the book is stale is none of its business here."""
        self.second += 1
        stale = self.stale
        self.feed.advance(tape(row), 0, 0)  # type: ignore[arg-type]
        self.stale = stale


def _word(sign: int) -> Side:
    return BUY if sign > 0 else SELL


AnyBook = FastBook | NaiveBook


class Pair:
    """The two books side by side."""

    def __init__(self, model: QueueModel, impact: Impact) -> None:
        self.fast = FastBook(model, impact)
        self.naive = NaiveBook(model, impact)
        self.numbers = 0

    def agree(self) -> None:
        self.fast.book.check()
        for sign in (BID, ASK):
            side = self.fast.side(sign)
            known = {name: [price, lots] for price, q in side.history.queues.items() for name, lots in q.items()}
            assert known == self.naive.known[sign]
            assert side.history.stated == {price: lots for price, lots in self.naive.stated[sign].items() if lots}
            walk = list(self.naive.walk(sign))
            assert list(self.fast.walk(sign)) == walk
            assert self.fast.depth(sign) == self.naive.depth(sign)
            assert self.fast.book.depth(side, 2) == self.naive.depth(sign)[:2]
            assert self.fast.book.best_price(side) == (walk[0][0] if walk else None)
            for limit in (None, 98, 100, 102):
                within = list(self.naive.walk(sign, limit))
                assert list(self.fast.walk(sign, limit)) == within
                met = within[0] if within else None
                front = self.fast.book.front(side, limit)
                assert (front and (front[0], front[1] and front[1].number, front[2])) == met

    def do(self, operation: tuple[str, int, int, int]) -> None:
        """(what, side, price, lots); prices and lots mean to each operation what it needs."""
        what, sign, price, lots = operation
        if what in ("rest", "iceberg"):
            self._rest(sign, price, lots if what == "rest" else 3 * lots + 1, visible=lots if what == "iceberg" else 0)
        elif what == "cancel":
            orders = self.naive.orders()
            if orders:
                number = orders[(price + lots) % len(orders)][2].number
                self.both("cancel", number)
        elif what == "stale":
            self.fast.stale = self.naive.stale = lots % 2 == 0
        elif what == "snapshot":
            bids = {price - n: lots for n in range(3)}
            self.both("snapshot", bids, {p + 4: n for p, n in bids.items()})
        elif what == "state":
            self.both("state", sign, price, lots - 1)
        elif what == "take":
            self.both("take", sign, 2 * lots, price)
        elif what in ("added", "changed", "reduced", "deleted"):
            self.both(what, sign, self._name(sign, price + lots), price, lots)
        elif what == "executed":
            if not self.naive.stale:
                self._execute(sign, price, lots)
        elif what == "leveled":
            self.both("leveled", sign, price, lots - 1)
        elif what == "cleared":
            self.both("cleared")
        elif not self.naive.stale:
            self.both("printed", sign, price, lots)

    def _name(self, sign: int, n: int) -> int:
        """An order of history: mostly one that is known, at times a new one, or one that nobody heard of."""
        known = list(self.naive.known[sign])
        return known[n // 3 % len(known)] if known and n % 3 else n

    def _execute(self, sign: int, price: int, lots: int) -> None:
        """Most prints name an order, at its price, some one that is not displayed."""
        name = self._name(sign, price + lots) if lots > 2 else 0
        self.both("executed", sign, name, self.naive.known[sign].get(name, (price, 0))[0], lots)

    def _rest(self, sign: int, price: int, lots: int, visible: int) -> None:
        """As the exchange would: never through an order of the other side."""
        other = [at for side, at, _ in self.naive.orders() if side == -sign]
        if all(price * sign < at * sign for at in other):
            self.numbers += 1
            self.both("rest", self.numbers, sign, price, lots, visible)

    def both(self, what: str, *how: object) -> None:
        assert getattr(self.fast, what)(*how) == getattr(self.naive, what)(*how), (what, how)


KINDS = ("rest", "rest", "iceberg", "cancel", "take", "state", "state", "printed", "snapshot", "stale")
"""What is done by chance."""

BY_ORDER = (
    "rest", "rest", "iceberg", "cancel", "take", "added", "added", "added", "changed", "reduced", "deleted", "executed",
    "executed", "leveled", "state", "printed", "snapshot", "cleared", "stale",
)  # fmt: skip
"""What is done by chance where history tells its orders apart."""


def by_chance(seed: int, operations: int, every: int, kinds: tuple[str, ...] = KINDS) -> None:
    """So many operations on both books, which are compared as a whole after every so many of them, and at the end."""
    random = Random(seed)
    pair = Pair(list(QueueModel)[seed % 3], list(Impact)[seed // 3 % 2])
    for n in range(operations):
        kind = random.choice(kinds[:-2] * 8 + kinds[-2:])
        pair.do((kind, random.choice((BID, ASK)), random.randint(95, 105), random.randint(1, 9)))
        if n % every == 0:
            pair.agree()
    pair.agree()
