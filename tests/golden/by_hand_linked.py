"""Sessions by hand of linked orders: pairs and brackets, every way in which they end, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.instructions import SelfTrade
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.linking import FULL_FILL, attached, bracket, pair, profit
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.tape import diff, printed, tape
from tests.spec.test_linked_refused import EACH, TOGETHER
from tests.spec.waiting import LAST, TAKE_PROFIT, trailing, waiting
from tests.spec.words import (
    BUY,
    FOK,
    PERCENT,
    SELL,
    account,
    amend,
    cancel,
    cancel_all,
    mark,
    pack,
    place,
    position,
    resting,
    together,
)

RULES = replace(pack(trigger_protect=5 * PERCENT), max_triggers=8)


def linked() -> Session:
    """linked-1: two that end each other, what is attached to an entry, auctions, liquidations, and all refusals."""
    return recorded(_linked)


SESSIONS = {"linked-1": linked}


def _linked() -> Iterator[Any]:
    yield [opening(RULES), mark(100), mark(100, on="TIN"), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, SELL, price=112, lots=99), resting(2, BUY, price=80, lots=99)]
    yield [_pair(10), place(12, BUY, lots=1, price=110, by="maker"), cancel(10), _pair(13), mark(90), mark(100)]
    yield [_pair(20), amend(20, lots=3), amend(20, price=111), cancel(21), _pair(22), cancel_all("taker")]
    yield [_pair(30), together(cancel(31, by="taker"), place(32, BUY, lots=1, price=110, by="taker"))]
    yield [_pair(33), place(35, BUY, lots=1, price=110, by="taker", self_trade=SelfTrade.EXPIRE_BOTH)]
    yield [_bracket(40), _sold(43, 2), _sold(44, 1), mark(89), mark(100)]
    yield [_bracket(50), cancel(50), _bracket(53), cancel(54), _bracket(56, arms=FULL_FILL), _sold(59, 2)]
    yield [amend(56, lots=3), _sold(60, 1), mark(110), mark(100)]
    yield [_bracket(61, tif=FOK), bracket(place(64, BUY, lots=3), trailing(65, SELL, percent=5, lots=0)), cancel(65)]
    yield [mark(88), _bracket(70), _sold(73, 5), mark(100), phase(AUCTION), _pair(80, 101), _bracket(83, price=102)]
    yield [place(86, SELL, lots=6, price=100, by="maker"), phase(CONTINUOUS), mark(99), cancel_all("taker")]
    low = waiting(91, SELL, at=96, lots=2, source=LAST)
    yield [pair(waiting(90, SELL, TAKE_PROFIT, at=120, lots=2), low)]
    yield tape(diff(bids={70: 5}, asks={130: 5}), printed(SELL, 95, 1), printed(SELL, 94, 1))
    yield [_later(100 + 10 * n, row[1]) for n, row in enumerate((*TOGETHER, *EACH)) if row[1].linked]
    two = (replace(one, account="ann") for one in (profit(912, SELL, at=130), attached(913, SELL, at=85)))
    yield [account("ann", 140), *position(900, BUY, price=100, lots=10, by="ann")]
    yield [bracket(place(911, BUY, lots=1, price=70, by="ann"), *two, by="ann"), mark(89), mark(80)]


def _later(by: int, asked: Any) -> Any:
    """The orders with numbers that were not used, so much higher."""
    linked = tuple(replace(one, number=by + one.number) for one in asked.linked)
    return replace(asked, linked=linked, entry=asked.entry and replace(asked.entry, number=by + asked.entry.number))


def _pair(number: int, price: int = 110) -> Any:
    """Sell 4 at a price, or at the market once the mark is at 90."""
    return pair(place(number, SELL, lots=4, price=price), waiting(number + 1, SELL, at=90, lots=4))


def _bracket(number: int, *, price: int = 99, arms: Any = None, **how: Any) -> Any:
    """Buy 5 and guard what was bought."""
    exits = profit(number + 1, SELL, at=110), attached(number + 2, SELL, at=90)
    made = bracket(place(number, BUY, lots=5, price=price, **how), *exits)
    return replace(made, arms=arms) if arms else made


def _sold(number: int, lots: int) -> Any:
    """Somebody sells so much to a bracket."""
    return place(number, SELL, lots=lots, price=99, by="maker")
