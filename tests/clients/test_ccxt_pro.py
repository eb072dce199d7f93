"""ccxt.pro, unmodified, against the server: it watches the market and its account, and trades over WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro
import pytest

from tests.clients.running import Credentials, Running
from tests.clients.watching import LEAKS, in_time

pytestmark = LEAKS
SYMBOL = "BTC/USDT:USDT"


@asynccontextmanager
async def client_of(server: Running, who: Credentials) -> AsyncIterator[Any]:
    """The client as its users set it up, pointed at the server."""
    rest, ws = server.http, server.ws
    client = ccxt.pro.binanceusdm(
        {
            "apiKey": who.key,
            "secret": who.secret,
            "options": {"defaultType": "swap", "fetchCurrencies": False, "fetchMarkets": {"types": ["linear"]}},
        }
    )
    for name in ("Public", "Private"):
        for version, path in (("", "v1"), ("V2", "v2"), ("V3", "v3")):
            client.urls["api"][f"fapi{name}{version}"] = f"{rest}/fapi/{path}"
    client.urls["api"]["fapiData"] = f"{rest}/futures/data"
    client.urls["api"]["ws"] = {"linear": f"{ws}/ws", "ws-api": {"linear": f"{ws}/ws-fapi/v1"}}
    try:
        yield client
    finally:
        await client.close()


async def _first(watch: Callable[[], Coroutine[Any, Any, list[Any]]]) -> Any:
    """The first thing that is watched; the snapshot before it may be empty."""
    while not (found := await watch()):
        pass
    return found[0]


@in_time
async def test_it_watches_a_book_that_joins_its_snapshot(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        for _ in range(3):
            book = await client.watch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert book["nonce"]


@in_time
async def test_it_watches_tickers_candles_and_trades(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        ticker = await client.watch_ticker(SYMBOL)
        assert ticker["last"] > 0
        top = await client.watch_bids_asks([SYMBOL])
        assert top[SYMBOL]["bid"] < top[SYMBOL]["ask"]
        mark = await client.watch_mark_price(SYMBOL)
        assert mark["markPrice"] > 0
        candles = asyncio.ensure_future(client.watch_ohlcv(SYMBOL, "1m"))
        trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
        await asyncio.sleep(0.5)
        await client.create_order(SYMBOL, "market", "buy", 0.01)
        while not any(trade["amount"] == 0.01 for trade in await trades):
            trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
        assert (await candles)[-1][5] > 0


@in_time
async def test_it_hears_of_its_orders_balance_and_positions(server: Running) -> None:
    async with client_of(server, server.bob) as client:
        await client.load_markets()
        orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
        mine = asyncio.ensure_future(client.watch_my_trades(SYMBOL))
        balance = asyncio.ensure_future(client.watch_balance())
        positions = asyncio.ensure_future(_first(lambda: client.watch_positions([SYMBOL])))
        await asyncio.sleep(1)
        placed = await client.create_order(SYMBOL, "market", "buy", 0.02)
        assert (await orders)[-1]["id"] == placed["id"]
        assert (await mine)[-1]["amount"] == 0.02
        assert (await balance)["USDT"]["total"] > 0
        position = await positions
        assert (position["contracts"], position["side"], position["marginMode"]) == (0.02, "long", "cross")


@in_time
async def test_it_trades_over_a_websocket(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        await client.load_markets()
        placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 50_000)
        assert placed["status"] == "open"
        edited = await client.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, 51_000)
        assert (edited["price"], edited["amount"]) == (51_000, 0.02)
        shown = await client.fetch_order_ws(placed["id"], SYMBOL)
        assert shown["id"] == placed["id"]
        gone = await client.cancel_order_ws(placed["id"], SYMBOL)
        assert gone["status"] == "canceled"
        assert (await client.fetch_balance_ws())["USDT"]["total"] > 0
        assert isinstance(await client.fetch_positions_ws([SYMBOL]), list)
        stop = await client.create_order_ws(
            SYMBOL, "market", "sell", 0.01, None, {"triggerPrice": 40_000, "reduceOnly": True}
        )
        assert stop["id"]
        await client.cancel_order_ws(stop["id"], SYMBOL, {"trigger": True})


@in_time
async def test_it_raises_the_errors_that_the_venue_means(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        await client.load_markets()
        with pytest.raises(ccxt.OrderNotFound, match="Unknown order sent"):
            await client.cancel_order_ws("999999", SYMBOL)
