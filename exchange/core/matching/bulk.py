"""Many rows of history at once: the same book, and the same counts, as row by row, where no row has anything to it.

A stretch of diffs and prints is applied at once as far as it is certain that no update id is missing, that history's
prices do not cross after any diff but the last, which is judged, that no book ticker waits to be compared, and that no
print reaches a trader's order. What stops a stretch is left to be applied by itself. Levels where traders' orders rest
are restated one after the other, in the order of the rows, as ever.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappush
from itertools import accumulate, compress, filterfalse
from typing import TYPE_CHECKING

from events.observations import Kind, Observations
from events.spans import HIGH, LOW, Spans
from exchange.core.book import BookSide
from exchange.core.matching.ahead import first_at_least, first_at_most
from exchange.core.matching.levels import restate

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed

DIFF = int(Kind.DIFF)

WORTHWHILE = 3
"""A stretch of fewer rows is applied row by row."""


def apply_in_bulk(feed: MarketFeed, columns: Observations, first: int, end: int) -> int:
    """Apply rows from `first` on, at once, as far as that may be done; the first row that was not applied."""
    spans = columns.spans
    if spans is None or end - first < WORTHWHILE or feed.book.by_trades:
        return first
    others = spans.others
    next_other = bisect_left(others, first)
    if next_other < len(others):
        end = min(end, others[next_other])
    if end - first < WORTHWHILE:
        return first
    end = _before_touch(feed, spans, first, _before_defect(feed, columns, spans, first, end))
    if end > first:
        _diffs(feed, columns, spans, spans.depth_before[first], spans.depth_before[end])
        _prints(feed, columns, spans.prints_before[first], spans.prints_before[end])
        if columns.kind[end - 1] == DIFF:
            feed.judge(end - 1, feed.last_id)
    return end


def _before_defect(feed: MarketFeed, columns: Observations, spans: Spans, first: int, end: int) -> int:
    """Where rows end: ahead of a diff that leaves a gap in ids or has a ticker to be compared with, or behind one that
    may leave a crossed book, to be judged then.
    """
    start, stop = spans.depth_before[first], spans.depth_before[end]
    if start == stop:
        return end
    last_id, tickers = columns.last_id[start], feed.tickers
    while tickers and tickers[0][0] < last_id:
        tickers.popleft()
    if tickers or feed.is_gap(columns.first_id[start], last_id, columns.previous_id[start]):
        return spans.depth_rows[start]
    breaks = spans.breaks
    next_break = bisect_right(breaks, start)
    until = min(stop, breaks[next_break]) if next_break < len(breaks) else stop
    crossing = _first_crossing(feed, spans, start, until)
    if crossing < until:
        return spans.depth_rows[crossing] + 1
    return end if until == stop else spans.depth_rows[until]


def _first_crossing(feed: MarketFeed, spans: Spans, start: int, stop: int) -> int:
    """The first of these diffs after which a bid may have met an ask: one that stood before all of them, or any that
    one of them stated.
    """
    bid, ask = feed.book.bids.history.best(), feed.book.asks.history.best()
    high, low = LOW if bid is None else bid, HIGH if ask is None else ask
    bids, asks = spans.set_bid[start:stop], spans.set_ask[start:stop]
    if max(high, max(bids)) < min(low, min(asks)):
        return stop
    so_far = zip(accumulate(bids, max, initial=high), accumulate(asks, min, initial=low), strict=True)
    crossed = next(n for n, (highest, lowest) in enumerate(so_far) if highest >= lowest)
    return start + max(0, crossed - 1)


def _before_touch(feed: MarketFeed, spans: Spans, first: int, end: int) -> int:
    """The first row of a print that reaches a trader's order."""
    book = feed.book
    bid, ask = book.bids.best, book.asks.best
    if (bid is None and ask is None) or book.stale or book.shut:
        return end
    start, stop = spans.prints_before[first], spans.prints_before[end]
    reached = stop if ask is None else first_at_least(spans.bought, ask, start, stop)
    reached = reached if bid is None else first_at_most(spans.sold, bid, start, reached)
    return end if reached == stop else spans.print_rows[reached]


def _prints(feed: MarketFeed, columns: Observations, start: int, stop: int) -> None:
    """Prints that reach no trader's order."""
    if start == stop:
        return
    prices = columns.print_price[start:stop]
    feed.prints += stop - start
    feed.volume += sum(columns.print_lots[start:stop])
    feed.last_price = feed.traded = prices[-1]
    lasts = feed.lasts
    if not lasts.is_empty:
        for price in prices:
            if not lasts.low < price < lasts.high:
                lasts.move(price)


def _diffs(feed: MarketFeed, columns: Observations, spans: Spans, start: int, stop: int) -> None:
    """Diffs with neither a gap nor a crossed book among them."""
    if start == stop:
        return
    feed.last_id = columns.last_id[stop - 1]
    feed.synced = True
    bids, asks = feed.book.bids, feed.book.asks
    first, last = spans.bid_end[start], spans.bid_end[stop]
    prices, lots = spans.bid_price[first:last], spans.bid_lots[first:last]
    met = [(bisect_right(spans.bid_end, n) - 1, 0, n) for n in _side(bids, prices, lots, first)]
    first, last = spans.ask_end[start], spans.ask_end[stop]
    prices, lots = spans.ask_price[first:last], spans.ask_lots[first:last]
    met += [(bisect_right(spans.ask_end, n) - 1, 1, n) for n in _side(asks, prices, lots, first)]
    for i, is_ask, n in sorted(met):
        side, price, size = (
            (asks, spans.ask_price[n], spans.ask_lots[n]) if is_ask else (bids, spans.bid_price[n], spans.bid_lots[n])
        )
        restate(feed, side, side.levels[price], price, size, columns.transacted[spans.depth_rows[i]])


def _side(side: BookSide, prices: list[int], lots: list[int], first: int) -> list[int]:
    """History states these levels, the later ones last. Where those are, counted from `first`, at which traders' orders
    rest.
    """
    history = side.history
    stated, heap, sign = history.stated, history.heap, history.sign
    for price in dict.fromkeys(filterfalse(stated.__contains__, prices)):
        heappush(heap, -sign * price)
    stated.update(zip(prices, lots, strict=True))
    for price in filterfalse(stated.get, prices):
        stated.pop(price, None)
    if history.taken:
        for price in prices:
            history.taken.pop(price, None)
    if history.queues:
        for price in prices:
            history.forget(price)
    levels = side.levels
    return list(compress(range(first, first + len(prices)), map(levels.__contains__, prices))) if levels else []
