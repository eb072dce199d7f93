"""ccxt, unmodified, by plain HTTP and by the URL at which it knows the venue's table of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.clients.running import Running
from tests.clients.vendors import ccxt, ccxt_of, move, pay_funding

pytestmark = pytest.mark.filterwarnings("ignore")

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def known(server: Running) -> Any:
    """By TLS, whose URL ccxt takes for the venue's."""
    return ccxt_of(server, server.bob, server.https)


@pytest.fixture(scope="module")
def plain(server: Running) -> Any:
    """By plain HTTP."""
    return ccxt_of(server, server.ann)


@pytest.fixture
def x(plain: Any) -> Iterator[Any]:
    """ccxt, whose account is flat before and after."""
    yield plain
    _flat(plain)


@pytest.fixture
def tls(known: Any) -> Iterator[Any]:
    """The same where errors are those of the venue."""
    yield known
    _flat(known)


def _flat(client: Any) -> None:
    client.cancel_all_orders(SYMBOL)
    client.cancel_all_orders(SYMBOL, {"trigger": True})
    for position in client.fetch_positions([SYMBOL]):
        if position["contracts"]:
            side = "sell" if position["side"] == "long" else "buy"
            client.create_order(SYMBOL, "market", side, position["contracts"], None, {"reduceOnly": True})
    with suppress(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("cross", SYMBOL)


def test_markets_and_candles(x: Any) -> None:
    market = x.load_markets()[SYMBOL]
    assert (market["linear"], market["settle"], market["precision"]["price"]) == (True, "USDT", 0.1)
    assert market["limits"]["cost"]["min"] == 100
    book = x.fetch_order_book(SYMBOL, 5)
    assert (book["bids"][0][0], book["asks"][0][0]) == (59999.9, 60000.1)
    assert len(x.fetch_ohlcv(SYMBOL, "1m", limit=5)) >= 1
    assert x.fetch_time() > 10**12


def test_an_order_from_its_placing_to_its_end(x: Any) -> None:
    rests = x.create_order(SYMBOL, "limit", "buy", 0.1, 50000, {"clientOrderId": "mine"})
    assert (rests["status"], rests["clientOrderId"], rests["amount"]) == ("open", "mine", 0.1)
    changed = x.edit_order(rests["id"], SYMBOL, "limit", "buy", 0.2, 50100)
    assert (changed["id"], changed["price"], changed["amount"]) == (rests["id"], 50100, 0.2)
    assert [one["id"] for one in x.fetch_open_orders(SYMBOL)] == [rests["id"]]
    assert x.cancel_order(rests["id"], SYMBOL)["status"] == "canceled"
    assert x.fetch_order(rests["id"], SYMBOL)["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        x.cancel_order(rests["id"], SYMBOL)
    filled = x.create_order(SYMBOL, "market", "buy", 0.1)
    assert (filled["status"], filled["filled"], filled["average"]) == ("closed", 0.1, 60000.1)


def test_a_position_its_trades_and_its_balance(x: Any, server: Running) -> None:
    filled = x.create_order(SYMBOL, "market", "sell", 0.1)
    (position,) = x.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 0.1, filled["average"])
    assert position["marginMode"] == "cross"
    (trade,) = (one for one in x.fetch_my_trades(SYMBOL) if one["order"] == filled["id"])
    assert (trade["amount"], trade["takerOrMaker"], trade["fee"]["currency"]) == (0.1, "taker", "USDT")
    balance = x.fetch_balance()
    assert 9000 < balance["USDT"]["free"] < balance["USDT"]["total"] < 10_100
    pay_funding(server)
    funding = x.fetch_funding_history(SYMBOL)[-1]
    assert funding["amount"] == pytest.approx(0.6)


def test_a_stop_is_placed_shown_and_cancelled(x: Any) -> None:
    x.create_order(SYMBOL, "market", "buy", 0.1)
    waits = x.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 59000, "reduceOnly": True})
    (shown,) = x.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert (shown["id"], shown["triggerPrice"], shown["status"]) == (waits["id"], 59000, "open")
    assert x.fetch_open_orders(SYMBOL) == []
    assert x.fetch_order(waits["id"], SYMBOL, {"trigger": True})["status"] == "open"
    x.cancel_order(waits["id"], SYMBOL, {"trigger": True})
    with pytest.raises(ccxt.OrderNotFound):
        x.cancel_order(waits["id"], SYMBOL, {"trigger": True})


def test_a_stop_that_fired_leads_to_its_order(x: Any, server: Running) -> None:
    x.create_order(SYMBOL, "market", "buy", 0.1)
    asked = {"stopLossPrice": 59000, "reduceOnly": True, "workingType": "MARK_PRICE"}
    waits = x.create_order(SYMBOL, "market", "sell", 0.1, None, asked)
    try:
        move(server, "58900")
        fired = x.fetch_order(waits["id"], SYMBOL, {"trigger": True})
        assert fired["status"] == "closed"
        actual = x.fetch_order(fired["info"]["actualOrderId"], SYMBOL)
        assert (actual["status"], actual["filled"], actual["average"]) == ("closed", 0.1, 58899.9)
        assert not [one for one in x.fetch_positions([SYMBOL]) if one["contracts"]]
        with pytest.raises(ccxt.OrderNotFound):
            x.cancel_order(waits["id"], SYMBOL, {"trigger": True})
    finally:
        move(server, "60000")


def test_a_batch(x: Any) -> None:
    one = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.1}
    first, second = x.create_orders([{**one, "price": 50000}, {**one, "price": 50100}])
    assert [first["status"], second["status"]] == ["open", "open"]
    gone = x.cancel_orders([first["id"], second["id"]], SYMBOL)
    assert [order["status"] for order in gone] == ["canceled", "canceled"]


def test_margin_mode_leverage_and_isolated_margin(x: Any) -> None:
    x.set_margin_mode("isolated", SYMBOL)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        x.set_margin_mode("isolated", SYMBOL)
    x.set_leverage(10, SYMBOL)
    assert x.fetch_leverage(SYMBOL)["longLeverage"] == 10
    assert x.fetch_margin_mode(SYMBOL)["marginMode"] == "isolated"
    x.create_order(SYMBOL, "market", "buy", 0.1)
    (before,) = x.fetch_positions([SYMBOL])
    assert before["marginMode"] == "isolated"
    x.add_margin(SYMBOL, 100)
    (after,) = x.fetch_positions([SYMBOL])
    assert after["liquidationPrice"] < before["liquidationPrice"]
    x.reduce_margin(SYMBOL, 50)
    (less,) = x.fetch_positions([SYMBOL])
    assert after["liquidationPrice"] < less["liquidationPrice"] < before["liquidationPrice"]
    (tiers,) = x.fetch_leverage_tiers([SYMBOL]).values()
    assert tiers[0]["maxLeverage"] == 125
    assert x.fetch_trading_fee(SYMBOL)["taker"] == 0.0005
    assert x.fetch_position_mode(SYMBOL)["hedged"] is False


def test_errors_that_are_known_at_any_url(x: Any) -> None:
    with pytest.raises(ccxt.InvalidOrder):
        x.create_order(SYMBOL, "limit", "buy", 0.1, 61000, {"postOnly": True})
    with pytest.raises(ccxt.ExchangeError):
        x.create_order(SYMBOL, "market", "sell", 0.1, None, {"reduceOnly": True})


def test_errors_that_are_known_at_the_venues_url(tls: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        tls.create_order(SYMBOL, "limit", "buy", 50, 59000)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        tls.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 61000})
    with pytest.raises(ccxt.OrderNotFillable):
        tls.create_order(SYMBOL, "limit", "buy", 0.1, 61000, {"postOnly": True})
    with pytest.raises(ccxt.InvalidOrder):
        tls.create_order(SYMBOL, "market", "sell", 0.1, None, {"reduceOnly": True})
    tls.create_order(SYMBOL, "limit", "buy", 0.1, 50000, {"clientOrderId": "twice"})
    with pytest.raises(ccxt.InvalidOrder):
        tls.create_order(SYMBOL, "limit", "buy", 0.1, 50000, {"clientOrderId": "twice"})


def test_a_wrong_secret_is_an_authentication_error(server: Running) -> None:
    with pytest.raises(ccxt.AuthenticationError):
        ccxt_of(server, server.ann._replace(secret="wrong")).fetch_balance()
