"""The streams and the WebSocket API of the official SDK, unmodified, against the server: its models check the types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from tests.clients.running import Credentials, Running
from tests.clients.watching import LEAKS, in_time, until

pytestmark = LEAKS


@asynccontextmanager
async def client_of(server: Running, who: Credentials) -> AsyncIterator[Any]:
    """The client, pointed at the server."""
    client = DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(api_key=who.key, api_secret=who.secret, base_path=server.http),
        config_ws_api=ConfigurationWebSocketAPI(
            api_key=who.key, api_secret=who.secret, stream_url=f"{server.ws}/ws-fapi/v1"
        ),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=server.ws),
    )
    yield client


@in_time
async def test_market_streams_fit_its_models(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        streams = await client.websocket_streams.create_connection()
        try:
            for stream in (
                await streams.aggregate_trade_streams(symbol="btcusdt"),
                await streams.mark_price_stream(symbol="btcusdt", update_speed="1s"),
                await streams.kline_candlestick_streams(symbol="btcusdt", interval="1m"),
                await streams.individual_symbol_book_ticker_streams(symbol="btcusdt"),
                await streams.diff_book_depth_streams(symbol="btcusdt"),
                await streams.individual_symbol_ticker_streams(symbol="btcusdt"),
            ):
                heard: asyncio.Queue[Any] = asyncio.Queue()
                stream.on("message", heard.put_nowait)
                event = await heard.get()
                assert event.s == "BTCUSDT"
                await stream.unsubscribe()
        finally:
            await streams.close_connection(close_session=True)


@in_time
async def test_user_data_fits_its_models(server: Running) -> None:
    async with client_of(server, server.ann) as client:
        key = (await asyncio.to_thread(client.rest_api.start_user_data_stream)).data().listen_key
        streams = await client.websocket_streams.create_connection()
        try:
            stream = await streams.user_data(key)
            heard: asyncio.Queue[Any] = asyncio.Queue()
            stream.on("message", lambda event: heard.put_nowait(event.actual_instance))
            await asyncio.sleep(0.5)
            order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 0.01}
            await asyncio.to_thread(lambda: client.rest_api.new_order(**order))
            account = await until(heard, lambda event: type(event).__name__ == "AccountUpdate")
            assert account.a.P[0].s == "BTCUSDT"
            filled = await until(heard, lambda event: type(event).__name__ == "OrderTradeUpdate")
            assert (filled.o.X, filled.o.z) == ("FILLED", "0.010")
            await asyncio.to_thread(lambda: client.rest_api.change_initial_leverage("BTCUSDT", 7))
            setting = await until(heard, lambda event: type(event).__name__ == "AccountConfigUpdate")
            assert setting.ac.l == 7
        finally:
            await streams.close_connection(close_session=True)


@in_time
async def test_orders_go_over_the_websocket_api(server: Running) -> None:
    async with client_of(server, server.bob) as client:
        api = await client.websocket_api.create_connection()
        try:
            placed = (
                await api.new_order(
                    symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=50000,
                    new_client_order_id="sdk:1",
                )
            ).data().result  # fmt: skip
            assert placed.status == "NEW"
            shown = (await api.query_order(symbol="BTCUSDT", order_id=placed.order_id)).data().result
            assert shown.client_order_id == "sdk:1"
            gone = (await api.cancel_order(symbol="BTCUSDT", order_id=placed.order_id)).data().result
            assert gone.status == "CANCELED"
            for ask in (api.account_information, api.account_information_v2, api.futures_account_balance_v2):
                assert (await ask()).data().result
            assert (await api.position_information_v2()).data().result is not None
            price = (await api.symbol_price_ticker(symbol="BTCUSDT")).data().actual_instance.result
            assert float(price.price) > 0
            started = (await api.start_user_data_stream()).data().result
            assert started.listen_key
        finally:
            await api.close_connection(close_session=True)
