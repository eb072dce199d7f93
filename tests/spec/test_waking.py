"""When strategies are woken: by times, bars, prices, margin ratios, and by every change where they want that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.commands import AdvanceMarket, MarkSource, PlaceOrder, SessionOptions
from events.facts import AnyFact, MarketAdvanced, OrderAccepted, OrderCancelled, OrderRested, Refused
from events.instruments import InstrumentId
from events.latency import Latency
from events.observations import Observations
from events.triggers import PriceSource
from events.units import SECOND, Nanos
from replay.loading import StrategyError
from replay.strategy import Context, Strategy
from replay.traders import WAKES_MAX
from replay.waking import Alarms, Bar, Bars, Levels, Print, bar_end
from tests import captures, lobster
from tests.playing import Played, capture, market, play, trader
from tests.strategies import Gambler

BTC = InstrumentId("BTCUSDT")


class Listener(Strategy):
    """Does something at its start, and writes down what wakes it."""

    def __init__(self, start: Callable[[Context], object] = lambda _: None, bars: int = 0) -> None:
        self.start = start
        self.bars = Nanos(bars)
        self.told: list[Any] = []

    def on_start(self, context: Context) -> None:
        self.start(context)

    def on_timer(self, context: Context) -> None:
        self.told.append(ms(context))

    def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
        self.told.append((ms(context), instrument, price))

    def on_margin(self, context: Context, ratio: float) -> None:
        self.told.append((ms(context), ratio))

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        self.told.append((ms(context), instrument, bar))


def ms(context: Context) -> int:
    """Milliseconds since the first row."""
    return (context.now - captures.START) // captures.MS


def marks(*prices: tuple[int, str]) -> list[str]:
    """A book that stays as it is, and marks at these milliseconds."""
    book = captures.body(10, [("99.9", "5")], [("100.1", "5")], s=BTC, symbol=BTC)
    return [book, *(captures.mark(at_ms=at, p=price) for at, price in prices)]


def told(folder: Path, lines: Sequence[str], strategy: Listener, **account: Any) -> list[Any]:
    play(capture(folder, lines), traders=[trader(strategy, **account)])
    return strategy.told


# Times


def test_a_strategy_is_woken_once_at_each_time_that_it_asked_for(tmp_path: Path) -> None:
    def start(context: Context) -> None:
        context.wake.after("0.25")
        context.wake.after(2)
        context.wake.at(context.now + 700 * captures.MS)

    assert told(tmp_path, marks((0, "100"), (3_000, "101")), Listener(start)) == [250, 700, 2_000]


def test_a_time_that_is_over_wakes_at_once(tmp_path: Path) -> None:
    assert told(tmp_path, marks((5, "100"), (9, "101")), Listener(lambda context: context.wake.at(0))) == [0]


def test_a_wake_can_ask_for_the_next_one(tmp_path: Path) -> None:
    class Doubling(Listener):
        def on_timer(self, context: Context) -> None:
            super().on_timer(context)
            context.wake.after(Decimal(2 * ms(context)) / 1_000)

    strategy = Doubling(lambda context: context.wake.after("0.001"))
    assert told(tmp_path, marks((0, "100"), (100, "101")), strategy) == [1, 3, 9, 27, 81]


@pytest.mark.parametrize("lag", [0, 5 * captures.MS])
def test_a_strategy_that_asks_for_ever_to_be_woken_at_once_fails(tmp_path: Path, lag: int) -> None:
    class Restless(Listener):
        def on_timer(self, context: Context) -> None:
            super().on_timer(context)
            context.wake.at(context.now)

    restless = Restless(lambda context: context.wake.after("0.010"))
    said = r"Restless: account alice was woken 10,000 times at one time; have it wake later than context.now$"
    file, options = capture(tmp_path, marks((0, "100"), (100, "101"))), SessionOptions(latency=Latency(feed=Nanos(lag)))
    with pytest.raises(StrategyError, match=said):
        play(file, options=options, traders=[trader(restless, "alice")])
    assert restless.told == [10 + lag // captures.MS] * 10_000


def test_a_strategy_may_be_woken_at_one_time_as_often_as_that_and_again_later(tmp_path: Path) -> None:
    class Busy(Listener):
        def on_timer(self, context: Context) -> None:
            super().on_timer(context)
            if len(self.told) % WAKES_MAX:
                context.wake.at(context.now)
            else:
                context.wake.after("0.060")

    busy = Busy(lambda context: context.wake.after("0.010"))
    assert told(tmp_path, marks((0, "100"), (100, "101")), busy) == [10] * WAKES_MAX + [70] * WAKES_MAX


# Prices


@pytest.mark.parametrize(
    ("level", "woken"),
    [
        ("101", [(2, BTC, Decimal("101.5"))]),  # a jump beyond it
        ("100.5", [(1, BTC, Decimal("100.5"))]),  # the very level
        ("99", [(4, BTC, Decimal("98.00000001"))]),  # a fall
        ("102", []),  # never
        ("100", [(0, BTC, Decimal("100"))]),  # the first mark places it, and is there already
    ],
)
def test_a_mark_wakes_once_as_soon_as_it_reaches_the_level(tmp_path: Path, level: str, woken: list[Any]) -> None:
    lines = marks((0, "100"), (1, "100.5"), (2, "101.5"), (3, "99.5"), (4, "98.00000001"), (5, "101.5"))
    assert told(tmp_path, lines, Listener(lambda context: context.wake.on_price(BTC, level))) == woken


def test_levels_that_one_mark_reaches_wake_the_nearest_first_then_who_asked_first(tmp_path: Path) -> None:
    order: list[str] = []

    class Named(Strategy):
        def __init__(self, level: str) -> None:
            self.level = level

        def on_start(self, context: Context) -> None:
            context.wake.after("0.0005")

        def on_timer(self, context: Context) -> None:
            context.wake.on_price(BTC, self.level)

        def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
            order.append(context.account)

    traders = [trader(Named(level), name) for name, level in (("a", "103"), ("b", "101"), ("c", "103"), ("d", "102"))]
    play(capture(tmp_path, marks((0, "100"), (1, "105"))), traders=traders)
    assert order == ["b", "d", "a", "c"]


def test_a_price_of_history_wakes_at_the_row_that_trades_there_and_not_behind_it(tmp_path: Path) -> None:
    prices = ("100.1", "100.3", "100.2", "100.4")
    lines = [*marks((0, "100")), *(captures.trade(price, at_ms=10 + n) for n, price in enumerate(prices))]
    strategy = Listener(lambda context: context.wake.on_price(BTC, "100.25", PriceSource.LAST))
    played = play(capture(tmp_path, lines), traders=[trader(strategy)])
    assert strategy.told == [(11, BTC, Decimal("100.3"))]
    ends = [batch.command.last_row for batch in played.batches if isinstance(batch.command, AdvanceMarket)]
    assert 3 in ends  # the body, the mark, the two trades: the second one ended what was applied at once


def test_a_trade_of_the_session_wakes_who_waits_for_its_price(tmp_path: Path) -> None:
    def buy(context: Context) -> None:
        context.wake.on_price(BTC, "100.1", PriceSource.LAST)
        context.wake.after("0.01")

    class Buyer(Listener):
        def on_timer(self, context: Context) -> None:
            context.buy(BTC, "1")

    assert told(tmp_path, marks((0, "100"), (50, "100")), Buyer(buy)) == [(10, BTC, Decimal("100.1"))]


def test_a_level_between_two_ticks_waits_for_the_next_one_beyond_it(tmp_path: Path) -> None:
    lines = [*marks((0, "100")), *(captures.trade(price, at_ms=1) for price in ("100.1", "100.0", "99.9", "99.8"))]

    class Late(Listener):
        def on_trade(self, context: Context, instrument: InstrumentId, trade: Print) -> None:
            if trade.price == Decimal("100.1"):
                context.wake.on_price(BTC, "99.95", PriceSource.LAST)

    assert told(tmp_path, lines, Late()) == [(1, BTC, Decimal("99.9"))]


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=60))
def test_each_level_is_reached_exactly_once_at_the_first_price_at_or_beyond_it(steps: list[tuple[int, bool]]) -> None:
    levels, waiting, price = Levels(), list[tuple[int, int, int]](), 0
    for serial, (value, asks) in enumerate(steps):
        if asks:
            levels.add(value, serial, str(serial), price)  # type: ignore[arg-type]
            waiting.append((value, serial, price))
            continue
        price = value
        waiting = [(level, n, seen or price) for level, n, seen in waiting]
        reached = [w for w in waiting if (price >= w[0] if w[0] >= w[2] else price <= w[0])]
        waiting = [w for w in waiting if w not in reached]
        assert levels.is_reached(price) or not reached
        assert sorted(levels.reached(price)) == sorted(str(n) for _, n, _ in reached)
    assert bool(levels) == bool(waiting)


# Margin


def test_a_margin_ratio_wakes_whenever_it_rises_to_the_level_and_not_while_it_stays(tmp_path: Path) -> None:
    class Holder(Listener):
        def on_timer(self, context: Context) -> None:
            context.buy(BTC, "1", "100.1")

    def start(context: Context) -> None:
        context.wake.after("0.0005")
        context.wake.on_margin("0.05")

    lines = marks((0, "100"), (1, "95"), (2, "94"), (3, "100"), (4, "93"), (5, "100"))
    woken = told(tmp_path, lines, Holder(start), mode="isolated", leverage=10)
    assert [at for at, _ in woken] == [1, 4]
    assert all(0.05 <= ratio < 1 for _, ratio in woken)


# Bars


def test_bars_hold_what_history_traded_between_whole_multiples_of_their_length(tmp_path: Path) -> None:
    prints = [
        (100, "100.1", "1"),
        (900, "100.4", "2"),
        (950, "100.0", "0.5"),
        (1_000, "100.2", "1"),
        (3_100, "99", "1"),
    ]
    lines = marks((0, "100")) + [captures.trade(price, size, at_ms=at) for at, price, size in prints]
    bars = told(tmp_path, [*lines, captures.mark(at_ms=4_000)], Listener(bars=SECOND))
    assert [at for at, *_ in bars] == [1_000, 2_000, 3_000, 4_000]
    first, second, third, fourth = (
        (bar.start - captures.START, *(str(price.normalize()) for price in bar[1:6]), bar.trades) for *_, bar in bars
    )
    assert first == (0, "100.1", "100.4", "1E+2", "1E+2", "3.5", 3)
    assert second == (SECOND, "100.2", "100.2", "100.2", "100.2", "1", 1)
    assert third == (2 * SECOND, "100.2", "100.2", "100.2", "100.2", "0", 0)
    assert fourth == (3 * SECOND, "99", "99", "99", "99", "1", 1)


def test_bars_of_two_strategies_are_the_same_and_those_of_twice_the_length_are_two_of_them(tmp_path: Path) -> None:
    one, two, other = Listener(bars=SECOND), Listener(bars=SECOND), Listener(bars=2 * SECOND)
    play(capture(tmp_path), traders=[trader(one, "a"), trader(two, "b"), trader(other, "c")])
    assert one.told == two.told
    halves = {bar.start: bar for _, _, bar in two.told}
    for _, _, bar in other.told[1:]:
        first, second = halves[bar.start], halves[bar.start + SECOND]
        assert (bar.open, bar.close) == (first.open, second.close)
        assert (bar.high, bar.low) == (max(first.high, second.high), min(first.low, second.low))
        assert (bar.volume, bar.trades) == (first.volume + second.volume, first.trades + second.trades)


def test_a_bar_is_told_before_the_timer_of_the_same_time(tmp_path: Path) -> None:
    class Timed(Listener):
        every = Nanos(SECOND)

    lines = [*marks((0, "100")), captures.trade(at_ms=1), captures.mark(at_ms=2_500)]
    kinds = [type(entry) for entry in told(tmp_path, lines, Timed(bars=SECOND))]
    assert kinds == [tuple, int] * 2


@given(st.integers(0, 10**18), st.integers(1, 10**12))
def test_a_bar_ends_behind_every_moment_in_it_and_at_a_whole_multiple(at: int, length: int) -> None:
    end = bar_end(Nanos(at), Nanos(length))
    assert end % length == 0
    assert end - length <= at < end


def test_there_is_no_bar_before_the_first_trade() -> None:
    assert Bars().end(Nanos(0), Decimal(1), Decimal(1)) is None


def test_the_length_of_bars_is_whole_nanoseconds(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"Listener: bars is -5; make it whole nanoseconds, 0 for never$"):
        play(capture(tmp_path), traders=[trader(Listener(bars=-5))])


# Every change


def test_who_wants_every_trade_and_every_change_of_the_book_is_told_each_at_its_row(tmp_path: Path) -> None:
    class Watcher(Listener):
        def on_book(self, context: Context, instrument: InstrumentId) -> None:
            quote = context.quote(instrument)
            self.told.append((ms(context), quote.bid, quote.ask))

        def on_trade(self, context: Context, instrument: InstrumentId, trade: Print) -> None:
            self.told.append((ms(context), trade))

    lines = [
        *marks((0, "100")),
        captures.diff(20, [("99.8", "1"), ("100.0", "1")], at_ms=1, pu=10, U=11),
        captures.trade("100.0", "0.4", at_ms=2),
        captures.trade("100.1", "0.3", at_ms=2, m=False),
        captures.diff(30, [("100.0", "0")], at_ms=3),
    ]
    bid, ask = Decimal("100.0"), Decimal("100.1")
    assert told(tmp_path, lines, Watcher()) == [
        (0, Decimal("99.9"), ask),
        (1, bid, ask),
        (2, Print(bid, Decimal("0.4"), is_buy=False)),
        (2, Print(ask, Decimal("0.3"), is_buy=True)),
        (3, Decimal("99.9"), ask),
    ]


def test_messages_about_orders_and_trades_of_those_change_the_book(tmp_path: Path) -> None:
    class Watcher(Listener):
        def on_book(self, context: Context, instrument: InstrumentId) -> None:
            self.told.append("book")

        def on_trade(self, context: Context, instrument: InstrumentId, trade: Print) -> None:
            self.told.append("trade")

    watcher = Watcher()
    day = lobster.write(tmp_path / lobster.NAME, lobster.day(15))
    play(day, options=SessionOptions(mark_source=MarkSource.MID), traders=[trader(watcher)])
    comes, shrinks, trades, hidden, leaves = ["book"], ["book"], ["book", "trade"], ["trade"], ["book"]
    assert watcher.told == 3 * (comes + shrinks + trades + hidden + leaves)


def test_what_is_watched_changes_no_fact_of_the_session(tmp_path: Path) -> None:
    class Onlooker(Gambler):
        def on_book(self, context: Context, instrument: InstrumentId) -> None: ...
        def on_trade(self, context: Context, instrument: InstrumentId, trade: Print) -> None: ...

    def facts(played: Played) -> list[AnyFact]:
        return [f for batch in played.batches for f in batch.facts if not isinstance(f, MarketAdvanced)]

    file = capture(tmp_path, market(10))
    assert facts(play(file, traders=[trader(Onlooker(), leverage=20)])) == facts(
        play(file, traders=[trader(Gambler(), leverage=20)])
    )


def test_without_anybody_who_waits_rows_are_not_looked_at() -> None:
    assert Alarms().last_row(Observations(BTC), 0, 99) == 99


# Orders


def test_a_strategy_is_told_what_becomes_of_its_orders(tmp_path: Path) -> None:
    class Orderly(Listener):
        def on_timer(self, context: Context) -> None:
            number = context.buy(BTC, "2", "99.5")
            context.cancel(number)
            context.buy(BTC, "0", "99.5")

        def on_order(self, context: Context, fact: AnyFact) -> None:
            self.told.append(type(fact))

    strategy = Orderly(lambda context: context.wake.after("0.001"))
    played = play(capture(tmp_path, marks((0, "100"), (9, "100"))), traders=[trader(strategy)])
    assert strategy.told == [OrderAccepted, OrderRested, OrderCancelled]
    assert len(played.facts(Refused)) == 1
    assert [batch.at for batch in played.batches if isinstance(batch.command, PlaceOrder)]
