"""The words of icebergs: at 100 one of 10 lots that shows 3 at a time, and who stands behind it."""

from __future__ import annotations

from typing import Any

from events.commands import Side
from tests.scenario import Scenario, scenario
from tests.spec.words import SELL, Expected, resting, traded

ICEBERG, BEHIND, OTHER, TAKER = 1, 2, 3, 9


def iceberg(number: int = ICEBERG, side: Side = SELL, **how: Any) -> Any:
    """10 lots at 100 that show 3 at a time."""
    return resting(number, side, **{"price": 100, "lots": 10, "visible": 3, **how})


def queues() -> Scenario:
    """At 100 an iceberg before a plain order, and one more at 101."""
    return scenario().given(
        iceberg(), resting(BEHIND, SELL, price=100, lots=4), resting(OTHER, SELL, price=101, lots=5)
    )


def takes(*parts: tuple[int, int], price: int = 100) -> list[Expected]:
    """What the taker trades: (order, lots)."""
    return [traded(maker, TAKER, price=price, lots=lots) for maker, lots in parts]
