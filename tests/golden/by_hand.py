"""A session by hand: every command, every fact, every way to place an order, to refuse a command and to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.chunks import encode_chunk
from events.codec import encode_body
from events.observations import Observations
from tests.golden.sessions import Session
from tests.scenario import Scenario, opening
from tests.spec.tape import diff, marked, printed, snapshot, tape, ticker
from tests.spec.words import (
    BUY,
    FOK,
    IOC,
    ISOLATED,
    POST_ONLY,
    SELL,
    TIN,
    account,
    add_margin,
    cancel,
    deposit,
    funding,
    mark,
    market,
    open_account,
    pack,
    place,
    position,
    proceed,
    remove_margin,
    resting,
    set_leverage,
    set_mode,
    withdraw,
)

Part = Callable[[], Iterator[Any]]
"""A part of a session: what is asked, in order."""

NOW = c.Nanos(0)
PERCENT = 1_000_000
RULES = pack(max_orders=5, min_lots=2, maker_fee=20_000, taker_fee=50_000, liquidation_fee=1 * PERCENT)


class Recording(Scenario):
    """A scenario whose history goes by the names that a store would give it."""

    def addressed(self, asked: Any) -> c.Command:
        if isinstance(asked, Observations):
            chunk = encode_chunk(asked).id
            self.state.columns[chunk] = self._rebuilt.columns[chunk] = asked
            asked = c.AdvanceMarket(NOW, asked.instrument, chunk, 0, len(asked) - 1)
        elif isinstance(asked, c.AdvanceMarket):
            return replace(asked, at=self.state.now)
        return super().addressed(asked)


def recording(*parts: Part) -> Recording:
    """The whole session. Due work is done after every command, or after several that stand in a tuple."""
    session = Recording()
    for part in parts or (_opening, _orders, _refusals, _history, _money, _liquidations):
        for asked in _one_by_one(part()):
            session.when(*asked)
            while session.state.due:
                session.when(proceed(3))
    return session


def recorded(*parts: Part) -> Session:
    """What a recording of these parts would be kept as."""
    done = recording(*parts)
    return Session([encode_body(batch) for batch in done.batches], done.state.columns)


def session() -> Session:
    """by-hand-1: everything that linear perpetuals have."""
    return recorded()


def _one_by_one(asked: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for one in asked:
        if isinstance(one, list):
            yield from _one_by_one(one)
        else:
            yield one if isinstance(one, tuple) else (one,)


def _opening() -> Iterator[Any]:
    yield open_account("early")
    yield [opening(replace(RULES, max_orders=0)), replace(opening(RULES), rules_version=0)]
    yield opening(RULES, c.SessionOptions(queue_model=c.QueueModel.BEHIND))
    yield opening(RULES)
    yield c.AdvanceTime(NOW)
    yield [account("maker", 1_000_000), account("taker", 1_000_000), deposit(c.INSURANCE, 100_000)]
    yield [open_account(c.MARKET), open_account("\u00e9"), market(70, BUY, lots=2), funding(1)]
    yield [mark(100), mark(100, on=TIN), proceed()]


def _orders() -> Iterator[Any]:
    """Limit and market orders of every time in force, by accounts that can afford them."""
    yield [resting(1, SELL, price=101, lots=5), resting(2, SELL, price=100, lots=5)]
    yield [place(3, BUY, price=101, lots=12), cancel(3)]
    yield [resting(4, SELL, price=102, lots=3), place(5, BUY, price=102, lots=5, tif=IOC)]
    yield place(6, BUY, price=103, lots=5, tif=FOK)
    yield [resting(7, SELL, price=103, lots=5), place(8, BUY, price=103, lots=5, tif=FOK)]
    yield [place(9, BUY, price=99, lots=4, tif=POST_ONLY), resting(10, SELL, price=104, lots=4)]
    yield [market(11, BUY, lots=2), market(12, BUY, lots=9)]
    yield place(13, SELL, price=99, lots=3, by="maker", reduce_only=True)
    yield place(13, SELL, price=99, lots=6, by="maker", tif=IOC)
    yield [place(14, SELL, price=110, lots=30, reduce_only=True), market(15, BUY, lots=30, by="maker")]
    yield [cancel(9), cancel(9)]


def _refusals() -> Iterator[Any]:
    yield place(20, BUY, price=104, lots="1.5")
    yield place(21, BUY, price="104.5", lots=1)
    yield [place(22, BUY, price=0, lots=1), place(23, BUY, price=100, lots=-1), place(24, BUY, price=100, lots=10_001)]
    yield [resting(25, SELL, price=105, lots=2), place(26, BUY, price=105, lots=2, tif=POST_ONLY), cancel(25)]
    yield [place(27, BUY, price=100, lots=1, by="nobody"), place(1, BUY, price=100, lots=1, by="maker")]
    yield [place(28, SELL, price=100, lots=1, on="LEAD"), place(29, BUY, lots=9_000), withdraw("taker", 10**9)]
    yield [place(71, BUY, price=100, lots=1), place(72, BUY, price=1, lots=2), place(73, BUY, lots=2, tif=POST_ONLY)]
    yield [*(resting(n, BUY, price=90, lots=2) for n in range(34, 40)), *(cancel(n) for n in range(34, 39))]
    yield [add_margin("taker", 1), c.AdvanceMarket(NOW, TIN, c.ChunkId("none"), 0, 0)]
    yield [set_leverage("taker", 11), account("maker"), deposit("taker", 0), deposit("taker", 1, asset="SHELLS")]


def _history() -> Iterator[Any]:
    """MARKET's book of TIN: prints, diffs, crossing, a gap, marks and a funding time."""
    yield tape(snapshot({98: 10, 97: 5}, {101: 10}), ticker(1, (98, 10), (101, 10)), on=TIN)
    yield [place(30, BUY, price=98, lots=4, on=TIN), place(31, SELL, price=100, lots=2, on=TIN)]
    yield tape(printed(SELL, 98, 12), printed(BUY, 101, 3), diff({98: 2}, {101: 7}), after=1, on=TIN)
    yield [place(32, SELL, price=102, lots=3, on=TIN), market(33, SELL, lots=5, on=TIN)]
    yield tape(diff({103: 2}, {101: 0, 104: 6}), after=2, on=TIN)
    yield tape(marked(101, rate=PERCENT, next_funding=8, index=100), after=3, on=TIN)
    yield tape(marked(102, rate=2 * PERCENT, next_funding=16), diff(previous=99), after=3, on=TIN)


def _money() -> Iterator[Any]:
    """Margin in and out, modes, leverage, funding."""
    yield [account("ida", 1_000, mode=ISOLATED, leverage=5), *position(40, BUY, price=100, lots=10, by="ida")]
    yield [add_margin("ida", 100), remove_margin("ida", 50), remove_margin("ida", 10**6), withdraw("ida", 200)]
    yield [set_leverage("ida", 10), set_mode("ida", ISOLATED), set_mode("ida", ISOLATED, on=TIN)]
    yield [funding(PERCENT), funding(-PERCENT // 2)]


def _liquidations() -> Iterator[Any]:
    """In the book with a fee, by the fund, of a pool below zero, and none at all because the pool recovered."""
    yield [account("ann", 500, mode=ISOLATED), *position(50, BUY, price=100, lots=10, by="ann")]
    yield [place(52, SELL, price=120, lots=2, by="ann"), resting(53, BUY, price=95, lots=12), mark(94), mark(100)]
    yield add_margin("ann", 1)
    yield [account("bob", 110), *position(54, BUY, price=100, lots=10, by="bob"), mark(80), mark(100)]
    yield [account("cleo", 150), *position(56, BUY, price=100, lots=10, by="cleo"), mark(200)]
    yield [resting(58, SELL, price=80, lots=10, by="cleo", reduce_only=True), market(59, BUY, lots=10), mark(100)]
    yield [account("dan", 110), resting(60, SELL, price=100, lots=2), resting(61, SELL, price=140, lots=9)]
    yield [market(62, BUY, lots=10, by="dan"), cancel(61)]
    yield [
        account("eve", 110),
        *position(63, BUY, price=100, lots=10, by="eve"),
        (mark(93), withdraw("eve", 1), deposit("eve", 100)),
    ]
    yield [mark(100), c.AdvanceTime(NOW), proceed()]
