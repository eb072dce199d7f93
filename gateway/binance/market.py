"""The routes of market data, which want neither key nor signature, but one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.binance import market_book as book
from gateway.binance import market_figures as figures
from gateway.binance import market_info as info
from gateway.binance import market_klines as klines
from gateway.binance import market_quotes as quotes
from gateway.binance.desk import Route, Routes, Security
from gateway.binance.market_asking import at_most
from gateway.binance.params import Params


def _of_klines(params: Params) -> int:
    return at_most(params, 1, (100, 2), (500, 5), (1001, 10))


def _of_depth(params: Params) -> int:
    return at_most(params, 2, (100, 5), (500, 10), (1000, 20))


def _one_or_all(one: int, all_of_them: int) -> Callable[[Params], int]:
    return lambda params: one if "symbol" in params else all_of_them


_V1: dict[str, tuple[Any, Any]] = {
    "ping": (info.ping, 1),
    "time": (info.time, 1),
    "exchangeInfo": (info.exchange_info, 1),
    "depth": (book.depth, _of_depth),
    "trades": (book.trades, 5),
    "aggTrades": (book.agg_trades, 20),
    "klines": (klines.klines, _of_klines),
    "continuousKlines": (klines.continuous_klines, _of_klines),
    "markPriceKlines": (klines.mark_klines, _of_klines),
    "indexPriceKlines": (klines.index_klines, _of_klines),
    "premiumIndexKlines": (klines.premium_klines, _of_klines),
    "premiumIndex": (quotes.premium_index, _one_or_all(1, 10)),
    "fundingRate": (quotes.funding_rate, 1),
    "fundingInfo": (quotes.funding_info, 0),
    "ticker/24hr": (quotes.ticker_24h, _one_or_all(1, 40)),
    "ticker/price": (book.price, _one_or_all(1, 2)),
    "ticker/bookTicker": (book.book_ticker, _one_or_all(2, 5)),
    "openInterest": (quotes.open_interest, 1),
    "constituents": (quotes.constituents, 2),
}

_FIGURES: dict[str, Any] = {
    "openInterestHist": figures.open_interest_history,
    "takerlongshortRatio": figures.taker_volume,
    "basis": figures.basis,
    "globalLongShortAccountRatio": figures.ratios(by_size=False),
    "topLongShortAccountRatio": figures.ratios(by_size=False, least=5),
    "topLongShortPositionRatio": figures.ratios(by_size=True, least=5),
}

MARKET_ROUTES: Routes = {
    **{("GET", f"/fapi/v1/{path}"): Route(*handled) for path, handled in _V1.items()},
    ("GET", "/fapi/v2/ticker/price"): Route(book.price, _one_or_all(1, 2)),
    ("GET", "/fapi/v1/historicalTrades"): Route(book.historical_trades, 20, Security.KEY),
    **{("GET", f"/futures/data/{path}"): Route(handler) for path, handler in _FIGURES.items()},
}
"""What the door joins with its own. Weights: the venue's, by the page of each endpoint."""
