"""Latency: what a strategy sees is of a moment ago, and what it asks arrives a moment later.

The session's clock is that of the exchange: commands and fills stand in the log at the time at which they were there.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from events.commands import CancelOrder, Command, PlaceOrder, SessionOptions, Side, SubmitBatch
from events.facts import OrderAmended, OrderRested, Refused, Traded
from events.instruments import InstrumentId
from events.latency import Latency
from events.linked import PlaceLinked
from events.refusals import Reason
from events.units import SECOND, Nanos
from replay.latency import LONGEST, dated, duration, each, latency, short
from replay.markets import NOON
from replay.strategy import Context, Strategy
from replay.trial import Trial, account, at, happened, never, prices
from tests.captures import START, body, mark, trade, write
from tests.playing import play, trader

BTC = InstrumentId("BTCUSDT")
MS = 10**6
START_AT = NOON * SECOND
RISING = prices("BTCUSDT", (0, "60000"), (1, "60100"), (2, "60200"), (3, "60300"), (9, "60900"))
"""A price that is 100 higher each second; the book stands a tick, 0.1, around it."""


class Noting(Strategy):
    """Notes what it sees on each call, and when by its own clock."""

    every = Nanos(SECOND)

    def __init__(self) -> None:
        self.seen: list[tuple[str, Decimal, Any]] = []

    def note(self, what: str, context: Context, more: Any = None) -> None:
        ask = context.quote(BTC).ask
        self.seen.append((what, Decimal(context.now - START_AT) / SECOND, ask if more is None else more))

    def of(self, what: str) -> list[tuple[Decimal, Any]]:
        return [(when, more) for kind, when, more in self.seen if kind == what]

    def on_timer(self, context: Context) -> None:
        self.note("timer", context)

    def on_fill(self, context: Context, trade: Traded) -> None:
        self.note("fill", context, trade.price)

    def on_trade(self, context: Context, instrument: InstrumentId, trade: Any) -> None:
        self.note("trade", context, trade.price)

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Any) -> None:
        self.note("bar", context, bar.close)


def sent(trial: Trial, *kinds: type[Command]) -> list[tuple[Decimal, Command]]:
    """The commands of these kinds, and when they came to the exchange, s from the first row on."""
    return [
        (Decimal(batch.at - START_AT) / SECOND, batch.command)
        for batch in trial.batches
        if isinstance(batch.command, kinds)
    ]


def buy(context: Context) -> object:
    return context.buy(BTC, "0.1")


class TestEntry:
    """An order meets the market of its arrival."""

    def test_an_order_arrives_later_and_trades_at_what_it_finds_there(self) -> None:
        trial = (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s"))
            .when(at("1.5", "ann", buy))
            .then(happened(Traded, account="ann", price="60200.1", times=1))
        )
        assert [when for when, _ in sent(trial, PlaceOrder)] == [Decimal("2.5")]

    def test_a_row_of_the_same_time_comes_after_the_order(self) -> None:
        (
            Trial()
            .given(RISING, account("ann"), latency=latency("500ms"))
            .when(at("1.5", "ann", buy))
            .then(happened(Traded, account="ann", price="60100.1"))
        )

    def test_until_it_arrives_the_account_knows_it_is_on_its_way_and_nothing_else(self) -> None:
        seen: list[Any] = []

        def look(context: Context) -> None:
            seen.append((context.open_orders(), [type(command) for command in context.in_flight()]))

        (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s"))
            .when(at(1, "ann", lambda context: context.buy(BTC, "0.1", "50000")))
            .when(at("1.9", "ann", look), at("2.1", "ann", look))
            .then(happened(OrderRested, account="ann", times=1))
        )
        assert seen == [({}, [PlaceOrder]), ({1: Decimal("0.1")}, [])]

    def test_orders_sent_one_after_the_other_have_numbers_of_their_own(self) -> None:
        trial = (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s"))
            .when(at(1, "ann", buy), at(1, "ann", buy))
            .then(happened(Traded, account="ann", times=2), never(Refused))
        )
        assert [command.number for _, command in sent(trial, PlaceOrder)] == [1, 2]  # type: ignore[attr-defined]

    def test_a_cancel_may_come_too_late(self) -> None:
        # the order trades at second 2, when the ask falls to it; the cancel sent at 1.5 is there at 2.5
        falling = prices("BTCUSDT", (0, "60000"), (1, "60000"), (2, "59000"), (3, "59000"))
        (
            Trial()
            .given(falling, account("ann"), latency=latency("1s"))
            .when(at(0, "ann", lambda context: context.buy(BTC, "0.01", "59500")))
            .when(at("1.5", "ann", lambda context: context.cancel(1)))
            .then(happened(Traded, account="ann"), happened(Refused, reason=Reason.UNKNOWN_ORDER))
        )

    def test_an_order_that_is_on_its_way_can_be_amended(self) -> None:
        def place_and_amend(context: Context) -> None:
            number = context.buy(BTC, "0.1", "50000")
            context.amend(number, price="51000.5")

        (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s"))
            .when(at(1, "ann", place_and_amend))
            .then(happened(OrderAmended, account="ann", price="51000.5"))
        )

    def test_batches_and_linked_orders_arrive_whole(self) -> None:
        def ask(context: Context) -> None:
            with context.batch():
                context.buy(BTC, "0.1", "50000")
                context.buy(BTC, "0.1", "50001")
            context.bracket(BTC, Side.BUY, "0.1", stop_loss="40000")
            context.oco(BTC, Side.BUY, "0.1", "50000", "70000")

        trial = (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s"))
            .when(at(1, "ann", ask))
            .then(never(Refused), happened(OrderRested, account="ann", times=3))
        )
        assert [when for when, _ in sent(trial, SubmitBatch, PlaceLinked)] == [2, 2, 2]

    def test_what_is_on_its_way_when_history_ends_arrives(self) -> None:
        class Closing(Strategy):
            def on_finish(self, context: Context) -> None:
                context.sell(BTC, "0.1")

            def on_refused(self, context: Context, command: Command, reason: Reason) -> None:
                context.cancel(78)

        trial = (
            Trial()
            .given(RISING, account("ann", strategy=Closing), latency=latency("5s"))
            .when(at(8, "ann", buy), at("8.5", "ann", lambda context: context.cancel(77)))
            .then(happened(Traded, account="ann", times=2), happened(Refused, times=1))
        )
        # what is asked later, in answer to the refusal, arrives no more
        assert [when for when, _ in sent(trial, PlaceOrder)] == [13, 14]
        assert [when for when, _ in sent(trial, CancelOrder)] == [Decimal("13.5")]


class TestFeed:
    """What a strategy sees is as old as its feed is late."""

    def test_its_timer_sees_the_market_of_a_moment_ago(self) -> None:
        noting = Noting()
        Trial().given(RISING, account("ann", strategy=noting), latency=latency(feed="1500ms")).then()
        # by its clock 3 s the exchange was at 1.5 s; its first second it had not heard of anything yet
        assert noting.of("timer")[:3] == [(2, Decimal("60000.1")), (3, Decimal("60100.1")), (4, Decimal("60200.1"))]

    def test_its_orders_arrive_after_what_they_were_made_of(self) -> None:
        trial = (
            Trial()
            .given(RISING, account("ann"), latency=latency("1s", feed="500ms"))
            .when(at("1.2", "ann", buy))
            .then(happened(Traded, account="ann", price="60200.1"))
        )
        assert [when for when, _ in sent(trial, PlaceOrder)] == [Decimal("2.2")]

    def test_trades_fills_and_bars_are_told_later_too(self) -> None:
        class WithBars(Noting):
            bars = Nanos(2 * SECOND)

        noting = WithBars()
        trial = (
            Trial()
            .given(RISING, account("ann", strategy=noting), latency=latency(feed="300ms"))
            .when(at("1.1", "ann", buy))
            .then(happened(Traded, account="ann", price="60100.1"))
        )
        assert [when for when, _ in sent(trial, PlaceOrder)] == [Decimal("1.1")]
        assert noting.of("trade")[:2] == [(Decimal("0.3"), 60000), (Decimal("1.3"), 60100)]
        assert noting.of("fill") == [(Decimal("1.4"), 601001)]
        assert noting.of("bar")[:2] == [(Decimal("2.3"), 60100), (Decimal("4.3"), 60300)]

    def test_prices_and_times_that_were_asked_for_wake_by_its_clock(self) -> None:
        woken: list[tuple[str, Decimal]] = []

        class Waiting(Strategy):
            def on_start(self, context: Context) -> None:
                context.wake.on_price(BTC, "60100")
                context.wake.at(START_AT + 2 * SECOND, lambda c: woken.append(("at", seconds(c))))
                context.wake.after("1.25", lambda c: woken.append(("after", seconds(c))))

            def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
                woken.append(("price", seconds(context)))

        Trial().given(RISING, account("ann", strategy=Waiting), latency=latency(feed="250ms")).then()
        assert woken == [("price", Decimal("1.25")), ("after", Decimal("1.5")), ("at", Decimal(2))]

    def test_several_accounts_and_instruments_see_the_same_moment(self) -> None:
        first, second = Noting(), Noting()
        other = prices("ETHUSDT", (0, "3000"), (2, "3100"), (9, "3200"))
        accounts = account("ann", strategy=first), account("ben", strategy=second)
        Trial().given(RISING, other, *accounts, latency=latency("1ms", feed="10ms")).then()
        assert first.seen == second.seen
        assert first.of("timer")[0] == (1, Decimal("60000.1"))


def seconds(context: Context) -> Decimal:
    return Decimal(context.now - START_AT) / SECOND


class Often(Strategy):
    """Places an order each second."""

    every = Nanos(SECOND)

    def on_timer(self, context: Context) -> None:
        context.buy(BTC, "0.01", "50000")


class TestJitter:
    """Chance is an input: a seed says what it brings."""

    def arrivals(self, seed: int, *others: Any) -> list[Decimal]:
        """How long after each full second the orders of `ann` arrive, s."""
        how = latency("100ms", jitter="300ms", seed=seed)
        trial = Trial().given(RISING, account("ann", strategy=Often), *others, latency=how)
        return [when % 1 for when, command in sent(trial, PlaceOrder) if command.account == "ann"]  # type: ignore[attr-defined]

    def test_the_same_seed_brings_the_same_and_another_one_something_else(self) -> None:
        assert self.arrivals(7) == self.arrivals(7) != self.arrivals(8)

    def test_it_lies_between_nothing_and_the_most_that_was_said(self) -> None:
        found = self.arrivals(7)
        assert all(Decimal("0.1") <= late <= Decimal("0.4") for late in found)
        assert len(set(found)) == len(found) > 5

    def test_nothing_overtakes_on_an_accounts_way(self) -> None:
        def many(context: Context) -> None:
            for _ in range(20):
                context.buy(BTC, "0.01", "50000")

        trial = (
            Trial()
            .given(RISING, account("ann"), latency=latency("1ms", jitter="900ms", seed=3))
            .when(at(1, "ann", many))
            .then(never(Refused))
        )
        numbers = [command.number for _, command in sent(trial, PlaceOrder)]  # type: ignore[attr-defined]
        assert numbers == sorted(numbers)

    def test_other_accounts_change_nothing_about_it(self) -> None:
        assert self.arrivals(7) == self.arrivals(7, account("abe", strategy=Often), account("zoe", strategy=Often))


class TestMeasured:
    """Ways that take what the rows of the data took: captured so long after it happened."""

    def replayed(self, tmp_path: Path, told: Latency) -> list[tuple[int, str]]:
        """Orders of a strategy that wants to buy after each trade, and what they came to, ms after the start."""

        class Following(Strategy):
            def on_trade(self, context: Context, instrument: InstrumentId, trade: Any) -> None:
                context.buy(instrument, "0.1", "100.0")

        lines = [
            body(7, [("100.0", "5")], [("100.2", "5")], T=START // MS - 3),
            mark(T=0),
            trade(at_ms=100, T=START // MS + 80, E=START // MS + 80),
            trade(at_ms=200, T=START // MS + 210, E=START // MS + 210),
            trade(at_ms=300, T=START // MS + 270, E=START // MS + 270),
            trade(at_ms=900, T=START // MS + 890, E=START // MS + 890),
        ]
        replay = play(
            write(tmp_path / "capture", lines), traders=[trader(Following())], options=SessionOptions(latency=told)
        )
        batches = [batch for batch in replay.batches if isinstance(batch.command, PlaceOrder)]
        return [((batch.at - START) // MS, type(batch.facts[-1]).__name__) for batch in batches]

    def test_an_order_takes_as_long_as_the_latest_row_did(self, tmp_path: Path) -> None:
        # 20 ms; a capture ahead of its transaction says nothing, so 20 ms again; 30 ms; 10 ms
        found = self.replayed(tmp_path, latency("data"))
        assert [when for when, _ in found] == [120, 220, 330, 910]

    def test_where_the_feed_is_measured_too_an_order_takes_both_ways(self, tmp_path: Path) -> None:
        assert [when for when, _ in self.replayed(tmp_path, latency("5ms", "data"))] == [125, 225, 335, 915]
        assert [when for when, _ in self.replayed(tmp_path, latency("data", "data"))] == [140, 240, 360, 920]


class TestRecorded:
    """The first fact of a session says what its programs were held to; without latency there is nothing to say."""

    def test_no_latency_is_the_session_as_it_ever_was(self) -> None:
        def played(**options: Any) -> str:
            return Trial().given(RISING, account("ann", strategy=Noting), **options).when(at(1, "ann", buy)).head

        assert played() == played(latency=Latency()) == played(latency=latency("0", "0ms"))

    def test_it_stands_in_the_first_fact(self) -> None:
        told = latency("5ms", "2ms", "1ms", seed=9)
        trial = Trial().given(RISING, latency=told)
        assert trial.state.options.latency == told

    @pytest.mark.parametrize(
        "told",
        [Latency(entry=Nanos(-1)), Latency(Nanos(1), entry_measured=True), Latency(feed=Nanos(1), feed_measured=True)],
    )
    def test_a_contradiction_is_refused(self, told: Latency) -> None:
        with pytest.raises(ValueError, match="latency"):
            Trial().given(RISING, latency=told)

    def test_text_is_that_of_an_order(self) -> None:
        assert Trial().given(RISING, latency="5ms").state.options.latency == latency("5ms")

    @pytest.mark.parametrize("told", ["soon", 5])
    def test_anything_else_is_refused(self, told: Any) -> None:
        with pytest.raises(ValueError, match=r"latency .*: give "):
            Trial().given(RISING, latency=told)


class TestWriting:
    """Times as people write them."""

    @pytest.mark.parametrize(
        ("text", "ns"), [("0", 0), ("0ms", 0), ("250us", 250_000), ("5ms", 5 * MS), ("1.5s", 1_500 * MS), ("7ns", 7)]
    )
    def test_a_time_has_a_unit(self, text: str, ns: int) -> None:
        assert duration("latency", text) == ns

    @pytest.mark.parametrize("text", ["5", "", "ms", "-1ms", "1.5ns", "5 parsecs", "1e3s", "nan", "601s", "x5ms"])
    def test_what_is_none_is_refused_by_name(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"latency .*give a time up to ten minutes with its unit"):
            duration("latency", text)

    def test_it_is_shown_in_the_unit_in_which_it_is_whole(self) -> None:
        assert [short(ns) for ns in (0, 7, 250_000, 5 * MS, 1_500 * MS, LONGEST)] == [
            "0s", "7ns", "250us", "5ms", "1500ms", "600s",
        ]  # fmt: skip


def test_a_command_is_dated_with_all_that_is_in_it() -> None:
    def order(number: int) -> Any:
        return PlaceOrder(Nanos(1), "ann", f"{number}", number, BTC, Side.BUY, 1)  # type: ignore[arg-type]

    batch = SubmitBatch(Nanos(1), "ann", "b", (order(1), order(2)))  # type: ignore[arg-type]
    linked = PlaceLinked(Nanos(1), "ann", "l", (order(4),), order(3))  # type: ignore[arg-type]
    pair = PlaceLinked(Nanos(1), "ann", "p", (order(5), order(6)))  # type: ignore[arg-type]
    for command in (order(7), batch, linked, pair):
        later = dated(command, Nanos(9))
        assert {one.at for one in (later, *each([later]))} == {9}
    assert [one.number for one in each([batch, linked, pair, order(7)])] == [1, 2, 3, 4, 5, 6, 7]  # type: ignore[attr-defined]
