"""Strategies for tests: one that keeps a diary, and some that go wrong."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from decimal import Decimal

from events.facts import AnyFact, Traded
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class Diary(Strategy):
    """Writes down what it is told and when, and does at each wake what the plan says: wake number (from 1) -> deed."""

    def __init__(self, plan: dict[int, Callable[[Context], object]] | None = None, every: int = SECOND) -> None:
        self.every = Nanos(every)
        self.plan = plan or {}
        self.wakes: list[int] = []
        self.fills: list[tuple[int, Traded]] = []
        self.facts: list[tuple[int, AnyFact]] = []
        self.calls: list[str] = []

    def on_start(self, context: Context) -> None:
        self.calls.append("start")

    def on_timer(self, context: Context) -> None:
        self.calls.append("timer")
        self.wakes.append(context.now)
        if deed := self.plan.get(len(self.wakes)):
            deed(context)

    def on_fill(self, context: Context, trade: Traded) -> None:
        self.calls.append("fill")
        self.fills.append((context.now, trade))

    def on_fact(self, context: Context, fact: AnyFact) -> None:
        self.facts.append((context.now, fact))

    def on_finish(self, context: Context) -> None:
        self.calls.append("finish")


class Gambler(Diary):
    """Buys all that its money carries, once, and holds on to it: a crash takes it all."""

    def __init__(self) -> None:
        super().__init__({1: _all_in})


def _all_in(context: Context) -> None:
    (instrument, *_) = context.instruments
    mark = context.mark(instrument)
    assert mark is not None
    size = context.equity() * context.leverage(instrument) * Decimal("0.9") / mark
    context.buy(instrument, context.whole_lots(instrument, size))


class Asker(Diary):
    """Asks at its first wake for what an exchange refuses."""

    def __init__(self) -> None:
        super().__init__({1: _odd_requests})


def _odd_requests(context: Context) -> None:
    context.buy("BTCUSDT", "0.0005", "50000.0")
    context.buy("BTCUSDT", "0.001", "50000.05")
    context.buy("BTCUSDT", Decimal("-1"), Decimal(50_000))
    context.buy("BTCUSDT", "a lot")
    context.cancel(77)  # type: ignore[arg-type]


class Failing(Strategy):
    """Fails at its first wake."""

    every = Nanos(SECOND)

    def on_timer(self, context: Context) -> None:
        raise ValueError("no idea\nwhat to do")


class NeedsMore(Strategy):
    """Cannot be made without arguments."""

    def __init__(self, secret: str) -> None:
        self.secret = secret


class Backwards(Strategy):
    """Wants to be woken in the past."""

    every = Nanos(-1)


class Lost(Strategy):
    """Asks for an instrument that the session does not have."""

    every = Nanos(SECOND)

    def on_timer(self, context: Context) -> None:
        context.mark("PEPEUSDT")


class Interrupted(Strategy):
    """Its owner presses Ctrl-C after ten seconds of session time."""

    every = Nanos(10 * SECOND)

    def on_timer(self, context: Context) -> None:
        os.kill(os.getpid(), signal.SIGINT)


class DiskFull(Strategy):
    """No file may grow any more after ten seconds of session time."""

    every = Nanos(10 * SECOND)

    def on_timer(self, context: Context) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


class Knob(Strategy):
    """Buys so much at its first wake, or goes wrong as it is told."""

    every = Nanos(SECOND)

    def __init__(self, size: Decimal = Decimal("0.01"), wrong: str = "") -> None:
        self.size = size
        self.wrong = wrong

    def on_timer(self, context: Context) -> None:
        if self.wrong == "exit":
            os._exit(3)
        if self.wrong == "fail":
            raise ValueError("no idea")
        assert self.wrong != "bug", "a bug"
        if not context.position("BTCUSDT"):
            context.buy("BTCUSDT", self.size)


class Changer(Strategy):
    """Changes a little of its money into another asset."""

    def on_start(self, context: Context) -> None:
        context.exchange("USDT", "100", "BTC")
