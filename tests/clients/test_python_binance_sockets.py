"""python-binance's socket manager and its WebSocket API, unmodified, against the server."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from events.commands import ApplyFunding
from events.units import Rate
from tests.clients.running import Credentials, Running
from tests.clients.watching import LEAKS, in_time
from tests.serving import BTC

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it names what its own libraries hold deprecated
    from binance import AsyncClient, BinanceSocketManager
    from binance.exceptions import BinanceAPIException
    from binance.ws.reconnecting_websocket import ReconnectingWebsocket

pytestmark = LEAKS


@asynccontextmanager
async def client_of(server: Running, who: Credentials) -> AsyncIterator[tuple[Any, Any]]:
    """The client and its socket manager, pointed at the server as its users do: by attributes of the classes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncClient, "FUTURES_URL", f"{server.http}/fapi")
        patch.setattr(AsyncClient, "WS_FUTURES_URL", f"{server.ws}/ws-fapi/v1")
        patch.setattr(BinanceSocketManager, "FSTREAM_URL", f"{server.ws}/")
        patch.setattr(ReconnectingWebsocket, "TIMEOUT", 0.5)  # so long it waits at most when it leaves a silent stream
        client = AsyncClient(who.key, who.secret)
        try:
            yield client, BinanceSocketManager(client)
        finally:
            await client.close_connection()


async def _until(socket: Any, kind: str) -> Any:
    """The first event of that kind."""
    while True:
        message = await socket.recv()
        if message.get("e") == kind or message.get("data", {}).get("e") == kind:
            return message


@in_time
async def test_sockets_of_the_market_are_heard(server: Running) -> None:
    async with client_of(server, server.ann) as (_, manager):
        for socket, kind in (
            (manager.futures_depth_socket("BTCUSDT"), "depthUpdate"),
            (manager.symbol_ticker_futures_socket("BTCUSDT"), "bookTicker"),
            (manager.aggtrade_futures_socket("BTCUSDT"), "aggTrade"),
            (manager.kline_futures_socket("BTCUSDT"), "continuous_kline"),
            (manager.symbol_mark_price_socket("BTCUSDT"), "markPriceUpdate"),
            (manager.futures_multiplex_socket(["btcusdt@aggTrade", "btcusdt@markPrice@1s"]), "markPriceUpdate"),
        ):
            async with socket as heard:
                await _until(heard, kind)


@in_time
async def test_the_user_socket_tells_an_order_and_what_it_made_of_the_account(server: Running) -> None:
    async with client_of(server, server.ann) as (client, manager):
        async with manager.futures_user_socket() as heard:
            placed = await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
            new = await _until(heard, "ORDER_TRADE_UPDATE")
            account = await _until(heard, "ACCOUNT_UPDATE")
            filled = await _until(heard, "ORDER_TRADE_UPDATE")
        assert (new["o"]["x"], filled["o"]["X"]) == ("NEW", "FILLED")
        assert filled["o"]["i"] == placed["orderId"]
        assert account["a"]["P"][0]["s"] == "BTCUSDT"


@in_time
async def test_orders_go_over_the_websocket_api(server: Running) -> None:
    async with client_of(server, server.bob) as (client, _):
        placed = await client.ws_futures_create_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="50000"
        )
        assert placed["status"] == "NEW"
        ours = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        assert (await client.ws_futures_get_order(**ours))["price"] == "50000.0"
        edited = await client.ws_futures_edit_order(**ours, side="BUY", quantity="0.02", price="50100")
        assert edited["origQty"] == "0.020"
        assert (await client.ws_futures_cancel_order(**ours))["status"] == "CANCELED"
        book = await client.ws_futures_get_order_book(symbol="BTCUSDT")
        assert book["bids"]
        assert (await client.ws_futures_account_status())["assets"]
        with pytest.raises(BinanceAPIException, match="-2011"):
            await client.ws_futures_cancel_order(**ours)


@in_time
async def test_a_stop_is_told_until_it_fires(server: Running) -> None:
    async with client_of(server, server.bob) as (client, manager):
        await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        async with manager.futures_user_socket() as heard:
            placed = await client.futures_create_order(
                symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity="0.01", stopPrice="59000", reduceOnly="true"
            )
            event = await _until(heard, "ALGO_UPDATE")
            assert (event["o"]["X"], event["o"]["aid"]) == ("NEW", placed["algoId"])
            await asyncio.to_thread(server.call, server.session.move, "58900", 1)
            while (event := await _until(heard, "ALGO_UPDATE"))["o"]["X"] != "FINISHED":
                pass
            assert event["o"]["ai"] == str(placed["algoId"])


@in_time
async def test_funding_and_a_liquidation_are_seen(server: Running) -> None:
    async with client_of(server, server.bob) as (client, manager):
        await client.futures_cancel_all_open_orders(symbol="BTCUSDT")
        await client.futures_change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")
        await client.futures_change_leverage(symbol="BTCUSDT", leverage=100)
        await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
        async with manager.futures_user_socket() as heard:
            funding = ApplyFunding(server.session.venue.now, BTC, Rate(10_000))
            await asyncio.to_thread(server.call, server.session.sequencer.decide, funding)
            while (event := await _until(heard, "ACCOUNT_UPDATE"))["a"]["m"] != "FUNDING_FEE":
                pass
            assert float(event["a"]["B"][0]["bc"]) < 0
            await asyncio.to_thread(server.call, server.session.move, "59000", 1)
            while not (event := await _until(heard, "ORDER_TRADE_UPDATE"))["o"]["c"].startswith("autoclose-"):
                pass
            assert (event["o"]["x"], event["o"]["S"], event["o"]["o"]) == ("NEW", "SELL", "LIMIT")
        positions = await client.futures_position_information(symbol="BTCUSDT")
        assert [float(position["positionAmt"]) for position in positions if float(position["positionAmt"])] == []
        await client.futures_change_margin_type(symbol="BTCUSDT", marginType="CROSSED")
        await client.futures_change_leverage(symbol="BTCUSDT", leverage=20)
