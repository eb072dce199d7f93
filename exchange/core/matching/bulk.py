"""Many rows of history at once: the same book, and the same counts, as row by row, where no row has anything to it.

A stretch of diffs and prints is applied at once as far as it is certain that no update id is missing, that history's
prices do not cross after any diff but the last, which is judged, that no book ticker waits to be compared, and that no
print reaches a trader's order. What stops a stretch is left to be applied by itself. Levels where traders' orders rest
are restated one after the other, in the order of the rows, as ever.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from events.observations import Observations
from events.spans import Spans
from exchange.core.matching.ahead import first_at_least, first_at_most
from exchange.core.matching.along import go_on, goes_along

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed

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
        start, stop = spans.depth_before[first], spans.depth_before[end]
        if start < stop:
            feed.last_id = columns.last_id[stop - 1]
            feed.synced = True
            go_on(feed, columns, spans, start, stop)
            if _next(feed.course.crossed, stop - 1, stop) < stop:  # type: ignore[union-attr]
                feed.judge(end - 1, feed.last_id)
        _prints(feed, columns, spans.prints_before[first], spans.prints_before[end])
    return end


def _before_defect(feed: MarketFeed, columns: Observations, spans: Spans, first: int, end: int) -> int:
    """Where rows end: ahead of a diff that leaves a gap in ids, has a ticker to be compared with or goes along no
    course, or behind one that leaves a crossed book, to be judged then.
    """
    start, stop = spans.depth_before[first], spans.depth_before[end]
    if start == stop:
        return end
    last_id, tickers = columns.last_id[start], feed.tickers
    while tickers and tickers[0][0] < last_id:
        tickers.popleft()
    if tickers or feed.is_gap(columns.first_id[start], last_id, columns.previous_id[start]):
        return spans.depth_rows[start]
    if not goes_along(feed, spans, start):
        return spans.depth_rows[start]
    course = feed.course
    assert course is not None
    until = min(stop, course.until, _next(spans.breaks, start + 1, stop))
    if (crossed := _next(course.crossed, start, until)) < until:
        return spans.depth_rows[crossed] + 1
    return end if until == stop else spans.depth_rows[until]


def _next(rows: list[int], first: int, until: int) -> int:
    """The first of these rows from `first` on, `until` where none is before it."""
    place = bisect_left(rows, first)
    return min(until, rows[place]) if place < len(rows) else until


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
