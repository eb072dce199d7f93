"""The venue's official SDK, which checks the type of every field, reads the market of a running server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    ConfigurationRestAPI,
    DerivativesTradingUsdsFutures,
)

from tests.clients.running import Running

SYMBOL, PAIR = {"symbol": "BTCUSDT"}, {"pair": "BTCUSDT"}
TYPE = {"contract_type": "PERPETUAL"}

ASKED: dict[str, dict[str, Any]] = {
    "exchange_information": {},
    "check_server_time": {},
    "test_connectivity": {},
    "order_book": {**SYMBOL, "limit": 5},
    "recent_trades_list": SYMBOL,
    "old_trades_lookup": SYMBOL,
    "compressed_aggregate_trades_list": SYMBOL,
    "kline_candlestick_data": {**SYMBOL, "interval": "1m"},
    "continuous_contract_kline_candlestick_data": {**PAIR, **TYPE, "interval": "1h"},
    "index_price_kline_candlestick_data": {**PAIR, "interval": "1d"},
    "mark_price_kline_candlestick_data": {**SYMBOL, "interval": "1w"},
    "premium_index_kline_data": {**SYMBOL, "interval": "1M"},
    "mark_price": SYMBOL,
    "get_funding_rate_history": {},
    "get_funding_rate_info": {},
    "ticker24hr_price_change_statistics": SYMBOL,
    "symbol_price_ticker": {},
    "symbol_price_ticker_v2": SYMBOL,
    "symbol_order_book_ticker": {},
    "open_interest": SYMBOL,
    "open_interest_statistics": {**SYMBOL, "period": "5m"},
    "top_trader_long_short_ratio_positions": {**SYMBOL, "period": "5m"},
    "top_trader_long_short_ratio_accounts": {**SYMBOL, "period": "5m"},
    "long_short_ratio": {**SYMBOL, "period": "5m"},
    "taker_buy_sell_volume": {**SYMBOL, "period": "5m"},
    "basis": {**PAIR, **TYPE, "period": "5m"},
    "query_index_price_constituents": SYMBOL,
}


@pytest.fixture(scope="module")
def api(server: Running) -> Any:
    """The SDK's REST API."""
    given = ConfigurationRestAPI(
        api_key=server.ann.key, api_secret=server.ann.secret, base_path=server.http, timeout=10_000
    )
    return DerivativesTradingUsdsFutures(config_rest_api=given).rest_api


@pytest.mark.parametrize("method", ASKED)
def test_every_field_is_of_the_type_that_the_venue_gives_it(api: Any, method: str) -> None:
    ask: Callable[..., Any] = getattr(api, method)
    answer = ask(**ASKED[method])
    assert answer.status == 200
    answer.data()
