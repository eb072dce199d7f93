"""Sessions by hand of liquidations in steps and of every layer that bears what the book does not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.commands import INSURANCE
from events.instruments import Liquidation
from events.rules import Layer, LiquidationStyle
from events.units import UNIT, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import LONG, SHORT, hedge
from tests.spec.words import (
    BUY,
    PERCENT,
    SELL,
    account,
    deposit,
    mark,
    pack,
    place,
    position,
    resting,
)

STEPS = replace(
    pack(liquidation_fee=PERCENT, taker_fee=50_000),
    liquidation=Liquidation(LiquidationStyle.STEPS, last_resort=(Layer.FUND, Layer.ADL)),
    liquidation_pays_taker_fee=True,
)
SHARED = replace(pack(), liquidation=Liquidation(last_resort=(Layer.FUND, Layer.SOCIALISED)))


VAULT = replace(pack(), liquidation=Liquidation(backstop=Rate(UNIT * 2 // 3), last_resort=(Layer.ADL,)))


def steps() -> Session:
    """layers-1: down the brackets, netted legs, the fund's share and its offers, ranks."""
    return recorded(_in_steps)


def shared() -> Session:
    """layers-2: what the fund cannot bear is shared by the winners."""
    return recorded(_shared)


def vault() -> Session:
    """layers-3: below the backstop the fund takes over without asking the book."""
    return recorded(_vault)


SESSIONS = {"layers-1": steps, "layers-2": shared, "layers-3": vault}


def _in_steps() -> Iterator[Any]:
    yield [opening(STEPS), mark(100), deposit(INSURANCE, 10), account("maker", 100_000, leverage=5)]
    yield [account("ann", 4_100, leverage=5), *position(1, BUY, price=100, lots=200, by="ann")]
    yield [resting(3, BUY, price=85, lots=90), mark(85), mark(84), mark(100)]
    yield [account("leo", 160), hedge("leo"), resting(10, SELL, price=100, lots=10)]
    yield [place(11, BUY, price=100, lots=10, by="leo", leg=LONG), resting(12, BUY, price=100, lots=4)]
    yield [place(13, SELL, price=100, lots=4, by="leo", leg=SHORT), resting(14, BUY, price=78, lots=9), mark(79)]
    yield [mark(100), account("dan", 160), *position(20, BUY, price=100, lots=10, by="dan"), mark(87)]
    yield [mark(100), account("eva", 110), *position(22, BUY, price=100, lots=10, by="eva")]
    yield [resting(24, BUY, price=90, lots=6), mark(89), mark(88)]


def _shared() -> Iterator[Any]:
    yield [opening(SHARED), mark(100), deposit(INSURANCE, 4), account("bob", 500), account("cat", 500)]
    yield [account("ann", 100), *position(1, BUY, price=100, lots=7, by="ann", against="bob")]
    yield [*position(3, BUY, price=100, lots=3, by="ann", against="cat"), mark(88), mark(92)]


def _vault() -> Iterator[Any]:
    yield [opening(VAULT), mark(100), account("ann", 100), account("bob", 500), deposit(INSURANCE, 100)]
    yield [*position(1, BUY, price=100, lots=10, by="ann", against="bob"), resting(3, BUY, price=92, lots=4), mark(92)]
    yield [mark(95), account("dan", 100), *position(4, BUY, price=95, lots=9, by="dan", against="bob"), mark(88)]
