"""Sessions by hand of the instructions that orders carry: who expires instead of a self-trade, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.commands import SessionOptions, TimeInForce
from events.guards import Breaker, PriceGuards
from events.instructions import PriceMatch, SelfTrade
from events.instruments import InstrumentId
from events.units import SECOND, Lots, Nanos, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import dated, later, pack_of
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.tape import printed, snapshot, tape
from tests.spec.words import (
    BUY,
    FOK,
    GOLD,
    IOC,
    PERCENT,
    SELL,
    account,
    amend,
    instrument,
    mark,
    market,
    pack,
    place,
    proceed,
    resting,
)

GTD, DAY = TimeInForce.GTD, TimeInForce.DAY
FUTURE = InstrumentId("FUTURE")

FILTERED = pack(market_max_lots=Lots(8), price_up=Rate(105 * PERCENT), price_down=Rate(95 * PERCENT))
HALTING = PriceGuards(breaker=Breaker(Rate(10 * PERCENT), Nanos(60 * SECOND), Nanos(120 * SECOND)))


def self_trades() -> Session:
    """self-trade-1: an account meets its own orders under every rule."""
    return recorded(_self_trades)


def filters() -> Session:
    """filters-1: what is too large or too far from the mark, what slips too far, options that contradict themselves."""
    return recorded(_filters)


def times() -> Session:
    """good-till-1: orders that live until a time, or to the end of their day, and times that no order may have."""
    return recorded(_times)


def matches() -> Session:
    """price-match-1: orders that take the price of the book, and the ways in which that is refused."""
    return recorded(_matches)


def icebergs() -> Session:
    """icebergs-1: orders that show parts, met by takers, a print and an auction, amended, and refused."""
    return recorded(_icebergs)


SESSIONS = {
    "self-trade-1": self_trades,
    "filters-1": filters,
    "good-till-1": times,
    "price-match-1": matches,
    "icebergs-1": icebergs,
}


def _self_trades() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    for n, rule in enumerate(SelfTrade):
        first = 10 * n
        yield [resting(first + 1, SELL, price=100, lots=5, by="taker"), resting(first + 2, SELL, price=101, lots=5)]
        yield [place(first + 3, BUY, price=101, lots=7, tif=IOC, self_trade=rule)]


def _filters() -> Iterator[Any]:
    yield opening(FILTERED, SessionOptions(max_slippage=Rate(-1)))
    yield opening(FILTERED, SessionOptions(max_slippage=Rate(2 * PERCENT), guards=HALTING))
    yield [mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, SELL, price=101, lots=5), resting(2, SELL, price=104, lots=5), market(3, BUY, lots=9)]
    yield [market(4, BUY, lots=9), place(5, BUY, price=106, lots=2), place(6, SELL, price=94, lots=2)]
    yield [market(7, BUY, lots=8), market(8, SELL, lots=1), mark(111), place(9, BUY, price=100, lots=2)]


def _times() -> Iterator[Any]:
    yield opening(replace(pack_of(instrument(GOLD), dated(FUTURE, expiry=10**15)), good_till_ahead=Nanos(10 * SECOND)))
    yield [mark(100), mark(100, on=FUTURE), account("maker", 100_000), account("taker", 100_000)]
    yield place(1, SELL, price=101, lots=5, by="maker", tif=GTD, good_till=20 * SECOND)
    yield place(2, BUY, price=99, lots=5, by="maker", tif=GTD, good_till=30 * SECOND)
    yield [place(3, BUY, price=99, lots=5, tif=GTD), place(3, BUY, price=99, lots=5, tif=GTD, good_till=SECOND)]
    yield [place(3, BUY, price=99, lots=5, tif=DAY), place(3, BUY, price=99, lots=5, on=FUTURE, tif=DAY)]
    yield [place(4, BUY, price=101, lots=2), later(25 * SECOND), place(5, SELL, price=99, lots=2)]
    yield later(90_000 * SECOND)


def _matches() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(n, SELL, price=100 + n, lots=2) for n in range(1, 21)]
    yield [place(20 + n, BUY, price=100 - n, lots=2, by="maker") for n in range(1, 21)]
    for n, match in enumerate(PriceMatch):
        yield place(50 + n, BUY, lots=1, tif=IOC, price_match=match)
    yield [place(60, BUY, price=99, lots=1, price_match=match), place(61, BUY, lots=1, price_match=PriceMatch.QUEUE)]
    yield place(62, SELL, lots=40, price_match=PriceMatch.QUEUE_20)


def _icebergs() -> Iterator[Any]:
    yield opening(replace(pack(min_lots=Lots(2)), max_iceberg_parts=5))
    yield [mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, SELL, price=101, lots=12, visible=5), resting(2, SELL, price=101, lots=4)]
    yield [market(3, BUY, lots=7), market(4, BUY, lots=6), amend(1, lots=11), amend(1, lots=15)]
    yield [place(5, BUY, price=101, lots=9, tif=FOK), place(6, SELL, price=101, lots=20, visible=4)]
    yield [tape(snapshot({}, {101: 6})), tape(printed(BUY, 101, 20), after=1), amend(6, lots=18)]
    yield [place(7, BUY, price=99, lots=10, tif=IOC, visible=5), place(7, BUY, price=99, lots=10, visible="2.5")]
    yield [place(7, BUY, price=99, lots=10, visible=shown) for shown in (1, 11)]
    yield [place(7, BUY, price=99, lots=11, visible=2), phase(AUCTION), place(8, BUY, price=102, lots=14, visible=6)]
    yield [place(9, BUY, price=102, lots=3), phase(CONTINUOUS), proceed()]
