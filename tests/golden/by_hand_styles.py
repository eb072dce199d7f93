"""Sessions by hand of liquidations that take their time: slices with a cooldown, caps per interval, auctions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import INSURANCE
from events.instruments import Liquidation
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Atoms, Nanos, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.words import BUY, PERCENT, SELL, TIN, account, deposit, mark, pack, position, resting

SLICES = replace(
    pack(),
    liquidation=Liquidation(
        LiquidationStyle.SLICES, last_resort=(Layer.FUND,), slice=Rate(UNIT // 5), slice_above=Atoms(500),
        cooldown=Nanos(30 * SECOND),
    ),
)  # fmt: skip

CAPS = replace(
    pack(liquidation_cap=6),
    liquidation=Liquidation(LiquidationStyle.STEPS, last_resort=(Layer.FUND, Layer.ADL), window=Nanos(10 * SECOND)),
)

AUCTION = replace(
    pack(liquidation_fee=PERCENT // 2),
    liquidation=Liquidation(
        LiquidationStyle.AUCTION, last_resort=(Layer.FUND, Layer.ADL), auction_start=Rate(PERCENT),
        auction_rise=Rate(PERCENT), auction_steps=3, auction_interval=Nanos(10 * SECOND),
    ),
)  # fmt: skip


def slices() -> Session:
    """slices-1: a slice that cures, one that does not, the cooldown and its end."""
    return recorded(_slices)


def caps() -> Session:
    """caps-1: what is beyond the cap waits for its window, a mark or both."""
    return recorded(_caps)


def auction() -> Session:
    """auction-1: a step that finds a taker, one that a mark ends, and the layers after the last one."""
    return recorded(_auction)


SESSIONS = {"slices-1": slices, "caps-1": caps, "auction-1": auction}


def _slices() -> Iterator[Any]:
    yield [opening(SLICES), mark(100), mark(100, on=TIN), deposit(INSURANCE, 1_000), account("maker", 100_000)]
    yield [account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), account("bob", 150)]
    yield [*position(3, SELL, price=100, lots=15, by="bob"), resting(5, BUY, price=100, lots=2), mark(94)]
    yield [resting(6, BUY, price=90, lots=4), mark(92), c.AdvanceTime(Nanos(60 * SECOND)), mark(100)]
    yield [resting(7, SELL, price=105, lots=9), mark(106), mark(108), c.AdvanceTime(Nanos(120 * SECOND)), mark(109)]


def _caps() -> Iterator[Any]:
    yield [opening(CAPS), mark(100), mark(100, on=TIN), deposit(INSURANCE, 10), account("maker", 100_000)]
    yield [account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), account("bob", 100)]
    yield [*position(3, BUY, price=100, lots=10, by="bob"), resting(5, BUY, price=90, lots=4), mark(92), mark(88)]
    yield [mark(95), mark(86), c.AdvanceTime(Nanos(60 * SECOND)), mark(85), c.AdvanceTime(Nanos(120 * SECOND))]


def _auction() -> Iterator[Any]:
    yield [opening(AUCTION), mark(100), mark(100, on=TIN), deposit(INSURANCE, 10), account("maker", 100_000)]
    yield [account("ann", 1_000), *position(1, BUY, price=100, lots=100, by="ann"), account("bob", 1_000)]
    yield [*position(3, SELL, price=100, lots=100, by="bob"), resting(5, BUY, price=93, lots=40), mark(94)]
    yield [c.AdvanceTime(Nanos(11 * SECOND)), mark(99), mark(106), c.AdvanceTime(Nanos(40 * SECOND)), mark(101)]
    yield [mark(107), c.AdvanceTime(Nanos(60 * SECOND)), c.AdvanceTime(Nanos(90 * SECOND)), mark(108)]
