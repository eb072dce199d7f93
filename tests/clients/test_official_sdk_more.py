"""More of the official SDK, unmodified: batches, whatever cancels all, isolated margin, hedge mode, listen keys."""

from __future__ import annotations

from typing import Any

import pytest
from binance_common.errors import BadRequestError

from tests.clients.running import Running
from tests.clients.test_official_sdk import BTC, rest

pytestmark = pytest.mark.filterwarnings("ignore")


def bid(price: int) -> dict[str, Any]:
    return {**BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": str(price)}


def test_batches(server: Running) -> None:
    api = rest(server, server.ann)
    first, second = api.place_multiple_orders([bid(50000), bid(50100)]).data()
    assert [first.status, second.price] == ["NEW", "50100.0"]
    changes = [{**bid(50200), "orderId": first.order_id}, {**bid(50300), "orderId": second.order_id}]
    assert [one.price for one in api.modify_multiple_orders(changes).data()] == ["50200.0", "50300.0"]
    gone = api.cancel_multiple_orders(**BTC, order_id_list=[first.order_id, second.order_id]).data()
    assert [one.status for one in gone] == ["CANCELED", "CANCELED"]


def test_whatever_cancels_all(server: Running) -> None:
    api = rest(server, server.ann)
    api.place_multiple_orders([bid(50000), bid(50100)])
    assert api.cancel_all_open_orders(**BTC).data().code == 200
    assert api.current_all_open_orders(**BTC).data() == []
    stop = {**BTC, "side": "SELL", "algo_type": "CONDITIONAL", "type": "STOP_MARKET", "quantity": 0.1}
    for price in (59000, 59100):
        api.new_algo_order(**stop, trigger_price=price)
    assert api.cancel_all_algo_open_orders(**BTC).data().code == 200
    assert api.current_all_algo_open_orders().data() == []
    assert api.auto_cancel_all_open_orders(**BTC, countdown_time=60_000).data().countdown_time == "60000"
    api.auto_cancel_all_open_orders(**BTC, countdown_time=0)


def test_isolated_margin(server: Running) -> None:
    api = rest(server, server.ann)
    api.change_margin_type(**BTC, margin_type="ISOLATED")
    api.new_order(**BTC, side="BUY", type="MARKET", quantity=0.1)
    (before,) = api.position_information_v3(**BTC).data()
    assert api.modify_isolated_position_margin(**BTC, amount=50, type=1).data().type == 1
    (after,) = api.position_information_v3(**BTC).data()
    assert float(after.liquidation_price) < float(before.liquidation_price)
    assert api.get_position_margin_change_history(**BTC).data()[0].amount == "50.00000000"
    with pytest.raises(BadRequestError, match="position"):
        api.change_margin_type(**BTC, margin_type="CROSSED")
    api.new_order(**BTC, side="SELL", type="MARKET", quantity=0.1, reduce_only="true")
    assert api.change_margin_type(**BTC, margin_type="CROSSED").data().code == 200


def test_hedge_mode(server: Running) -> None:
    api = rest(server, server.bob)
    assert api.change_position_mode(dual_side_position="true").data().code == 200
    assert api.get_current_position_mode().data().dual_side_position is True
    api.new_order(**BTC, side="SELL", type="MARKET", quantity=0.1, position_side="SHORT")
    (short,) = api.position_information_v3(**BTC).data()
    assert (short.position_side, short.position_amt) == ("SHORT", "-0.100")
    api.new_order(**BTC, side="BUY", type="MARKET", quantity=0.1, position_side="SHORT")
    assert api.change_position_mode(dual_side_position="false").data().code == 200


def test_listen_keys(server: Running) -> None:
    api = rest(server, server.bob)
    key = api.start_user_data_stream().data().listen_key
    assert api.start_user_data_stream().data().listen_key == key
    assert api.keepalive_user_data_stream().data() is not None
    api.close_user_data_stream()
    assert api.start_user_data_stream().data().listen_key != key


def test_fee_burn_and_orders_that_are_only_tried(server: Running) -> None:
    api = rest(server, server.bob)
    assert api.toggle_bnb_burn_on_futures_trade(fee_burn="false").data().code == 200
    tried = api.test_order(**BTC, side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.1, price=50000).data()
    assert tried.symbol == "BTCUSDT"
    assert api.current_all_open_orders(**BTC).data() == []
