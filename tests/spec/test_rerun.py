"""Strategies run again: they live through the past of a fork once more and go on from there for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from events.commands import AccountId, Deposit, RequestId, SetLeverage, Side, SubmitBatch, TimeInForce
from events.facts import AnyFact, OrderAccepted, Traded
from events.instruments import AssetId, InstrumentId
from events.log import EventLog
from events.store.memory import MemoryLog
from events.triggers import PriceSource
from events.units import SECOND, UNIT, Atoms, Nanos
from examples.dip_buyer import DipBuyer
from examples.quoter import Quoter
from examples.rider import Rider
from replay.branching import branch
from replay.editing import Branched, Edit
from replay.rerun import Again
from replay.slots import after_due_work
from replay.strategy import Context, Strategy
from replay.waking import Bar
from tests.playing import Played, capture, market, play, trader

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
            context.buy(BTC, "0.01", bid, time_in_force=TimeInForce.POST_ONLY, client=f"f{self.seen}")

    def on_order(self, context: Context, fact: AnyFact) -> None:
        if isinstance(fact, OrderAccepted) and fact.number % 5 == 0:
            context.cancel(fact.number)

    def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
        with context.batch():
            context.sell(BTC, "0.02", reduce_only=True)
            context.cancel_client = None  # type: ignore[attr-defined]
            context.buy(BTC, "0.01", price * Decimal("0.99"))

    def on_margin(self, context: Context, ratio: float) -> None:
        context.sell(BTC, "0.1", reduce_only=True)

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        context.stop(BTC, Side.SELL, "0.01", context.whole_lots(BTC, bar.low) - 100, reduce_only=True)

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


TRADERS: dict[str, tuple[Callable[[], Strategy], str, int]] = {
    "dipper": (DipBuyer, "isolated", 20),
    "reactor": (Reactor, "cross", 20),
    "quoter": (Quoter, "cross", 10),
    "idle": (Strategy, "cross", 10),
    "rider": (Rider, "isolated", 5),
    "second": (Reactor, "cross", 3),
}


def session(folder: Path, names: Mapping[str, object] = TRADERS, seconds: int = 20) -> tuple[MemoryLog, Played]:
    log = MemoryLog()
    traders = []
    for name in names:
        make, mode, leverage = TRADERS[name]
        traders.append(trader(make(), name, mode, leverage))
    return log, play(capture(folder, market(seconds)), traders=traders, log=log, insurance=10_000)


def again(*names: str, of: Mapping[str, object] = TRADERS) -> Again:
    made = {AccountId(name): TRADERS[name][0]() for name in of if name != "idle"}
    return Again(made, [AccountId(name) for name in names or made])


def forked(log: EventLog, before: int, running: Again, *edits: Edit) -> tuple[MemoryLog, Branched]:
    fork = MemoryLog()
    before = asyncio.run(after_due_work(log, before))
    return fork, asyncio.run(branch(log, fork, before, edits, lambda _: None, running))


@pytest.mark.parametrize("names", [(), ("reactor",), ("quoter", "second")])
def test_without_edits_the_fork_is_the_session_wherever_it_parts(tmp_path: Path, names: tuple[str, ...]) -> None:
    log, played = session(tmp_path)
    import time

    t = time.process_time()
    for before in (1, 2, 9, *range(30, played.head.batch + 2, 1)):
        running = again(*names)
        fork, _ = forked(log, before, running)
        assert running.parted == {}, before
        assert asyncio.run(fork.head()) == played.head, before
    print(played.head.batch, time.process_time() - t, len(played.facts(Traded)))
