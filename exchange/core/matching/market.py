"""History's part in the market: how rows of observations change MARKET's book, and what is known beside it.

`MarketFeed.advance` applies rows (for `apply`), many at once as far as `bulk` can. What a level's new volume does to
its queue is in `levels`, what a print does to traders' orders in `prints`, and where rows meet traders in `touching`.
Source of the rules: `docs/replay.md` and, for captures, the venue's procedure for a local order book.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappush

from events.commands import MarkSource, SessionOptions, TradeFills
from events.observations import Kind, Observations
from events.spans import Course, Spans
from events.units import SECOND
from exchange.core.book import Book, BookSide, Order
from exchange.core.matching.along import REACH, go_on, goes_along
from exchange.core.matching.bulk import apply_in_bulk
from exchange.core.matching.levels import Leaving, restate
from exchange.core.matching.made_up import follow, make_way
from exchange.core.matching.orders import happened, traded
from exchange.core.matching.prints import Fill, printed
from exchange.core.triggers.index import PriceIndex

DIFF, SNAPSHOT, PRINT, TICKER, MARK, ORDERS = (int(kind) for kind in Kind)

FRESH_AFTER = 3
"""So many equal comparisons in a row make a book fresh that no snapshot ever stated."""

TICKERS_KEPT = 16_384
"""So many book tickers wait for the diff of their id; older ones are forgotten."""

UNSTATED = (0, 0, 0, 0, 0)


class MarketFeed:
    """What is known of history beside its two books: ids, tickers, counts, and what the last rows brought about.

    fills, funding_rate, marked and defects speak of the latest `advance` only: the traders' orders that a print
    reached; the rate by which a funding time that passed is paid; the mark of a mark row; what was wrong, as (row,
    what). last_price is that of history's last print, traded that of the last trade, be it history's or a trader's;
    lasts are the conditional orders that wait for it. tangled says that the book is stale because history's orders
    cross.

    What follows makes nothing different, only faster: course is that along which the book went last, spans those of its
    chunk, reach how many rows the next one may have; untouched is what the host saw when it looked ahead: columns,
    first row, the row before which none touches anybody, and the number of the last record then.
    """

    __slots__ = (
        "book", "course", "credits", "crossed", "defects", "different", "equal", "fillable", "fills", "funding_rate",
        "gaps", "index", "last_id", "last_price", "lasts", "mark_source", "marked", "next_funding", "next_sample",
        "observations", "prints", "queue_model", "quote", "rate", "reach", "spans", "stated", "streak", "synced",
        "tangled", "tickers", "touches", "traded", "untouched", "volume",
    )  # fmt: skip

    def __init__(
        self, book: Book, options: SessionOptions, fillable: Callable[[Order], int], lasts: PriceIndex
    ) -> None:
        self.book = book
        self.lasts = lasts
        self.fillable = fillable
        self.mark_source = options.mark_source
        self.queue_model: Leaving = options.queue_weights or options.queue_model
        self.touches = options.trade_fills is TradeFills.TOUCH
        self.last_id = 0
        self.synced = True
        self.stated = False
        self.streak = 0
        self.tangled = False
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
        self.course: Course | None = None
        self.spans: Spans | None = None
        self.reach = REACH
        self.untouched: tuple[Observations, int, int, int] | None = None
        self._begin()

    def _begin(self) -> None:
        self.fills: list[Fill] = []
        self.funding_rate: int | None = None
        self.marked = 0
        self.defects: list[tuple[int, str]] = []

    def advance(self, columns: Observations, first: int, last: int) -> None:
        """Apply rows first to last (both included)."""
        self._begin()
        if self.book.by_trades:
            make_way(self.book, columns.kind[first : last + 1])
        row, end = first, last + 1
        while row < end:
            row = apply_in_bulk(self, columns, row, end)
            if row < end:
                self._row(columns, row)
                row += 1
        self.observations += last + 1 - first
        if last >= first and columns.at[last] >= self.next_sample:
            self.next_sample = (columns.at[last] // SECOND + 1) * SECOND
        if self.book.by_trades:
            follow(self.book, columns, first, last)
        self.book.bids.history.tidy()
        self.book.asks.history.tidy()

    def _row(self, columns: Observations, row: int) -> None:
        kind, i = columns.kind[row], columns.index[row]
        if kind == TICKER:
            self.quote = (
                columns.ticker_id[i], columns.ticker_bid[i], columns.ticker_bid_lots[i],
                columns.ticker_ask[i], columns.ticker_ask_lots[i],
            )  # fmt: skip
            self.tickers.append(self.quote)
        elif kind == DIFF:
            self._diff(columns, row, i)
        elif kind == PRINT:
            price, lots, side, makers = (
                columns.print_price[i], columns.print_lots[i], columns.print_side[i], columns.print_order
            )  # fmt: skip
            printed(self, price, lots, side, columns.transacted[row], bool(makers))
            if makers and makers[i]:
                traded(self, row, self.book.asks if side > 0 else self.book.bids, makers[i], price, lots)
        elif kind == MARK:
            self._mark(columns, i)
        elif kind == ORDERS:
            happened(self, columns, row, i)
        else:
            self._snapshot(columns, row, i)

    def _diff(self, columns: Observations, row: int, i: int) -> None:
        last_id, previous = columns.last_id[i], columns.previous_id[i]
        if self.is_gap(columns.first_id[i], last_id, previous):
            self.gaps += 1
            self.defects.append((row, "gap in update ids"))
            self._turn_stale()
        self.last_id = last_id
        self.synced = True
        self._levels(columns, i, columns.transacted[row])
        self.judge(row, last_id)

    def is_gap(self, first_id: int, last_id: int, previous: int) -> bool:
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
        self.book.stale = self.tangled = False
        self._levels(columns, i, columns.transacted[row])
        for side in (self.book.bids, self.book.asks):
            for price, level in side.levels.items():
                restate(self, side, level, price, side.history.lots(price), columns.transacted[row])
        self.judge(row, self.last_id)

    def _levels(self, columns: Observations, i: int, transacted: int) -> None:
        spans = columns.spans
        if spans is not None and goes_along(self, spans, i):
            go_on(self, columns, spans, i, i + 1)
            return
        start, middle, end = columns.asks_end[i - 1] if i else 0, columns.bids_end[i], columns.asks_end[i]
        prices, lots = columns.level_price, columns.level_lots
        self._side(self.book.bids, prices[start:middle], lots[start:middle], transacted)
        self._side(self.book.asks, prices[middle:end], lots[middle:end], transacted)

    def _side(self, side: BookSide, prices: list[int], lots: list[int], transacted: int) -> None:
        history, levels = side.history, side.levels
        stated, heap, sign = history.leave(), history.heap, history.sign
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
        if history.queues:
            for price in prices:
                history.forget(price)
        if levels:
            for price, size in zip(prices, lots, strict=True):
                if (level := levels.get(price)) is not None:
                    restate(self, side, level, price, size, transacted)

    def judge(self, row: int, last_id: int) -> None:
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
            self._compare(tickers.popleft() == (last_id, bid, bids.lots(bid), ask, asks.lots(ask)))

    def _compare(self, equal: bool) -> None:
        self.equal += equal
        self.different += not equal
        self.streak = self.streak + 1 if equal else 0
        if self.streak >= FRESH_AFTER and not self.stated:
            self.book.stale = False

    def _turn_stale(self) -> None:
        self.book.stale = True
        self.tangled = False
        self.streak = 0

    def _mark(self, columns: Observations, i: int) -> None:
        self.marked = columns.mark[i]
        self.index = columns.mark_index[i] or self.index
        following = columns.mark_next_funding[i]
        if self.next_funding and following > self.next_funding:
            self.funding_rate = self.rate
        self.next_funding = following or self.next_funding
        self.rate = columns.mark_rate[i]

    def sampled_mark(self) -> int | None:
        """The mark in ticks x 2 that the session's own rule gives now, or None: mid of history's best, or the last
        print.
        """
        if self.mark_source is MarkSource.LAST:
            return 2 * self.last_price or None
        bid, ask = self.book.bids.history.best(), self.book.asks.history.best()
        return None if bid is None or ask is None or bid >= ask else bid + ask
