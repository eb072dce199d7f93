"""The matching flow: seeded limit orders near the touch, cancels and immediate-or-cancel orders, and marks in between.

The bare book plays along while the flow is made, so that every cancel names a live order and the book keeps its size.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from benchmarks.bare_book import BUY, SELL, BareBook
from events import commands as c
from events.instruments import InstrumentId, MarginMode, RulePack
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Ticks
from exchange.core.state import RULES_VERSION

INSTRUMENT = InstrumentId("BTCUSDT")
MIDDLE = 300_000
RESTING, LEVELS, ACCOUNTS, MARK_EVERY = 2_000, 200, 100, 1_000
LIMIT, CANCEL = 0.5, 0.9
RECOUNT_EVERY = 200

OPEN = Lots(200)
"""Every account begins with a position of so many lots, long or short."""

SMALLEST = 4
"""Lots of the smallest order: 4 at 30,000 are above the pack's minimum notional of 100."""


class Flow(NamedTuple):
    """Commands that set the venue up and fill the book, the measured commands, and the same as bare operations."""

    opening: list[c.Command]
    commands: list[c.Command]
    bare_opening: list[tuple[int, ...]]
    bare: list[tuple[int, ...]]


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.book = BareBook()
        self.numbers = [1] * ACCOUNTS
        self.live: list[tuple[int, int, int]] = []
        self.ids = 0
        self.alive = 0
        self.at = Nanos(1)

    def limit(self) -> tuple[c.Command, tuple[int, ...]]:
        side = BUY if self.random.random() < 0.5 else SELL
        best = self.book.best(-side)
        anchor = best if best is not None else MIDDLE + side
        depth = 1 + min(LEVELS // 2 - 1, int(self.random.expovariate(1 / 30)))
        return self._order(side, anchor - side * depth, SMALLEST + self.random.randrange(20), c.TimeInForce.GTC)

    def immediate(self) -> tuple[c.Command, tuple[int, ...]]:
        side = BUY if self.random.random() < 0.5 else SELL
        most = 60 if self.alive > RESTING else 2
        best = self.book.best(-side) or MIDDLE
        return self._order(side, best + side * LEVELS, SMALLEST + self.random.randrange(most), c.TimeInForce.IOC)

    def _order(self, side: int, price: int, lots: int, force: c.TimeInForce) -> tuple[c.Command, tuple[int, ...]]:
        account = self.random.randrange(ACCOUNTS)
        self.numbers[account] += 1
        number = self.numbers[account]
        self.ids += 1
        if force is c.TimeInForce.GTC:
            self.book.limit(self.ids, side, price, lots)
            self.live.append((self.ids, account, number))
        else:
            self.book.take(side, price, lots)
        command = c.PlaceOrder(
            self.at,
            c.AccountId(f"acct{account:02d}"),
            c.RequestId(f"p{number}"),
            c.OrderNumber(number),
            INSTRUMENT,
            c.Side.BUY if side == BUY else c.Side.SELL,
            Lots(lots),
            Ticks(price),
            force,
        )
        return command, ((0 if force is c.TimeInForce.GTC else 2), self.ids, side, price, lots)

    def cancel(self) -> tuple[c.Command, tuple[int, ...]] | None:
        while self.live:
            i = self.random.randrange(len(self.live))
            self.live[i], self.live[-1] = self.live[-1], self.live[i]
            order, account, number = self.live.pop()
            if self.book.resting[order].lots:
                self.book.cancel(order)
                name, request = c.AccountId(f"acct{account:02d}"), c.RequestId(f"c{number}")
                return c.CancelOrder(self.at, name, request, c.OrderNumber(number)), (1, order)
            del self.book.resting[order]
        return None


def make_flow(pack: RulePack, operations: int, seed: int) -> Flow:
    """A flow of so many operations: 50 % limit orders, 40 % cancels, 10 % IOC, a mark every 1,000."""
    maker = _Maker(seed)
    opening = _opening(pack)
    bare_opening = []
    for _ in range(RESTING):
        command, bare = maker.limit()
        opening.append(command)
        bare_opening.append(bare)
    commands: list[c.Command] = []
    operations_bare = []
    for n in range(operations):
        maker.at = Nanos(1 + n)
        if n % RECOUNT_EVERY == 0:
            maker.alive = sum(order.lots > 0 for order in maker.book.resting.values())
        roll = maker.random.random()
        made = maker.cancel() if LIMIT <= roll < CANCEL else None
        command, bare = made or (maker.limit() if roll < CANCEL else maker.immediate())
        commands.append(command)
        operations_bare.append(bare)
        if n % MARK_EVERY == MARK_EVERY - 1:
            mark = (MIDDLE + maker.random.randrange(-50, 51)) * UNIT // 10
            commands.append(c.SetMarkPrice(maker.at, INSTRUMENT, MarkUnits(mark)))
    return Flow(opening, commands, bare_opening, operations_bare)


def _opening(pack: RulePack) -> list[c.Command]:
    at = Nanos(1)
    commands: list[c.Command] = [c.OpenSession(at, RULES_VERSION, pack, c.SessionOptions())]
    for n in range(ACCOUNTS):
        name = c.AccountId(f"acct{n:02d}")
        mode = MarginMode.ISOLATED if n % 2 else MarginMode.CROSS
        commands.append(c.OpenAccount(at, name, c.RequestId("open")))
        commands.append(c.Deposit(at, name, c.RequestId("fund"), pack.instruments[0].settle, Atoms(10_000_000 * UNIT)))
        commands.append(c.SetMarginMode(at, name, c.RequestId("mode"), INSTRUMENT, mode))
    commands.append(c.SetMarkPrice(at, INSTRUMENT, MarkUnits(MIDDLE * UNIT // 10)))
    for n in range(ACCOUNTS):
        side = c.Side.SELL if n % 4 < 2 else c.Side.BUY
        name, number = c.AccountId(f"acct{n:02d}"), c.OrderNumber(1)
        commands.append(c.PlaceOrder(at, name, c.RequestId("p1"), number, INSTRUMENT, side, OPEN, Ticks(MIDDLE)))
    return commands


def run_bare(flow: Flow, book: BareBook) -> None:
    """The measured operations on the bare book."""
    limit, cancel, take = book.limit, book.cancel, book.take
    for operation in flow.bare:
        kind = operation[0]
        if kind == 0:
            limit(*operation[1:])
        elif kind == 1:
            cancel(operation[1])
        else:
            take(*operation[2:])
