"""What a print of history does to traders' orders: better prices first, then the queue at its own price."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from events.commands import MARKET
from exchange.core.book import Level, Order
from exchange.core.iceberg import parts_behind
from exchange.core.matching.levels import explained
from exchange.core.matching.made_up import reached

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed


class Fill(NamedTuple):
    """A trader's order that a print reached, and for how many lots: 0 where it has nothing left to reduce."""

    order: Order
    lots: int


def printed(feed: MarketFeed, price: int, lots: int, side: int, transacted: int, by_order: bool) -> None:
    """History traded so many lots at a price; the taker bought where side is 1, sold where it is -1. by_order says that
    the order which traded is told, and loses the lots itself.
    """
    feed.prints += 1
    feed.volume += lots
    feed.last_price = feed.traded = price
    if not feed.lasts.low < price < feed.lasts.high:
        feed.lasts.move(price)
    if feed.book.by_trades:
        for level in reached(feed.book, price, feed.touches):
            lots = _reach(feed, level, lots)
        return
    hit = feed.book.asks if side > 0 else feed.book.bids
    if hit.best is None or feed.book.stale or feed.book.shut or hit.best * hit.sign < price * hit.sign:
        return
    left = lots
    for level_price in hit.own_prices():
        level = hit.levels[level_price]
        if level_price * hit.sign > price * hit.sign:
            left = _reach(feed, level, left)
            continue
        if level_price == price and by_order:
            _pass(feed, level, left)
        elif level_price == price:
            known = explained(feed, price, lots, transacted)
            _walk(feed, level, max(0, left - known), lots - known)
        break


def _reach(feed: MarketFeed, level: Level, lots: int) -> int:
    """A print at a worse price fills the traders' orders of a better level; what is left of it."""
    for entry in level.queue:
        if lots and entry.lots and entry.account != MARKET:
            lots -= _hit(feed, entry, lots)
    return _hit_hidden(feed, level, lots)


def _hit(feed: MarketFeed, order: Order, lots: int) -> int:
    """A print of so many lots fills what an order shows."""
    most = feed.fillable(order)
    part = min(lots, most, order.shown or most)
    feed.fills.append(Fill(order, part))
    return part


def _hit_hidden(feed: MarketFeed, level: Level, lots: int) -> int:
    """What is left of a print fills what icebergs show next, behind all that stood there; what is left of it."""
    icebergs = [entry for entry in level.queue if entry.lots and entry.shown]
    for order, part in parts_behind((order, feed.fillable(order) - order.shown) for order in icebergs):
        if lots:
            feed.fills.append(Fill(order, min(lots, part)))
            lots -= min(lots, part)
    return lots


def _pass(feed: MarketFeed, level: Level, lots: int) -> None:
    """A print passes the queue at its own price, MARKET's lots ahead of traders' orders included, and leaves them."""
    for entry in level.queue:
        if entry.account == MARKET:
            lots -= min(lots, entry.lots)
        elif lots and entry.lots:
            lots -= _hit(feed, entry, lots)
    _hit_hidden(feed, level, lots)


def _walk(feed: MarketFeed, level: Level, lots: int, gone: int) -> None:
    """A print walks the queue at its own price. `gone` of MARKET's lots went with it in history: those whose place
    a trader took go too, first come first. Lots of an order of history are left to what is told of that one.
    """
    for entry in list(level.queue):
        if entry.account == MARKET:
            lots -= min(lots, entry.lots)
            part = 0 if entry.number else min(gone, entry.lots)
            gone -= part
            if part:
                level.shrink(entry, part)
        elif lots and entry.lots:
            lots -= _hit(feed, entry, lots)
    _hit_hidden(feed, level, lots)
