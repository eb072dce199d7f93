"""The order book: traders' orders in price-time queues, with history's volume standing among them.

Prices where no trader rests are kept as plain numbers (`History`); where one does, a `Level` holds one queue of orders
and of MARKET's segments, so that every order knows the volume ahead of it. `front` finds what a taker meets next: the
only walk that there is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import merge
from itertools import groupby, islice
from typing import Any

import msgspec
from sortedcontainers import SortedDict

from events.commands import MARKET, AccountId, ClientId, Impact, OrderNumber, SessionOptions, TimeInForce, TradeFills
from events.instructions import SelfTrade
from events.instruments import InstrumentId
from exchange.core.history import SPARSE, History
from exchange.core.iceberg import parts_behind, show
from exchange.core.segments import line_up, refill


class Order(msgspec.Struct):
    """An entry of a queue: what is open of an order, or a segment of MARKET's volume (account MARKET, number that of an
    order of history, 0 where it is known by size only).

    sign is +1 for a buy; rests says that a trader's order stands in the book; notional and extra are the grains that
    one open lot adds to the order sums of its holder, the position that its fills change; client is its owner's name
    for it. lots are open of its whole size, total; amendments says how often it was amended, which may let it take;
    until is when it expires, ns, 0 where it does not. visible are the lots that it shows at a time, 0 for all; shown
    are those of them that stand in the queue, 0 where it shows all or does not rest.
    """

    account: AccountId
    number: OrderNumber
    instrument: InstrumentId
    sign: int
    price: int
    lots: int
    reduce_only: bool = False
    notional: int = 0
    extra: int = 0
    rests: bool = False
    holder: Any = None
    client: ClientId = ClientId("")
    time_in_force: TimeInForce = TimeInForce.GTC
    total: int = 0
    amendments: int = 0
    self_trade: SelfTrade = SelfTrade.NONE
    until: int = 0
    visible: int = 0
    shown: int = 0

    @property
    def executed(self) -> int:
        """The lots of its size that it traded."""
        return self.total - self.lots


class Level:
    """The queue at one price: live and dead entries (0 lots), the number of traders' orders, MARKET's volume."""

    __slots__ = ("dead", "market", "orders", "queue")

    def __init__(self) -> None:
        self.queue: deque[Order] = deque()
        self.orders = 0
        self.market = 0
        self.dead = 0

    def first(self) -> Order:
        """The live entry at the head of the queue."""
        queue = self.queue
        while not queue[0].lots:
            queue.popleft()
            self.dead -= 1
        return queue[0]

    def first_of_traders(self) -> Order:
        """The first live entry that is not MARKET's."""
        return next(self.of_traders())

    def of_traders(self) -> Iterator[Order]:
        """The live entries that are not MARKET's, the first one first."""
        return (entry for entry in self.queue if entry.lots and entry.account != MARKET)

    def buried(self) -> None:
        """An entry has just died in the queue: keep the dead fewer than the living."""
        self.dead += 1
        if self.dead > SPARSE and self.dead * 2 > len(self.queue):
            self.queue = deque(entry for entry in self.queue if entry.lots)
            self.dead = 0

    def add_market(self, price: int, sign: int, lots: int) -> None:
        """MARKET's volume grows at the back of the queue; how long the dead are kept must make no difference."""
        queue = self.queue
        while queue and not queue[-1].lots:
            queue.pop()
            self.dead -= 1
        if queue and queue[-1].account == MARKET and not queue[-1].number:
            queue[-1].lots += lots
            self.market += lots
        else:
            self.append_market(price, sign, lots)

    def of_market(self) -> Iterator[Order]:
        """The live segments of MARKET's, the first one first."""
        return (entry for entry in self.queue if entry.lots and entry.account == MARKET)

    def append_market(self, price: int, sign: int, lots: int, number: int = 0) -> Order:
        """A segment of MARKET's of its own joins at the back of the queue."""
        self.market += lots
        segment = Order(MARKET, OrderNumber(number), InstrumentId(""), sign, price, lots)
        self.queue.append(segment)
        return segment

    def prepend_market(self, price: int, sign: int, lots: int, number: int = 0) -> Order:
        """A segment of MARKET's of its own is put ahead of the queue."""
        self.market += lots
        segment = Order(MARKET, OrderNumber(number), InstrumentId(""), sign, price, lots)
        self.queue.appendleft(segment)
        return segment

    def shrink(self, entry: Order, lots: int) -> None:
        """A segment of MARKET's loses lots."""
        entry.lots -= lots
        self.market -= lots
        if not entry.lots:
            self.buried()

    def check(self) -> None:
        """Assert that the counts are those of the queue."""
        live = [entry for entry in self.queue if entry.lots]
        assert all(entry.lots > 0 for entry in live)
        assert all(0 <= entry.shown <= min(entry.visible, entry.lots) for entry in live)
        assert all(bool(entry.shown) == bool(entry.visible) for entry in live)
        assert self.orders == sum(entry.account != MARKET for entry in live) > 0
        assert self.market == sum(entry.lots for entry in live if entry.account == MARKET)
        assert self.dead == len(self.queue) - len(live)


class BookSide:
    """One side: levels with traders' orders by price, the best of them, and history."""

    __slots__ = ("best", "history", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: SortedDict[int, Level] = SortedDict()
        self.best: int | None = None
        self.history = History(sign)

    def rest(self, order: Order) -> None:
        """The order joins the queue at its price, behind what history has there."""
        price = order.price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            if price in self.history.queues:
                line_up(self, level, price)
            elif volume := self.available(price):
                level.add_market(price, self.sign, volume)
            self.history.taken.pop(price, None)
            if self.best is None or price * self.sign > self.best * self.sign:
                self.best = price
        level.queue.append(order)
        level.orders += 1
        if order.visible:
            show(order)

    def leave(self, order: Order) -> None:
        """The order, whose lots are 0 by now, is no longer in the book."""
        level = self.levels[order.price]
        level.orders -= 1
        if level.orders:
            level.buried()
        else:
            self._drop(order.price, level)

    def _drop(self, price: int, level: Level) -> None:
        del self.levels[price]
        history = self.history
        if missing := history.lots(price) - level.market:
            history.taken[price] = missing
        if history.segments:
            for number in history.queues.get(price, ()):
                history.segments.pop(number, None)
        if price == self.best:
            self.best = self.levels.keys()[-1 if self.sign > 0 else 0] if self.levels else None

    def available(self, price: int) -> int:
        """MARKET's lots at a price without traders' orders, less what was taken."""
        return self.history.lots(price) - self.history.taken.get(price, 0)

    def market_best(self) -> int | None:
        """The best price at which MARKET still has volume to take."""
        history = self.history
        if not history.heap and history.course is None:
            return None
        price = history.best()
        if price is None or (price not in self.levels and price not in history.taken) or self._volume(price) > 0:
            return price
        return next((price for price in history.prices() if self._volume(price) > 0), None)

    def best_prices(self, most: int, stale: bool) -> list[int]:
        """So many of the best prices, best first, at which traders' orders stand or MARKET has volume to take."""
        levels = self.levels
        return list(islice((p for p in self.prices(stale) if p in levels or self.available(p) > 0), most))

    def prices(self, stale: bool) -> Iterator[int]:
        """The prices at which traders' orders stand or, where it counts, history states volume: best first, no more of
        them put in order than are asked for. Nothing may change in between.
        """
        stated = () if stale else self.history.prices()
        return (price for price, _ in groupby(merge(self.own_prices(), stated, reverse=self.sign > 0)))

    def own_prices(self) -> Iterator[int]:
        """The prices at which traders' orders stand, best first."""
        return reversed(self.levels) if self.sign > 0 else iter(self.levels)

    def _volume(self, price: int) -> int:
        level = self.levels.get(price)
        return self.available(price) if level is None else level.market

    def take_market(self, price: int, lots: int) -> None:
        """A trader took lots of MARKET's volume at the price, the front of its queue."""
        level = self.levels.get(price)
        if level is None:
            taken = self.history.taken
            taken[price] = taken.get(price, 0) + lots
        else:
            while lots:
                entry = next(e for e in level.queue if e.lots and e.account == MARKET)
                part = min(entry.lots, lots)
                level.shrink(entry, part)
                lots -= part

    def check(self) -> None:
        """Assert that levels, best and history agree."""
        for price, level in self.levels.items():
            level.check()
            assert level.market <= self.history.stated.get(price, 0)
            assert all(e.price == price and e.sign == self.sign for e in level.queue)
        prices = list(self.levels)
        assert self.best == ((prices[-1] if self.sign > 0 else prices[0]) if prices else None)
        assert all(lots > 0 for lots in self.history.stated.values())
        self._check_orders()
        assert {-self.sign * price for price in self.history.stated} <= set(self.history.heap)
        for price, lots in self.history.taken.items():
            assert 0 < lots <= self.history.stated[price]
            assert price not in self.levels

    def _check_orders(self) -> None:
        """Assert that history's orders, where they are known, are those of its levels, and the segments theirs."""
        history = self.history
        for price, queue in history.queues.items():
            assert queue
            assert all(lots > 0 for lots in queue.values())
            assert sum(queue.values()) <= history.stated[price]
            assert all(history.orders[number] == price for number in queue)
        assert len(history.orders) == sum(map(len, history.queues.values()))
        live = {e.number: e for level in self.levels.values() for e in level.of_market() if e.number}
        assert live == {number: entry for number, entry in history.segments.items() if entry.lots}
        assert all(entry.lots <= history.queues[entry.price][number] for number, entry in live.items())


class Book:
    """Both sides. `stale` means that history's volume cannot be traded with, `shut` that it meets no order, `by_trades`
    that history has no book so far: what it states is made up of its last trade.
    """

    __slots__ = ("asks", "bids", "borrowed", "by_trades", "keeps_impact", "shut", "stale")

    def __init__(self, options: SessionOptions) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)
        self.stale = True
        self.shut = False
        self.by_trades = options.trade_fills is not TradeFills.BOOK
        self.keeps_impact = options.impact is Impact.CONSUME
        self.borrowed: list[tuple[BookSide, int, int]] = []

    def front(self, side: BookSide, limit: int | None) -> tuple[int, Order | None, int] | None:
        """What a taker meets next on `side`: price, the order (None: MARKET), the lots that it shows. None past the
        limit.
        """
        sign, price = side.sign, side.best
        if (
            not self.stale
            and (market := side.market_best()) is not None
            and (price is None or market * sign > price * sign)
        ):
            if limit is not None and market * sign < limit * sign:
                return None
            return market, None, side.available(market)
        if price is None or (limit is not None and price * sign < limit * sign):
            return None
        level = side.levels[price]
        entry = level.first_of_traders() if level.market and self.stale else level.first()
        return price, None if entry.account == MARKET else entry, entry.shown or entry.lots

    def walk(self, side: BookSide, limit: int | None) -> Iterator[tuple[int, Order | None, int]]:
        """All that a taker would meet on `side` within the limit, as `front` gives it one after the other; nothing may
        change in between.
        """
        sign, levels = side.sign, side.levels
        for price in side.prices(self.stale):
            if limit is not None and price * sign < limit * sign:
                return
            if (level := levels.get(price)) is None:
                if lots := side.available(price):
                    yield price, None, lots
                continue
            for entry in level.queue:
                if entry.account != MARKET:
                    if entry.lots:
                        yield price, entry, entry.shown or entry.lots
                elif entry.lots and not self.stale:
                    yield price, None, entry.lots
            for order, lots in parts_behind((e, e.lots - e.shown) for e in level.queue if e.shown):
                yield price, order, lots

    def best_price(self, side: BookSide) -> int | None:
        """The best price that a taker could meet on `side`."""
        own, market = side.best, None if self.stale else side.market_best()
        if own is None or market is None:
            return own if market is None else market
        return own if own * side.sign > market * side.sign else market

    def fill(self, order: Order, lots: int) -> None:
        """The resting order loses lots to a trade; at 0 it leaves."""
        order.lots -= lots
        if not order.lots:
            (self.bids if order.sign > 0 else self.asks).leave(order)

    def take_market(self, side: BookSide, price: int, lots: int) -> None:
        """A trader takes MARKET's lots; where impact is not kept, they come back when the batch ends."""
        side.take_market(price, lots)
        if not self.keeps_impact:
            self.borrowed.append((side, price, lots))

    def give_back(self) -> None:
        """End of a batch without impact: what was taken from MARKET is there again, ahead of the queue."""
        for side, price, lots in self.borrowed:
            level, taken = side.levels.get(price), side.history.taken
            if level is not None and price in side.history.queues:
                refill(side, level, price, lots)
            elif level is not None:
                level.prepend_market(price, side.sign, lots)
            elif price in taken:
                taken[price] -= lots
                if taken[price] <= 0:
                    del taken[price]
        self.borrowed.clear()

    def depth(self, side: BookSide, levels: int) -> list[tuple[int, int]]:
        """The best prices with the lots that traders show and MARKET's together, for people to look at: not for the hot
        path.
        """
        prices = {} if self.stale else {p: side.available(p) for p in side.history.stated if p not in side.levels}
        for price in side.levels:
            prices[price] = self.shown_at(side, price)
        best_first = sorted(prices.items(), reverse=side.sign > 0)
        return list(islice((item for item in best_first if item[1] > 0), levels))

    def shown_at(self, side: BookSide, price: int) -> int:
        """The lots that traders show and MARKET's together at one price, 0 where there are none."""
        level: Level | None = side.levels.get(price)
        if level is None:
            return 0 if self.stale else side.available(price)
        shown: int = sum(entry.lots and (entry.shown or entry.lots) for entry in level.queue)
        return shown - (level.market if self.stale else 0)

    @property
    def crosses(self) -> bool:
        """Whether a trader's bid is at or above a trader's ask."""
        bid, ask = self.bids.best, self.asks.best
        return bid is not None and ask is not None and bid >= ask

    def check(self, may_cross: bool = False) -> None:
        """Assert that both sides hold together and that no two traders' prices cross, unless they may."""
        self.bids.check()
        self.asks.check()
        assert may_cross or not self.crosses
