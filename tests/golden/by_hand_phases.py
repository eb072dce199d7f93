"""A session by hand of trading phases and auctions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.commands import SessionOptions
from events.guards import Breaker, PriceGuards
from events.units import SECOND, Nanos, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.phases import AUCTION, CANCEL_ONLY, CONTINUOUS, HALTED, phase
from tests.spec.test_put_off import at, later
from tests.spec.words import BUY, GOLD, PERCENT, SELL, account, cancel, mark, market, pack, place, position, resting

REOPENING = replace(
    pack(maker_fee=PERCENT // 50, taker_fee=PERCENT // 20),
    guards=PriceGuards(breaker=Breaker(Rate(10 * PERCENT), Nanos(60 * SECOND), Nanos(30 * SECOND), Nanos(10 * SECOND))),
)


def phased() -> Session:
    """phases-1: an opening auction, halts by the operator and by the breaker, and the auction after it."""
    return recorded(_phased)


def opened() -> Session:
    """opening-1: a session that begins with an auction of ten seconds."""
    return recorded(_opened)


SESSIONS = {"phases-1": phased, "opening-1": opened}


def _opened() -> Iterator[Any]:
    yield [opening(REOPENING, SessionOptions(opening_auction=Nanos(10 * SECOND))), mark(100)]
    yield [account("maker", 100_000), account("ann", 200), account("bob", 5_000)]
    yield [place(1, BUY, price=103, lots=10, by="ann"), place(2, SELL, price=99, lots=4, by="maker")]
    yield [place(3, SELL, price=101, lots=2, by="bob"), market(4, BUY, lots=1, by="bob"), later(11)]
    yield [place(4, SELL, price=103, lots=1, by="bob"), market(5, BUY, lots=1, by="bob")]


def _phased() -> Iterator[Any]:
    yield [opening(REOPENING), mark(100), account("maker", 100_000), account("ann", 200), account("bob", 5_000)]
    yield [phase(AUCTION, until=10), place(1, BUY, price=103, lots=10, by="ann"), market(2, BUY, lots=1, by="bob")]
    yield [place(3, SELL, price=99, lots=4, by="maker"), resting(4, SELL, price=101, lots=9, by="maker")]
    yield [
        place(5, BUY, price=98, lots=3, by="bob"),
        (at(10, place(6, BUY, price=97, lots=3, by="bob")), cancel(1, by="ann")),
    ]
    yield [place(6, BUY, price=97, lots=3, by="bob")]
    yield [cancel(4, by="maker"), phase(HALTED), place(7, SELL, lots=1, price=99, by="maker")]
    yield [phase(CANCEL_ONLY, until=5), phase(CANCEL_ONLY, until=30), place(8, SELL, lots=1, price=99, by="maker")]
    yield [later(30), *position(9, BUY, price=100, lots=2, by="bob"), at(40, mark(85)), later(70)]
    yield [place(11, SELL, price=80, lots=6, by="maker"), place(12, BUY, price=90, lots=5, by="bob")]
    yield [place(13, SELL, price=88, lots=2, by="bob", reduce_only=True), phase(HALTED), phase(CONTINUOUS)]
    yield [phase(AUCTION, on=GOLD), cancel(12, by="bob")]
