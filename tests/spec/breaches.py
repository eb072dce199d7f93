"""Ways to break the rules of placing an order, one each, and which of them can be tried together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from events.commands import TimeInForce
from events.instructions import PriceMatch
from events.instruments import InstrumentId
from events.refusals import Reason
from tests.spec.contracts import (
    COIN,
    EXPIRY,
    LONG,
    SHORT,
    dated,
    inverse,
    join,
    later,
    several_assets,
)
from tests.spec.words import (
    BUY,
    IOC,
    PERCENT,
    POST_ONLY,
    SELL,
    TIN,
    account,
    mark,
    pack,
    position,
    resting,
)

LATE = InstrumentId("LATE")
"""A contract that expires at 1,000 ns."""

FILTERS = {"min_lots": 2, "market_max_lots": 5_000, "price_up": 130 * PERCENT, "price_down": 70 * PERCENT}
RULES = replace(
    several_assets(*pack(**FILTERS).instruments, inverse(**FILTERS), dated(LATE, **FILTERS), max_orders=3),
    max_amendments=1,
)
ANN = (account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))
"""Ann: 200 in her wallet, long 10 at 100, and after that 100 available."""

ORDER: dict[str, Any] = {"number": 3, "side": BUY, "lots": 2, "price": 100, "by": "ann"}
"""An order that nothing speaks against."""


class Breach(NamedTuple):
    """One way to break a rule."""

    reason: Reason
    asked: dict[str, Any]
    given: tuple[Any, ...] = ()


NAMED = resting(99, BUY, price=9, lots=2, by="ann", client="mine")
RESTING = resting(9, BUY, price=9, lots=2, by="ann")
THREE_ORDERS = tuple(resting(n, BUY, price=9, lots=2, by="ann") for n in (100, 101, 102))

DUE = mark(84)
"""Ann's equity is 200 - 160 = 40, her maintenance margin 42."""

PLACING = [
    Breach(Reason.UNKNOWN_ACCOUNT, {"by": "nobody"}),
    Breach(Reason.TEXT_NOT_PRINTABLE_ASCII, {"request": "caf\u00e9"}),
    Breach(Reason.UNKNOWN_INSTRUMENT, {"on": "LEAD"}),
    Breach(Reason.ORDER_NUMBER_USED, {"number": 2}),
    Breach(Reason.ORDER_NUMBER_USED, {"number": 0}),
    Breach(Reason.CLIENT_ID_MALFORMED, {"client": "no blanks"}),
    Breach(Reason.CLIENT_ID_MALFORMED, {"client": 37 * "x"}),
    Breach(Reason.CLIENT_ID_IN_USE, {"number": 104, "client": "mine"}, (NAMED,)),
    Breach(Reason.PRICE_MATCH_WITH_PRICE, {"price": 100, "price_match": PriceMatch.QUEUE}),
    Breach(Reason.NO_PRICE_TO_MATCH, {"price": None, "price_match": PriceMatch.QUEUE_20}),
    Breach(Reason.PRICE_NOT_POSITIVE, {"price": 0}),
    Breach(Reason.PRICE_NOT_POSITIVE, {"price": -1}),
    Breach(Reason.PRICE_OFF_TICK, {"price": "100.5"}),
    Breach(Reason.SIZE_NOT_POSITIVE, {"lots": 0}),
    Breach(Reason.SIZE_NOT_POSITIVE, {"lots": -2}),
    Breach(Reason.SIZE_OFF_LOT, {"lots": "2.5"}),
    Breach(Reason.SIZE_BELOW_MINIMUM, {"lots": 1}),
    Breach(Reason.SIZE_ABOVE_MAXIMUM, {"lots": 10_001}),
    Breach(Reason.MARKET_SIZE_ABOVE_MAXIMUM, {"lots": 5_001, "price": None}),
    Breach(Reason.MARKET_ORDER_CANNOT_REST, {"price": None, "tif": POST_ONLY}),
    Breach(Reason.ICEBERG_CANNOT_REST, {"visible": 2, "tif": IOC}),
    Breach(Reason.VISIBLE_OFF_LOT, {"visible": "2.5"}),
    Breach(Reason.VISIBLE_BELOW_MINIMUM, {"visible": 1}),
    Breach(Reason.VISIBLE_ABOVE_SIZE, {"visible": 20_000}),
    Breach(Reason.TOO_MANY_PARTS, {"visible": 2, "lots": 22}),
    Breach(Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE, {"tif": TimeInForce.GTD}),
    Breach(Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE, {"good_till": 10**12}),
    Breach(Reason.GOOD_TILL_OUT_OF_RANGE, {"tif": TimeInForce.GTD, "good_till": 5}),
    Breach(Reason.DAY_ORDER_IN_PERPETUAL, {"tif": TimeInForce.DAY}),
    Breach(Reason.LEG_UNLIKE_POSITION_MODE, {"leg": LONG}),
    Breach(Reason.LEG_UNLIKE_POSITION_MODE, {"leg": SHORT, "side": SELL}),
    Breach(Reason.LIQUIDATION_IN_PROGRESS, {}, (DUE,)),
    Breach(Reason.INSTRUMENT_EXPIRED, {"on": LATE}, (later(EXPIRY),)),
    Breach(Reason.NO_MARK_PRICE, {"on": TIN}),
    Breach(Reason.NO_INDEX_PRICE, {"on": COIN}, (mark(100, on=COIN), join("ann"))),
    Breach(Reason.PRICE_ABOVE_BAND, {"price": 131}),
    Breach(Reason.PRICE_BELOW_BAND, {"price": 69, "side": SELL}),
    Breach(Reason.NOTIONAL_BELOW_MINIMUM, {"price": 4}),
    Breach(Reason.TOO_MANY_OPEN_ORDERS, {"number": 103}, THREE_ORDERS),
    Breach(Reason.REDUCE_ONLY_WOULD_INCREASE, {"reduce_only": True}),
    Breach(Reason.POST_ONLY_WOULD_TAKE, {"tif": POST_ONLY, "price": 105}, (resting(50, SELL, price=105, lots=9),)),
    Breach(Reason.POSITION_LIMIT_AT_LEVERAGE, {"lots": 91}),
    Breach(Reason.INSUFFICIENT_MARGIN, {"lots": 12}),
]  # fmt: skip

APART = [
    {Reason.REDUCE_ONLY_WOULD_INCREASE, Reason.NOTIONAL_BELOW_MINIMUM},
    {Reason.REDUCE_ONLY_WOULD_INCREASE, Reason.POSITION_LIMIT_AT_LEVERAGE},
    {Reason.REDUCE_ONLY_WOULD_INCREASE, Reason.INSUFFICIENT_MARGIN},
    {Reason.NOTIONAL_BELOW_MINIMUM, Reason.POSITION_LIMIT_AT_LEVERAGE},
    {Reason.NOTIONAL_BELOW_MINIMUM, Reason.INSUFFICIENT_MARGIN},
    {Reason.CLIENT_ID_IN_USE, Reason.LIQUIDATION_IN_PROGRESS},
    {Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE, Reason.GOOD_TILL_OUT_OF_RANGE},
    {Reason.DAY_ORDER_IN_PERPETUAL, Reason.INSTRUMENT_EXPIRED},
]
"""Rules that no order breaks together: one that only reduces needs no margin and no size, a small one little of it.
A time is missing, or it is too near; a perpetual does not expire. Nor are they given together: who is liquidated places
nothing whose client id could be in use."""


def contradict(one: Breach, other: Breach) -> bool:
    """Whether the two cannot be tried together."""
    if any(one.asked[what] != other.asked[what] for what in one.asked.keys() & other.asked.keys()):
        return True
    return {one.reason, other.reason} in APART


def pairs() -> Iterator[Any]:
    rank = {reason: n for n, reason in enumerate(Reason)}
    for one, other in combinations(PLACING, 2):
        if one.reason is not other.reason and not contradict(one, other):
            first, then = sorted((one, other), key=lambda breach: rank[breach.reason])
            yield pytest.param(first, then, id=f"{first.reason.value}-before-{then.reason.value}")
