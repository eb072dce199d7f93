"""The venue's connector of old, unmodified: it sends everything in the query, whatever the method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.running import Running
from tests.clients.vendors import ClientError, connector, pay_funding

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def um(server: Running) -> Iterator[Any]:
    """The client, whose account is flat before and after."""
    client = connector(server, server.ann)
    yield client
    client.cancel_open_orders(symbol="BTCUSDT")
    for position in client.get_position_risk(symbol="BTCUSDT"):
        size = float(position["positionAmt"])
        if size:
            side = "SELL" if size > 0 else "BUY"
            client.new_order(symbol="BTCUSDT", side=side, type="MARKET", quantity=abs(size), reduceOnly="true")
    client.session.close()


def buy(client: Any, **how: Any) -> Any:
    return client.new_order(
        **{"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 0.1, "newOrderRespType": "RESULT"} | how
    )


def test_an_order_from_its_placing_to_its_end(um: Any) -> None:
    rests = buy(um, type="LIMIT", timeInForce="GTC", price=50000)
    assert rests["status"] == "NEW"
    changed = um.modify_order(symbol="BTCUSDT", side="BUY", quantity=0.2, price=50100, orderId=rests["orderId"])
    assert (changed["price"], changed["origQty"]) == ("50100.0", "0.200")
    assert [one["orderId"] for one in um.get_orders(symbol="BTCUSDT")] == [rests["orderId"]]
    assert um.cancel_order(symbol="BTCUSDT", orderId=rests["orderId"])["status"] == "CANCELED"
    assert um.query_order(symbol="BTCUSDT", orderId=rests["orderId"])["status"] == "CANCELED"


def test_a_position_its_trades_and_its_income(um: Any, server: Running) -> None:
    filled = buy(um)
    (position,) = um.get_position_risk(symbol="BTCUSDT")
    assert (position["positionAmt"], position["entryPrice"]) == ("0.100", filled["avgPrice"])
    trade = um.get_account_trades(symbol="BTCUSDT")[-1]
    assert (trade["orderId"], trade["qty"]) == (filled["orderId"], "0.100")
    pay_funding(server)
    assert um.get_income_history(incomeType="FUNDING_FEE")[-1]["income"] == "-0.60000000"
    assert float(um.account()["totalWalletBalance"]) < 10_000


def test_a_batch(um: Any) -> None:
    one = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    first, second = um.new_batch_order([{**one, "price": "50000"}, {**one, "price": "61000", "timeInForce": "GTX"}])
    assert (first["status"], second["code"]) == ("NEW", -5022)
    (gone,) = um.cancel_batch_order(symbol="BTCUSDT", orderIdList=[first["orderId"]], origClientOrderIdList=None)
    assert gone["status"] == "CANCELED"


def test_settings_and_isolated_margin(um: Any) -> None:
    assert um.change_leverage(symbol="BTCUSDT", leverage=10)["leverage"] == 10
    assert um.change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")["code"] == 200
    with pytest.raises(ClientError) as failure:
        um.change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")
    assert (failure.value.error_code, failure.value.error_message) == (-4046, "No need to change margin type.")
    buy(um)
    (before,) = um.get_position_risk(symbol="BTCUSDT")
    um.modify_isolated_position_margin(symbol="BTCUSDT", amount=100, type=1)
    (after,) = um.get_position_risk(symbol="BTCUSDT")
    assert float(after["liquidationPrice"]) < float(before["liquidationPrice"])
    assert um.get_position_margin_history(symbol="BTCUSDT")[-1]["amount"] == "100.00000000"
    assert um.get_position_mode() == {"dualSidePosition": False}
    assert um.leverage_brackets(symbol="BTCUSDT")[0]["brackets"][0]["initialLeverage"] == 125


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (-1121, {"symbol": "NONE"}), (-4164, {"quantity": 0.001}), (-2022, {"side": "SELL", "reduceOnly": "true"}),
        (-2019, {"quantity": 50}), (-1111, {"quantity": 0.0001}),
    ],
)  # fmt: skip
def test_refusals_have_their_codes(um: Any, code: int, how: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as failure:
        buy(um, **how)
    assert (failure.value.status_code, failure.value.error_code) == (400, code)


def test_an_order_that_is_sent_again_is_refused_and_not_doubled(um: Any) -> None:
    buy(um, newClientOrderId="once")
    held = um.get_position_risk(symbol="BTCUSDT")[0]["positionAmt"]
    with pytest.raises(ClientError) as failure:
        buy(um, newClientOrderId="once")
    assert (failure.value.error_code, failure.value.error_message) == (-4116, "clientOrderId is duplicated")
    assert um.get_position_risk(symbol="BTCUSDT")[0]["positionAmt"] == held


def test_a_wrong_secret_is_refused(server: Running) -> None:
    client = connector(server, server.ann._replace(secret="wrong"))
    with pytest.raises(ClientError) as failure:
        client.account()
    assert failure.value.error_code == -1022
    client.session.close()


def test_the_key_of_a_stream(um: Any) -> None:
    key = um.new_listen_key()["listenKey"]
    assert um.new_listen_key()["listenKey"] == key
    assert um.renew_listen_key(key) in ({}, {"listenKey": key})
    assert um.close_listen_key(key) == {}
