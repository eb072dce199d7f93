"""History in the queue: MARKET's volume stands among the orders, and prints walk through both. `M8` is MARKET's 8.

MARKET's book is always exactly history's book, whatever traders do.
"""

from __future__ import annotations

import pytest

from events.commands import MARKET, Impact, QueueModel, Side
from events.facts import Expiry
from events.units import SECOND
from tests.scenario import Scenario, scenario
from tests.spec.tape import diff, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    FOK,
    GOLD,
    SELL,
    cancel,
    expired,
    market,
    pack,
    place,
    position,
    rested,
    resting,
    traded,
)

OPEN = tape(snapshot({99: 10, 98: 20}, {101: 10, 102: 20}))


class TestVolume:
    """What history states is there to trade with."""

    def test_a_whole_diff_states_levels_anew_and_zero_removes_them(self) -> None:
        (
            scenario()
            .given(OPEN)
            .book("ask 102: M20\nask 101: M10\nbid 99: M10\nbid 98: M20")
            .given(tape(diff({99: 4, 98: 0, 97: 5}, {101: 0}), after=1))
            .book("ask 102: M20\nbid 99: M4\nbid 97: M5")
        )

    def test_a_snapshot_states_the_whole_book(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, BUY, price=98, lots=3), tape(snapshot({97: 1}, {101: 7})))
            .book("ask 101: M7\nbid 98: 3#1\nbid 97: M1")
        )

    def test_a_taker_meets_history_by_price_and_pays_its_fee(self) -> None:
        (
            scenario(pack(maker_fee=1_000_000, taker_fee=1_000_000))
            .given(OPEN)
            .when(place(1, BUY, price=102, lots=12))
            .then(
                traded(MARKET, 1, price=101, lots=10, fees=(0, 11)),
                traded(MARKET, 1, price=102, lots=2, fees=(0, 3)),
            )
            .holds("taker", lots=12, entry_value=1214)
            .holds(MARKET, lots=-12, entry_value=-1214, wallet=0)
        )

    def test_orders_and_history_share_one_queue(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, SELL, price=101, lots=3), tape(diff({}, {101: 14}), after=1))
            .given(resting(2, SELL, price=101, lots=5))
            .book("ask 102: M20\nask 101: M10 3#1 M4 5#2\nbid 99: M10\nbid 98: M20")
            .when(place(3, BUY, price=101, lots=19))
            .then(
                traded(MARKET, 3, price=101, lots=10),
                traded(1, 3, price=101, lots=3),
                traded(MARKET, 3, price=101, lots=4),
                traded(2, 3, price=101, lots=2),
            )
            .book("ask 102: M20\nask 101: 3#2\nbid 99: M10\nbid 98: M20")
        )

    def test_what_grows_joins_at_the_back(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, BUY, price=99, lots=3), tape(diff({99: 11}), after=1))
            .book("ask 102: M20\nask 101: M10\nbid 99: M10 3#1 M1\nbid 98: M20")
            .given(tape(diff({99: 15}), after=2))
            .book("ask 102: M20\nask 101: M10\nbid 99: M10 3#1 M5\nbid 98: M20")
        )

    def test_a_fill_or_kill_order_counts_on_history(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, SELL, price=101, lots=2))
            .when(place(2, BUY, price=101, lots=13, tif=FOK), place(3, BUY, price=102, lots=13, tif=FOK))
            .then(
                expired(2, 13, Expiry.FILL_OR_KILL),
                traded(MARKET, 3, price=101, lots=10),
                traded(1, 3, price=101, lots=2),
                traded(MARKET, 3, price=102, lots=1),
            )
        )


class TestImpact:
    """Whether history remembers what a trader took."""

    def test_consume_keeps_it_taken_until_history_states_the_level_again(self) -> None:
        (
            scenario()
            .given(OPEN, market(1, BUY, lots=4))
            .book("ask 102: M20\nask 101: M6\nbid 99: M10\nbid 98: M20")
            .given(tape(diff({99: 11}), after=1))
            .book("ask 102: M20\nask 101: M6\nbid 99: M11\nbid 98: M20")
            .given(tape(diff({}, {101: 9}), after=2))
            .book("ask 102: M20\nask 101: M9\nbid 99: M11\nbid 98: M20")
        )

    def test_consume_holds_through_orders_that_come_and_go_at_the_price(self) -> None:
        (
            scenario()
            .given(OPEN, market(1, BUY, lots=4), resting(2, SELL, price=101, lots=1))
            .book("ask 102: M20\nask 101: M6 1#2\nbid 99: M10\nbid 98: M20")
            .given(market(3, BUY, lots=2), cancel(2))
            .book("ask 102: M20\nask 101: M4\nbid 99: M10\nbid 98: M20")
            .given(market(4, BUY, lots=4))
            .book("ask 102: M20\nbid 99: M10\nbid 98: M20")
            .when(market(5, BUY, lots=1))
            .then(traded(MARKET, 5, price=102, lots=1))
        )

    def test_none_gives_it_back_when_the_batch_ends(self) -> None:
        (
            scenario(impact=Impact.NONE)
            .given(OPEN)
            .when(place(1, BUY, price=101, lots=12), place(2, BUY, price=102, lots=12))
            .then(
                traded(MARKET, 1, price=101, lots=10),
                rested(1, 2),
                traded(MARKET, 2, price=101, lots=10),
                traded(MARKET, 2, price=102, lots=2),
            )
            .book("ask 102: M20\nask 101: M10\nbid 101: 2#1\nbid 99: M10\nbid 98: M20")
        )

    def test_none_gives_it_back_ahead_of_the_orders_at_the_price(self) -> None:
        (
            scenario(impact=Impact.NONE)
            .given(OPEN, resting(1, SELL, price=101, lots=5))
            .when(place(2, BUY, price=101, lots=13))
            .then(traded(MARKET, 2, price=101, lots=10), traded(1, 2, price=101, lots=3))
            .book("ask 102: M20\nask 101: M10 2#1\nbid 99: M10\nbid 98: M20")
            .when(place(3, BUY, price=101, lots=12))
            .then(traded(MARKET, 3, price=101, lots=10), traded(1, 3, price=101, lots=2))
            .book("ask 102: M20\nask 101: M10\nbid 99: M10\nbid 98: M20")
        )


class TestPrint:
    """A print fills better prices first, then walks the queue at its own: volume ahead, then the order."""

    QUEUE = (OPEN, resting(1, BUY, price=99, lots=3))

    def test_it_reaches_an_order_only_when_the_volume_ahead_is_gone(self) -> None:
        (
            scenario()
            .given(*self.QUEUE)
            .when(tape(printed(SELL, 99, 8)))
            .then()
            .book("ask 102: M20\nask 101: M10\nbid 99: M2 3#1\nbid 98: M20")
            .when(tape(printed(SELL, 99, 4)))
            .then(traded(1, MARKET, price=99, lots=2))
            .book("ask 102: M20\nask 101: M10\nbid 99: 1#1\nbid 98: M20")
        )

    def test_two_prints_of_one_chunk_are_two_walks(self) -> None:
        (
            scenario()
            .given(*self.QUEUE)
            .when(tape(printed(SELL, 99, 11), printed(SELL, 99, 1), printed(SELL, 99, 9)))
            .then(
                traded(1, MARKET, price=99, lots=1),
                traded(1, MARKET, price=99, lots=1),
                traded(1, MARKET, price=99, lots=1),
            )
        )

    def test_orders_at_better_prices_come_first(self) -> None:
        # of 15: 4 at 100, then 10 of history's and 1 of the order at 99
        (
            scenario()
            .given(*self.QUEUE, resting(2, BUY, price=100, lots=4))
            .when(tape(printed(SELL, 99, 15)))
            .then(traded(2, MARKET, price=100, lots=4), traded(1, MARKET, price=99, lots=1))
        )

    def test_a_print_beyond_the_order_fills_it_at_the_orders_price(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, SELL, price=101, lots=3), resting(2, SELL, price=102, lots=3))
            .when(tape(printed(BUY, 105, 5)))
            .then(traded(1, MARKET, price=101, lots=3), traded(2, MARKET, price=102, lots=2))
        )

    def test_a_print_between_two_orders_fills_the_better_one_only(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, BUY, price=100, lots=3), resting(2, BUY, price=97, lots=3))
            .when(tape(printed(SELL, 98, 9)))
            .then(traded(1, MARKET, price=100, lots=3))
        )

    @pytest.mark.parametrize(("taker", "price"), [(SELL, 100), (BUY, 99), (BUY, 100)])
    def test_a_print_short_of_the_order_or_on_the_other_side_fills_nothing(self, taker: Side, price: int) -> None:
        scenario().given(*self.QUEUE).when(tape(printed(taker, price, 50))).then()

    def test_history_trading_with_itself_is_no_trade_here_and_counts_as_volume(self) -> None:
        (
            scenario()
            .given(OPEN)
            .when(tape(printed(SELL, 99, 5), printed(BUY, 101, 2)))
            .then()
            .feed(prints=2, volume=7, last_price=101, observations=3)
            .book("ask 102: M20\nask 101: M10\nbid 99: M10\nbid 98: M20")
        )

    def test_the_maker_whose_place_a_trader_took_is_gone_with_the_print(self) -> None:
        # the order stands first, with 10 of history's behind it: the print of 8 fills it and takes 8 of history's,
        # so that the diff which follows finds nothing left to explain
        (
            scenario()
            .given(
                tape(snapshot({98: 20}, {101: 10})), resting(1, BUY, price=99, lots=3), tape(diff({99: 10}), after=1)
            )
            .book("ask 101: M10\nbid 99: 3#1 M10\nbid 98: M20")
            .given(resting(2, BUY, price=99, lots=2), tape(diff({99: 16}), after=2))
            .when(tape(printed(SELL, 99, 8)))
            .then(traded(1, MARKET, price=99, lots=3))
            .book("ask 101: M10\nbid 99: M2 2#2 M6\nbid 98: M20")
            .given(tape(diff({99: 8}), after=3))
            .book("ask 101: M10\nbid 99: M2 2#2 M6\nbid 98: M20")
            .feed(credits={})
        )

    @pytest.mark.parametrize("price", [99, 98])
    def test_orders_with_nothing_left_to_reduce_make_way_for_those_behind(self, price: int) -> None:
        # order 3 was to reduce a position that is gone; whether the print stands at its price or beyond it, order 4
        # is filled by all of it
        (
            scenario()
            .given(tape(snapshot({97: 20}, {101: 10})), *position(1, SELL, price=100, lots=5, by="taker"))
            .given(place(3, BUY, price=99, lots=5, reduce_only=True), place(4, BUY, price=99, lots=5))
            .given(*position(5, BUY, price=100, lots=5, by="taker"))
            .when(tape(printed(SELL, price, 4)))
            .then(expired(3, 5, Expiry.NOTHING_TO_REDUCE), traded(4, MARKET, price=99, lots=4))
        )

    def test_a_reduce_only_order_that_it_reaches_is_filled_no_further_than_its_position(self) -> None:
        (
            scenario()
            .given(tape(snapshot({98: 20}, {101: 10})), *position(1, BUY, price=100, lots=2, by="taker"))
            .given(
                place(3, SELL, price=100, lots=5, reduce_only=True), place(4, SELL, price=100, lots=5, reduce_only=True)
            )
            .when(tape(printed(BUY, 100, 9)))
            .then(traded(3, MARKET, price=100, lots=2), expired(4, 5, Expiry.NOTHING_TO_REDUCE))
            .when(tape(printed(BUY, 100, 9)))
            .then(expired(3, 3, Expiry.NOTHING_TO_REDUCE))
        )


class TestQueueModel:
    """Where shrinkage that no print explains is taken from: 8 of 10 ahead and 5 behind an order."""

    def shrunk(self, model: QueueModel, to: int) -> Scenario:
        return (
            scenario(queue_model=model)
            .given(OPEN, resting(1, BUY, price=99, lots=3), tape(diff({99: 15}), after=1))
            .given(tape(diff({99: to}), after=2))
        )

    @pytest.mark.parametrize(
        ("model", "to", "queue"),
        [
            (QueueModel.BEHIND, 12, "M10 3#1 M2"),
            (QueueModel.BEHIND, 8, "M8 3#1"),
            (QueueModel.AHEAD, 12, "M7 3#1 M5"),
            (QueueModel.AHEAD, 4, "3#1 M4"),
            # 3 of 15: 2 of the 10 and 1 of the 5; 4 of 15: floor(2.67) = 2 and the other 2
            (QueueModel.PROPORTIONAL, 12, "M8 3#1 M4"),
            (QueueModel.PROPORTIONAL, 11, "M8 3#1 M3"),
            (QueueModel.PROPORTIONAL, 14, "M10 3#1 M4"),
            (QueueModel.PROPORTIONAL, 0, "3#1"),
        ],
    )
    def test_a_level_shrinks_ahead_of_and_behind_an_order_as_the_model_says(
        self, model: QueueModel, to: int, queue: str
    ) -> None:
        self.shrunk(model, to).book(f"ask 102: M20\nask 101: M10\nbid 99: {queue}\nbid 98: M20")

    def test_every_segment_of_a_long_queue_gives_its_share(self) -> None:
        # 10, 6 and 4 between the orders; 10 leave: 5, 3 and 2
        (
            scenario()
            .given(OPEN, resting(1, BUY, price=99, lots=1), tape(diff({99: 16}), after=1))
            .given(resting(2, BUY, price=99, lots=1), tape(diff({99: 20}), after=2), tape(diff({99: 10}), after=3))
            .book("ask 102: M20\nask 101: M10\nbid 99: M5 1#1 M3 1#2 M2\nbid 98: M20")
        )


class TestLatePrint:
    """A decrease is provisional: a print at that price, no younger than the diff, may explain it later."""

    def shrunk(self) -> Scenario:
        """4 of the 10 ahead of order 1 are gone by a diff whose transaction time is second 5."""
        return (
            scenario()
            .given(OPEN, resting(1, BUY, price=99, lots=3))
            .given(tape(diff({99: 6}, at=5), after=1))
            .book("ask 102: M20\nask 101: M10\nbid 99: M6 3#1\nbid 98: M20")
        )

    def test_a_late_print_uses_the_credit_and_leaves_the_queue_alone(self) -> None:
        (
            self.shrunk()
            .given(tape(printed(SELL, 99, 4, at=6, transacted=5)))
            .book("ask 102: M20\nask 101: M10\nbid 99: M6 3#1\nbid 98: M20")
            .feed(credits={})
        )

    def test_what_the_credit_does_not_cover_walks_the_queue(self) -> None:
        (
            self.shrunk()
            .when(tape(printed(SELL, 99, 3, at=6, transacted=5), printed(SELL, 99, 9, at=6, transacted=4)))
            .then(traded(1, MARKET, price=99, lots=2))
        )

    def test_a_younger_print_walks_the_queue(self) -> None:
        (
            self.shrunk()
            .given(tape(printed(SELL, 99, 4, at=6, transacted=6)))
            .book("ask 102: M20\nask 101: M10\nbid 99: M2 3#1\nbid 98: M20")
        )

    def test_a_credit_is_of_one_price(self) -> None:
        (
            self.shrunk()
            .given(resting(2, BUY, price=98, lots=1), tape(printed(SELL, 98, 13, at=6, transacted=5)))
            .feed(credits={99: [[5 * SECOND, 4]]})
        )

    def test_it_covers_the_whole_print_also_where_a_better_order_was_filled(self) -> None:
        # 2 of the 4 fill order 2 at 100; in history all 4 met the makers at 99 that are gone already
        (
            self.shrunk()
            .given(resting(2, BUY, price=100, lots=2))
            .when(tape(printed(SELL, 99, 4, at=6, transacted=5)))
            .then(traded(2, MARKET, price=100, lots=2))
            .book("ask 102: M20\nask 101: M10\nbid 99: M6 3#1\nbid 98: M20")
            .feed(credits={})
        )

    def test_credits_of_many_prices_are_forgotten_after_ten_seconds(self) -> None:
        prices = range(20, 85)
        session = scenario().given(tape(snapshot(dict.fromkeys(prices, 10), {101: 10})))
        session.given(*(resting(n, BUY, price=price, lots=1) for n, price in enumerate(prices, 1)))
        session.given(tape(*(diff({price: 9}, at=(price - 20) / 10) for price in prices[:-1]), after=1))
        assert sorted(session.state.contracts[GOLD].feed.credits) == list(prices[:-1])
        session.given(tape(diff({84: 9}, at=13), after=65))
        assert sorted(session.state.contracts[GOLD].feed.credits) == list(range(50, 85))


def test_a_fill_or_kill_order_passes_over_what_was_taken_and_what_is_no_longer_stated() -> None:
    (
        scenario()
        .given(OPEN, tape(diff(asks={103: 5}), after=1), place(1, BUY, price=101, lots=10))
        .given(tape(diff(asks={102: 0}), after=2))
        .when(place(2, BUY, price=103, lots=5, tif=FOK))
        .then(traded(MARKET, 2, price=103, lots=5))
    )
