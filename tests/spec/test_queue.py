"""The queue: better prices first, and at one price whoever came first. `5#1` are 5 lots of order 1."""

from __future__ import annotations

from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.words import BUY, GOLD, SELL, account, cancel, cancelled, place, refused, rested, resting, traded


def test_levels_stand_by_price_and_orders_by_arrival() -> None:
    (
        scenario()
        .given(
            resting(1, SELL, price=101, lots=5),
            resting(2, BUY, price=99, lots=4),
            resting(3, SELL, price=102, lots=3),
            resting(4, SELL, price=101, lots=2),
            resting(5, BUY, price=99, lots=1),
            resting(6, BUY, price=98, lots=6),
        )
        .book("""
            ask 102: 3#3
            ask 101: 5#1 2#4
            bid 99:  4#2 1#5
            bid 98:  6#6
        """)
    )


def test_a_taker_meets_the_queue_from_its_head_and_a_part_filled_order_keeps_its_place() -> None:
    (
        scenario()
        .given(*(resting(n, SELL, price=101, lots=5) for n in (1, 2, 3)))
        .when(place(4, BUY, price=101, lots=7))
        .then(traded(1, 4, price=101, lots=5), traded(2, 4, price=101, lots=2))
        .book("ask 101: 3#2 5#3")
        .when(place(5, BUY, price=101, lots=4))
        .then(traded(2, 5, price=101, lots=3), traded(3, 5, price=101, lots=1))
        .book("ask 101: 4#3")
    )


def test_a_remainder_joins_the_queue_at_the_back_of_its_price() -> None:
    (
        scenario()
        .given(resting(1, BUY, price=100, lots=4), resting(2, SELL, price=101, lots=3))
        .when(place(3, BUY, price=101, lots=8), place(4, BUY, price=101, lots=1))
        .then(traded(2, 3, price=101, lots=3), rested(3, lots=5), rested(4, lots=1))
        .book("""
            bid 101: 5#3 1#4
            bid 100: 4#1
        """)
    )


def test_a_level_that_was_emptied_is_gone_and_the_next_one_is_best() -> None:
    (
        scenario()
        .given(resting(1, SELL, price=101, lots=5), resting(2, SELL, price=103, lots=5))
        .when(place(3, BUY, lots=6))
        .then(traded(1, 3, price=101, lots=5), traded(2, 3, price=103, lots=1))
        .book("ask 103: 4#2")
        .given(resting(4, SELL, price=102, lots=1))
        .book("""
            ask 103: 4#2
            ask 102: 1#4
        """)
    )


class TestCancel:
    """The trader takes back what is open of an order."""

    def test_an_order_leaves_the_queue_and_the_others_move_up(self) -> None:
        (
            scenario()
            .given(*(resting(n, SELL, price=101, lots=5) for n in (1, 2, 3)))
            .when(cancel(1), cancel(2))
            .then(cancelled(1, lots=5), cancelled(2, lots=5))
            .book("ask 101: 5#3")
            .when(place(4, BUY, lots=1))
            .then(traded(3, 4, price=101, lots=1))
        )

    def test_what_was_filled_is_not_cancelled(self) -> None:
        (
            scenario()
            .given(resting(1, SELL, price=101, lots=5), place(2, BUY, price=101, lots=2))
            .when(cancel(1))
            .then(cancelled(1, lots=3))
            .book("")
            .holds("maker", lots=-2, open_orders=0, asks=0, extra=0)
        )

    def test_an_order_cannot_be_cancelled_twice_nor_after_it_was_filled(self) -> None:
        (
            scenario()
            .given(resting(1, SELL, price=101, lots=5), cancel(1))
            .when(cancel(1))
            .then(refused(Reason.UNKNOWN_ORDER))
            .given(resting(2, SELL, price=101, lots=5), place(3, BUY, lots=5))
            .when(cancel(2), cancel(3))
            .then(refused(Reason.UNKNOWN_ORDER), refused(Reason.UNKNOWN_ORDER))
        )

    def test_an_order_of_somebody_else_is_unknown(self) -> None:
        (
            scenario()
            .given(resting(1, SELL, price=101, lots=5))
            .when(cancel(1, by="taker"))
            .then(refused(Reason.UNKNOWN_ORDER))
            .book("ask 101: 5#1")
        )

    def test_what_an_order_held_back_is_available_again(self) -> None:
        # 5 x 100 / 10 = 50
        (
            scenario()
            .given(account("ann", 50), resting(1, BUY, price=100, lots=5, by="ann"))
            .holds("ann", available=0)
            .given(cancel(1))
            .holds("ann", available=50)
        )

    def test_a_long_queue_forgets_its_dead(self) -> None:
        session = scenario().given(*(resting(n, SELL, price=40, lots=1) for n in range(1, 201)))
        session.given(*(cancel(n) for n in range(2, 200)))
        session.book("ask 40: 1#1 1#200")
        assert len(session.state.contracts[GOLD].book.asks.levels[40].queue) < 100
