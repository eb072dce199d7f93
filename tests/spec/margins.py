"""What the specifications of venue margins share: sessions under other rules, positions, margins, when they are due."""

from __future__ import annotations

from typing import Any

from events.commands import Side
from exchange.core.margin.model import Margin, requirement
from tests.scenario import Scenario, scenario
from tests.spec.contracts import pack_of
from tests.spec.words import GOLD, TIN, instrument, liquidation_due, mark_at, mark_moved_at, position


def session(rules: dict[str, Any], **terms: Any) -> Scenario:
    return scenario(pack_of(instrument(GOLD, **terms), instrument(TIN, **terms), **rules))


def hold(side: Side, *, lots: int = 10, price: int = 100, number: int = 1, by: str = "ann") -> list[Any]:
    return position(number, side, price=price, lots=lots, by=by)


def margin_of(told: Scenario, instrument: str = GOLD) -> Margin:
    return requirement(told.position("ann", instrument).pool)


def is_due_first_at(told: Scenario, due: int, safe: int, pool: str, on: str = GOLD) -> None:
    """At the mark `safe` nothing happens, and at `due`, one unit on, the pool is due."""
    assert abs(due - safe) == 1
    told.when(mark_at(safe, on=on)).then(mark_moved_at(safe, on=on))
    told.when(mark_at(due, on=on)).then(mark_moved_at(due, on=on), liquidation_due("ann", pool))
