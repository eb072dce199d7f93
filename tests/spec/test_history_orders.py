"""Order-by-order history: each of its orders has its own place in the queue, and leaves from there. `M8` is MARKET's 8.

MARKET's book is always exactly history's book, whatever traders do.
"""

from __future__ import annotations

import pytest

from events.commands import MARKET, Impact, QueueModel, Side, TradeFills
from exchange.core.book import BookSide
from tests.scenario import Scenario, scenario
from tests.spec.tape import (
    Message,
    added,
    changed,
    cleared,
    deleted,
    diff,
    event,
    leveled,
    printed,
    reduced,
    snapshot,
    tape,
)
from tests.spec.words import BUY, SELL, cancel, market, place, resting, traded

OPEN = tape(
    event(
        cleared(),
        added(BUY, 1, 99, 10), added(BUY, 2, 99, 5), added(BUY, 3, 98, 20),
        added(SELL, 4, 101, 10), added(SELL, 5, 101, 4),
    )
)  # fmt: skip


def opened(*given: object, **options: object) -> Scenario:
    return scenario(**options).given(OPEN, *given)  # type: ignore[arg-type]


def side(told: Scenario, sign: int = 1) -> BookSide:
    book = told.state.contracts[OPEN.instrument].book
    return book.bids if sign > 0 else book.asks


def known(told: Scenario, sign: int = 1) -> dict[int, dict[int, int]]:
    """History's orders of a side: price, number, lots, in their turn."""
    return side(told, sign).history.queues


class TestOrders:
    """What history says of single orders."""

    def test_orders_make_the_book_and_it_is_fresh_once_it_began_anew(self) -> None:
        told = opened().book("ask 101: M14\nbid 99: M15\nbid 98: M20").feed(stale=False)
        assert known(told) == {99: {1: 10, 2: 5}, 98: {3: 20}}
        assert known(told, -1) == {101: {4: 10, 5: 4}}

    def test_one_side_begins_anew(self) -> None:
        told = opened(tape(event(cleared(SELL), added(SELL, 6, 102, 1)))).book("ask 102: M1\nbid 99: M15\nbid 98: M20")
        assert known(told, -1) == {102: {6: 1}}
        opened(tape(event(cleared(BUY)))).book("ask 101: M14").feed(stale=False)

    def test_a_book_of_which_only_a_side_began_is_stale(self) -> None:
        scenario().given(tape(event(cleared(BUY), added(BUY, 1, 99, 10)))).feed(stale=True)

    def test_a_book_that_never_began_is_stale(self) -> None:
        scenario().given(tape(event(added(BUY, 1, 99, 10)))).feed(stale=True)

    def test_an_order_that_loses_lots_keeps_its_place_and_leaves_with_the_last(self) -> None:
        told = opened(tape(event(reduced(BUY, 1, 99, 4)))).book("ask 101: M14\nbid 99: M11\nbid 98: M20")
        assert known(told)[99] == {1: 6, 2: 5}
        told.given(tape(event(reduced(BUY, 1, 99, 6)), event(deleted(BUY, 3)))).book("ask 101: M14\nbid 99: M5")
        assert known(told) == {99: {2: 5}}

    @pytest.mark.parametrize(
        ("message", "queues"),
        [
            (changed(BUY, 1, 99, 7), {99: [1, 2], 98: [3]}),
            (changed(BUY, 1, 99, 10), {99: [1, 2], 98: [3]}),
            (changed(BUY, 1, 99, 11), {99: [2, 1], 98: [3]}),
            (changed(BUY, 1, 98, 10), {99: [2], 98: [3, 1]}),
            (changed(BUY, 1, 97, 10), {99: [2], 98: [3], 97: [1]}),
            (changed(BUY, 1, 98, 0), {99: [2], 98: [3]}),
            (changed(BUY, 8, 98, 2), {99: [1, 2], 98: [3, 8]}),
            (added(BUY, 1, 99, 10), {99: [2, 1], 98: [3]}),
        ],
        ids=["less", "same", "more", "price", "new price", "nothing", "unknown", "again"],
    )
    def test_more_lots_or_another_price_lose_the_place_and_fewer_keep_it(
        self, message: Message, queues: dict[int, list[int]]
    ) -> None:
        told = opened(tape(event(message)))
        assert {price: list(queue) for price, queue in known(told).items()} == queues

    def test_of_a_price_that_is_stated_by_size_orders_are_forgotten(self) -> None:
        for row in (event(leveled(BUY, 99, 12)), diff({99: 12}, id=1), snapshot({99: 12, 98: 20}, {101: 14})):
            told = opened(tape(row)).book("ask 101: M14\nbid 99: M12\nbid 98: M20")
            assert 99 not in known(told)
            assert 1 not in side(told).history.orders

    def test_nothing_stated_removes_a_price(self) -> None:
        opened(tape(event(leveled(BUY, 99, 0)))).book("ask 101: M14\nbid 98: M20")

    def test_unknown_orders_leave_from_what_is_known_by_size_only(self) -> None:
        told = opened(tape(event(leveled(BUY, 97, 9), added(BUY, 6, 97, 5), added(BUY, 0, 97, 1))))
        told.book("ask 101: M14\nbid 99: M15\nbid 98: M20\nbid 97: M15")
        told.given(tape(event(reduced(BUY, 77, 97, 2), deleted(BUY, 78, 97, 3)), printed(SELL, 97, 4, order=79)))
        told.book("ask 101: M14\nbid 99: M15\nbid 98: M20\nbid 97: M6")
        assert known(told)[97] == {6: 5}
        assert told.state.contracts[OPEN.instrument].feed.defects == []

    def test_an_event_is_applied_whole_before_a_crossing_is_looked_for(self) -> None:
        (
            opened(resting(1, SELL, price=100, lots=3))
            .when(tape(event(changed(BUY, 1, 100, 9), changed(BUY, 1, 98, 9))))
            .then()
            .book("ask 101: M14\nask 100: 3#1\nbid 99: M5\nbid 98: M29")
        )


DEFECTS = [
    (event(reduced(BUY, 71, 99, 1)), "unknown order"),
    (event(deleted(BUY, 71, 90, 1)), "unknown order"),
    (event(changed(BUY, 71, 99, 0)), "unknown order"),
    (printed(SELL, 99, 1, order=71), "unknown order"),
    (event(reduced(BUY, 1, 99, 11)), "more lots than the order had"),
    (printed(SELL, 99, 11, order=1), "more lots than the order had"),
    (event(added(BUY, 1, 97, 1)), "order added twice"),
    (event(added(BUY, 71, 101, 1)), "crossed book"),
]


@pytest.mark.parametrize(("row", "what"), DEFECTS, ids=range(len(DEFECTS)))
def test_what_does_not_fit_is_a_defect(row: object, what: str) -> None:
    told = opened(tape(row))  # type: ignore[arg-type]
    assert told.state.contracts[OPEN.instrument].feed.defects == [(0, what)]


class TestCrossed:
    """Orders of history that cross: somebody's match is under way."""

    CROSS = tape(event(added(BUY, 7, 101, 6)))

    def test_nobody_trades_until_they_no_longer_do(self) -> None:
        told = opened(resting(1, SELL, price=102, lots=3), self.CROSS, tape(printed(BUY, 103, 2, order=0)))
        told.feed(stale=True, crossed=1, tangled=True).book(
            "ask 102: 3#1\nask 101: M14\nbid 101: M6\nbid 99: M15\nbid 98: M20"
        )
        told.given(tape(event(deleted(BUY, 7)))).feed(stale=False, crossed=1, tangled=False)

    def test_a_print_may_end_it(self) -> None:
        opened(self.CROSS, tape(printed(SELL, 101, 6, order=7))).feed(stale=False, tangled=False)

    def test_it_is_told_once(self) -> None:
        opened(self.CROSS, tape(event(added(BUY, 8, 101, 1)))).feed(stale=True, crossed=1)

    def test_it_makes_no_book_fresh_that_was_not(self) -> None:
        told = opened(self.CROSS, tape(diff({97: 1}, id=5), diff({97: 2}, id=9, previous=7)))
        told.feed(stale=True, gaps=1, tangled=False).given(tape(event(deleted(BUY, 7)))).feed(stale=True)
        never = scenario().given(tape(event(added(BUY, 1, 99, 1), added(SELL, 2, 98, 1)), event(deleted(BUY, 1))))
        never.feed(stale=True, crossed=0)


class TestPlaces:
    """A trader's order among those of history."""

    def test_every_order_of_history_is_a_segment_of_its_own(self) -> None:
        (
            opened(resting(1, BUY, price=99, lots=3))
            .given(tape(event(added(BUY, 8, 99, 2), added(BUY, 9, 99, 2))))
            .book("ask 101: M14\nbid 99: M10 M5 3#1 M2 M2\nbid 98: M20")
        )

    def test_volume_known_by_size_only_stands_ahead(self) -> None:
        (
            opened(tape(event(leveled(BUY, 98, 4), added(BUY, 8, 98, 2))), resting(1, BUY, price=98, lots=3))
            .book("ask 101: M14\nbid 99: M15\nbid 98: M4 M2 3#1")
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("message", "drawn"),
        [
            (reduced(BUY, 1, 99, 4), "M6 M5 3#1 M2"),
            (deleted(BUY, 2), "M10 3#1 M2"),
            (deleted(BUY, 8), "M10 M5 3#1"),
            (changed(BUY, 1, 99, 9), "M9 M5 3#1 M2"),
            (changed(BUY, 1, 99, 11), "M5 3#1 M2 M11"),
            (changed(BUY, 3, 99, 20), "M10 M5 3#1 M2 M20"),
            (added(BUY, 0, 99, 7), "M10 M5 3#1 M2 M7"),
            (added(BUY, 9, 99, 0), "M10 M5 3#1 M2"),
            (leveled(BUY, 99, 0), "3#1"),
            (leveled(BUY, 99, 21), "M10 M5 3#1 M6"),
        ],
        ids=["reduced", "gone", "gone behind", "less", "more", "moved", "unnamed", "of nothing", "nothing", "stated"],
    )
    def test_what_leaves_leaves_from_its_place_and_what_comes_joins_the_back(
        self, message: Message, drawn: str
    ) -> None:
        told = opened(resting(1, BUY, price=99, lots=3), tape(event(added(BUY, 8, 99, 2)), event(message)))
        bids = [line for line in told.drawn() if line.startswith("bid 99")]
        assert bids == [f"bid 99: {drawn}"]

    @pytest.mark.parametrize(
        ("model", "drawn"),
        [(QueueModel.PROPORTIONAL, "M1 3#1 M1"), (QueueModel.BEHIND, "M2 3#1"), (QueueModel.AHEAD, "3#1 M2")],
    )
    def test_of_volume_known_by_size_the_queue_model_says_where_it_left(self, model: QueueModel, drawn: str) -> None:
        told = opened(tape(event(leveled(BUY, 97, 2))), resting(1, BUY, price=97, lots=3), queue_model=model)
        told.given(tape(event(leveled(BUY, 97, 4), reduced(BUY, 77, 97, 2))))
        assert f"bid 97: {drawn}" in told.drawn()

    def test_a_price_that_comes_into_view_stands_ahead_of_who_is_there(self) -> None:
        (
            opened(resting(1, BUY, price=97, lots=3), tape(event(leveled(BUY, 97, 8), added(BUY, 8, 97, 2))))
            .book("ask 101: M14\nbid 99: M15\nbid 98: M20\nbid 97: M8 3#1 M2")
        )  # fmt: skip

    def test_what_is_stated_again_leaves_nothing_to_the_orders_that_were_known(self) -> None:
        told = opened(
            resting(1, BUY, price=99, lots=3), tape(event(leveled(BUY, 99, 15)), event(deleted(BUY, 1, 99, 5)))
        )
        told.book("ask 101: M14\nbid 99: M7 M3 3#1\nbid 98: M20")

    def test_a_book_that_begins_anew_leaves_traders_alone(self) -> None:
        opened(resting(1, BUY, price=99, lots=3), tape(event(cleared(), added(BUY, 1, 99, 4)))).book("bid 99: 3#1 M4")

    def test_a_price_that_a_trader_left_is_numbers_again(self) -> None:
        told = opened(resting(1, BUY, price=99, lots=3), cancel(1), tape(event(deleted(BUY, 1))))
        told.book("ask 101: M14\nbid 99: M5\nbid 98: M20")
        assert side(told).history.segments == {}

    def test_history_s_orders_run_through_a_trader_s(self) -> None:
        for message in (added(BUY, 8, 100, 5), changed(BUY, 1, 100, 5), leveled(BUY, 100, 5)):
            (
                opened(resting(1, SELL, price=100, lots=3))
                .when(tape(event(added(BUY, 9, 97, 1)), event(message)))
                .then(traded(1, MARKET, price=100, lots=3, crossed=100))
            )
        (
            opened(resting(1, BUY, price=100, lots=3))
            .when(tape(event(added(SELL, 8, 100, 2))))
            .then(traded(1, MARKET, price=100, lots=2, crossed=100))
        )


class TestPrints:
    """A print that names the order of history which traded."""

    def test_that_order_loses_the_lots(self) -> None:
        told = opened(tape(printed(SELL, 99, 4, order=1))).book("ask 101: M14\nbid 99: M11\nbid 98: M20")
        assert known(told)[99] == {1: 6, 2: 5}
        told.feed(prints=1, volume=4, last_price=99)

    def test_one_that_was_not_displayed_leaves_the_book_as_it_was(self) -> None:
        (
            opened(resting(1, BUY, price=99, lots=3), tape(printed(SELL, 99, 4, order=0)))
            .book("ask 101: M14\nbid 99: M10 M5 3#1\nbid 98: M20")
            .feed(prints=1, volume=4)
        )

    def test_traders_at_better_prices_are_first_and_history_loses_its_lots_regardless(self) -> None:
        (
            opened(resting(1, BUY, price=100, lots=3))
            .when(tape(printed(SELL, 99, 4, order=1)))
            .then(traded(1, MARKET, price=100, lots=3))
            .book("ask 101: M14\nbid 99: M11\nbid 98: M20")
        )

    def test_a_trader_is_filled_in_its_turn(self) -> None:
        told = opened(resting(1, BUY, price=99, lots=3), tape(event(added(BUY, 8, 99, 9))))
        told.when(tape(printed(SELL, 99, 10, order=1), printed(SELL, 99, 5, order=2))).then()
        told.book("ask 101: M14\nbid 99: 3#1 M9\nbid 98: M20")
        told.when(tape(printed(SELL, 99, 2, order=8))).then(traded(1, MARKET, price=99, lots=2))
        told.book("ask 101: M14\nbid 99: 1#1 M7\nbid 98: M20")
        told.when(tape(printed(SELL, 99, 7, order=8))).then(traded(1, MARKET, price=99, lots=1))
        told.book("ask 101: M14\nbid 98: M20")

    def test_hidden_volume_stands_behind_what_is_displayed(self) -> None:
        told = opened(resting(1, BUY, price=99, lots=3))
        told.when(tape(printed(SELL, 99, 15, order=0))).then()
        told.when(tape(printed(SELL, 99, 17, order=0))).then(traded(1, MARKET, price=99, lots=2))
        told.book("ask 101: M14\nbid 99: M10 M5 1#1\nbid 98: M20")

    def test_a_print_that_names_none_leaves_orders_to_their_own_messages(self) -> None:
        told = opened(tape(event(leveled(BUY, 98, 4), added(BUY, 8, 98, 2))), resting(1, BUY, price=98, lots=3))
        told.when(tape(printed(SELL, 98, 8))).then(traded(1, MARKET, price=98, lots=2))
        told.book("ask 101: M14\nbid 99: M15\nbid 98: M2 1#1")

    def test_in_a_stale_book_history_goes_on_and_nobody_trades(self) -> None:
        told = opened(resting(1, BUY, price=100, lots=3), TestCrossed.CROSS)
        told.when(tape(printed(SELL, 99, 4, order=1))).then()
        assert known(told)[99] == {1: 6, 2: 5}

    def test_where_only_trades_are_known_it_fills_as_any_trade_and_there_is_no_order_to_lose_lots(self) -> None:
        told = scenario(trade_fills=TradeFills.THROUGH).given(tape(printed(BUY, 100, 5, order=9)))
        told.given(resting(1, BUY, price=98, lots=3))
        told.when(tape(printed(SELL, 97, 2, order=9))).then(traded(1, MARKET, price=98, lots=2))
        assert told.state.contracts[OPEN.instrument].feed.defects == []
        told.given(OPEN).book("ask 101: M14\nbid 99: M15\nbid 98: 1#1 M20")


class TestTaken:
    """What traders take of history's orders stays taken until history speaks of those again."""

    TAKEN = (market(1, SELL, lots=12),)

    def test_it_is_taken_from_the_front(self) -> None:
        (
            opened(*self.TAKEN)
            .book("ask 101: M14\nbid 99: M3\nbid 98: M20")
            .given(resting(2, BUY, price=99, lots=1))
            .book("ask 101: M14\nbid 99: M3 1#2\nbid 98: M20")
        )

    @pytest.mark.parametrize("is_among_traders", [False, True], ids=["numbers", "segments"])
    @pytest.mark.parametrize(
        ("row", "left"),
        [
            (event(deleted(BUY, 1)), 3),
            (event(reduced(BUY, 1, 99, 9)), 3),
            (event(reduced(BUY, 2, 99, 1)), 3),
            (event(reduced(BUY, 2, 99, 3)), 2),
            (event(deleted(BUY, 2)), 0),
            (printed(SELL, 99, 10, order=1), 3),
            (event(changed(BUY, 1, 99, 12)), 15),
            (event(added(BUY, 9, 99, 7)), 10),
            (event(leveled(BUY, 99, 7)), 7),
            (event(cleared(), added(BUY, 9, 99, 7)), 7),
        ],
        ids=["first gone", "first less", "second less", "much less", "second gone", "traded", "more", "new", "stated",
             "anew"],
    )  # fmt: skip
    def test_what_leaves_takes_along_what_was_taken_of_it(self, row: object, left: int, is_among_traders: bool) -> None:
        told = opened(*self.TAKEN, *([resting(2, BUY, price=99, lots=1)] if is_among_traders else ()))
        told.given(tape(row))  # type: ignore[arg-type]
        level = side(told).levels.get(99)
        assert (level.market if level else side(told).available(99)) == left

    def test_of_volume_known_by_size_too(self) -> None:
        told = scenario().given(tape(snapshot({99: 10}, {})), market(1, SELL, lots=4))
        told.given(tape(event(reduced(BUY, 77, 99, 3)))).book("bid 99: M6")
        told.given(tape(event(reduced(BUY, 77, 99, 3)))).book("bid 99: M4")

    def test_of_volume_known_by_size_among_traders_too(self) -> None:
        told = scenario().given(
            tape(snapshot({99: 10}, {})), resting(2, BUY, price=99, lots=1), market(1, SELL, lots=4)
        )
        told.given(tape(event(reduced(BUY, 77, 99, 3)))).book("bid 99: M6 1#2")
        told.given(tape(event(reduced(BUY, 77, 99, 3)))).book("bid 99: M4 1#2")

    def test_without_impact_it_is_there_again_in_its_place(self) -> None:
        told = opened(tape(event(leveled(BUY, 98, 4), added(BUY, 8, 98, 2))), impact=Impact.NONE)
        told.given(tape(event(added(BUY, 9, 98, 5))))
        told.given(resting(2, BUY, price=98, lots=1), resting(3, BUY, price=99, lots=1))
        told.given(market(4, SELL, lots=12)).book("ask 101: M14\nbid 99: M10 M5 1#3\nbid 98: M4 M2 M5 1#2")
        told.given(market(5, SELL, lots=27)).book("ask 101: M14\nbid 99: M15\nbid 98: M4 M2 M5 1#2")
        told.given(market(6, SELL, lots=16), resting(7, BUY, price=99, lots=1), market(8, SELL, lots=4))
        told.book("ask 101: M14\nbid 99: M10 M5 1#7\nbid 98: M4 M2 M5 1#2")


@pytest.mark.parametrize("taker", [BUY, SELL])
def test_a_fill_or_kill_order_counts_on_history_s_orders(taker: Side) -> None:
    price = 101 if taker is BUY else 99
    told = opened(resting(1, SELL if taker is BUY else BUY, price=price, lots=2))
    told.when(place(2, taker, price=price, lots=16))
    assert told.position("taker").lots == (16 if taker is BUY else -16)
