"""The exported table of orders: how each was placed, and what became of it, in the same columns."""

from __future__ import annotations

from typing import Any

from exchange.core.state import State
from exchange.core.step import apply_batch
from exchange.projections.tables import TABLES, Tables
from tests.scenario import Scenario, scenario
from tests.spec.waiting import waiting
from tests.spec.words import SELL, TICK, amend, cancel, mark, proceed, resting


def orders(told: Scenario) -> list[dict[str, Any]]:
    """The rows of a scenario, what is empty left out, without time and record."""
    state = State()
    tables, rows = Tables(state, 0), []
    for batch in told.batches:
        apply_batch(state, batch)
        rows += [dict(zip(TABLES[name], row, strict=True)) for name, row in tables.rows(batch) if name == "orders"]
    return [{k: v for k, v in row.items() if v is not None and k not in ("at", "record")} for row in rows]


def test_an_order_is_told_with_how_it_was_placed_and_what_became_of_it() -> None:
    told = scenario().given(resting(1, SELL, price=101, lots=5, client="offer"), amend(1, lots=4), cancel(1))
    who = {"account": "maker", "number": 1, "instrument": "GOLD", "side": "sell"}
    assert orders(told) == [
        {**who, "event": "accepted", "price": 101 * TICK, "size": 5 * TICK, "time_in_force": "gtx", "type": "limit",
         "reduce_only": "no", "client": "offer"},
        {**who, "event": "rested", "size": 5 * TICK},
        {**who, "event": "amended", "price": 101 * TICK, "size": 4 * TICK},
        {**who, "event": "cancelled", "size": 4 * TICK},
    ]  # fmt: skip


def test_a_conditional_order_is_told_with_what_it_waits_for() -> None:
    told = scenario().given(waiting(1, SELL, at=95, lots=3, price=94), mark(95), proceed())
    who = {"account": "taker", "number": 1, "instrument": "GOLD", "side": "sell"}
    how = {"price": 94 * TICK, "size": 3 * TICK, "time_in_force": "gtc", "reduce_only": "no"}
    assert orders(told) == [
        {**who, **how, "event": "waits", "type": "stop", "trigger": 95 * TICK, "source": "mark"},
        {**who, "event": "triggered", "size": 3 * TICK},
        {**who, **how, "event": "accepted", "type": "limit"},
        {**who, "event": "rested", "size": 3 * TICK},
    ]
