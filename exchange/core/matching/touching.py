"""Where history's rows meet traders: `first_touch` says how far rows may go before one can touch a trader's order, a
mark or a timer (for the player and for `decide`); `crossing` finds the orders that history's prices run through.

Diffs and prints are looked up in the spans of their chunk, where it has any.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from events.commands import MarkSource
from events.observations import Action, Kind, Observations
from events.spans import Spans
from exchange.core.book import Book, Order
from exchange.core.matching.ahead import first_at_least, first_at_most
from exchange.core.matching.market import MarketFeed
from exchange.core.triggers.index import AheadOfPrices

DIFF, _, PRINT, TICKER, MARK, ORDERS = (int(kind) for kind in Kind)
CLEAR = int(Action.CLEAR)
GROWS = frozenset(map(int, (Action.ADD, Action.CHANGE, Action.LEVEL)))


def crossing(book: Book) -> Iterator[tuple[Order, int, int]]:
    """The traders' orders that history's prices run through: (order, lots, MARKET's price), one trade at a time.

    The caller applies each trade before it asks for the next.
    """
    for own, other in ((book.asks, book.bids), (book.bids, book.asks)):
        while own.best is not None and not (book.stale or book.shut or book.by_trades):
            reach = own.best * other.sign
            if (stated := other.history.best()) is None or stated * other.sign < reach:
                break
            price = other.market_best()
            if price is None or price * other.sign < reach:
                break
            level = other.levels.get(price)
            volume = other.available(price) if level is None else level.market
            order = own.levels[own.best].first_of_traders()
            yield order, min(order.lots, volume), price


def _may_cross(book: Book, bid: int | None, ask: int | None) -> bool:
    """Whether history states a price at or beyond that of a trader's best bid or ask."""
    if ask is not None and (stated := book.bids.history.best()) is not None and stated >= ask:
        return True
    return bid is not None and (stated := book.asks.history.best()) is not None and stated <= bid


def look_ahead(feed: MarketFeed, columns: Observations, first: int, last: int, seq: int) -> int:
    """As `first_touch`, remembered for whoever decides next, as long as no record follows the one of that number."""
    row = first_touch(feed, columns, first, last)
    feed.untouched = (columns, first, row, seq)
    return row


def next_touch(feed: MarketFeed, columns: Observations, first: int, last: int, seq: int) -> int:
    """As `first_touch`, by what the host saw when it looked ahead, where that was after the record of that number."""
    if feed.untouched is not None:
        seen, start, row, since = feed.untouched
        if seen is columns and start == first and since == seq and last <= row:
            return last
    return first_touch(feed, columns, first, last)


def first_touch(feed: MarketFeed, columns: Observations, first: int, last: int) -> int:
    """The first row from `first` on that can touch a trader's order, a mark or a timer; `last` where none can before
    it.
    """
    if feed.mark_source is not MarkSource.DATA:
        last = bisect_left(columns.at, feed.next_sample, first, last)
    spans = columns.spans
    last = _find(columns.kind, MARK, first, last) if spans is None else _next(spans.marks, first, last)
    if not feed.lasts.is_empty:
        last = _first_reached(feed.lasts.ahead(), columns, first, last)
    bid, ask = feed.book.bids.best, feed.book.asks.best
    if (bid is None and ask is None) or feed.book.shut:
        return last
    if _may_cross(feed.book, bid, ask) and next(crossing(feed.book), None) is not None:
        return first
    if spans is not None and not feed.book.by_trades:
        return _first_in(spans, feed, first, last)
    for row in range(first, last):
        kind = columns.kind[row]
        if kind != TICKER and _can_touch(feed, columns, kind, columns.index[row], bid, ask):
            return row
    return last


def _first_in(spans: Spans, feed: MarketFeed, first: int, last: int) -> int:
    """The first row of these that can touch a trader's order, by the spans of the chunk."""
    bid, ask = feed.book.bids.best, feed.book.asks.best
    start, stop = spans.depth_before[first], spans.depth_before[last]
    if start < stop:
        found = start if feed.book.stale else _first_beyond(spans.high_bid, spans.low_ask, bid, ask, start, stop)
        last = last if found == stop else spans.depth_rows[found]
    start, stop = spans.prints_before[first], spans.prints_before[last]
    if start < stop:
        found = _first_beyond(spans.bought, spans.sold, bid, ask, start, stop)
        last = last if found == stop else spans.print_rows[found]
    return _next(spans.snapshots, first, last)


def _first_beyond(
    rising: list[int], falling: list[int], bid: int | None, ask: int | None, start: int, stop: int
) -> int:
    """The first entry at which one price rises to a trader's ask, or the other falls to his bid."""
    if ask is not None:
        stop = first_at_least(rising, ask, start, stop)
    return stop if bid is None else first_at_most(falling, bid, start, stop)


def _first_reached(ahead: AheadOfPrices, columns: Observations, first: int, last: int) -> int:
    """The first row of a print that reaches a conditional order; `last` where none does before it."""
    for row in range(first, last):
        if columns.kind[row] == PRINT and ahead.reaches(columns.print_price[columns.index[row]]):
            return row
    return last


def _next(rows: list[int], first: int, last: int) -> int:
    """The first of these rows from `first` on, `last` where there is none before it."""
    place = bisect_left(rows, first)
    return min(last, rows[place]) if place < len(rows) else last


def _find(kinds: list[int], kind: int, first: int, last: int) -> int:
    try:
        return kinds.index(kind, first, last)
    except ValueError:
        return last


def _can_touch(feed: MarketFeed, columns: Observations, kind: int, i: int, bid: int | None, ask: int | None) -> bool:
    if kind == PRINT:
        price = columns.print_price[i]
        if feed.book.by_trades:
            return (ask is not None and price >= ask) or (bid is not None and price <= bid)
        return (ask is not None and price >= ask) if columns.print_side[i] > 0 else (bid is not None and price <= bid)
    if kind == ORDERS:
        return feed.book.stale or feed.book.by_trades or _crosses(columns, i, bid, ask)
    if kind != DIFF or feed.book.stale or feed.book.by_trades:
        return True
    start, middle, end = columns.asks_end[i - 1] if i else 0, columns.bids_end[i], columns.asks_end[i]
    prices = columns.level_price
    if ask is not None and middle > start and max(prices[start:middle]) >= ask:
        return True
    return bid is not None and end > middle and min(prices[middle:end]) <= bid


def _crosses(columns: Observations, i: int, bid: int | None, ask: int | None) -> bool:
    """Whether an event may bring history's orders to a trader's price, or begins the book anew."""
    for k in range(columns.orders_end[i - 1] if i else 0, columns.orders_end[i]):
        action, price = columns.order_action[k], columns.order_price[k]
        if action == CLEAR:
            return True
        if action in GROWS and (
            (ask is not None and price >= ask) if columns.order_side[k] > 0 else (bid is not None and price <= bid)
        ):
            return True
    return False
