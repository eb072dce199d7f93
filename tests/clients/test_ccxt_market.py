"""ccxt, as it comes from PyPI, reads the market of a running server: all at once, and as it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import ccxt
import ccxt.pro
import pytest

from tests.clients.running import Running

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def configured(server: Running) -> dict[str, Any]:
    rest = f"{server.http}/fapi"
    api = {
        f"fapi{kind}{version}": f"{rest}/{version.lower() or 'v1'}"
        for kind in ("Public", "Private")
        for version in ("", "V2", "V3")
    }
    return {
        "enableRateLimit": False,
        "timeout": 10_000,
        "options": {"defaultType": "swap", "fetchCurrencies": False, "fetchMarkets": {"types": ["linear"]}},
        "urls": {
            "api": {
                **api, "fapiData": f"{server.http}/futures/data",
                "ws": {"linear": f"{server.ws}/ws", "ws-api": {"linear": f"{server.ws}/ws-fapi/v1"}},
            }
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def exchange(server: Running) -> Iterator[Any]:
    found = ccxt.binanceusdm(configured(server))
    found.load_markets()
    yield found
    found.close()


def test_markets_have_their_precision_and_limits(exchange: Any) -> None:
    market = exchange.market(BTC)
    assert (market["active"], market["linear"], market["settle"]) == (True, True, "USDT")
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert market["limits"]["cost"]["min"] == 100
    assert exchange.market(ETH)["active"] is False
    assert exchange.fetch_time() > 0


def test_the_book(exchange: Any) -> None:
    book = exchange.fetch_order_book(BTC, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["nonce"] > 0
    best = exchange.fetch_bids_asks([BTC])[BTC]
    assert (best["bid"], best["ask"]) == (book["bids"][0][0], book["asks"][0][0])


def test_tickers_and_prices(exchange: Any) -> None:
    tickers = exchange.fetch_tickers()
    assert list(tickers) == [BTC]
    ticker = exchange.fetch_ticker(BTC)
    assert ticker["last"] == tickers[BTC]["last"] == exchange.fetch_last_prices([BTC])[BTC]["price"]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert exchange.fetch_mark_prices([BTC])[BTC]["markPrice"] > 0


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "1d", "3d", "1w", "1M"])
def test_candles(exchange: Any, timeframe: str) -> None:
    rows = exchange.fetch_ohlcv(BTC, timeframe, limit=499)
    assert all(len(row) == 6 and row[3] <= min(row[1], row[4]) for row in rows)
    assert exchange.fetch_ohlcv(BTC, timeframe, params={"price": "mark"})[-1][4] > 0
    assert exchange.fetch_ohlcv(BTC, timeframe, since=rows[-1][0])[0][0] == rows[-1][0]


def test_trades(exchange: Any) -> None:
    trades = exchange.fetch_trades(BTC, limit=10)
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}
    assert [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    exchange.options["fetchTradesMethod"] = "fapiPublicGetTrades"
    assert exchange.fetch_trades(BTC, limit=10)[-1]["price"] > 0
    del exchange.options["fetchTradesMethod"]


def test_funding_and_open_interest(exchange: Any) -> None:
    rate = exchange.fetch_funding_rate(BTC)
    assert (rate["markPrice"], rate["interestRate"]) == (exchange.fetch_funding_rates()[BTC]["markPrice"], 0.0001)
    assert exchange.fetch_funding_rate_history(BTC) == []
    assert exchange.fetch_funding_intervals([BTC])[BTC]["interval"] == "8h"
    assert exchange.fetch_open_interest(BTC)["openInterestAmount"] >= 0
    assert exchange.fetch_open_interest_history(BTC, "5m")[-1]["symbol"] == BTC
    assert exchange.fetch_long_short_ratio_history(BTC, "5m") == []


def test_what_is_asked_wrongly_raises_the_class_of_the_venue(exchange: Any) -> None:
    with pytest.raises(ccxt.BadSymbol):
        exchange.fapiPublicGetDepth({"symbol": "NOPE"})
    with pytest.raises(ccxt.BadRequest):
        exchange.fapiPublicGetKlines({"symbol": "BTCUSDT", "interval": "9m"})


def test_the_market_as_it_moves(server: Running) -> None:
    asyncio.run(asyncio.wait_for(_watch(server), 60))


async def _watch(server: Running) -> None:
    exchange = ccxt.pro.binanceusdm(configured(server))
    moving = asyncio.create_task(_move(server))
    try:
        await exchange.load_markets()
        for _ in range(6):
            book = await exchange.watch_order_book(BTC)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert (await exchange.watch_trades(BTC))[-1]["price"] > 0
        assert (await exchange.watch_ticker(BTC))["last"] > 0
        assert (await exchange.watch_bids_asks([BTC]))[BTC]["bid"] > 0
        assert (await exchange.watch_ohlcv(BTC, "1m"))[-1][4] > 0
        assert (await exchange.watch_mark_price(BTC))["markPrice"] > 0
    finally:
        moving.cancel()
        await exchange.close()


async def _move(server: Running) -> None:
    """Let the price go up and down."""
    for n in range(1_000):
        server.session.price = f"{60_000 + n % 7}"
        await asyncio.sleep(0.2)
