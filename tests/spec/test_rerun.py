"""Strategies run again: they live through the past of a fork once more and go on from there for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from events import commands as c
from events.codec import decode_body
from events.facts import AnyFact, OrderAccepted, Refused, Traded
from events.instruments import InstrumentId
from events.latency import Latency
from events.log import EventLog
from events.record import Batch
from events.store.memory import MemoryLog
from events.triggers import PriceSource
from events.units import SECOND, Nanos
from examples.dip_buyer import DipBuyer
from examples.quoter import Quoter
from examples.rider import Rider
from gateway.commands.fork_edits import edit_of
from replay.branching import branch
from replay.editing import Edit
from replay.latency import latency
from replay.rerun import Again
from replay.slots import after_due_work
from replay.sources import columns
from replay.strategy import Context, Strategy
from replay.verify import Verifier
from replay.waking import Bar
from tests import tables
from tests.playing import AS_RECORDED, capture, market, play, trader

BTC = InstrumentId("BTCUSDT")


class Reactor(Strategy):
    """Acts on whatever it is told: fills, bars, prices, its margin ratio, the start and the end."""

    bars = Nanos(3 * SECOND)

    def __init__(self) -> None:
        self.seen = 0

    def on_start(self, context: Context) -> None:
        context.set_leverage(BTC, 15)
        context.wake.after(2, self._enter)
        context.wake.on_margin("0.02")

    def _enter(self, context: Context) -> None:
        mark = context.mark(BTC)
        assert mark is not None
        context.buy(BTC, "0.5")
        for way in (Decimal("0.9999"), Decimal("1.0001")):
            context.wake.on_price(BTC, mark * way, PriceSource.LAST)
        context.wake.on_price(BTC, mark * Decimal("0.999"))

    def on_fill(self, context: Context, trade: Traded) -> None:
        self.seen += 1
        if self.seen % 2 and (bid := context.quote(BTC).bid):
            context.buy(BTC, "0.01", bid, time_in_force=c.TimeInForce.POST_ONLY, client=f"f{self.seen}")

    def on_order(self, context: Context, fact: AnyFact) -> None:
        if isinstance(fact, OrderAccepted) and fact.number % 5 == 0:
            context.cancel(fact.number)

    def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
        with context.batch():
            context.sell(BTC, "0.02", reduce_only=True)
            context.buy(BTC, "0.01", price * Decimal("0.99"))

    def on_margin(self, context: Context, ratio: float) -> None:
        context.sell(BTC, "0.1", reduce_only=True)

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        context.stop(BTC, c.Side.SELL, "0.01", context.whole_lots(BTC, bar.low) - 100, reduce_only=True)

    def on_finish(self, context: Context) -> None:
        context.cancel_all(BTC)


class Watcher(Strategy):
    """Looks at every change of the market, and trades with every fiftieth."""

    def __init__(self) -> None:
        self.seen = 0

    def on_book(self, context: Context, instrument: InstrumentId) -> None:
        self.seen += 1
        if self.seen % 50 == 0:
            side = context.buy if self.seen % 100 else context.sell
            side(instrument, "0.1")


class Moody(Strategy):
    """Buys more and more with every instance: it does not do the same twice."""

    every = Nanos(2 * SECOND)
    made = 0

    def __init__(self) -> None:
        Moody.made += 1
        self.size = f"0.0{Moody.made % 9 + 1}"

    def on_timer(self, context: Context) -> None:
        context.buy(BTC, self.size)


class Bidder(Strategy):
    """Bids in whatever instrument a bar has ended."""

    bars = Nanos(2_000_000)

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        context.buy(instrument, "0.1", bar.close)


Cast = Mapping[str, tuple[Callable[[], Strategy], str, int]]

CROWD: Cast = {
    "dipper": (DipBuyer, "isolated", 20),
    "reactor": (Reactor, "cross", 20),
    "quoter": (Quoter, "cross", 10),
    "idle": (Strategy, "cross", 10),
    "rider": (Rider, "isolated", 5),
    "second": (Reactor, "cross", 3),
}
WATCHERS: Cast = {"watcher": (Watcher, "cross", 10), "quoter": (Quoter, "isolated", 10)}


@cache
def recorded(
    names: tuple[str, ...] = tuple(CROWD), seconds: int = 20, options: c.SessionOptions = AS_RECORDED
) -> MemoryLog:
    """A session of these traders."""
    log, cast = MemoryLog(), {**CROWD, **WATCHERS, "moody": (Moody, "cross", 10)}
    traders = [trader(cast[name][0](), name, *cast[name][1:]) for name in names]
    with TemporaryDirectory() as folder:
        play(capture(Path(folder), market(seconds)), traders=traders, log=log, insurance=10_000, options=options)
    return log


def running(*accounts: str, cast: Cast = CROWD) -> Again:
    """The strategies of these accounts, of all without any, made anew."""
    made = {
        c.AccountId(name): make()
        for name, (make, *_) in cast.items()
        if make is not Strategy and (not accounts or name in accounts)
    }
    return Again(made)


def forked(log: EventLog, before: int, again: Again, *edits: str) -> MemoryLog:
    fork = MemoryLog()
    asked = [edit_of(text) for text in edits]
    asyncio.run(_branch(log, fork, before, asked, again))
    return fork


async def _branch(log: EventLog, fork: EventLog, before: int, edits: list[Edit], again: Again) -> None:
    await branch(log, fork, await after_due_work(log, before), edits, lambda _: None, again)
    if await fork.head() != await log.head():
        assert (await Verifier(fork).run()).ok


def head(log: EventLog) -> object:
    return asyncio.run(log.head())


def batches(log: EventLog) -> list[Batch]:
    async def read() -> list[Batch]:
        return [decode_body(stored.number, stored.body) async for stored in log.read()]

    return asyncio.run(read())


def asked(log: EventLog, account: str) -> list[c.TradersCommand]:
    """What the account's strategy asked for."""
    commands = [batch.command for batch in batches(log)]
    own = [command for command in commands if isinstance(command, c.TradersCommand) and command.account == account]
    return [command for command in own if command.request.isdecimal()]


def number_of(log: EventLog, command: c.Command) -> int:
    return next(batch.number for batch in batches(log) if batch.command == command)


def places(log: EventLog) -> list[int]:
    """Batches to part at: those of the beginning, one of every kind of command, and where there is nothing more."""
    kinds = {type(batch.command): batch.number for batch in batches(log)}
    return sorted({1, 2, 12, 40, *kinds.values(), len(batches(log)), len(batches(log)) + 1})


@pytest.mark.parametrize("accounts", [(), ("reactor",), ("quoter", "second")], ids=["all", "one", "two"])
def test_without_an_edit_the_fork_is_the_session_wherever_it_parts(accounts: tuple[str, ...]) -> None:
    log = recorded()
    for before in places(log):
        again = running(*accounts)
        assert head(forked(log, before, again)) == head(log), f"parts at batch {before}"
        assert again.parted == {}


def test_so_it_is_of_who_looks_at_every_change_of_the_market() -> None:
    log = recorded(tuple(WATCHERS), 8)
    assert asked(log, "watcher")
    for accounts in ((), ("watcher",), ("quoter",)):
        again = running(*accounts, cast=WATCHERS)
        assert head(forked(log, len(batches(log)) // 2, again)) == head(log)


@pytest.mark.parametrize(
    "told", [latency("3ms"), latency("40ms", "20ms", "60ms", 7), latency("data", "data")], ids=["entry", "all", "data"]
)
def test_so_it_is_of_orders_that_were_on_their_way(told: Latency) -> None:
    log = recorded(seconds=12, options=c.SessionOptions(latency=told))
    assert any(asked(log, name) for name in ("reactor", "second"))
    for before in places(log):
        for accounts in ((), ("reactor",)):
            again = running(*accounts)
            assert head(forked(log, before, again)) == head(log), f"{accounts} part at batch {before}"
            assert again.parted == {}


def test_so_it_is_of_accounts_that_were_set_up_for_an_instrument_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "ROWS_MAX", 3)
    rows = [tables.trade(n) for n in range(24)]
    for row in rows[9:12] + rows[15:]:
        row[1] = "ETHUSDT"
    path = tables.write(tmp_path / "trades.csv", tables.LAYOUTS["trades"][0], rows)
    cast: Cast = dict.fromkeys(("ann", "ben"), (Bidder, "cross", 5))
    log = MemoryLog()
    play(path, traders=[trader(Bidder(), name) for name in cast], log=log)
    assert {order.instrument for order in asked(log, "ben")} == {"BTCUSDT", "ETHUSDT"}  # type: ignore[attr-defined]
    for before in range(1, len(batches(log)) + 1, 4):
        for accounts in ((), ("ann",), ("ben",)):
            assert head(forked(log, before, running(*accounts, cast=cast))) == head(log), f"{accounts}, batch {before}"


def test_what_was_asked_before_the_fork_is_counted() -> None:
    log = recorded()
    again = running()
    forked(log, len(batches(log)) + 1, again)
    assert again.asked == {name: len(asked(log, name)) for name in again.strategies if asked(log, name)}
    assert again.asked["reactor"] > 20


def test_a_strategy_reacts_to_what_is_otherwise_and_the_others_go_on_as_recorded() -> None:
    log = recorded()
    again = running("dipper")
    fork = forked(log, 1, again, "dipper:leverage:BTCUSDT=5")
    before, after = asked(log, "dipper"), asked(fork, "dipper")
    assert [order.lots for order in before] != [order.lots for order in after]  # type: ignore[attr-defined]
    for other in ("reactor", "quoter", "second"):
        assert asked(fork, other) == asked(log, other)


def test_it_is_asked_where_the_fork_parts_and_has_the_state_that_it_had() -> None:
    log = recorded()
    third = asked(log, "dipper")[2]
    fork = forked(log, number_of(log, third), running("dipper"), "dipper:deposit:USDT=20000")
    assert asked(fork, "dipper")[:2] == asked(log, "dipper")[:2]
    other = asked(fork, "dipper")[2]
    assert isinstance(third, c.PlaceOrder)
    assert isinstance(other, c.PlaceOrder)
    assert (other.at, other.request, other.number) == (third.at, third.request, third.number)
    assert int(other.lots) > int(third.lots)


def test_edits_hold_for_what_a_strategy_asks_for() -> None:
    fork = forked(recorded(), 1, running("reactor"), "reactor:leverage:BTCUSDT=7")
    asked_for = [batch.command for batch in batches(fork) if isinstance(batch.command, c.SetLeverage)]
    assert {command.leverage for command in asked_for if command.account == "reactor"} == {7}


def test_one_that_does_not_do_the_same_twice_is_told_apart_and_goes_on_from_the_fork() -> None:
    log = recorded(("moody", "quoter"))
    first = asked(log, "moody")[0]
    cast = {"moody": (Moody, "cross", 10), "quoter": (Quoter, "cross", 10)}
    again = running(cast=cast)
    middle = number_of(log, asked(log, "moody")[4])
    fork = forked(log, middle, again)
    record = batches(log)[number_of(log, first) - 1].first_seq
    assert again.parted == {"moody": record}
    assert asked(fork, "moody")[:4] == asked(log, "moody")[:4], "what it asks for before the fork is not decided"
    sizes = {order.lots for order in asked(fork, "moody")[4:]}  # type: ignore[attr-defined]
    assert len(sizes) == 1
    assert sizes != {first.lots}  # type: ignore[attr-defined]
    assert [order.request for order in asked(fork, "moody")] == [order.request for order in asked(log, "moody")]
    assert asked(fork, "quoter")[:3] == asked(log, "quoter")[:3]


@pytest.mark.parametrize("before", [1, 60, 1000])
def test_another_strategy_may_take_over(before: int) -> None:
    log = recorded()
    again = Again({c.AccountId("dipper"): Quoter()})
    fork = forked(log, min(before, len(batches(log)) + 1), again)
    assert bool(again.parted) == (before > 1)
    refused = [f for b in batches(fork) for f in b.facts if isinstance(f, Refused) and _of(b) == "dipper"]
    assert refused == []
    kinds = {command.time_in_force for command in asked(fork, "dipper") if isinstance(command, c.PlaceOrder)}
    assert (c.TimeInForce.POST_ONLY in kinds) == (before < 1000)


def _of(batch: Batch) -> str:
    return getattr(batch.command, "account", "")
