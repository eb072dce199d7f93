"""What a command costs among few and among very many resting orders, triggers or accounts.

Populations are made by applying facts, as a rebuild does. What is measured are commands of a few traders of their own
in the midst of them; each leaves the population as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time_ns
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress

from benchmarks.figures import Figure, Grid
from benchmarks.marks import resident, without_collector
from benchmarks.population import say
from events import commands as c
from events import facts as f
from events.instruments import InstrumentId, load_pack
from events.observations import Kind, Observations
from events.record import Batch
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT, Atoms, Lots, MarkUnits, Rate, Ticks
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import finish_rebuild, step

INSTRUMENT = InstrumentId("BTCUSDT")
MIDDLE = 300_000
LEVELS = 10_000
"""Orders rest on so many prices of each side, at most."""

NEAREST = 50
"""Ticks between the middle and the first order of the population, where the measured orders meet."""

PER_ACCOUNT = 200
"""So many orders of the population an account, as many as the pack lets one have open."""

LOTS = Lots(10)
OWNERS = (c.AccountId("ann"), c.AccountId("ben"))
RICH = Atoms(10**9 * UNIT)

PRINTS = c.ChunkId("prints")
"""Two rows of history at MIDDLE: a taker of its own bought, and one sold."""

SIZES = [1_000, 100_000, 1_000_000]


class Row(NamedTuple):
    """What one kind of command cost among so many of something: the median, CPU ns."""

    what: str
    size: int
    command: str
    ns: float


def measure(sizes: list[int], rounds: int) -> tuple[list[Figure], Grid]:
    """The table, and the largest ratio in it of the largest population to the smallest."""
    rows: list[Row] = []
    memory: list[str] = []
    for what, populate in POPULATIONS.items():
        with without_collector():
            traders = []
            for size in sizes:
                before = resident()
                traders.append(_Traders(_among(populate, size)))
                bytes_each = (resident() - before) / size
            costs = _in_turns(traders, rounds)
            rows += [Row(what, size, name, costs[n][name]) for n, size in enumerate(sizes) for name in COMMANDS]
            del traders
        memory.append(f"{bytes_each:,.0f} bytes {ONE[what]}")
    return [_ratio(rows, sizes, rounds, memory)], _grid(rows, sizes)


def _among(populate: Callable[[State, int], None], size: int) -> State:
    state = _venue()
    populate(state, size)
    finish_rebuild(state)
    return state


def _in_turns(traders: list[_Traders], rounds: int) -> list[dict[str, float]]:
    """The median cost of each kind of command for each population: all take turns, so that a busy machine hits all."""
    costs: list[dict[str, list[int]]] = [{name: [] for name in COMMANDS} for _ in traders]
    for n in range(rounds + rounds // 10):
        for own, trader in zip(costs, traders, strict=True):
            for name, run in COMMANDS.items():
                trader.spent = 0
                run(trader, n)
                if n >= rounds // 10:
                    own[name].append(trader.spent)
    return [{name: median(spent) for name, spent in own.items()} for own in costs]


def _venue() -> State:
    state = State()
    say(state, f.SessionOpened(RULES_VERSION, load_pack("binance-usdm"), c.SessionOptions()))
    say(state, f.MarkPriceMoved(INSTRUMENT, MarkUnits(MIDDLE * UNIT // 10)))
    contract = state.contracts[INSTRUMENT]
    contract.feed.traded = MIDDLE
    contract.book.stale = False  # else no print of history meets an order
    state.columns[PRINTS] = _prints()
    for name in OWNERS:
        _open(state, name)
    return state


def _prints() -> Observations:
    return Observations(
        INSTRUMENT, kind=[Kind.PRINT, Kind.PRINT], at=[0, 0], transacted=[0, 0], index=[0, 1],
        print_price=[MIDDLE, MIDDLE], print_lots=[LOTS, LOTS], print_side=[1, -1],
    )  # fmt: skip


def _open(state: State, name: c.AccountId) -> None:
    say(state, f.AccountOpened(name))
    say(state, f.Deposited(name, state.contracts[INSTRUMENT].settle, RICH))


def _resting(state: State, size: int) -> None:
    """Limit orders on both sides, spread over LEVELS prices each, PER_ACCOUNT of them an account."""
    for account, n in _owned(state, size):
        side = c.Side.BUY if n % 2 else c.Side.SELL
        away = NEAREST + (n // 2 * 7919) % LEVELS
        price = Ticks(MIDDLE - away if side is c.Side.BUY else MIDDLE + away)
        number = c.OrderNumber(1 + n % PER_ACCOUNT)
        say(state, f.OrderAccepted(account, number, INSTRUMENT, side, LOTS, price, c.TimeInForce.GTC, False))
        say(state, f.OrderRested(account, number, LOTS))


def _triggers(state: State, size: int) -> None:
    """Stops of both sides on the mark and on the last price, over LEVELS prices each, and trailing stops among them."""
    for account, n in _owned(state, size):
        say(state, _trigger(account, c.OrderNumber(1 + n % PER_ACCOUNT), n))


def _trigger(account: c.AccountId, number: c.OrderNumber, n: int) -> f.TriggerPlaced:
    """The n-th conditional order: every tenth of them trails, with one of many callbacks."""
    side = c.Side.BUY if n % 2 else c.Side.SELL
    away = NEAREST + (n // 2 * 7919) % LEVELS
    trails = n % 10 == 9
    return f.TriggerPlaced(
        account, number, INSTRUMENT, side, TriggerKind.TRAILING_STOP if trails else TriggerKind.STOP, LOTS,
        None if trails else Ticks(MIDDLE + away if side is c.Side.BUY else MIDDLE - away), None, c.TimeInForce.GTC,
        PriceSource.MARK if n // 2 % 2 else PriceSource.LAST, False,
        Rate(UNIT // 1000 + n % 1000 * UNIT // 20_000) if trails else Rate(0),
    )  # fmt: skip


def _accounts(state: State, size: int) -> None:
    """Accounts with money and nothing else."""
    for n in _counted(range(size), "accounts"):
        _open(state, c.AccountId(f"a{n}"))


def _owned(state: State, size: int) -> Iterator[tuple[c.AccountId, int]]:
    """Numbers up to size, with the account that each belongs to, which is opened for the first of its own."""
    account = OWNERS[0]
    for n in _counted(range(size), "orders"):
        if n % PER_ACCOUNT == 0:
            account = c.AccountId(f"a{n // PER_ACCOUNT}")
            _open(state, account)
        yield account, n


def _counted(numbers: range, what: str) -> Iterator[int]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(numbers, description=f"{len(numbers):,} {what}")


POPULATIONS: dict[str, Callable[[State, int], None]] = {
    "resting orders": _resting,
    "triggers": _triggers,
    "accounts": _accounts,
}
"""What there may be many of, and who makes them."""

ONE = {"resting orders": "an order", "triggers": "a trigger", "accounts": "an account"}


class _Traders:
    """Two traders of their own, in the midst of a population."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.number = 0
        self.spent = 0

    def place_and_cancel(self, n: int) -> None:
        """An order somewhere in the depth of the book, and its cancel."""
        self._cancel(self._place(OWNERS[0], c.Side.BUY, MIDDLE - NEAREST - n * 7919 % LEVELS))

    def place_and_trade(self, n: int) -> None:
        """An order that rests at the best price, and one of another account that takes it; sides change."""
        first, second = _sides(n)
        self._place(OWNERS[0], first, MIDDLE)
        self._place(OWNERS[1], second, MIDDLE)

    def place_and_fill_or_kill(self, n: int) -> None:
        """The same with a taker that trades whole or not at all."""
        first, second = _sides(n)
        self._place(OWNERS[0], first, MIDDLE)
        self._place(OWNERS[1], second, MIDDLE, c.TimeInForce.FOK)

    def place_and_print(self, n: int) -> None:
        """An order that rests at the best price, and a print of history that fills it; sides change."""
        self._place(OWNERS[0], _sides(n)[0], MIDDLE)
        self.run(c.AdvanceMarket(self.state.now, INSTRUMENT, PRINTS, n % 2, n % 2))

    def place_amend_and_cancel(self, n: int) -> None:
        """An order somewhere in the depth of the book, which moves up by a tick, and its cancel."""
        price = MIDDLE - NEAREST - n * 7919 % LEVELS
        number = self._place(OWNERS[0], c.Side.BUY, price)
        self.run(c.AmendOrder(self.state.now, OWNERS[0], c.RequestId(f"a{number}"), number, Ticks(price + 1)))
        self._cancel(number)

    def place_trigger_and_cancel(self, n: int) -> None:
        """A stop on the mark that waits in the midst of the others, and its cancel."""
        self.number += 1
        number = c.OrderNumber(self.number)
        trigger = Ticks(MIDDLE + NEAREST + n * 7919 % LEVELS)
        self.run(
            c.PlaceTrigger(
                self.state.now, OWNERS[0], c.RequestId(f"p{number}"), number, INSTRUMENT, c.Side.BUY, TriggerKind.STOP,
                LOTS, trigger, source=PriceSource.MARK,
            )
        )  # fmt: skip
        self._cancel(number)

    def trail_and_cancel(self, n: int) -> None:
        """A trailing stop with a callback of its own, and its cancel."""
        self.number += 1
        number, callback = c.OrderNumber(self.number), Rate(UNIT // 1000 + n % 900 * UNIT // 20_000)
        self.run(
            c.PlaceTrigger(
                self.state.now, OWNERS[0], c.RequestId(f"p{number}"), number, INSTRUMENT, c.Side.SELL,
                TriggerKind.TRAILING_STOP, LOTS, source=PriceSource.MARK, callback=callback,
            )
        )  # fmt: skip
        self._cancel(number)

    def move_the_mark(self, n: int) -> None:
        """The mark steps up or down by a tick."""
        self.run(c.SetMarkPrice(self.state.now, INSTRUMENT, MarkUnits((MIDDLE + n % 2) * UNIT // 10)))

    def _place(
        self, name: c.AccountId, side: c.Side, price: int, lasts: c.TimeInForce = c.TimeInForce.GTC
    ) -> c.OrderNumber:
        self.number += 1
        number = c.OrderNumber(self.number)
        self.run(
            c.PlaceOrder(
                self.state.now, name, c.RequestId(f"p{number}"), number, INSTRUMENT, side, LOTS, Ticks(price),
                lasts,
            )
        )  # fmt: skip
        return number

    def _cancel(self, number: c.OrderNumber) -> None:
        self.run(c.CancelOrder(self.state.now, OWNERS[0], c.RequestId(f"c{number}"), number))

    def run(self, command: c.Command) -> None:
        """Decide a command; its cost is added up."""
        started = process_time_ns()
        batch = step(self.state, command)
        self.spent += process_time_ns() - started
        assert isinstance(batch, Batch)
        assert not isinstance(batch.records[1].message, f.Refused), batch.records[1].message


def _sides(n: int) -> tuple[c.Side, c.Side]:
    """Who rests and who takes: they change, so that no position grows."""
    return (c.Side.BUY, c.Side.SELL) if n % 2 else (c.Side.SELL, c.Side.BUY)


COMMANDS: dict[str, Callable[[_Traders, int], None]] = {
    "place + cancel": _Traders.place_and_cancel,
    "place + amend + cancel": _Traders.place_amend_and_cancel,
    "place + trade": _Traders.place_and_trade,
    "place + fill or kill": _Traders.place_and_fill_or_kill,
    "place + print": _Traders.place_and_print,
    "place trigger + cancel": _Traders.place_trigger_and_cancel,
    "place trailing stop + cancel": _Traders.trail_and_cancel,
    "mark, none reached": _Traders.move_the_mark,
}
"""What is measured."""


def _ratio(rows: list[Row], sizes: list[int], rounds: int, memory: list[str]) -> Figure:
    ratios = {(row.what, row.command): row.ns / _least(rows, row, sizes) for row in rows if row.size == sizes[-1]}
    worst = max(ratios, key=lambda key: ratios[key])
    return Figure(
        "command_cost_ratio_1m_to_1k", ratios[worst], "ratio",
        f"the largest ratio of medians in the table, {sizes[-1]:,} / {sizes[0]:,}: {worst[1]} among {worst[0]}; "
        f"{rounds:,} rounds each, commands decided and applied, records made, no log, rules of binance-usdm; orders "
        f"rest on up to {LEVELS:,} prices a side, {PER_ACCOUNT} an account; resident memory: {', '.join(memory)}",
        "<= 2",
    )  # fmt: skip


def _least(rows: list[Row], row: Row, sizes: list[int]) -> float:
    return next(r.ns for r in rows if (r.what, r.command, r.size) == (row.what, row.command, sizes[0]))


def _grid(rows: list[Row], sizes: list[int]) -> Grid:
    cells = []
    for what in POPULATIONS:
        for name in COMMANDS:
            costs = [r.ns / 1000 for r in rows if (r.what, r.command) == (what, name)]
            cells.append([what, name, *(f"{us:,.1f}" for us in costs), f"{costs[-1] / costs[0]:.2f}"])
    return Grid(
        "what a command costs among so many, us of CPU",
        ["among", "command", *map("{:,}".format, sizes), "ratio"],
        cells,
    )
