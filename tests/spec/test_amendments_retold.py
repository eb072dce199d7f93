"""Amendments as others tell them: the auditor, the tables of an export, the laboratory."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import AmendOrder
from events.facts import OrderAmended, OrderRested
from exchange.projections.tables import Tables
from replay.lab import Lab, Mode
from tests.scenario import scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.test_amend import FILLED, queue
from tests.spec.words import BUY, SELL, TICK, account, amend, mark, place, position, resting


class TestTheAuditor:
    """What an amendment says is computed anew."""

    CROSSING = (resting(3, SELL, price=101, lots=5), place(4, BUY, price=99, lots=8))

    def test_it_follows_amendments_that_shrink_move_and_cross(self) -> None:
        session = queue().given(
            place(3, SELL, price=90, lots=2), amend(1, lots=4), amend(1, price=91), amend(1, lots=2)
        )
        told(session.given(resting(5, SELL, price=92, lots=9), amend(2, price=92)))

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("size as asked for", {"lots": 4}),
            ("price as asked for", {"price": 91}),
            ("order that the command names", {"number": 9}),
            ("whether it keeps its priority", {"keeps_priority": False}),
        ],
    )
    def test_it_notices_another_amendment_than_the_one_asked_for(self, what: str, change: dict[str, Any]) -> None:
        session = queue().given(resting(9, BUY, price=90, lots=5), amend(1, lots=3))
        noticed(session, what, putting(**change), OrderAmended)

    def test_it_notices_a_place_in_the_queue_that_was_kept_wrongly(self) -> None:
        grown = queue().given(amend(1, lots=6))
        noticed(grown, "whether it keeps its priority", putting(keeps_priority=True), OrderAmended)

    def test_it_notices_that_nothing_changes(self) -> None:
        session = queue().given(amend(1, lots=3))
        noticed(session, "it changes", putting(lots=5, left=5), None)

    def test_it_notices_an_order_cancelled_that_was_to_be_amended(self) -> None:
        session = scenario().given(place(1, BUY, price=90, lots=5), place(2, SELL, price=90, lots=2), amend(1, lots=2))
        noticed(session, "its new size is executed", putting(lots=4), AmendOrder)

    def test_it_notices_what_is_open_of_an_order_that_crossed(self) -> None:
        session = scenario().given(*self.CROSSING, amend(4, price=101))
        noticed(session, "lots still open", putting(lots=4), OrderRested)


def test_an_amended_order_has_its_rows_in_the_tables() -> None:
    session = scenario().given(*FILLED, amend(1, lots=9), place(4, SELL, price=90, lots=14, by="taker"))
    tables, again = Tables(session.state, 0), []
    for batch in session.batches:
        again += [row for name, row in tables.rows(batch) if name == "orders" and row[3] == 1]
    events = [(row[5], row[7], row[8]) for row in again]
    assert events == [
        ("accepted", 90 * TICK, 5 * TICK),
        ("rested", None, 5 * TICK),
        ("amended", 90 * TICK, 9 * TICK),
        ("rested", None, 7 * TICK),
    ]


def test_an_amendment_that_only_a_cross_pool_carries_is_counted_where_positions_are_isolated() -> None:
    # at 120 the long of 10 at 100 has gained 200, which a cross pool has for orders and an isolated position has not
    session = scenario().given(
        account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"), mark(120),
        resting(3, BUY, price=50, lots=2, by="ann"), amend(3, lots=1), amend(3, lots=30),
        place(4, SELL, price=130, lots=1, by="ann", reduce_only=True), amend(4, lots=2),
    )  # fmt: skip
    lab = Lab((Mode.CROSS, Mode.ISOLATED))
    for batch in session.batches:
        lab.observe(batch)
    lab.end()
    figures = lab.accounts["ann"].figures  # type: ignore[index]
    assert (figures[Mode.CROSS].refused, figures[Mode.ISOLATED].refused) == (0, 1)
