"""The book, its best prices, and trades.

Source: Binance USD-M, "Order Book", "Symbol Order Book Ticker", "Symbol Price Ticker", "Recent Trades List", "Old
Trades Lookup", "Compressed/Aggregate Trades List".
"""

from __future__ import annotations

from typing import Any

from gateway.binance.desk import Desk, Request
from gateway.binance.errors import BinanceError
from gateway.binance.market_asking import Asked, asked, limited, one_or_all, ranged
from gateway.binance.texts import Digits, money
from gateway.serving.tape.instrument import Price
from gateway.serving.tape.look import Levels
from gateway.serving.tape.trades import Aggregate, Trade, aggregates

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
TRADES_DEFAULT, TRADES_MAX = 500, 1_000
HISTORICAL_DEFAULT, HISTORICAL_MAX = 100, 500

HOUR_MS = 60 * 60 * 1000
"""A range of aggregate trades is shorter than that."""


def depth(desk: Desk, request: Request) -> dict[str, Any]:
    """The best levels, of the record that streams of changes join at."""
    of_it = asked(desk, request)
    limit = request.params.whole("limit")
    if limit is not None and limit not in DEPTH_LIMITS:
        raise BinanceError(-4021, f"'{limit}' is not valid depth limit.")
    book = of_it.tape.depth
    bids, asks = book.levels(limit or 500)
    return {
        "lastUpdateId": book.last,
        "E": desk.venue.shown_ms,
        "T": book.at,
        "bids": texts_of(of_it.digits, bids),
        "asks": texts_of(of_it.digits, asks),
    }


def texts_of(digits: Digits, levels: Levels) -> list[tuple[str, str]]:
    """Levels as they are written."""
    price, size = digits.price, digits.size
    return [(price(ticks), size(lots)) for ticks, lots in levels]


def book_ticker(desk: Desk, request: Request) -> Any:
    """The best prices of one instrument, or of all."""
    one, all_of_them = one_or_all(desk, request)
    found = [_book_ticker(of_it) for of_it in all_of_them]
    return found[0] if one else found


def _book_ticker(of_it: Asked) -> dict[str, Any]:
    book, digits = of_it.tape.depth, of_it.digits
    top = book.top()
    return {
        "symbol": of_it.symbol,
        "bidPrice": digits.price(top.bid),
        "bidQty": digits.size(top.bid_lots),
        "askPrice": digits.price(top.ask),
        "askQty": digits.size(top.ask_lots),
        "time": book.at,
        "lastUpdateId": book.last,
    }


def price(desk: Desk, request: Request) -> Any:
    """The last price of one instrument, or of all."""
    one, all_of_them = one_or_all(desk, request)
    found = [_price(of_it) for of_it in all_of_them]
    return found[0] if one else found


def _price(of_it: Asked) -> dict[str, Any]:
    trades = of_it.tape.trades
    running = of_it.tape.ladders[Price.LAST].running
    return {
        "symbol": of_it.symbol,
        "price": of_it.digits.price(running.close if running else 0),
        "time": trades[-1].at if trades else 0,
    }


def trades(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """The newest trades, oldest first."""
    of_it = asked(desk, request)
    limit = limited(request.params, TRADES_DEFAULT, TRADES_MAX)
    return [_trade(of_it.digits, trade) for trade in desk.tape.trades(of_it.symbol, limit)]


def historical_trades(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """Trades from an id on, or the newest ones."""
    of_it = asked(desk, request)
    limit = limited(request.params, HISTORICAL_DEFAULT, HISTORICAL_MAX)
    first = request.params.whole("fromId")
    if first is None:
        found = desk.tape.trades(of_it.symbol, limit)
    else:
        found = [trade for trade in of_it.tape.trades if trade.id >= first][:limit]
    return [_trade(of_it.digits, trade) for trade in found]


def _trade(digits: Digits, trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "price": digits.price(trade.price),
        "qty": digits.size(trade.lots),
        "quoteQty": money(trade.value),
        "time": trade.at,
        "isBuyerMaker": not trade.bought,
        "isRPITrade": False,
    }


def agg_trades(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """Trades of one taker at one price as one: from an id on, in a range of time, or the newest ones."""
    of_it = asked(desk, request)
    params = request.params
    limit = limited(params, TRADES_DEFAULT, TRADES_MAX)
    first, (start, end) = params.whole("fromId"), ranged(params)
    if start is not None and end is not None and end - start >= HOUR_MS:
        raise BinanceError(-1127, "More than 1 hours between startTime and endTime.")
    found = list(aggregates(list(of_it.tape.trades)))
    if first is not None:
        found = [one for one in found if one.first >= first][:limit]
    elif start is not None:
        found = [one for one in found if start <= one.at and (end is None or one.at <= end)][:limit]
    else:
        found = [one for one in found if end is None or one.at <= end][-limit:]
    return [agg_trade(of_it.digits, one) for one in found]


def agg_trade(digits: Digits, one: Aggregate) -> dict[str, Any]:
    """An aggregate trade, without what a stream says beside."""
    return {
        "a": one.first,
        "p": digits.price(one.price),
        "q": digits.size(one.lots),
        "nq": digits.size(one.lots),
        "f": one.first,
        "l": one.last,
        "T": one.at,
        "m": not one.bought,
    }
