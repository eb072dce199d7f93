"""Sessions by hand of conditional orders: every kind, by mark and by last price, and every way in which they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.commands import TimeInForce
from events.instructions import PriceMatch
from events.instruments import InstrumentId
from events.units import SECOND, Nanos
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import dated, later, pack_of
from tests.spec.tape import diff, printed, tape
from tests.spec.waiting import LAST, TAKE_PROFIT, amend_waiting, trailing, waiting
from tests.spec.words import (
    BUY,
    PERCENT,
    SELL,
    account,
    cancel,
    instrument,
    mark,
    market,
    pack,
    place,
    position,
    resting,
)

GTD, DAY = TimeInForce.GTD, TimeInForce.DAY
OPPONENT, QUEUE = PriceMatch.OPPONENT, PriceMatch.QUEUE
DAY_NS = 86_400 * SECOND

RULES = replace(pack(trigger_protect=5 * PERCENT), max_triggers=8)


def triggers() -> Session:
    """triggers-1: stops, profits taken, trailing stops, closed positions, protection, cancels, and all refusals."""
    return recorded(_triggers)


def more_triggers() -> Session:
    """triggers-2: times, amendments, prices of the book, what ends with its position, and all that is refused of it."""
    return recorded(_more)


SESSIONS = {"triggers-1": triggers, "triggers-2": more_triggers}


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


def _more() -> Iterator[Any]:
    gold, tin = dated(expiry=3 * DAY_NS), instrument(InstrumentId("TIN"))
    rules = replace(pack_of(gold, tin), max_triggers=9, max_amendments=2, good_till_ahead=Nanos(10))
    yield [opening(rules), mark(100), mark(100, on="TIN"), account("maker", 100_000), account("taker", 100_000)]
    yield [account("ann", 10_000), position(1, BUY, price=100, lots=5, by="ann")]
    yield [
        resting(10, SELL, price=112, lots=9),
        resting(11, SELL, price=113, lots=9),
        resting(12, BUY, price=88, lots=9),
    ]
    yield [waiting(20, BUY, at=110, price=105, tif=GTD, good_till=Nanos(500)), trailing(21, SELL, tif=DAY)]
    yield [waiting(22, BUY, at=111, tif=GTD, good_till=Nanos(400)), waiting(23, BUY, at=104, tif=DAY, price=90)]
    yield [waiting(24, BUY, at=106, price_match=OPPONENT), waiting(25, BUY, at=106, price_match=QUEUE, client="q")]
    yield [waiting(26, BUY, at=106, price_match=PriceMatch.QUEUE_20), waiting(27, SELL, TAKE_PROFIT, at=115, lots=2)]
    yield [amend_waiting(27, at=105, lots=3), amend_waiting(21, percent=2), amend_waiting(0, at=107, client="q")]
    yield [amend_waiting(20, at=110, price=101), *_not_amended(), mark(104), later(200), mark(106), later(450)]
    yield [_bound(30, at=90), _bound(31, at=85, closes=True, lots=0, reduce_only=False), _bound(32, at=89)]
    yield [
        trailing(33, SELL, percent=5, by="ann", reduce_only=True, with_position=True),
        amend_waiting(32, at=91, by="ann"),
    ]
    yield [*_not_timed(), later(500), mark(111), mark(91), resting(40, BUY, price=95, lots=9), later(DAY_NS)]
    yield [
        position(41, BUY, price=100, lots=2, by="ann"),
        _bound(50, at=80),
        market(51, SELL, lots=2, by="ann"),
        mark(80),
    ]
    yield [_bound(52, at=70), waiting(53, BUY, at=120, tif=DAY, by="ann"), later(3 * DAY_NS)]


def _bound(number: int, **more: Any) -> Any:
    """A stop of ann that sells, and ends with her position."""
    return waiting(number, SELL, **({"by": "ann", "lots": 5, "reduce_only": True, "with_position": True} | more))


def _not_amended() -> list[Any]:
    return [
        amend_waiting(27, at=105, lots=3), amend_waiting(27, at=99), amend_waiting(27, at=106, price=5),
        amend_waiting(99, at=5), amend_waiting(10, at=5, by="maker"), amend_waiting(27, at=106),
        amend_waiting(27, at=107), amend_waiting(21, percent=20), amend_waiting(21, at=90),
    ]  # fmt: skip


def _not_timed() -> list[Any]:
    return [
        waiting(60, BUY, at=120, tif=GTD), waiting(60, BUY, at=120, tif=GTD, good_till=Nanos(460)),
        waiting(60, BUY, at=120, tif=DAY, on="TIN"), waiting(60, BUY, at=120, price=5, price_match=QUEUE),
        waiting(60, SELL, at=80, with_position=True),
        waiting(60, SELL, at=80, with_position=True, reduce_only=True, on="TIN"),
    ]  # fmt: skip
