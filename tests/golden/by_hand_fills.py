"""Sessions by hand of what fills orders: trades where history has no book, and queue models of a session's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from events.commands import INSURANCE, SessionOptions, TradeFills
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.tape import diff, marked, printed, snapshot, tape
from tests.spec.words import BUY, PERCENT, SELL, account, deposit, market, pack, place, position, proceed, resting


def _parts(fills: TradeFills) -> Iterator[Any]:
    yield opening(
        pack(maker_fee=PERCENT // 50, taker_fee=PERCENT // 20, liquidation_fee=PERCENT),
        SessionOptions(trade_fills=fills),
    )
    yield [account("maker", 100_000), account("ann", 200), account("bob", 5_000), deposit(INSURANCE, 1_000)]
    yield [tape(marked(100)), market(1, BUY, lots=1, by="bob"), *position(2, BUY, price=100, lots=15, by="ann")]
    yield [resting(4, BUY, price=99, lots=5), resting(5, BUY, price=98, lots=5, visible=2)]
    yield tape(printed(SELL, 100, 3, at=10), printed(BUY, 99, 3, at=11), printed(SELL, 98, 4, at=12))
    yield [market(6, BUY, lots=6, by="bob"), place(7, SELL, price=97, lots=3, by="bob")]
    yield [resting(8, SELL, price=101, lots=4), tape(printed(BUY, 101, 3, at=13), printed(SELL, 97, 9, at=14))]
    yield [tape(printed(SELL, 90, 4, at=15), marked(88, at=15)), proceed()]
    yield [market(9, BUY, lots=3, by="bob"), tape(printed(BUY, 95, 2, at=16), snapshot({94: 9}, {96: 7}, at=16))]
    yield [resting(10, BUY, price=94, lots=2), tape(printed(SELL, 94, 10, at=17), diff({94: 1}, at=18), after=1)]


def _session(fills: TradeFills) -> Callable[[], Session]:
    return lambda: recorded(partial(_parts, fills))


def weighted() -> Session:
    """queue-weights-1: what leaves a queue unexplained leaves by the session's own weights."""
    return recorded(_weighted)


def _weighted() -> Iterator[Any]:
    yield opening(pack(), SessionOptions(queue_weights=(1, 0, 3)))
    yield [account("maker", 100_000), account("taker", 100_000), tape(snapshot({99: 10}, {101: 10}), marked(100))]
    yield [resting(1, BUY, price=99, lots=3), tape(diff({99: 16}, at=1), after=1), resting(2, BUY, price=99, lots=2)]
    yield [tape(diff({99: 20}, at=2), after=2), tape(diff({99: 13}, at=3), after=3), market(3, SELL, lots=9)]
    yield tape(diff({99: 2}, at=4), printed(SELL, 99, 9, at=5), after=4)


SESSIONS = {
    "queue-weights-1": weighted,
    "trades-through-1": _session(TradeFills.THROUGH),
    "trades-touch-1": _session(TradeFills.TOUCH),
}
