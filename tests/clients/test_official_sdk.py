"""The official SDK, unmodified: its models are strict, so that every answer has each field in its very JSON type."""

from __future__ import annotations

from typing import Any

import pytest
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import BadRequestError, UnauthorizedError
from binance_sdk_derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from tests.clients.running import Credentials, Running
from tests.clients.vendors import TIMEOUT_S

pytestmark = pytest.mark.filterwarnings("ignore")

BTC = {"symbol": "BTCUSDT"}
BUY = {**BTC, "side": "BUY", "quantity": 0.1}


def rest(server: Running, who: Credentials) -> Any:
    config = ConfigurationRestAPI(
        api_key=who.key, api_secret=who.secret, base_path=server.http, timeout=TIMEOUT_S * 1000
    )
    return DerivativesTradingUsdsFutures(config_rest_api=config).rest_api


def test_an_order_from_its_placing_to_its_end(server: Running) -> None:
    api = rest(server, server.ann)
    filled = api.new_order(**BUY, type="MARKET", new_order_resp_type="RESULT").data()
    assert (filled.status, filled.executed_qty) == ("FILLED", "0.100")
    rests = api.new_order(**BUY, type="LIMIT", time_in_force="GTC", price=50000).data()
    changed = api.modify_order(**{**BUY, "quantity": 0.2}, order_id=rests.order_id, price=50100).data()
    assert (changed.price, changed.orig_qty) == ("50100.0", "0.200")
    assert api.query_order(**BTC, order_id=rests.order_id).data().order_id == rests.order_id
    assert api.query_current_open_order(**BTC, order_id=rests.order_id).data().status == "NEW"
    assert api.get_order_modify_history(**BTC).data()[0].order_id == rests.order_id
    assert api.cancel_order(**BTC, order_id=rests.order_id).data().status == "CANCELED"
    assert len(api.all_orders(**BTC).data()) >= 2
    trade = api.account_trade_list(**BTC, order_id=filled.order_id).data()[0]
    assert trade.order_id == filled.order_id
    closed = api.new_order(**{**BUY, "side": "SELL"}, type="MARKET", new_order_resp_type="RESULT").data()
    assert closed.status == "FILLED"


def test_a_conditional_order(server: Running) -> None:
    api = rest(server, server.ann)
    asked = {**BUY, "side": "SELL", "algo_type": "CONDITIONAL", "type": "STOP_MARKET", "trigger_price": 59000}
    waits = api.new_algo_order(**asked).data()
    assert waits.algo_status == "NEW"
    assert api.query_algo_order(algo_id=waits.algo_id).data().trigger_price == "59000.0"
    assert [one.algo_id for one in api.current_all_algo_open_orders().data()] == [waits.algo_id]
    assert api.cancel_algo_order(algo_id=waits.algo_id).data().msg == "success"
    assert waits.algo_id in [one.algo_id for one in api.query_all_algo_orders(**BTC).data()]


READS = (
    "account_information_v2", "account_information_v3", "futures_account_balance_v2", "futures_account_balance_v3",
    "futures_account_configuration", "futures_trading_quantitative_rules_indicators", "get_bnb_burn_status",
    "get_current_multi_assets_mode", "get_current_position_mode", "get_income_history", "query_user_rate_limit",
    "symbol_configuration", "notional_and_leverage_brackets", "position_information_v2", "position_information_v3",
    "position_adl_quantile_estimation", "users_force_orders", "start_user_data_stream", "current_all_open_orders",
)  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_what_an_account_is_told_fits_its_models(server: Running, name: str) -> None:
    assert getattr(rest(server, server.bob), name)().data() is not None


def test_settings_and_refusals(server: Running) -> None:
    api = rest(server, server.bob)
    assert api.change_initial_leverage(**BTC, leverage=11).data().leverage == 11
    assert api.change_margin_type(symbol="ETHUSDT", margin_type="ISOLATED").data().code == 200
    with pytest.raises(BadRequestError, match="No need to change margin type"):
        api.change_margin_type(symbol="ETHUSDT", margin_type="ISOLATED")
    assert api.user_commission_rate(**BTC).data().taker_commission_rate == "0.000500"
    with pytest.raises(BadRequestError, match="Invalid symbol"):
        api.account_trade_list(symbol="NONE")
    with pytest.raises(UnauthorizedError, match="Invalid API-key"):
        rest(server, server.bob._replace(key="x" * 64)).account_information_v3()
