"""Hypothesis strategies for whole sessions: a rule pack, four traders, and a list of commands that shrinks well.

Amounts are small (one lot at one tick is one atom), so that every rounding shows. A command does not depend on what
came before it: its number is its place in the list, so leaving one out renames no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from events import commands as c
from events.commands import AccountId, ChunkId, Command, Side, TimeInForce
from events.instruments import InstrumentId, Leg, MarginMode
from events.observations import Observations
from events.phases import TradingPhase
from events.record import Batch
from events.units import SECOND, UNIT
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import step
from tests.property.rules import EUR, HOME, PAIR, PERCENT, TICK, USD, X, Y, contract, packs
from tests.sim.by_order import ByOrder
from tests.sim.history import History
from tests.sim.world import World, lend

NAMES = [AccountId(name) for name in ("ANA", "BEN", "CAT", "DAN")]


def chunks() -> dict[ChunkId, Observations]:
    """History to choose from: five chunks of each instrument, in the small numbers, two of trades alone, and three in
    which orders are told apart.
    """
    made = {}
    for name in (X, Y):
        history, dice = History(contract(name, ()), HOME, 20), Random(name)
        bare = History(contract(name, ()), HOME, 20, bare=True)
        for number in range(5):
            made[ChunkId(f"{name}{number}")] = history.chunk(dice, 0, 8)
        for number in range(5, 7):
            made[ChunkId(f"{name}{number}")] = bare.chunk(dice, 0, 8)
        by_order = ByOrder(History(contract(name, ()), HOME, 20))
        for number in range(7, 10):
            made[ChunkId(f"{name}{number}")] = by_order.chunk(dice, 0, 8)
    return made


CHUNKS = chunks()

names = st.sampled_from(NAMES)
instruments = st.sampled_from((X, Y))
prices = st.integers(-20, 20).map(lambda ticks: HOME + ticks)
marks = st.one_of(
    st.integers(-40, 40).map(lambda ticks: (HOME + ticks) * TICK),
    st.integers(-30 * TICK, 30 * TICK).map(lambda units: HOME * TICK + units),
    st.sampled_from((1, TICK, 300 * TICK, 10**6 * TICK)),
)
amounts = st.sampled_from((2_000, 500, 9_000)) | st.integers(1, 9_000)
sizes = st.integers(1, 30)
rates = st.integers(-10, 10).map(lambda percent: percent * PERCENT)
assets = st.sampled_from((USD, USD, EUR))
legs = st.sampled_from((Leg.NET, Leg.NET, Leg.LONG, Leg.SHORT))
indices = st.integers(-60, 60).map(lambda percent: UNIT + percent * PERCENT) | st.sampled_from((1, UNIT, 9 * UNIT))
"""Index prices of the euro."""


def made(kind: type[Command], **fields: Any) -> st.SearchStrategy[Any]:
    """Commands of a kind, time and request left open."""
    asked = {"account": names, "request": st.just("")} if issubclass(kind, c.TradersCommand) else {}
    return st.builds(kind, at=st.just(0), **(asked | fields))


def orders(prices: st.SearchStrategy[int] = prices) -> st.SearchStrategy[Any]:
    """Orders of every sort."""
    return made(
        c.PlaceOrder, number=st.just(0), instrument=instruments, side=st.sampled_from(Side), lots=sizes,
        price=st.none() | prices, time_in_force=st.sampled_from(TimeInForce), reduce_only=st.booleans(), leg=legs,
    )  # fmt: skip


def rows() -> st.SearchStrategy[Any]:
    """A stretch of one of the chunks, sometimes beyond its end."""
    return st.sampled_from(sorted(CHUNKS)).flatmap(
        lambda chunk: made(
            c.AdvanceMarket, instrument=st.just(CHUNKS[chunk].instrument), chunk=st.just(chunk),
            first_row=st.integers(0, 7), last_row=st.integers(0, 8),
        )
    )  # fmt: skip


@st.composite
def deals(draw: st.DrawFn, prices: st.SearchStrategy[int] = prices) -> list[Any]:
    """An order that rests, or would, and another one that meets it, of the same account at times."""
    instrument, price, side = draw(instruments), draw(prices), draw(st.sampled_from(Side))
    other = Side.SELL if side is Side.BUY else Side.BUY
    return [
        draw(_order(instrument, side, price)),
        draw(_order(instrument, other, draw(st.sampled_from((price, None))))),
    ]


def _order(instrument: InstrumentId, side: Side, price: int | None) -> st.SearchStrategy[Any]:
    fixed = {"number": 0, "instrument": instrument, "side": side, "price": price}
    return made(c.PlaceOrder, lots=sizes, **{name: st.just(value) for name, value in fixed.items()})


trading = st.one_of(
    deals(),
    deals(),
    orders(),
    made(c.CancelOrder, number=st.integers(0, 5)),
    made(c.SetMarkPrice, instrument=instruments, mark=marks),
    made(c.Proceed, limit=st.sampled_from((1, 2, 4096))),
)
"""What sessions mostly consist of."""

settling = st.one_of(
    made(c.Deposit, account=st.sampled_from([*NAMES, c.INSURANCE]), asset=assets, amount=amounts),
    made(c.Withdraw, asset=assets, amount=amounts),
    made(c.SetLeverage, instrument=instruments, leverage=st.integers(1, 50)),
    made(c.SetMarginMode, instrument=instruments, mode=st.sampled_from(MarginMode)),
    made(c.AddMargin, instrument=instruments, amount=amounts, leg=legs),
    made(c.RemoveMargin, instrument=instruments, amount=amounts, leg=legs),
    made(c.ApplyFunding, instrument=instruments, rate=rates),
    made(c.AdvanceTime),
    made(c.SetTradingPhase, instrument=instruments, phase=st.sampled_from(TradingPhase)),
    made(
        c.SetTradingPhase, instrument=instruments, phase=st.sampled_from(TradingPhase), until=st.integers(1, 9 * SECOND)
    ),
    rows(),
)
"""What happens beside the trading."""

widening = st.one_of(
    made(c.Transfer, asset=assets, amount=amounts, to=names),
    made(c.ExchangeAsset, asset=assets, amount=amounts, into=assets),
    made(c.SetPositionMode, hedges=st.booleans()),
    made(c.SetCollateralMode, multi=st.booleans()),
    made(c.SetAutoAddMargin, instrument=instruments, on=st.booleans()),
    made(c.SetIndexPrice, instrument=instruments, index=marks),
    made(c.SetIndexPrice, instrument=st.just(PAIR), index=indices),
)
"""What only some rules know."""

moves = st.one_of(trading, trading, settling, widening)


class Script(NamedTuple):
    """A session to be played: the commands that open it, and the rest."""

    opening: list[Command]
    commands: list[Command]

    def decide(self) -> list[Batch]:
        """Only decide it."""
        state = lend(State(), CHUNKS)
        decided = [step(state, command) for command in (*self.opening, *self.commands)]
        return [batch for batch in decided if isinstance(batch, Batch)]

    def play(self) -> World:
        """Play it with every check there is."""
        world = World()
        world.columns.update(CHUNKS)
        for command in (*self.opening, *self.commands):
            world.submit(command)
        return world


@st.composite
def openings(draw: st.DrawFn) -> list[Command]:
    """A session with marks, traders in both modes at some leverage, and money."""
    rules = draw(packs())
    options = c.SessionOptions(
        queue_model=draw(st.sampled_from(c.QueueModel)), impact=draw(st.sampled_from(c.Impact)),
        mark_source=draw(st.sampled_from(c.MarkSource)), funding=draw(st.sampled_from(c.FundingSource)),
        trade_fills=draw(st.sampled_from(c.TradeFills)),
    )  # fmt: skip
    if options.queue_model is c.QueueModel.PROPORTIONAL:
        options = replace(options, queue_weights=draw(st.sampled_from(((), (3, 1), (0, 2, 1)))))
    commands: list[Command] = [c.OpenSession(0, RULES_VERSION, rules, options)]
    commands += [c.SetMarkPrice(0, name, HOME * TICK) for name in (X, Y)]
    if draw(st.booleans()):
        commands += [c.SetIndexPrice(0, name, price) for name, price in ((X, 99 * TICK), (PAIR, UNIT))]
    commands += [c.Deposit(0, c.INSURANCE, "fund", USD, draw(amounts))] if draw(st.booleans()) else []
    for name in NAMES:
        commands += [c.OpenAccount(0, name, "open"), c.Deposit(0, name, "money", USD, draw(amounts))]
        commands += [c.Deposit(0, name, "more", EUR, draw(amounts))] if draw(st.booleans()) else []
        commands += [c.SetPositionMode(0, name, "hedge", True)] if draw(st.integers(0, 3)) == 0 else []
        commands += [c.SetCollateralMode(0, name, "join", True)] if draw(st.integers(0, 2)) == 0 else []
        for instrument in rules.instruments:
            most = instrument.brackets[0].max_leverage
            leverage = draw(st.sampled_from((min(5, most), most, 1, instrument.brackets[-1].max_leverage)))
            commands.append(c.SetLeverage(0, name, f"leverage {instrument.id}", instrument.id, leverage))
            if draw(st.booleans()):
                commands.append(c.SetMarginMode(0, name, f"mode {instrument.id}", instrument.id, MarginMode.ISOLATED))
    if draw(st.booleans()):
        commands += [c.AdvanceMarket(0, name, ChunkId(f"{name}0"), 0, draw(st.integers(0, 7))) for name in (X, Y)]
    return commands


def finished(commands: Iterable[Command], pauses: Iterable[int], first: int = 1) -> list[Command]:
    """The commands with the numbers, requests and times that their places give them; cancels aim at the last orders."""
    done: list[Command] = []
    for place, (command, at) in enumerate(zip(commands, accumulate(pauses), strict=False), first):
        fields: dict[str, Any] = {"at": at}
        if isinstance(command, c.TradersCommand):
            fields["request"] = f"r{place}"
        if isinstance(command, c.PlaceOrder):
            fields["number"] = place
        placed = [order for order in done if isinstance(order, c.PlaceOrder)][-5:]
        if isinstance(command, c.CancelOrder) and command.number < len(placed):
            fields |= {"number": placed[command.number].number, "account": placed[command.number].account}
        done.append(replace(command, **fields))
    return done


@st.composite
def scripts(draw: st.DrawFn, moves: st.SearchStrategy[Any] = moves, least: int = 10, most: int = 30) -> Script:
    """A whole session; now and then a request is repeated."""
    opening = draw(openings())
    moved = draw(st.lists(deals(st.just(HOME)), max_size=4)) + draw(st.lists(moves, min_size=least, max_size=most))
    commands = [command for move in moved for command in (move if isinstance(move, list) else [move])]
    pauses = draw(st.lists(st.sampled_from((0, 1, SECOND)), min_size=len(commands), max_size=len(commands)))
    done = finished(commands, pauses)
    for place in draw(st.lists(st.integers(0, most), max_size=2)):
        if place < len(done):
            done.insert(place, replace(done[place // 2], at=done[place].at))
    return Script(opening, done)
