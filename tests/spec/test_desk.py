"""The desk: orders as a strategy sends them, decided in memory, and told."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest

from events.commands import SetTradingPhase, Side
from events.instructions import Arming
from events.instruments import Bracket, InstrumentId
from events.phases import TradingPhase
from events.triggers import PriceSource
from events.units import UNIT, Atoms, Rate
from exchange.projections.moment import moment
from gateway.desk import Desk
from gateway.reports import moment_table
from gateway.reports.why_words import Words
from replay.strategy import Context
from tests.spec.words import PERCENT, pack

SELL = Side.SELL
MARK = PriceSource.MARK


@pytest.fixture
def desk() -> Desk:
    """A desk with the mark and the last price at 100 ticks, a maker on both sides, and nothing to tell."""
    one = Bracket(Atoms(0), Atoms(10**16), 10, Rate(5 * PERCENT), Atoms(0))
    desk = Desk(pack(tick=UNIT, lot=UNIT, brackets=(one,)))
    desk.mark("GOLD", 100)
    desk.trader("maker", "1000000", "USD")
    maker = desk.trader("other", "1000000", "USD")
    maker.buy("GOLD", 1, 100)
    trader(desk, "third").sell("GOLD", 1, 100)
    desk.told()
    return desk


def trader(desk: Desk, name: str = "ann") -> Context:
    return desk.trader(name, "1000000", "USD")


def test_what_follows_is_told_once_a_line_a_fact(desk: Desk) -> None:
    ann = trader(desk)
    number = ann.buy("GOLD", 2, 90)
    ann.cancel(number)
    accepted, *rest = desk.told().splitlines()
    assert accepted.startswith("order_accepted     account=ann number=1 instrument=GOLD side=buy lots=2 price=90 ")
    assert rest == [
        "order_rested       account=ann number=1 lots=2",
        "order_cancelled    account=ann number=1 lots=2",
    ]
    assert desk.told() == ""


def test_a_request_that_was_decided_before_tells_nothing(desk: Desk) -> None:
    trader(desk)
    trader(desk)
    assert desk.told() == ""


def test_time_passes_where_the_desk_waits(desk: Desk) -> None:
    ann = trader(desk)
    desk.wait(90)
    assert ann.now == 90 * 10**9


def test_conditional_orders_wait_with_their_size_and_fire_by_their_price(desk: Desk) -> None:
    ann, ben = trader(desk), trader(desk, "ben")
    ben.sell("GOLD", 9, 110)
    ann.buy("GOLD", 4, 110)
    ben.buy("GOLD", 9, 80)
    stop = ann.stop("GOLD", SELL, 1, 95, source=MARK)
    close = ann.stop("GOLD", SELL, None, 94, source=MARK)
    profit = ann.take_profit("GOLD", SELL, 2, 120, 119, source=MARK, client="goal")
    trail = ann.trailing_stop("GOLD", SELL, Decimal("1"), "0.1", 130, source=MARK)
    assert ann.triggers() == {stop: Decimal(-1), close: Decimal(0), profit: Decimal(-2), trail: Decimal(-1)}
    ann.cancel(client="goal")
    desk.told()
    desk.mark("GOLD", 94)
    told = desk.told().splitlines()
    assert [line.split()[0] for line in told] == [
        "mark_price_moved", "triggers_reached", "order_triggered", "order_accepted", "traded", "order_triggered",
        "order_accepted", "traded",
    ]  # fmt: skip
    assert told[2].endswith("account=ann number=2 lots=1")
    assert told[5].endswith("account=ann number=3 lots=3")
    assert list(ann.triggers()) == [trail]
    assert ann.position("GOLD") == 0


def test_linked_orders_are_placed_by_one_call(desk: Desk) -> None:
    ann, ben = trader(desk), trader(desk, "ben")
    ben.sell("GOLD", 9, 110)
    ben.buy("GOLD", 9, 80)
    limit, stop = ann.oco("GOLD", SELL, 2, 105, 95, source=MARK)
    assert (ann.open_orders(), ann.triggers()) == ({limit: Decimal(-2)}, {stop: Decimal(-2)})
    ann.cancel(limit)
    desk.told()
    entry, profit, loss = ann.bracket("GOLD", Side.BUY, 4, take_profit=120, stop_loss=94, source=MARK)
    assert [line.split()[0] for line in desk.told().splitlines()] == [
        *("trigger_placed", "trigger_placed", "order_accepted", "traded", "trigger_armed", "trigger_armed")
    ]
    assert ann.triggers() == {profit: Decimal(-4), loss: Decimal(-4)}
    assert ann.bracket("GOLD", Side.BUY, 1, 70, stop_loss=60, arms=Arming.FULL_FILL) == (entry + 3, entry + 4)
    desk.mark("GOLD", 94)
    assert ann.position("GOLD") == 0


def test_a_price_off_its_tick_is_passed_on_and_refused(desk: Desk) -> None:
    ann = trader(desk)
    ann.stop("GOLD", SELL, 1, "95.5", source=MARK)
    assert desk.told() == (
        "refused            command=place_trigger account=ann number=1 instrument=GOLD reason=price_off_tick"
    )


def test_a_shipped_pack_may_be_named() -> None:
    desk = Desk()
    desk.mark("BTCUSDT", "30000")
    assert desk.told() == "mark_price_moved   instrument=BTCUSDT mark=30000"


def test_conditional_orders_of_a_moment_are_shown_with_what_they_wait_for() -> None:
    desk = Desk()
    desk.mark("BTCUSDT", "30000")
    ann = desk.trader("ann")
    ann.stop("BTCUSDT", SELL, None, "29500", source=MARK)
    ann.take_profit("BTCUSDT", SELL, "0.5", "33000", "32900", source=MARK)
    ann.trailing_stop("BTCUSDT", SELL, "0.1", "0.02", source=MARK)
    ann.trailing_stop("BTCUSDT", SELL, "0.1", "0.015", "31000", source=MARK)
    desk.mark("BTCUSDT", "30100")
    assert desk.state.pack is not None
    shown = moment(desk.state, [ann.account], 1)
    tables = {heading: rows for heading, rows, _ in moment_table.tables(shown["accounts"], Words(desk.state.pack))}
    assert tables["conditional orders"] == [
        ["account", "order", "instrument", "waits for", "then", "size"],
        ["ann", "1", "BTCUSDT", "mark 29,500.0 USDT", "sell at market", "all"],
        ["ann", "2", "BTCUSDT", "mark 33,000.0 USDT", "sell 32,900.0 USDT", "0.500 BTC"],
        ["ann", "3", "BTCUSDT", "mark 2 % back from 30,100.000 USDT", "sell at market", "0.100 BTC"],
        ["ann", "4", "BTCUSDT", "mark 31,000.0 USDT, then 1.5 % back", "sell at market", "0.100 BTC"],
    ]


def test_an_auction_shows_what_it_comes_to_so_far(desk: Desk) -> None:
    ann, bob = trader(desk, "ann"), trader(desk, "bob")
    assert ann.phase("GOLD") is TradingPhase.CONTINUOUS
    desk.do(SetTradingPhase(desk.state.now, InstrumentId("GOLD"), TradingPhase.AUCTION))
    assert ann.phase("GOLD") is TradingPhase.AUCTION
    assert ann.indicative("GOLD") is None
    assert phase_shown(desk) == "phase auction, nothing crosses"
    ann.buy("GOLD", 5, 104)
    bob.sell("GOLD", 3, 98)
    assert ann.indicative("GOLD") == (Decimal(100), Decimal(3), Decimal(2))
    assert phase_shown(desk) == "phase auction, indicative: 3 OUNCE at 100 USD, 2 OUNCE more asked for"
    bob.sell("GOLD", 4, 104)
    assert phase_shown(desk) == "phase auction, indicative: 5 OUNCE at 104 USD, 2 OUNCE more offered"


def phase_shown(desk: Desk) -> str:
    assert desk.state.pack is not None
    return moment_table.phase(moment(desk.state, [], 1)["instruments"]["GOLD"], "GOLD", Words(desk.state.pack))


def test_a_batch_submits_what_was_asked_inside(desk: Desk) -> None:
    ann = trader(desk)
    with ann.batch():
        first = ann.buy("GOLD", 2, 90)
        ann.buy("GOLD", 2, "90.5")
    assert list(ann.open_orders()) == [first]
    assert [line.split()[0] for line in desk.told().splitlines()] == ["order_accepted", "order_rested", "item_refused"]
    ann.cancel_all("GOLD")
    assert ann.open_orders() == {}


def test_a_batch_whose_making_fails_submits_nothing(desk: Desk) -> None:
    ann = trader(desk)
    with suppress(LookupError), ann.batch():
        ann.buy("GOLD", 2, 90)
        ann.buy("LEAD", 2, 90)
    with ann.batch():
        pass
    assert desk.told() == ""
    assert ann.open_orders() == {}


def test_an_iceberg_is_placed_by_the_size_that_it_shows_and_told_with_it(desk: Desk) -> None:
    ann = trader(desk)
    ann.sell("GOLD", 9, 110, visible=4)
    ann.buy("GOLD", 9, 90, visible="4.5")
    refused = "refused            command=place_order account=ann number=2 instrument=GOLD reason=visible_off_lot"
    accepted, *rest = desk.told().splitlines()
    assert accepted.endswith(" lots=9 price=110 time_in_force=gtc reduce_only=no visible=4")
    assert rest == ["order_rested       account=ann number=1 lots=9", refused]
    told = moment(desk.state, [ann.account], 5)
    (order,) = told["accounts"]["ann"]["orders"]
    assert (order["size"], order["shown"]) == ("9", "4")
    assert ["110", "4"] in told["instruments"]["GOLD"]["asks"]
