"""Sessions by hand of markets whose history tells its orders apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from events.commands import INSURANCE, Impact, QueueModel, SessionOptions
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.tape import (
    added,
    changed,
    cleared,
    deleted,
    diff,
    event,
    leveled,
    marked,
    printed,
    reduced,
    snapshot,
    tape,
)
from tests.spec.words import (
    BUY,
    PERCENT,
    SELL,
    account,
    cancel,
    deposit,
    market,
    pack,
    place,
    position,
    proceed,
    resting,
)

BOOK = event(
    cleared(),
    added(BUY, 1, 99, 10), added(BUY, 2, 99, 5), leveled(BUY, 98, 20), added(BUY, 3, 98, 4),
    added(SELL, 4, 101, 10), added(SELL, 5, 101, 4), leveled(SELL, 102, 9),
    at=1,
)  # fmt: skip


def _parts(model: QueueModel, impact: Impact) -> Iterator[Any]:
    yield opening(
        pack(maker_fee=PERCENT // 50, taker_fee=PERCENT // 20, liquidation_fee=PERCENT),
        SessionOptions(queue_model=model, impact=impact),
    )
    yield [account("maker", 100_000), account("ann", 200), account("bob", 5_000), deposit(INSURANCE, 1_000)]
    yield [tape(BOOK, marked(100, at=1)), *position(1, BUY, price=100, lots=15, by="ann")]
    yield [resting(3, BUY, price=99, lots=5), resting(4, BUY, price=98, lots=5, visible=2)]
    yield tape(event(added(BUY, 6, 99, 3), reduced(BUY, 1, 99, 4), at=10), printed(SELL, 99, 6, at=11, order=1))
    yield [market(5, SELL, lots=4, by="bob"), resting(6, SELL, price=101, lots=6), market(7, BUY, lots=12, by="bob")]
    yield tape(event(deleted(SELL, 4), changed(SELL, 5, 101, 3), at=12), printed(BUY, 101, 9, at=13, order=5))
    yield tape(printed(SELL, 99, 7, at=14, order=0), event(deleted(BUY, 71, 98, 6), changed(BUY, 6, 99, 9), at=15))
    yield [tape(event(added(SELL, 8, 98, 7), at=16), event(deleted(SELL, 8), at=17)), cancel(4)]
    yield [resting(8, BUY, price=97, lots=2), tape(event(leveled(BUY, 97, 5), at=18), diff({99: 3}, id=1, at=19))]
    yield [place(9, SELL, price=97, lots=30, by="bob"), tape(printed(SELL, 90, 4, at=20, order=77), marked(88, at=20))]
    yield [proceed(), tape(snapshot({94: 9}, {96: 7}, id=2, at=21), event(deleted(BUY, 72, 94, 2), at=22), after=1)]


def _session(model: QueueModel, impact: Impact) -> Callable[[], Session]:
    return lambda: recorded(partial(_parts, model, impact))


SESSIONS = {
    "by-order-1": _session(QueueModel.PROPORTIONAL, Impact.CONSUME),
    "by-order-2": _session(QueueModel.BEHIND, Impact.NONE),
}
