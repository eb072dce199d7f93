"""Sessions by hand of what guards a venue's solvency: prices that are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.guards import PriceGuards
from events.units import Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.words import BUY, GOLD, PERCENT, TICK, account, mark, pack, position

BOUNDED = replace(pack(), guards=PriceGuards(Rate(10 * PERCENT), Rate(5 * PERCENT), Rate(2 * PERCENT)))


def bounded() -> Session:
    """guards-1: a band around the index, and steps of mark and index."""
    return recorded(_bounded)


SESSIONS = {"guards-1": bounded}


def _bounded() -> Iterator[Any]:
    yield [opening(BOUNDED), mark(100), c.SetIndexPrice(c.Nanos(0), GOLD, 100 * TICK), account("maker", 100_000)]  # type: ignore[arg-type]
    yield [account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(96), mark(50)]
    yield [c.SetIndexPrice(c.Nanos(0), GOLD, 50 * TICK), mark(100), mark(150), mark(150)]  # type: ignore[arg-type]
