"""Candles of trades, of the mark, of the index, and of the premium.

Source: Binance USD-M, "Kline/Candlestick Data" and the pages of its siblings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.binance.desk import Desk, Request
from gateway.binance.errors import BinanceError
from gateway.binance.market_asking import Asked, asked, limited, of_pair, of_pairs, of_symbol, ranged
from gateway.binance.texts import Digits, fixed, money
from gateway.serving.tape.candles import INTERVALS, Candle, Interval
from gateway.serving.tape.instrument import Price

KLINES_DEFAULT, KLINES_MAX = 500, 1_500


def klines(desk: Desk, request: Request) -> list[list[Any]]:
    """Candles of what is traded."""
    return _of_trades(desk, request, asked(desk, request))


def continuous_klines(desk: Desk, request: Request) -> list[list[Any]]:
    """Candles of a pair's contract of a type: there is only one at a time here, so they are its own."""
    return _of_trades(desk, request, of_pair(desk, request))


def mark_klines(desk: Desk, request: Request) -> list[list[Any]]:
    """Candles of the mark price."""
    return _quoted(desk, request, asked(desk, request), Price.MARK)


def index_klines(desk: Desk, request: Request) -> list[list[Any]]:
    """Candles of a pair's index price."""
    pair = request.params.need("pair")
    name = of_pairs(desk, pair)
    if name is None:
        raise BinanceError(-4144, "Invalid pair.")
    return _quoted(desk, request, of_symbol(desk, name), Price.INDEX)


def premium_klines(desk: Desk, request: Request) -> list[list[Any]]:
    """Candles of the premium of the mark over the index."""
    return _quoted(desk, request, asked(desk, request), Price.PREMIUM)


def interval_of(request: Request, name: str = "interval") -> Interval:
    """The interval that must be named. Raises BinanceError."""
    interval = INTERVALS.get(request.params.need(name))
    if interval is None:
        raise BinanceError(-1120, "Invalid interval.")
    return interval


def _of_trades(desk: Desk, request: Request, of_it: Asked) -> list[list[Any]]:
    digits = of_it.digits
    return _rows(desk, request, of_it, Price.LAST, lambda candle, end: _traded(digits, candle, end))


def _quoted(desk: Desk, request: Request, of_it: Asked, price: Price) -> list[list[Any]]:
    return _rows(desk, request, of_it, price, _quote)


def _rows(
    desk: Desk, request: Request, of_it: Asked, price: Price, row: Callable[[Candle, int], list[Any]]
) -> list[list[Any]]:
    interval = interval_of(request)
    start, end = ranged(request.params)
    limit = limited(request.params, KLINES_DEFAULT, KLINES_MAX)
    now = desk.venue.shown_ms
    found = desk.tape.candles(of_it.symbol, interval.name, start, end, limit, price=price, now=now)
    return [row(candle, interval.next(candle.start) - 1) for candle in found]


def _traded(digits: Digits, candle: Candle, end: int) -> list[Any]:
    price = digits.price
    return [
        candle.start, price(candle.open), price(candle.high), price(candle.low), price(candle.close),
        digits.size(candle.lots), end, money(candle.value), candle.trades, digits.size(candle.bought),
        money(candle.bought_value), "0",
    ]  # fmt: skip


def _quote(candle: Candle, end: int) -> list[Any]:
    prices = (fixed(price) for price in candle[1:5])
    return [candle.start, *prices, "0", end, "0", candle.trades, "0", "0", "0"]
