"""What programs give in place of what commands hold: taken as it was meant, or turned away in one line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from events import commands as c
from events.commands import Side
from events.guards import PriceGuards
from events.instructions import Arming
from events.instruments import Leg
from events.linked import PlaceLinked
from events.phases import TradingPhase
from events.units import SECOND
from exchange.fitting import misfit
from gateway.desk import Desk
from replay.context import Context

BTC = "BTCUSDT"


@pytest.fixture
def desk() -> Desk:
    """A desk with the mark and the last price at 30,000 and an empty book."""
    desk = Desk()
    desk.mark(BTC, 30_000)
    desk.trader("ben").buy(BTC, "0.01", "30000")
    desk.trader("cat").sell(BTC, "0.01", "30000")
    return desk


@pytest.fixture
def ann(desk: Desk) -> Context:
    return desk.trader("ann")


def kinds(desk: Desk) -> list[str]:
    return [line.split()[0] for line in desk.told().splitlines()]


# Text in place of an enum


def test_text_is_what_the_enum_of_that_value_is(desk: Desk, ann: Context) -> None:
    a: Any = ann
    a.buy(BTC, "0.01", 29_000, time_in_force="gtx", self_trade="expire_taker", leg="net")
    a.stop(BTC, "sell", "0.01", 29_000, source="mark")
    a.bracket(BTC, "buy", "0.01", 28_000, stop_loss=27_000, arms="full_fill", source="mark")
    a.set_margin_mode("ETHUSDT", "isolated")
    own = desk.state.accounts[ann.account]
    assert own.orders[1].time_in_force is c.TimeInForce.POST_ONLY  # type: ignore[index]
    assert [one.placed.side for one in own.triggers.values()] == [Side.SELL, Side.SELL]
    assert a.position(BTC, "net") == 0
    assert a.max_size(BTC, "buy") == a.max_size(BTC, Side.BUY)
    assert not any(kind == "refused" for kind in kinds(desk))


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (
            lambda a: a.buy(BTC, 1, 1, time_in_force="post"),
            "time_in_force is 'post'; it may be 'gtc', 'ioc', 'fok', 'gtx' (post_only), 'gtd', 'day'",
        ),
        (lambda a: a.stop(BTC, "long", 1, 1), "side is 'long'; it may be 'buy', 'sell'"),
        (lambda a: a.stop(BTC, "buy", 1, 1, source="index"), "source is 'index'; it may be 'mark', 'last'"),
        (lambda a: a.buy(BTC, 1, 1, leg=1), "leg is 1; it may be 'net', 'long', 'short'"),
        (lambda a: a.buy(BTC, 1, 1, client=5), "client is 5; it must be text"),
        (lambda a: a.buy(BTC, 1, 1, reduce_only=1), "reduce_only is 1; it must be True or False"),
        (lambda a: a.buy(BTC, 1, 1, good_till=1.5), "good_till is 1.5; it must be a whole number, an int"),
        (lambda a: a.buy(BTC, 1, 1, good_till=True), "good_till is True; it must be a whole number, an int"),
        (lambda a: a.set_leverage(BTC, 2.5), "leverage is 2.5; it must be a whole number, an int"),
        (lambda a: a.set_countdown(BTC, "soon"), "seconds is 'soon'; it must be a number"),
        (lambda a: a.trailing_stop(BTC, "sell", 1, "0.0123456789"), "callback is '0.0123456789'; it has 8 decimals .*"),
        (lambda a: a.add_margin(BTC, "0.000000001"), "amount is '0.000000001'; it has 8 decimals at most"),
        (lambda a: a.transfer("USDT", -1e-9, "ben"), "amount is -1e-09; it has 8 decimals at most"),
        (lambda a: a.exchange("USDT", 0.123456789, "BTC"), "amount is 0.123456789; it has 8 decimals at most"),
        (lambda a: a.transfer("USDT", "1E20.5", "ben"), "amount is '1E20.5'; it must be a number"),
        (
            lambda a: a.transfer("USDT", "123456789012345678901234567890.000000001", "ben"),
            "amount is '123456789012345678901234567890.000000001'; it has 8 decimals at most",
        ),
        (lambda a: a.bracket(BTC, "buy", 1), "a bracket has a take_profit, a stop_loss or both; .*"),
        (lambda a: a.oco(BTC, "buy", 1, 1, 2, client="x"), "client names one order, .*; give limit_client and .*"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_a_command_cannot_hold_is_turned_away_with_what_may_be_given(
    desk: Desk, ann: Context, deed: Callable[[Any], object], why: str
) -> None:
    desk.told()
    with pytest.raises(ValueError, match=f"^{why.replace('(', '[(]').replace(')', '[)]')}$"):
        deed(ann)
    assert desk.told() == ""


@pytest.mark.parametrize("amount", ["0.00000001", 1e-8, Decimal("1E-8"), "0.010E-6"])
def test_an_atom_is_the_least_amount(desk: Desk, ann: Context, amount: Any) -> None:
    ann.transfer("USDT", amount, "ben")
    assert ann.available() == Decimal("999999.99999999")
    with pytest.raises(ValueError, match=r"^deposit is '0.000000001'; it has 8 decimals at most$"):
        desk.trader("dan", "0.000000001")


@pytest.mark.parametrize("seconds", [0.5, "0.5", Decimal("0.5")])
def test_seconds_may_have_parts(desk: Desk, ann: Context, seconds: Any) -> None:
    ann.set_countdown(BTC, seconds)
    assert desk.state.accounts[ann.account].countdowns[BTC] == SECOND // 2  # type: ignore[index]
    desk.wait(seconds)
    assert desk.state.now == SECOND // 2


def test_a_float_is_its_shortest_text(desk: Desk, ann: Context) -> None:
    number = ann.buy(BTC, 0.1, 29_000.1)  # type: ignore[arg-type]
    assert ann.open_orders() == {number: Decimal("0.1")}


# Amendments


def test_an_amendment_knows_the_orders_of_its_batch(desk: Desk, ann: Context) -> None:
    with ann.batch():
        one = ann.buy(BTC, "0.5", 29_000)
        stop = ann.stop(BTC, Side.SELL, "0.5", 28_000, client="way-out")
        ann.amend(one, price="29100.1")
        ann.amend(client="way-out", trigger=28_500)
        ann.amend(client="way-out", size="0.4")
    assert (ann.open_orders(), ann.triggers()) == ({one: Decimal("0.5")}, {stop: Decimal("-0.4")})
    own = desk.state.accounts[ann.account]
    assert (own.orders[one].price, own.triggers[stop].placed.trigger) == (291_001, 285_000)


def test_what_waits_keeps_what_it_waits_for_where_an_amendment_says_nothing_of_it(desk: Desk, ann: Context) -> None:
    stop = ann.stop(BTC, Side.SELL, "0.5", 28_000)
    trail = ann.trailing_stop(BTC, Side.SELL, "0.5", "0.02", 31_000)
    desk.told()
    ann.amend(stop, size="0.4")
    ann.amend(trail, size="0.3")
    assert kinds(desk) == ["trigger_amended", "trigger_amended"]
    assert ann.triggers() == {stop: Decimal("-0.4"), trail: Decimal("-0.3")}
    ann.amend(99, size="0.3")
    assert desk.told().endswith("command=amend_order account=ann number=99 reason=unknown_order")


def test_the_two_of_an_oco_have_a_client_id_each(desk: Desk, ann: Context) -> None:
    ann.bracket(BTC, Side.SELL, "0.1", 31_000, take_profit=30_000)
    first, second = ann.oco(BTC, Side.BUY, "0.1", 29_000, 31_000, limit_client="low", stop_client="high")
    assert desk.state.accounts[ann.account].clients == {"low": first, "high": second}


def test_a_batch_holds_no_linked_orders(desk: Desk, ann: Context) -> None:
    with pytest.raises(ValueError, match="no part of a batch"), ann.batch():
        ann.oco(BTC, Side.BUY, "0.1", 29_000, 31_000)
    with (
        pytest.raises(ValueError, match=r"^SubmitBatch: an item of items is SetLeverage, not PlaceOrder or "),
        ann.batch(),
    ):
        ann.set_leverage(BTC, 5)
    assert ann.buy(BTC, "0.1", 29_000) in ann.open_orders()


# The last line of defence

ORDER = c.PlaceOrder(1, "ann", "1", 1, BTC, Side.BUY, 1, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (ORDER, None),
        (ORDER.__replace__(price="0.5"), None),
        (ORDER.__replace__(time_in_force="gtx"), "time_in_force is 'gtx', not TimeInForce"),
        (ORDER.__replace__(price=0.5), "price is 0.5, not int or str or None"),
        (ORDER.__replace__(reduce_only=1), "reduce_only is 1, not bool"),
        (ORDER.__replace__(client=5), "client is 5, not str"),
        (c.SetCountdown(1, "ann", "1", BTC, 5e8), "after is 500000000.0, not int"),  # type: ignore[arg-type]
        (c.SetLeverage(1, "ann", "1", BTC, True), "leverage is True, not int"),  # type: ignore[arg-type]
        (
            c.SubmitBatch(1, "ann", "1", (ORDER, ORDER.__replace__(lots=1.0))),  # type: ignore[arg-type]
            "PlaceOrder: lots is 1.0, not int or str",
        ),
        (PlaceLinked(1, "ann", "1", (ORDER,), ORDER.__replace__(leg="net")), "PlaceOrder: leg is 'net', not Leg"),  # type: ignore[arg-type]
        (PlaceLinked(1, "ann", "1", (ORDER, ORDER)), None),  # type: ignore[arg-type]
    ],
    ids=str,
)  # fmt: skip
def test_a_command_whose_field_is_not_of_its_type_cannot_be_recorded(command: c.Command, why: str | None) -> None:
    assert misfit(command, ()) == why


# The desk


def test_a_desk_that_cannot_be_opened_says_so() -> None:
    with pytest.raises(ValueError, match="cannot be opened: max_slippage lies from 0 to below 1"):
        Desk(options=c.SessionOptions(max_slippage=-1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"OpenSession: SessionOptions: impact is 'none', not Impact"):
        Desk(options=c.SessionOptions(impact="none"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"SessionOptions: PriceGuards: mark_band is 0\.5, not int"):
        Desk(options=c.SessionOptions(guards=PriceGuards(mark_band=0.5)))  # type: ignore[arg-type]


def test_time_does_not_go_back(desk: Desk) -> None:
    with pytest.raises(ValueError, match=r"^seconds is -1; time does not go back, give 0 or more$"):
        desk.wait(-1)


def test_a_desk_says_what_may_be_done_in_an_instrument(desk: Desk, ann: Context) -> None:
    desk.phase(BTC, "auction", 60)
    assert ann.phase(BTC) is TradingPhase.AUCTION
    desk.wait(60)
    assert ann.phase(BTC) is TradingPhase.CONTINUOUS
    desk.phase(BTC, TradingPhase.HALTED)
    desk.told()
    with ann.batch():
        ann.buy(BTC, 1, 29_000, leg=Leg.NET, client="mine")
    which = "command=place_order account=ann number=1 client=mine instrument=BTCUSDT item=0"
    assert desk.told() == f"item_refused       {which} reason=trading_halted"


def test_what_a_bracket_arms_by_is_an_enum_in_the_command(desk: Desk, ann: Context) -> None:
    sent: list[Any] = []
    Context(lambda: desk.state, ann.account, sent.append).bracket(
        BTC, "buy", 1, 29_000, stop_loss=28_000, arms="full_fill"  # type: ignore[arg-type]
    )  # fmt: skip
    assert sent[0].arms is Arming.FULL_FILL
