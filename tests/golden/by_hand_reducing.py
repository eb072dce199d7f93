"""A session by hand of reduce-only orders that shrink with their position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.rules import ReduceOnly
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    SELL,
    account,
    amend,
    mark,
    market,
    pack,
    place,
    position,
    resting,
    together,
)


def shrinking() -> Session:
    """shrinking-1: orders that shrink, go, are placed and amended for too much, beside sales, a flip, an auction."""
    return recorded(_shrinking)


SESSIONS = {"shrinking-1": shrinking}


def _rung(number: int, price: int, lots: int) -> Any:
    return resting(number, SELL, price=price, lots=lots, by="taker", reduce_only=True)


def _shrinking() -> Iterator[Any]:
    yield [opening(replace(pack(), reduce_only=ReduceOnly.SHRINK)), mark(100)]
    yield [account("maker", 100_000), account("taker", 100_000), *position(1, BUY, price=100, lots=20, by="taker")]
    yield [_rung(3, 105, 9), _rung(4, 104, 8), _rung(5, 105, 2), resting(6, BUY, price=95, lots=9)]
    yield [market(7, SELL, lots=5), _rung(8, 103, 20), amend(8, lots=4), amend(8, lots=50)]
    yield [place(9, BUY, price=103, lots=6, by="maker"), waiting(10, SELL, at=98, lots=9, price=102, reduce_only=True)]
    yield [mark(98), phase(AUCTION), place(11, SELL, price=94, lots=3), phase(CONTINUOUS)]
    yield [resting(12, BUY, price=90, lots=20)]
    yield [together(market(13, SELL, lots=12), place(14, BUY, price=80, lots=30, reduce_only=True), by="taker")]
