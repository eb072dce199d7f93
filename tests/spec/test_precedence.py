"""Of two rules that one command breaks, the one that stands first in `Reason` is named: every pair that can be broken
at once, for orders under the trading phases, for conditional orders and for amendments.

Those of an order where trading is continuous are in `test_refusals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, pairwise, product
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events.instructions import PriceMatch
from events.refusals import Reason
from events.units import UNIT
from tests.scenario import Scenario, scenario
from tests.spec.breaches import ANN, DUE, LATE, NAMED, ORDER, PLACING, RESTING, RULES, Breach, contradict, pairs
from tests.spec.contracts import COIN, EXPIRY, SHORT, join, later
from tests.spec.phases import AUCTION, CANCEL_ONLY, CONTINUOUS, HALTED, phase
from tests.spec.waiting import LAST, STOP, TRAILING_STOP, waiting
from tests.spec.words import BUY, GOLD, IOC, POST_ONLY, SELL, TIN, amend, mark, place, refused, resting

RANK = {reason: n for n, reason in enumerate(Reason)}

CROSSED = (place(60, BUY, price=100, lots=2, by="maker"), place(61, SELL, price=100, lots=2, by="taker"))
UNCROSSING = (phase(AUCTION), *CROSSED, phase(CONTINUOUS))

PHASES = [
    Breach(Reason.AUCTION_UNCROSSES, {"on": GOLD}, UNCROSSING),
    Breach(Reason.TRADING_HALTED, {"on": GOLD}, (phase(HALTED),)),
    Breach(Reason.CANCEL_ONLY, {"on": GOLD}, (phase(CANCEL_ONLY),)),
    Breach(Reason.AUCTION_TAKES_LIMITS, {"on": GOLD, "tif": IOC}, (phase(AUCTION),)),
    Breach(Reason.TRADING_HALTED, {"on": TIN}, (phase(HALTED, on=TIN),)),
    Breach(Reason.CANCEL_ONLY, {"on": TIN}, (phase(CANCEL_ONLY, on=TIN),)),
    Breach(Reason.AUCTION_TAKES_LIMITS, {"on": TIN, "tif": IOC}, (phase(AUCTION, on=TIN),)),
]
"""Phases in which an order is not taken. A contract is in one of them at a time."""

CLOSER, OTHER = waiting(100, BUY, at=150, closes=True, by="ann"), waiting(101, SELL, at=50, lots=2, by="ann")
WAITS = {"number": 20, "side": BUY, "at": 110, "lots": 2, "by": "ann"}
ON_TIN = {"on": TIN, "source": LAST}

WAITING = [
    Breach(Reason.UNKNOWN_ACCOUNT, {"by": "nobody"}),
    Breach(Reason.UNKNOWN_INSTRUMENT, {"on": "LEAD"}),
    Breach(Reason.ORDER_NUMBER_USED, {"number": 2}),
    Breach(Reason.CLIENT_ID_MALFORMED, {"client": "no blanks"}),
    Breach(Reason.CLIENT_ID_IN_USE, {"number": 104, "client": "mine"}, (NAMED,)),
    Breach(Reason.PRICE_NOT_POSITIVE, {"at": 0}),
    Breach(Reason.PRICE_NOT_POSITIVE, {"price": 0}),
    Breach(Reason.PRICE_OFF_TICK, {"at": "100.5"}),
    Breach(Reason.PRICE_OFF_TICK, {"price": "100.5"}),
    Breach(Reason.SIZE_NOT_POSITIVE, {"lots": 0, "closes": False}),
    Breach(Reason.SIZE_OFF_LOT, {"lots": "2.5"}),
    Breach(Reason.SIZE_BELOW_MINIMUM, {"lots": 1, "closes": False}),
    Breach(Reason.SIZE_ABOVE_MAXIMUM, {"lots": 10_001, "closes": False}),
    Breach(Reason.MARKET_SIZE_ABOVE_MAXIMUM, {"lots": 5_001, "closes": False, "price": None}),
    Breach(Reason.MARKET_ORDER_CANNOT_REST, {"tif": POST_ONLY, "price": None}),
    Breach(Reason.NO_TRIGGER_PRICE, {"at": None, "kind": STOP}),
    Breach(Reason.CALLBACK_OUT_OF_RANGE, {"callback": 1, "kind": STOP}),
    Breach(Reason.CALLBACK_OUT_OF_RANGE, {"callback": 1, "kind": TRAILING_STOP}),
    Breach(Reason.NOT_FOR_TRAILING_STOPS, {"callback": UNIT // 100, "kind": TRAILING_STOP, "protects": True}),
    Breach(Reason.CLOSES_WHOLE_POSITION, {"closes": True, "lots": 0, "reduce_only": True}),
    Breach(Reason.LEG_UNLIKE_POSITION_MODE, {"leg": SHORT}),
    Breach(Reason.LIQUIDATION_IN_PROGRESS, {}, (DUE,)),
    Breach(Reason.INSTRUMENT_EXPIRED, {"on": LATE}, (later(EXPIRY),)),
    *(breach for breach in PHASES if breach.reason in (Reason.TRADING_HALTED, Reason.CANCEL_ONLY)),
    Breach(Reason.NO_MARK_PRICE, {"on": TIN}),
    Breach(Reason.NO_LAST_PRICE, ON_TIN, (mark(100, on=TIN),)),
    Breach(Reason.TOO_MANY_TRIGGERS, {"on": GOLD, "number": 104}, (CLOSER, OTHER)),
    Breach(Reason.CLOSING_TRIGGER_EXISTS, {"on": GOLD, "number": 104, "closes": True, "lots": 0}, (CLOSER,)),
    Breach(Reason.WOULD_TRIGGER_AT_ONCE, {"at": 50}),
]

NO_WAY = [
    {Reason.NO_MARK_PRICE, Reason.NO_LAST_PRICE},
    {Reason.CLIENT_ID_IN_USE, Reason.LIQUIDATION_IN_PROGRESS},
    {Reason.NO_TRIGGER_PRICE, Reason.NOT_FOR_TRAILING_STOPS},
    {Reason.CLOSES_WHOLE_POSITION, Reason.SIZE_NOT_POSITIVE},
]
"""Either a mark is given or it lacks (both lack in `test_triggers_refused`); the liquidation takes what has the id; a
trailing stop needs no price; what closes the position has no size.
"""

SELLS = resting(10, SELL, price=120, lots=2, by="ann")
CHANGE = {"number": 9, "by": "ann", "price": 10, "lots": 3}
AS_IT_WAS = (amend(9, lots=4), amend(9, lots=2))

AMENDING = [
    Breach(Reason.UNKNOWN_ACCOUNT, {"by": "nobody"}),
    Breach(Reason.UNKNOWN_ORDER, {"number": 77}),
    Breach(Reason.PRICE_NOT_POSITIVE, {"price": 0}),
    Breach(Reason.PRICE_OFF_TICK, {"price": "10.5"}),
    Breach(Reason.SIZE_NOT_POSITIVE, {"lots": 0}),
    Breach(Reason.SIZE_OFF_LOT, {"lots": "2.5"}),
    Breach(Reason.SIZE_BELOW_MINIMUM, {"lots": 1}),
    Breach(Reason.SIZE_ABOVE_MAXIMUM, {"lots": 10_001}),
    Breach(Reason.NOTHING_TO_AMEND, {"price": 9, "lots": 2}),
    Breach(Reason.TOO_MANY_AMENDMENTS, {"number": 9}, AS_IT_WAS),
    Breach(Reason.LIQUIDATION_IN_PROGRESS, {}, (DUE,)),
    *(Breach(breach.reason, {}, breach.given) for breach in PHASES[:3]),
    Breach(Reason.PRICE_ABOVE_BAND, {"number": 9, "price": 131}),
    Breach(Reason.PRICE_BELOW_BAND, {"number": 10, "price": 65}, (SELLS,)),
    Breach(Reason.NOTIONAL_BELOW_MINIMUM, {"number": 9, "price": 4, "lots": 2}),
    Breach(Reason.POSITION_LIMIT_AT_LEVERAGE, {"number": 9, "lots": 950}),
    Breach(Reason.INSUFFICIENT_MARGIN, {"number": 9, "lots": 200}),
]
"""An order that rests is of a contract that lives, has a mark, and could rest in an auction too."""


@cache
def orders() -> Scenario:
    """Ann is long, and orders are placed."""
    return scenario(RULES, marks=None).given(mark(100), *ANN)


@cache
def triggers() -> Scenario:
    """Ann is long, and may have two conditional orders."""
    return scenario(replace(RULES, max_triggers=2), marks=None).given(mark(100), *ANN)


@cache
def amendments() -> Scenario:
    """Ann is long, and has an order that rests; it may be amended twice."""
    return scenario(replace(RULES, max_amendments=2), marks=None).given(mark(100), *ANN, RESTING)


LAST_GIVEN = (c.SetTradingPhase, c.SetMarkPrice, c.AdvanceTime)
"""What leaves no room for orders is given after them."""


def given(*breaches: Breach) -> Iterator[Any]:
    """What both need, once each; orders first, then what is due, then the phase with what crosses in it."""
    asked = dict.fromkeys(one for breach in breaches for one in breach.given)
    phased = {one: None for breach in PHASES for one in breach.given}
    for last, within in ((False, False), (True, False)):
        yield from (one for one in asked if isinstance(one, LAST_GIVEN) is last and (one in phased) is within)
    yield from (one for one in asked if one in phased)


def possible(pair: tuple[Breach, Breach], apart: Sequence[set[Reason]] = ()) -> bool:
    one, other = pair
    alike = one.reason is other.reason or {one.reason, other.reason} in apart
    return not (alike or (is_phase(one) and is_phase(other)) or contradict(one, other))


def is_phase(breach: Breach) -> bool:
    """Whether it is a phase that is broken."""
    return any(isinstance(one, c.SetTradingPhase) for one in breach.given)


def in_order(found: Iterator[tuple[Breach, Breach]], apart: Sequence[set[Reason]] = ()) -> list[Any]:
    """Those that can be broken together, the rule that is named first."""
    ranked = [sorted(pair, key=lambda one: RANK[one.reason]) for pair in found if possible(pair, apart)]
    return [pytest.param(a, b, id=f"{a.reason.value}-before-{b.reason.value}-{n}") for n, (a, b) in enumerate(ranked)]


OF_PARTS = (Reason.VISIBLE_OFF_LOT, Reason.VISIBLE_BELOW_MINIMUM, Reason.VISIBLE_ABOVE_SIZE, Reason.TOO_MANY_PARTS)
OF_ORDERS = in_order(product(PHASES, PLACING), [{reason, Reason.AUCTION_TAKES_LIMITS} for reason in OF_PARTS])
OF_TRIGGERS = in_order(combinations(WAITING, 2), NO_WAY)
OF_AMENDMENTS = in_order(combinations(AMENDING, 2))

COMMANDS: dict[str, tuple[list[Breach], list[Any]]] = {
    "order": ([*PLACING, *PHASES], [*pairs(), *OF_ORDERS]),
    "conditional order": (WAITING, OF_TRIGGERS),
    "amendment": (AMENDING, OF_AMENDMENTS),
}
"""Command -> what it can break, and the pairs of that which are tried."""

TOGETHER: list[tuple[str, Reason, Reason, tuple[Any, ...], dict[str, Any]]] = [
    ("order", Reason.PRICE_MATCH_WITH_PRICE, Reason.NO_PRICE_TO_MATCH, (), {"price_match": PriceMatch.QUEUE_20}),
    ("order", Reason.SIZE_ABOVE_MAXIMUM, Reason.MARKET_SIZE_ABOVE_MAXIMUM, (), {"lots": 10_001, "price": None}),
    ("order", Reason.MARKET_ORDER_CANNOT_REST, Reason.ICEBERG_CANNOT_REST, (),
     {"price": None, "tif": POST_ONLY, "visible": 2}),
    ("order", Reason.ICEBERG_CANNOT_REST, Reason.VISIBLE_OFF_LOT, (), {"tif": IOC, "visible": "2.5"}),
    ("order", Reason.INSTRUMENT_EXPIRED, Reason.TRADING_HALTED, (phase(HALTED, on=LATE), later(EXPIRY)), {"on": LATE}),
    ("order", Reason.NO_MARK_PRICE, Reason.NO_INDEX_PRICE, (join("ann"),), {"on": COIN}),
    ("order", Reason.PRICE_BELOW_BAND, Reason.NOTIONAL_BELOW_MINIMUM, (), {"side": SELL, "price": 4}),
    ("order", Reason.POSITION_LIMIT_AT_LEVERAGE, Reason.INSUFFICIENT_MARGIN, (), {"lots": 9_999}),
    ("conditional order", Reason.SIZE_ABOVE_MAXIMUM, Reason.MARKET_SIZE_ABOVE_MAXIMUM, (), {"lots": 10_001}),
    ("conditional order", Reason.CALLBACK_OUT_OF_RANGE, Reason.NOT_FOR_TRAILING_STOPS, (),
     {"kind": TRAILING_STOP, "callback": 1, "protects": True}),
    ("conditional order", Reason.INSTRUMENT_EXPIRED, Reason.TRADING_HALTED, (phase(HALTED, on=LATE), later(EXPIRY)),
     {"on": LATE}),
    ("conditional order", Reason.NO_LAST_PRICE, Reason.TOO_MANY_TRIGGERS,
     (mark(100, on=TIN), replace(CLOSER, instrument=TIN), replace(OTHER, instrument=TIN)), {**ON_TIN, "number": 104}),
    ("amendment", Reason.PRICE_BELOW_BAND, Reason.NOTIONAL_BELOW_MINIMUM, (SELLS,),
     {"number": 10, "price": 4, "lots": 2}),
    ("amendment", Reason.POSITION_LIMIT_AT_LEVERAGE, Reason.INSUFFICIENT_MARGIN, (), {"lots": 9_999}),
]  # fmt: skip
"""Neighbours that one value, or one situation of their own, breaks both."""

SIZES = "size_not_positive size_off_lot size_below_minimum size_above_maximum"
EXCLUSIVE = {
    "order": (
        "client_id_malformed client_id_in_use", "no_price_to_match price_not_positive price_off_tick", SIZES,
        "visible_off_lot visible_below_minimum visible_above_size too_many_parts",
        "good_till_unlike_time_in_force good_till_out_of_range day_order_in_perpetual",
        "instrument_expired auction_uncrosses trading_halted cancel_only auction_takes_limits",
        "price_above_band price_below_band",
    ),
    "conditional order": (
        "client_id_malformed client_id_in_use", SIZES, "trading_halted cancel_only", "no_mark_price no_last_price",
    ),
    "amendment": (
        "price_not_positive price_off_tick", f"{SIZES} nothing_to_amend",
        "auction_uncrosses trading_halted cancel_only",
        "price_above_band price_below_band", "notional_below_minimum position_limit_at_leverage",
    ),
}  # fmt: skip
"""Command -> neighbours of which it breaks one at most: one price, size, client id, time or phase is wrong in one way,
and an expiry ends an auction. (`no_mark_price` before `no_last_price` is in `test_triggers_refused`.)
"""

SITUATIONS: dict[str, tuple[Callable[[], Scenario], Callable[..., Any], dict[str, Any]]] = {
    "order": (orders, place, ORDER),
    "conditional order": (triggers, waiting, WAITS),
    "amendment": (amendments, amend, CHANGE),
}


@pytest.mark.parametrize(("name", "first", "then", "before", "asked"), TOGETHER)
def test_neighbours_that_are_broken_by_one_value(
    name: str, first: Reason, then: Reason, before: tuple[Any, ...], asked: dict[str, Any]
) -> None:
    tell, command, sound = SITUATIONS[name]
    session = tell().copy().given(*before)
    session.when(replace(command(**{**sound, **asked}), at=session.state.now)).then(refused(first))
    assert RANK[first] < RANK[then]


@pytest.mark.parametrize("name", COMMANDS)
def test_of_neighbours_on_the_list_all_are_tried_but_those_that_exclude_each_other(name: str) -> None:
    breaches, tried = COMMANDS[name]
    reasons = sorted({breach.reason for breach in breaches}, key=lambda reason: RANK[reason])
    known = {tuple(one.reason for one in param.values) for param in tried}
    known |= {(first, then) for of, first, then, *_ in TOGETHER if of == name}
    untried = {(one.value, other.value) for one, other in pairwise(reasons) if (one, other) not in known}
    assert untried == {pair for row in EXCLUSIVE[name] for pair in pairwise(row.split())}


def names_the_first(session: Scenario, command: Any, first: Breach, then: Breach) -> None:
    session = session.copy().given(*given(first, then))
    session.when(replace(command, at=session.state.now)).then(refused(first.reason))


@pytest.mark.parametrize(("first", "then"), OF_ORDERS)
def test_an_order_in_a_phase(first: Breach, then: Breach) -> None:
    names_the_first(orders(), place(**{**ORDER, **first.asked, **then.asked}), first, then)


@pytest.mark.parametrize(("first", "then"), OF_TRIGGERS)
def test_a_conditional_order(first: Breach, then: Breach) -> None:
    names_the_first(triggers(), waiting(**{**WAITS, **first.asked, **then.asked}), first, then)


@pytest.mark.parametrize(("first", "then"), OF_AMENDMENTS)
def test_an_amendment(first: Breach, then: Breach) -> None:
    names_the_first(amendments(), amend(**{**CHANGE, **first.asked, **then.asked}), first, then)


@pytest.mark.parametrize("breach", WAITING, ids=lambda breach: f"{breach.reason.value} {breach.asked}")
def test_a_conditional_order_is_refused_by_each_rule_alone(breach: Breach) -> None:
    names_the_first(triggers(), waiting(**{**WAITS, **breach.asked}), breach, breach)


@pytest.mark.parametrize("breach", AMENDING, ids=lambda breach: f"{breach.reason.value} {breach.asked}")
def test_an_amendment_is_refused_by_each_rule_alone(breach: Breach) -> None:
    names_the_first(amendments(), amend(**{**CHANGE, **breach.asked}), breach, breach)
