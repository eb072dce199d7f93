"""Marks of a replay: the data's own rows, or sampled once a second; and the funding that they bring."""

from __future__ import annotations

from events.commands import MARKET, MarkSource
from events.units import SECOND
from tests.scenario import scenario
from tests.spec.tape import marked, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    SELL,
    TICK,
    USD,
    account,
    funding_due,
    funding_paid,
    liquidation_due,
    mark_moved,
    mark_moved_at,
    position,
    proceed,
    resting,
    traded,
)

OPEN = tape(snapshot({98: 10}, {101: 10}))
LONG = position(1, BUY, price=100, lots=10, by="taker")
PERCENT_RATE = 1_000_000


class TestData:
    """Mark rows set the mark."""

    def test_each_row_moves_it(self) -> None:
        (
            scenario()
            .when(tape(marked(101), marked(102, index=99)))
            .then(mark_moved(101), mark_moved(102))
            .feed(index=99 * TICK)
            .when(tape(marked(103)))
            .then(mark_moved(103))
            .feed(index=99 * TICK)
        )

    def test_nothing_is_sampled(self) -> None:
        scenario().when(OPEN).then()

    def test_a_mark_row_may_bring_an_account_down(self) -> None:
        (
            scenario()
            .given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
            .when(tape(marked(96), marked(94)))
            .then(mark_moved(96), mark_moved(94), liquidation_due("ann", USD))
        )


class TestFunding:
    """When a row's next funding time advances, the time passed is paid for once: by the rate and mark before it."""

    def test_the_last_rate_and_mark_before_the_row_count(self) -> None:
        (
            scenario()
            .given(*LONG, tape(marked(100, rate=PERCENT_RATE, next_funding=10, at=1)))
            .when(tape(marked(110, rate=2 * PERCENT_RATE, next_funding=10, at=9)))
            .then(mark_moved(110))
            .when(tape(marked(120, rate=3 * PERCENT_RATE, next_funding=20, at=10)))
            .then(funding_due(2 * PERCENT_RATE, at=110), mark_moved(120))
            .when(tape(marked(121, rate=3 * PERCENT_RATE, next_funding=20, at=11)))
            .then(mark_moved(121))
            .when(proceed())
            .then(funding_paid("maker", 22), funding_paid("taker", -22))
        )

    def test_the_first_row_that_states_a_time_passes_none(self) -> None:
        scenario().given(*LONG).when(tape(marked(100, rate=5, next_funding=10))).then(mark_moved(100))

    def test_a_row_that_states_none_changes_nothing(self) -> None:
        (
            scenario()
            .given(*LONG, tape(marked(100, rate=PERCENT_RATE, next_funding=10)))
            .when(tape(marked(100, rate=PERCENT_RATE), marked(100, next_funding=10)))
            .then(mark_moved(100), mark_moved(100))
            .feed(next_funding=10 * SECOND)
        )

    def test_a_jump_over_several_times_is_paid_once(self) -> None:
        (
            scenario()
            .given(*LONG, tape(marked(100, rate=PERCENT_RATE, next_funding=10)))
            .when(tape(marked(100, next_funding=90)))
            .then(funding_due(PERCENT_RATE, at=100), mark_moved(100))
        )

    def test_without_a_mark_there_is_no_funding(self) -> None:
        (
            scenario(marks=None, mark_source=MarkSource.LAST)
            .when(tape(marked(100, rate=PERCENT_RATE, next_funding=10), marked(100, next_funding=20)))
            .then()
        )

    def test_sampled_marks_take_it_from_the_rows_too(self) -> None:
        (
            scenario(mark_source=MarkSource.LAST)
            .given(*LONG, tape(printed(BUY, 90, 1), marked(500, rate=PERCENT_RATE, next_funding=10)))
            .when(tape(marked(600, next_funding=20)))
            .then(funding_due(PERCENT_RATE, at=90))
        )


class TestSampled:
    """A source without marks: the middle of history's book, or its last print, once a second of session time."""

    def test_the_middle_of_the_book(self) -> None:
        scenario(mark_source=MarkSource.MID).when(OPEN).then(mark_moved_at(995_000))

    def test_the_last_print(self) -> None:
        scenario(mark_source=MarkSource.LAST).when(tape(printed(BUY, 101, 3))).then(mark_moved(101))

    def test_nothing_where_there_is_neither(self) -> None:
        scenario(mark_source=MarkSource.LAST).when(OPEN).then()
        scenario(mark_source=MarkSource.MID).when(tape(snapshot({99: 1}))).then()
        scenario(mark_source=MarkSource.MID).when(tape(snapshot({99: 1}, {99: 1}))).then()

    def test_once_a_second_with_the_first_row_at_or_after_it(self) -> None:
        prints = ((0.2, 100), (0.9, 101), (1.0, 102), (1.1, 103), (2.9, 104), (3.0, 105))
        (
            scenario(mark_source=MarkSource.LAST)
            .when(tape(*(printed(BUY, price, 1, at=at) for at, price in prints)))
            .then(mark_moved(100), mark_moved(102), mark_moved(104), mark_moved(105))
        )

    def test_orders_of_traders_do_not_move_it(self) -> None:
        (
            scenario(mark_source=MarkSource.MID)
            .given(OPEN, resting(1, BUY, price=100, lots=5))
            .when(tape(printed(BUY, 101, 1, at=1)))
            .then(mark_moved_at(995_000))
        )

    def test_mark_rows_do_not_move_it(self) -> None:
        scenario(mark_source=MarkSource.LAST).given(tape(printed(BUY, 90, 1))).when(tape(marked(200))).then()

    def test_fills_come_before_the_mark_of_their_row(self) -> None:
        (
            scenario(mark_source=MarkSource.LAST)
            .given(OPEN, resting(1, BUY, price=99, lots=5))
            .when(tape(printed(SELL, 99, 2, at=1)))
            .then(traded(1, MARKET, price=99, lots=2), mark_moved(99))
        )
