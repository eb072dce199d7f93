"""Sessions by hand of conditional orders: every kind, by mark and by last price, and every way in which they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.tape import diff, printed, tape
from tests.spec.waiting import LAST, TAKE_PROFIT, trailing, waiting
from tests.spec.words import (
    BUY,
    PERCENT,
    SELL,
    account,
    cancel,
    mark,
    pack,
    place,
    position,
    resting,
)

RULES = replace(pack(trigger_protect=5 * PERCENT), max_triggers=8)


def triggers() -> Session:
    """triggers-1: stops, profits taken, trailing stops, closed positions, protection, cancels, and all refusals."""
    return recorded(_triggers)


SESSIONS = {"triggers-1": triggers}


def _triggers() -> Iterator[Any]:
    yield [opening(RULES), mark(100), mark(100, on="TIN"), account("maker", 100_000), account("taker", 100_000)]
    yield [account("ann", 140), waiting(1, BUY, at=110, source=LAST)]
    yield [resting(2, SELL, price=101, lots=20), resting(3, BUY, price=99, lots=20)]
    yield [place(4, BUY, price=101, lots=3), waiting(20, BUY, at=105), waiting(22, SELL, TAKE_PROFIT, at=104)]
    yield [waiting(27, SELL, at=95, price=90, source=LAST), waiting(28, SELL, at=96, closes=True)]
    yield [
        trailing(29, SELL, percent=2),
        trailing(30, BUY, percent=1, at=97),
        trailing(31, BUY, percent=9, source=LAST),
    ]
    yield [waiting(32, BUY, at=106, protects=True), mark(103), cancel(22), mark(107), mark(104), mark(96), mark(97)]
    yield [waiting(33, BUY, at=98, lots=9_000), mark(98), cancel(31), waiting(34, SELL, at=97, closes=True), mark(97)]
    yield tape(diff(bids={80: 5}, asks={130: 5}), printed(SELL, 98, 1), printed(SELL, 94, 1))
    yield _refusals()
    yield [*position(60, BUY, price=100, lots=10, by="ann"), waiting(70, SELL, at=80, by="ann"), mark(89), mark(80)]


def _refusals() -> list[Any]:
    many = [waiting(number, BUY, at=120) for number in range(43, 50)]
    return [
        waiting(40, BUY, at=None), waiting(40, BUY, at=110, callback=1), trailing(40, BUY, price=5),
        waiting(40, BUY, at=110, closes=True, lots=5), waiting(40, BUY, at=110, on="TIN", source=LAST),
        waiting(40, BUY, at=50), waiting(41, BUY, at=130, closes=True), waiting(42, BUY, at=131, closes=True), *many,
        waiting(51, BUY, at=120), waiting(52, BUY, at=120),
    ]  # fmt: skip
