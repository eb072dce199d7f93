"""History's part in the market: how rows of observations change MARKET's book, and what they do to traders' orders.

`MarketFeed.advance` applies rows (for `apply`); `first_touch` says how far rows may go before one can touch a trader,
a mark or a timer (for the player and for `decide`); `crossing` finds traders' orders that history's prices run through.
Source of the rules: `docs/replay.md` and, for captures, the venue's procedure for a local order book.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappush
from typing import NamedTuple

from events.commands import MARKET, MarkSource, QueueModel, SessionOptions
from events.observations import Kind, Observations
from events.units import SECOND
from exchange.core.book import Book, BookSide, Level, Order
from exchange.core.history import SPARSE
from exchange.core.iceberg import parts_behind
from exchange.core.triggers.index import AheadOfPrices, PriceIndex

DIFF, SNAPSHOT, PRINT, TICKER, MARK, _ORDERS = (int(kind) for kind in Kind)

FRESH_AFTER = 3
"""So many equal comparisons in a row make a book fresh that no snapshot ever stated."""

TICKERS_KEPT = 16_384
"""So many book tickers wait for the diff of their id; older ones are forgotten."""

LATE_PRINT = 10 * SECOND
"""How long, in transaction time, a decrease waits for the print that explains it."""

UNSTATED = (0, 0, 0, 0, 0)


class Fill(NamedTuple):
    """A trader's order that a print reached, and for how many lots: 0 where it has nothing left to reduce."""

    order: Order
    lots: int


class MarketFeed:
    """What is known of history beside its two books: ids, tickers, counts, and what the last rows brought about.

    fills, funding_rate, marked and defects speak of the latest `advance` only: the traders' orders that a print
    reached; the rate by which a funding time that passed is paid; the mark of a mark row; what was wrong, as (row,
    what). last_price is that of history's last print, traded that of the last trade, be it history's or a trader's;
    lasts are the conditional orders that wait for it.
    """

    __slots__ = (
        "book", "credits", "crossed", "defects", "different", "equal", "fillable", "fills", "funding_rate", "gaps",
        "index", "last_id", "last_price", "lasts", "mark_source", "marked", "next_funding", "next_sample",
        "observations", "prints", "queue_model", "quote", "rate", "stated", "streak", "synced", "tickers",
        "traded", "volume",
    )  # fmt: skip

    def __init__(
        self, book: Book, options: SessionOptions, fillable: Callable[[Order], int], lasts: PriceIndex
    ) -> None:
        self.book = book
        self.lasts = lasts
        self.fillable = fillable
        self.mark_source = options.mark_source
        self.queue_model = options.queue_model
        self.last_id = 0
        self.synced = True
        self.stated = False
        self.streak = 0
        self.tickers: deque[tuple[int, int, int, int, int]] = deque(maxlen=TICKERS_KEPT)
        self.quote = UNSTATED
        self.credits: dict[int, list[list[int]]] = {}
        self.equal = 0
        self.different = 0
        self.prints = 0
        self.volume = 0
        self.observations = 0
        self.gaps = 0
        self.crossed = 0
        self.last_price = 0
        self.traded = 0
        self.index = 0
        self.rate = 0
        self.next_funding = 0
        self.next_sample = 0
        self._begin()

    def _begin(self) -> None:
        self.fills: list[Fill] = []
        self.funding_rate: int | None = None
        self.marked = 0
        self.defects: list[tuple[int, str]] = []

    def advance(self, columns: Observations, first: int, last: int) -> None:
        """Apply rows first to last (both included)."""
        self._begin()
        kinds, index, tickers = columns.kind, columns.index, self.tickers
        ids, bids, bid_lots = columns.ticker_id, columns.ticker_bid, columns.ticker_bid_lots
        asks, ask_lots = columns.ticker_ask, columns.ticker_ask_lots
        for row in range(first, last + 1):
            kind, i = kinds[row], index[row]
            if kind == TICKER:
                self.quote = (ids[i], bids[i], bid_lots[i], asks[i], ask_lots[i])
                tickers.append(self.quote)
            elif kind == DIFF:
                self._diff(columns, row, i)
            elif kind == PRINT:
                self._print(
                    columns.print_price[i], columns.print_lots[i], columns.print_side[i], columns.transacted[row]
                )
            elif kind == MARK:
                self._mark(columns, i)
            else:
                self._snapshot(columns, row, i)
        self.observations += last + 1 - first
        if last >= first and columns.at[last] >= self.next_sample:
            self.next_sample = (columns.at[last] // SECOND + 1) * SECOND
        self.book.bids.history.tidy()
        self.book.asks.history.tidy()

    def _diff(self, columns: Observations, row: int, i: int) -> None:
        last_id, previous = columns.last_id[i], columns.previous_id[i]
        if self._is_gap(columns.first_id[i], last_id, previous):
            self.gaps += 1
            self.defects.append((row, "gap in update ids"))
            self._turn_stale()
        self.last_id = last_id
        self.synced = True
        self._levels(columns, i, columns.transacted[row])
        self._judge(row, last_id)

    def _is_gap(self, first_id: int, last_id: int, previous: int) -> bool:
        """Whether ids are missing. The first diff after a snapshot has to contain the snapshot's id, not follow it."""
        if not self.last_id or not previous:
            return False
        if not self.synced:
            return not first_id <= self.last_id <= last_id and previous != self.last_id
        return previous != self.last_id

    def _snapshot(self, columns: Observations, row: int, i: int) -> None:
        for side in (self.book.bids, self.book.asks):
            side.history.clear()
        self.last_id = columns.last_id[i]
        self.synced = False
        self.stated = True
        self.streak = 0
        self.book.stale = False
        self._levels(columns, i, columns.transacted[row])
        for side in (self.book.bids, self.book.asks):
            for price, level in side.levels.items():
                self._restate(side, level, price, side.history.stated.get(price, 0), columns.transacted[row])
        self._judge(row, self.last_id)

    def _levels(self, columns: Observations, i: int, transacted: int) -> None:
        start, middle, end = columns.asks_end[i - 1] if i else 0, columns.bids_end[i], columns.asks_end[i]
        prices, lots = columns.level_price, columns.level_lots
        self._side(self.book.bids, prices[start:middle], lots[start:middle], transacted)
        self._side(self.book.asks, prices[middle:end], lots[middle:end], transacted)

    def _side(self, side: BookSide, prices: list[int], lots: list[int], transacted: int) -> None:
        history, levels = side.history, side.levels
        stated, heap, sign = history.stated, history.heap, history.sign
        for price, size in zip(prices, lots, strict=True):
            if not size:
                stated.pop(price, None)
            elif price in stated:
                stated[price] = size
            else:
                heappush(heap, -sign * price)
                stated[price] = size
        if history.taken:
            for price in prices:
                history.taken.pop(price, None)
        if levels:
            for price, size in zip(prices, lots, strict=True):
                if (level := levels.get(price)) is not None:
                    self._restate(side, level, price, size, transacted)

    def _restate(self, side: BookSide, level: Level, price: int, lots: int, transacted: int) -> None:
        """History says how much MARKET has at a price where traders' orders rest."""
        change = lots - level.market
        if change > 0:
            level.add_market(price, side.sign, change)
        elif change < 0:
            self._shrink(level, -change)
            waiting = [c for c in self.credits.get(price, ()) if c[0] >= transacted - LATE_PRINT]
            self.credits[price] = [*waiting, [transacted, -change]]
            if len(self.credits) > SPARSE:
                self._forget_credits(transacted - LATE_PRINT)

    def _shrink(self, level: Level, lots: int) -> None:
        """Volume left without a print: from where the queue model says."""
        segments = [entry for entry in level.queue if entry.lots and entry.account == MARKET]
        if self.queue_model is QueueModel.PROPORTIONAL:
            total = level.market
            for entry in segments:
                part = lots * entry.lots // total
                total, lots = total - entry.lots, lots - part
                if part:
                    level.shrink(entry, part)
            assert not lots
            return
        for entry in segments if self.queue_model is QueueModel.AHEAD else reversed(segments):
            part = min(lots, entry.lots)
            lots -= part
            if part:
                level.shrink(entry, part)

    def _judge(self, row: int, last_id: int) -> None:
        """After a whole diff: compare with the book ticker of the same id, and refuse a crossed book."""
        tickers = self.tickers
        while tickers and tickers[0][0] < last_id:
            tickers.popleft()
        bids, asks = self.book.bids.history, self.book.asks.history
        bid, ask = bids.best(), asks.best()
        if bid is None or ask is None:
            return
        if bid >= ask:
            self.crossed += 1
            self.defects.append((row, "crossed book"))
            self._turn_stale()
        if tickers and tickers[0][0] == last_id:
            self._compare(tickers.popleft() == (last_id, bid, bids.stated[bid], ask, asks.stated[ask]))

    def _compare(self, equal: bool) -> None:
        self.equal += equal
        self.different += not equal
        self.streak = self.streak + 1 if equal else 0
        if self.streak >= FRESH_AFTER and not self.stated:
            self.book.stale = False

    def _turn_stale(self) -> None:
        self.book.stale = True
        self.streak = 0

    def _mark(self, columns: Observations, i: int) -> None:
        self.marked = columns.mark[i]
        self.index = columns.mark_index[i] or self.index
        following = columns.mark_next_funding[i]
        if self.next_funding and following > self.next_funding:
            self.funding_rate = self.rate
        self.next_funding = following or self.next_funding
        self.rate = columns.mark_rate[i]

    def _print(self, price: int, lots: int, side: int, transacted: int) -> None:
        self.prints += 1
        self.volume += lots
        self.last_price = self.traded = price
        if not self.lasts.low < price < self.lasts.high:
            self.lasts.move(price)
        hit = self.book.asks if side > 0 else self.book.bids
        if hit.best is None or self.book.stale or self.book.shut or hit.best * hit.sign < price * hit.sign:
            return
        left = lots
        for level_price in hit.own_prices():
            level = hit.levels[level_price]
            if level_price * hit.sign > price * hit.sign:
                left = self._reach(level, left)
                continue
            if level_price == price:
                explained = self._explained(price, lots, transacted)
                self._walk(level, max(0, left - explained), lots - explained)
            break

    def _reach(self, level: Level, lots: int) -> int:
        """A print at a worse price fills the traders' orders of a better level; what is left of it."""
        for entry in level.queue:
            if lots and entry.lots and entry.account != MARKET:
                lots -= self._hit(entry, lots)
        return self._hit_hidden(level, lots)

    def _hit(self, order: Order, lots: int) -> int:
        """A print of so many lots fills what an order shows."""
        most = self.fillable(order)
        part = min(lots, most, order.shown or most)
        self.fills.append(Fill(order, part))
        return part

    def _hit_hidden(self, level: Level, lots: int) -> int:
        """What is left of a print fills what icebergs show next, behind all that stood there; what is left of it."""
        icebergs = [entry for entry in level.queue if entry.lots and entry.shown]
        for order, part in parts_behind((order, self.fillable(order) - order.shown) for order in icebergs):
            if lots:
                self.fills.append(Fill(order, min(lots, part)))
                lots -= min(lots, part)
        return lots

    def _walk(self, level: Level, lots: int, gone: int) -> None:
        """A print walks the queue at its own price. `gone` of MARKET's lots went with it in history: those whose place
        a trader took go too, first come first.
        """
        for entry in list(level.queue):
            if entry.account == MARKET:
                lots -= min(lots, entry.lots)
                part = min(gone, entry.lots)
                gone -= part
                if part:
                    level.shrink(entry, part)
            elif lots and entry.lots:
                lots -= self._hit(entry, lots)
        self._hit_hidden(level, lots)

    def _explained(self, price: int, lots: int, transacted: int) -> int:
        """How much of a print is the explanation, come late, of a decrease that was already taken from the queue."""
        used = 0
        for credit in self.credits.get(price, ()):
            if credit[0] >= transacted:
                part = min(credit[1], lots - used)
                credit[1] -= part
                used += part
        left = [credit for credit in self.credits.pop(price, ()) if credit[1] and credit[0] >= transacted]
        if left:
            self.credits[price] = left
        return used

    def _forget_credits(self, before: int) -> None:
        """Drop the prices at which no decrease is young enough to wait for a print."""
        self.credits = {price: waiting for price, waiting in self.credits.items() if waiting[-1][0] >= before}

    def sampled_mark(self) -> int | None:
        """The mark in ticks x 2 that the session's own rule gives now, or None: mid of history's best, or the last
        print.
        """
        if self.mark_source is MarkSource.LAST:
            return 2 * self.last_price or None
        bid, ask = self.book.bids.history.best(), self.book.asks.history.best()
        return None if bid is None or ask is None or bid >= ask else bid + ask


def crossing(book: Book) -> Iterator[tuple[Order, int, int]]:
    """The traders' orders that history's prices run through: (order, lots, MARKET's price), one trade at a time.

    The caller applies each trade before it asks for the next.
    """
    for own, other in ((book.asks, book.bids), (book.bids, book.asks)):
        while own.best is not None and not (book.stale or book.shut):
            price = other.market_best()
            if price is None or price * other.sign < own.best * other.sign:
                break
            level = other.levels.get(price)
            volume = other.available(price) if level is None else level.market
            order = own.levels[own.best].first_of_traders()
            yield order, min(order.lots, volume), price


def first_touch(feed: MarketFeed, columns: Observations, first: int, last: int) -> int:
    """The first row from `first` on that can touch a trader's order, a mark or a timer; `last` where none can before
    it.
    """
    last = _find(columns.kind, MARK, first, last)
    if feed.mark_source is not MarkSource.DATA:
        last = min(last, bisect_left(columns.at, feed.next_sample, first, last))
    if not feed.lasts.is_empty:
        last = _first_reached(feed.lasts.ahead(), columns, first, last)
    bid, ask = feed.book.bids.best, feed.book.asks.best
    if (bid is None and ask is None) or feed.book.shut:
        return last
    if next(crossing(feed.book), None) is not None:
        return first
    for row in range(first, last):
        kind = columns.kind[row]
        if kind != TICKER and _can_touch(feed, columns, kind, columns.index[row], bid, ask):
            return row
    return last


def _first_reached(ahead: AheadOfPrices, columns: Observations, first: int, last: int) -> int:
    """The first row of a print that reaches a conditional order; `last` where none does before it."""
    for row in range(first, last):
        if columns.kind[row] == PRINT and ahead.reaches(columns.print_price[columns.index[row]]):
            return row
    return last


def _find(kinds: list[int], kind: int, first: int, last: int) -> int:
    try:
        return kinds.index(kind, first, last)
    except ValueError:
        return last


def _can_touch(feed: MarketFeed, columns: Observations, kind: int, i: int, bid: int | None, ask: int | None) -> bool:
    if kind == PRINT:
        price = columns.print_price[i]
        return (ask is not None and price >= ask) if columns.print_side[i] > 0 else (bid is not None and price <= bid)
    if kind != DIFF or feed.book.stale:
        return True
    start, middle, end = columns.asks_end[i - 1] if i else 0, columns.bids_end[i], columns.asks_end[i]
    prices = columns.level_price
    if ask is not None and middle > start and max(prices[start:middle]) >= ask:
        return True
    return bid is not None and end > middle and min(prices[middle:end]) <= bid
