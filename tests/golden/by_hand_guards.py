"""Sessions by hand of what guards a venue's solvency: bounded prices, marks that age, breakers that trip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import INSURANCE
from events.guards import Breaker, PriceGuards
from events.instruments import Liquidation
from events.rules import Funds, Layer
from events.units import SECOND, Nanos, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.words import (
    BUY,
    GOLD,
    PERCENT,
    SELL,
    TICK,
    TIN,
    account,
    deposit,
    funding,
    mark,
    pack,
    place,
    position,
    resting,
    withdraw,
)

BOUNDED = replace(pack(), guards=PriceGuards(Rate(10 * PERCENT), Rate(5 * PERCENT), Rate(2 * PERCENT)))

HELD_UP = replace(
    pack(),
    guards=PriceGuards(
        mark_age_max=Nanos(10 * SECOND), breaker=Breaker(Rate(10 * PERCENT), Nanos(60 * SECOND), Nanos(30 * SECOND))
    ),
)
OWN_FUNDS = replace(
    pack(liquidation_fee=PERCENT),
    liquidation=Liquidation(last_resort=(Layer.FUND, Layer.ADL), funds=Funds.PER_INSTRUMENT),
)

GATED = replace(pack(), withdrawal_gate=Nanos(60 * SECOND))


def bounded() -> Session:
    """guards-1: a band around the index, and steps of mark and index."""
    return recorded(_bounded)


def held_up() -> Session:
    """guards-2: a mark that is too old, and a halt, with what they put off."""
    return recorded(_held_up)


def gated() -> Session:
    """gate-1: a deficit that closes the withdrawal gate, and keeps it closed."""
    return recorded(_gated)


def own_funds() -> Session:
    """funds-1: a fund of its own for each instrument, and the general one."""
    return recorded(_own_funds)


SESSIONS = {"guards-1": bounded, "guards-2": held_up, "gate-1": gated, "funds-1": own_funds}


def _bounded() -> Iterator[Any]:
    yield [opening(BOUNDED), mark(100), c.SetIndexPrice(c.Nanos(0), GOLD, 100 * TICK), account("maker", 100_000)]  # type: ignore[arg-type]
    yield [account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(96), mark(50)]
    yield [c.SetIndexPrice(c.Nanos(0), GOLD, 50 * TICK), mark(100), mark(150), mark(150)]  # type: ignore[arg-type]


def _held_up() -> Iterator[Any]:
    yield [opening(HELD_UP), mark(100), account("maker", 100_000), account("ann", 100), account("bob", 110)]
    yield [*position(1, BUY, price=100, lots=10, by="ann"), *position(3, BUY, price=100, lots=10, by="bob")]
    yield [replace(funding(6 * PERCENT), at=Nanos(20 * SECOND)), replace(mark(101), at=Nanos(30 * SECOND))]
    yield [
        replace(mark(80), at=Nanos(40 * SECOND)),
        place(5, BUY, lots=1, price=80, by="maker"),
        c.AdvanceTime(Nanos(70 * SECOND)),
    ]
    yield [replace(mark(79), at=Nanos(75 * SECOND))]


def _gated() -> Iterator[Any]:
    yield [opening(GATED), mark(100), account("maker", 100_000), account("ann", 100)]
    yield [*position(1, BUY, price=100, lots=10, by="ann"), mark(88), withdraw("maker", 1)]
    yield [c.AdvanceTime(Nanos(70 * SECOND)), deposit(INSURANCE, 50), c.AdvanceTime(Nanos(140 * SECOND))]
    yield [withdraw("maker", 1)]


def _own_funds() -> Iterator[Any]:
    yield [opening(OWN_FUNDS), mark(100), mark(100, on=TIN), account("maker", 100_000), account("ann", 200)]
    yield [deposit(f"{INSURANCE}:{GOLD}", 15), deposit(f"{INSURANCE}:{TIN}", 40), deposit(INSURANCE, 60)]
    yield [*position(1, BUY, price=100, lots=10, by="ann"), *position(3, BUY, price=100, lots=10, by="ann", on=TIN)]
    yield [resting(5, BUY, price=89, lots=10), resting(6, BUY, price=95, lots=10, on=TIN), mark(90), mark(89)]
    yield [account("bob", 100), *position(7, BUY, price=89, lots=10, by="bob")]
    yield [resting(9, SELL, price=75, lots=10, by="bob", reduce_only=True)]
    yield [place(10, BUY, lots=10, price=75, by="maker"), account("cat", 100)]
    yield [*position(11, BUY, price=89, lots=10, by="cat"), mark(77), mark(78)]
