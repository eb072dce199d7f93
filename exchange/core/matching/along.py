"""MARKET's book along the diffs of a chunk: what they come to is computed once for many of them, so that a diff costs
no more than a look at what it states where traders are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from events.observations import Observations
from events.spans import SideCourse, Spans
from exchange.core.book import BookSide
from exchange.core.matching.levels import restate

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed

WORTHWHILE = 48
"""A course of fewer diffs is not computed."""

REACH = 1 << 20
"""A course has so many diffs at most, and no more than four times as many as the one before was good for."""


MANY = 16
"""Of more prices than these, those that rows state are looked for among what the rows state."""


def goes_along(feed: MarketFeed, spans: Spans, row: int) -> bool:
    """Whether the book goes along a course with this depth row, which is none of a snapshot; begins one where that is
    worthwhile.
    """
    course, bids, asks = feed.course, feed.book.bids.history, feed.book.asks.history
    if course is not None and bids.course is course.bids and asks.course is course.asks:
        if feed.spans is spans and course.first + bids.row == row < course.until:
            return True
        feed.reach = min(REACH, 4 * max(bids.row, WORTHWHILE))
    return _begin(feed, spans, row)


def _begin(feed: MarketFeed, spans: Spans, row: int) -> bool:
    """A course goes up to the next snapshot, and is none of a book in which history tells orders apart."""
    bids, asks = feed.book.bids.history, feed.book.asks.history
    until = min(len(spans.depth_rows), row + feed.reach)
    place = bisect_left(spans.snapshots, spans.depth_rows[row])
    if place < len(spans.snapshots):
        until = min(until, spans.depth_before[spans.snapshots[place]])
    if until - row < WORTHWHILE or bids.queues or asks.queues:
        return False
    feed.spans = spans
    feed.course = course = spans.along(row, until, bids.leave(), asks.leave())
    bids.follow(course.bids)
    asks.follow(course.asks)
    return True


def go_on(feed: MarketFeed, columns: Observations, spans: Spans, start: int, stop: int) -> None:
    """Apply the depth rows from `start` until `stop`, along the course. Levels where traders rest are restated one
    after the other, in the order of the rows.
    """
    course, bids, asks = feed.course, feed.book.bids, feed.book.asks
    assert course is not None
    first, end = start - course.first, stop - course.first
    bids.history.row = asks.history.row = end
    met = _met(bids, course.bids, first, end) if bids.levels or bids.history.taken else []
    if asks.levels or asks.history.taken:
        met += _met(asks, course.asks, first, end)
    for row, sign, _, price, lots in sorted(met):
        side = bids if sign < 0 else asks
        restate(feed, side, side.levels[price], price, lots, columns.transacted[spans.depth_rows[course.first + row]])


def _met(side: BookSide, course: SideCourse, first: int, end: int) -> list[tuple[int, int, int, int, int]]:
    """What these rows of a course state of levels at which traders' orders rest: row, less its sign the side, place,
    price and lots. What traders took of the others that they state is forgotten.
    """
    start, stop = course.ends[first], course.ends[end]
    taken, met = side.history.taken, []
    for price in list(_among(taken, course, start, stop)) if taken else ():
        places, _ = course.statements(price)
        if bisect_left(places, start) < bisect_left(places, stop):
            del taken[price]
    for price in _among(side.levels, course, start, stop):
        places, lots = course.statements(price)
        found = slice(bisect_left(places, start), bisect_left(places, stop))
        for place, size in zip(places[found], lots[found], strict=True):
            met += [(bisect_right(course.ends, place) - 1, -side.sign, place, price, size)]
    return met


def _among(prices: Mapping[int, object], course: SideCourse, start: int, stop: int) -> Iterable[int]:
    """The prices, or of many only those that are stated."""
    return prices if len(prices) <= MANY else filter(prices.__contains__, course.last(start, stop)[0])
