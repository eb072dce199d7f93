"""Orders that shrink as others tell them: the auditor, the tables of an export."""

from __future__ import annotations

from typing import Any

import pytest

from events.facts import Expiry, OrderExpired, OrderShrunk
from tests.scenario import Scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.test_order_tables import orders
from tests.spec.test_shrinking import less, long, sells
from tests.spec.words import EASY, TICK, cancel

FIRST = "the one that is furthest from the market, then youngest"


def shrinking(lots: int = 7) -> Scenario:
    """Of 10 lots so many are sold, beside orders for 4 at 103, for 2 at 105 and, the younger one, for 3 at 105."""
    return long().given(sells(3, 103, 4), sells(4, 105, 2), sells(5, 105, 3), *less(10, lots))


class TestTheAuditor:
    """What shrinks, and by how much, is computed anew."""

    def test_it_follows_what_shrinks_and_what_goes(self) -> None:
        told(shrinking())
        told(shrinking(2))
        told(shrinking(10))

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("lots beyond the position", {"lots": 2}),
            ("lots left open", {"left": 1}),
            (FIRST, {"number": 4}),
        ],
    )
    def test_it_notices_another_order_or_size(self, what: str, change: dict[str, Any]) -> None:
        noticed(shrinking(2), what, putting(**change), OrderShrunk)

    def test_it_notices_an_order_that_goes_out_of_turn(self) -> None:
        noticed(shrinking(4), FIRST, putting(number=4, lots=2), OrderExpired)

    def test_it_notices_an_order_that_goes_though_a_part_of_it_was_enough(self) -> None:
        session = shrinking(2)
        last = session.batches[-1].facts[-1]
        assert isinstance(last, OrderShrunk)
        whole = OrderExpired(last.account, last.number, last.lots + last.left, Expiry.EXCEEDS_POSITION)
        noticed(session, "all of the order is beyond the position", lambda _: whole, OrderShrunk)

    def test_it_notices_that_nothing_shrinks(self) -> None:
        noticed(shrinking(2), "reduce-only orders of taker close no more than GOLD", lambda _: None, OrderShrunk)

    def test_it_notices_that_orders_shrink_where_they_do_not(self) -> None:
        noticed(shrinking(2), "reduce-only orders shrink", putting(pack=EASY), everywhere=True)


def test_an_order_that_shrinks_has_a_row_with_what_is_left_of_it() -> None:
    rows = [(row["event"], row["size"]) for row in orders(shrinking(2).given(cancel(5))) if row["number"] == 5]
    assert rows == [("accepted", 3 * TICK), ("rested", 3 * TICK), ("shrunk", 2 * TICK), ("cancelled", 2 * TICK)]
