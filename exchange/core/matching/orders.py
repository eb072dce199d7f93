"""Order-by-order history: what messages about single orders, and prints that name one, do to MARKET's book.

A message takes from that very order, wherever it stands; what concerns an order that nobody has heard of is taken from
the volume known by size only. What does not fit goes to the feed's defects. Source of the rules: docs/replay.md.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import TYPE_CHECKING

from events.commands import QueueModel
from events.observations import Action, Observations
from exchange.core.book import BookSide
from exchange.core.history import History
from exchange.core.matching.levels import Leaving, shrink
from exchange.core.segments import unnamed

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed

UNKNOWN, TOO_LARGE, TWICE = "unknown order", "more lots than the order had", "order added twice"
CLEAR = int(Action.CLEAR)


def happened(feed: MarketFeed, columns: Observations, row: int, i: int) -> None:
    """Event i of the table: all its messages are applied before the book is judged."""
    book, ends = feed.book, columns.orders_end
    sides, numbers = columns.order_side, columns.order_id
    prices, lots = columns.order_price, columns.order_lots
    for k in range(ends[i - 1] if i else 0, ends[i]):
        if (action := columns.order_action[k]) == CLEAR:
            _clear(feed, sides[k])
            continue
        side = book.bids if sides[k] > 0 else book.asks
        if what := _DO[action](feed, side, numbers[k], prices[k], lots[k]):
            feed.defects.append((row, what))
    judge(feed, row)


def traded(feed: MarketFeed, row: int, hit: BookSide, number: int, price: int, lots: int) -> None:
    """A print named the order of history that traded: it loses the lots, in full, whoever was ahead of it. Where it is
    known by size only, the front of that volume loses them.
    """
    if feed.book.by_trades:
        return
    if number not in hit.history.orders:
        missing = lots - _less_unnamed(hit, price, lots, QueueModel.AHEAD)
        what = UNKNOWN if missing else None
    else:
        what = _less(hit, number, lots)
    if what:
        feed.defects.append((row, what))
    if feed.tangled:
        judge(feed, row)


def judge(feed: MarketFeed, row: int) -> None:
    """A book whose best prices cross is stale until they no longer do."""
    book = feed.book
    bid, ask = book.bids.history.best(), book.asks.history.best()
    if bid is not None and ask is not None and bid >= ask:
        if not book.stale:
            feed.crossed += 1
            feed.defects.append((row, "crossed book"))
            book.stale = feed.tangled = True
    elif feed.tangled:
        book.stale = feed.tangled = False


def _clear(feed: MarketFeed, which: int) -> None:
    """A side begins anew, or both, and with both the book."""
    for side in (feed.book.bids, feed.book.asks):
        if which in (0, side.sign):
            side.history.clear()
            for level in side.levels.values():
                shrink(QueueModel.AHEAD, level, level.market)
    if which:
        return
    feed.stated = True
    feed.streak = 0
    feed.book.stale = feed.tangled = False


def _add(_feed: MarketFeed, side: BookSide, number: int, price: int, lots: int) -> str | None:
    history, what = side.history, None
    if number in history.orders:
        what = TWICE
        _remove(side, number)
    _join(side, number, price, lots)
    return what


def _join(side: BookSide, number: int, price: int, lots: int) -> None:
    """An order joins the back of the queue at its price."""
    history, level = side.history, side.levels.get(price)
    history.state(price, history.stated.get(price, 0) + lots)
    if number and lots:
        history.orders[number] = price
        history.queues.setdefault(price, {})[number] = lots
        if level is not None:
            history.segments[number] = level.append_market(price, side.sign, lots, number)
    elif level is not None and lots:
        level.add_market(price, side.sign, lots)


def _change(_feed: MarketFeed, side: BookSide, number: int, price: int, lots: int) -> str | None:
    history = side.history
    at = history.orders.get(number)
    if at is None:
        _join(side, number, price, lots)
        return None if lots else UNKNOWN
    had = history.queues[at][number]
    if lots <= had and (at == price or not lots):
        return _less(side, number, had - lots)
    _remove(side, number)
    _join(side, number, price, lots)
    return None


def _reduce(feed: MarketFeed, side: BookSide, number: int, price: int, lots: int) -> str | None:
    if number in side.history.orders:
        return _less(side, number, lots)
    return UNKNOWN if _less_unnamed(side, price, lots, feed.queue_model) < lots else None


def _delete(feed: MarketFeed, side: BookSide, number: int, price: int, lots: int) -> str | None:
    if number in side.history.orders:
        _remove(side, number)
        return None
    return _reduce(feed, side, number, price, lots)


def _level(feed: MarketFeed, side: BookSide, _number: int, price: int, lots: int) -> str | None:
    """The volume at a price, by size only. What was not there before stands ahead of traders' orders: nobody knows
    since when it is there.
    """
    history, level = side.history, side.levels.get(price)
    was_there = price in history.stated
    history.forget(price)
    history.state(price, lots)
    history.taken.pop(price, None)
    if level is None:
        return None
    change = lots - level.market
    if change < 0:
        shrink(feed.queue_model, level, -change)
    elif change and was_there:
        level.add_market(price, side.sign, change)
    elif change:
        level.prepend_market(price, side.sign, change)
    return None


_DO: tuple[Callable[[MarketFeed, BookSide, int, int, int], str | None], ...] = (_add, _change, _reduce, _delete, _level)
"""By action. What they return is wrong with the message."""


def _remove(side: BookSide, number: int) -> None:
    history = side.history
    _less(side, number, history.queues[history.orders[number]][number])


def _less(side: BookSide, number: int, lots: int) -> str | None:
    """An order of history loses lots, and its segment what it has more than is left of the order."""
    history = side.history
    price = history.orders[number]
    queue = history.queues[price]
    gone = min(lots, queue[number])
    left = queue[number] - gone
    if (level := side.levels.get(price)) is not None:
        segment = history.segments.get(number)
        if segment is not None and segment.lots > left:
            level.shrink(segment, segment.lots - left)
    elif price in history.taken:
        _taken_with(history, price, number, gone)
    history.state(price, history.stated[price] - gone)
    if left:
        queue[number] = left
    else:
        _leave(history, price, number)
    return TOO_LARGE if lots > gone else None


def _leave(history: History, price: int, number: int) -> None:
    del history.orders[number]
    history.segments.pop(number, None)
    queue = history.queues[price]
    del queue[number]
    if not queue:
        del history.queues[price]


def _less_unnamed(side: BookSide, price: int, lots: int, model: Leaving) -> int:
    """The volume known by size only at a price loses lots: how many it had to lose."""
    history = side.history
    there = unnamed(history, price)
    gone = min(lots, there)
    if not gone:
        return 0
    if (level := side.levels.get(price)) is not None:
        standing = sum(entry.lots for entry in level.of_market() if not entry.number)
        if (more := standing - (there - gone)) > 0:
            shrink(model, level, more)
    elif price in history.taken:
        _take_back(history, price, min(gone, history.taken[price]))
    history.state(price, history.stated[price] - gone)
    return gone


def _taken_with(history: History, price: int, number: int, gone: int) -> None:
    """Where traders took some of an order, that part goes first: they took the front of the queue."""
    queue = history.queues[price]
    ahead = unnamed(history, price) + sum(queue[other] for other in takewhile(number.__ne__, queue))
    _take_back(history, price, max(0, min(history.taken[price] - ahead, gone)))


def _take_back(history: History, price: int, lots: int) -> None:
    history.taken[price] -= lots
    if not history.taken[price]:
        del history.taken[price]
