"""Staleness: after a gap history's volume cannot be trusted, and nothing trades with it until it can be again."""

from __future__ import annotations

import pytest

from events.commands import MARKET
from events.facts import Expiry
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.tape import Row, diff, printed, snapshot, tape, ticker
from tests.spec.words import (
    BUY,
    CLOSED,
    FOK,
    GOLD,
    SELL,
    USD,
    account,
    cancel,
    deposit,
    expired,
    forced_order,
    liquidation_ended,
    liquidation_started,
    mark,
    market,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    taken_over,
    traded,
)

OPEN = tape(snapshot({99: 10}, {101: 10}))
GAP = tape(diff({98: 5}, previous=7, id=9))


def gone_stale(*given: object) -> Scenario:
    return scenario().given(OPEN, *given, GAP).feed(stale=True, gaps=1)


def never_stated() -> Scenario:
    """A file that starts without a snapshot, and has a gap."""
    return scenario().given(tape(diff({99: 10}, {101: 10}, id=1)), GAP).feed(stale=True, gaps=1)


def agreed(id: int) -> tuple[Row, Row]:
    """A ticker, and the diff of its id, which agree."""
    return ticker(id, (99, 10), (101, 10)), diff({97: id}, id=id)


def differed(id: int) -> tuple[Row, Row]:
    """A ticker, and the diff of its id, which do not."""
    return ticker(id, (99, 11), (101, 10)), diff({97: id}, id=id)


class TestGap:
    """Each diff names the one before it."""

    def test_a_session_begins_stale_and_its_first_snapshot_makes_it_fresh(self) -> None:
        scenario().feed(stale=True).given(tape(diff({99: 10}, {101: 10}))).feed(stale=True, gaps=0)
        scenario().given(OPEN).feed(stale=False)

    def test_a_chain_without_a_break_stays_fresh(self) -> None:
        (
            scenario()
            .given(OPEN, tape(diff({98: 5}, id=3), diff({98: 6}, id=8), diff({98: 7}, id=9), after=1))
            .feed(stale=False, gaps=0, last_id=9)
        )

    def test_a_diff_that_follows_another_than_the_last_is_a_gap(self) -> None:
        gone_stale().feed(last_id=9, streak=0)

    def test_once_the_chain_has_begun_containing_the_last_id_is_not_enough(self) -> None:
        session = scenario().given(OPEN, tape(diff({98: 5}, id=9), after=1)).feed(stale=False)
        session.given(tape(diff({98: 6}, first=5, id=12, previous=4))).feed(stale=True, gaps=1)

    def test_the_first_diff_of_a_session_follows_nothing(self) -> None:
        scenario().given(tape(diff({98: 5}, id=9, previous=7))).feed(gaps=0, last_id=9)

    def test_a_diff_that_names_no_predecessor_is_believed(self) -> None:
        scenario().given(OPEN, tape(diff({98: 5}, previous=0, id=9))).feed(stale=False, gaps=0)

    @pytest.mark.parametrize(
        ("first", "id", "previous", "gaps"),
        [
            # the snapshot says 10
            (8, 12, 7, 0),
            (10, 10, 9, 0),
            (11, 12, 10, 0),
            (11, 12, 9, 1),
            (7, 9, 6, 1),
        ],
    )
    def test_the_first_diff_after_a_snapshot_contains_its_id_or_follows_it(
        self, first: int, id: int, previous: int, gaps: int
    ) -> None:
        session = scenario().given(tape(snapshot({99: 10}, {101: 10}, id=10)))
        session.given(tape(diff({98: 5}, first=first, id=id, previous=previous)))
        session.feed(gaps=gaps, stale=gaps > 0)

    def test_the_defects_of_the_latest_rows_are_named(self) -> None:
        scenario().given(OPEN, tape(diff({98: 1}, id=2), diff({98: 2}, previous=7, id=9), after=1)).feed(
            defects=[(1, "gap in update ids")]
        )


class TestWhileStale:
    """Traders may trade with each other, and with nobody else."""

    def test_a_taker_meets_orders_and_no_history(self) -> None:
        (
            gone_stale(resting(1, SELL, price=101, lots=3), resting(2, SELL, price=102, lots=3))
            .when(place(3, BUY, price=102, lots=9))
            .then(traded(1, 3, price=101, lots=3), traded(2, 3, price=102, lots=3), rested(3, 3))
        )

    def test_an_order_behind_history_is_met_first(self) -> None:
        (
            gone_stale(resting(1, SELL, price=101, lots=3), resting(2, SELL, price=101, lots=3))
            .given(cancel(1))
            .when(market(3, BUY, lots=4))
            .then(traded(2, 3, price=101, lots=3), expired(3, 1))
        )

    def test_a_print_fills_nobody(self) -> None:
        gone_stale(resting(1, BUY, price=99, lots=3)).when(tape(printed(SELL, 90, 50))).then().feed(prints=1, volume=50)

    def test_a_price_that_runs_through_an_order_fills_nobody(self) -> None:
        gone_stale(resting(1, BUY, price=100, lots=3)).when(tape(diff({}, {100: 5}), after=9)).then()

    def test_a_market_order_reserves_at_the_mark(self) -> None:
        (
            gone_stale(account("ann", 99), mark(100))
            .when(market(1, BUY, lots=10, by="ann"))
            .then(refused(Reason.INSUFFICIENT_MARGIN))
            .given(deposit("ann", 1))
            .when(market(1, BUY, lots=10, by="ann"))
            .then(expired(1, 10))
        )

    def test_a_fill_or_kill_order_counts_on_orders_only(self) -> None:
        (
            gone_stale(resting(1, SELL, price=101, lots=3))
            .when(place(2, BUY, price=101, lots=4, tif=FOK), place(3, BUY, price=101, lots=3, tif=FOK))
            .then(expired(2, 4, Expiry.FILL_OR_KILL), traded(1, 3, price=101, lots=3))
        )

    def test_a_liquidation_finds_no_history_either(self) -> None:
        (
            gone_stale(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(94))
            .when(proceed())
            .then(
                liquidation_started("ann", USD, equity=40, maintenance=47),
                forced_order("ann", SELL, lots=10, limit=90, at=94),
                taken_over("ann", SELL, lots=10, value=900),
                liquidation_ended("ann", USD, CLOSED, equity=0),
            )
        )

    def test_what_people_see_of_the_book_is_without_history(self) -> None:
        session = gone_stale(resting(1, BUY, price=99, lots=3))
        book = session.state.contracts[GOLD].book
        assert (book.depth(book.bids, 9), book.depth(book.asks, 9)) == ([(99, 3)], [])


class TestFreshAgain:
    """A snapshot; or, where there never was one, three comparisons with the book ticker in a row that were equal."""

    def test_a_snapshot_makes_the_book_fresh_at_once(self) -> None:
        gone_stale().given(tape(snapshot({98: 1}, {102: 1}, id=20))).feed(stale=False)

    def test_comparisons_do_not_replace_the_snapshot_of_a_file_that_has_one(self) -> None:
        gone_stale().given(tape(*agreed(10), *agreed(11), *agreed(12), *agreed(13), after=9)).feed(stale=True, equal=4)

    def test_three_equal_comparisons(self) -> None:
        (
            never_stated()
            .given(tape(*agreed(10), *agreed(11), after=9))
            .feed(stale=True, streak=2, equal=2, different=0)
            .given(tape(*agreed(12), after=11))
            .feed(stale=False, streak=3, equal=3)
        )

    def test_a_different_one_begins_the_count_anew(self) -> None:
        (
            never_stated()
            .given(tape(*agreed(10), *agreed(11), *differed(12), *agreed(13), *agreed(14), after=9))
            .feed(stale=True, streak=2, equal=4, different=1)
            .given(tape(*agreed(15), after=14))
            .feed(stale=False)
        )

    def test_a_gap_begins_the_count_anew(self) -> None:
        (
            never_stated()
            .given(tape(*agreed(10), *agreed(11), after=9))
            .given(tape(ticker(20, (99, 10), (101, 10)), diff({97: 1}, id=20, previous=19)))
            .feed(stale=True, streak=1, gaps=2)
        )

    def test_a_session_that_begins_without_a_snapshot_becomes_fresh_by_comparison(self) -> None:
        session = scenario().given(tape(diff({99: 10}, {101: 10}), *agreed(2), *agreed(3))).feed(stale=True)
        session.given(tape(*agreed(4), after=3)).feed(stale=False)

    def test_orders_that_history_ran_through_meanwhile_trade_with_the_row_that_makes_it_fresh(self) -> None:
        (
            never_stated()
            .given(resting(1, BUY, price=102, lots=12), tape(*agreed(10), *agreed(11), after=9))
            .when(tape(*agreed(12), after=11))
            .then(traded(1, MARKET, price=102, lots=10, crossed=101))
        )


class TestComparison:
    """A diff is applied whose id a ticker earlier in the file carried, once both sides exist."""

    def test_a_ticker_without_a_diff_of_its_id_is_no_comparison(self) -> None:
        scenario().given(OPEN, tape(ticker(2, (99, 10), (101, 10)), diff({97: 1}, id=3, previous=1))).feed(
            equal=0, different=0, quote=(2, 99, 10, 101, 10)
        )

    def test_a_ticker_that_waited_in_vain_does_not_stand_in_the_way_of_the_next(self) -> None:
        rows = (ticker(2, (1, 1), (2, 2)), ticker(3, (1, 1), (2, 2)), diff({97: 1}, id=5), *agreed(6))
        scenario().given(OPEN, tape(*rows, after=1)).feed(equal=1, different=0)

    def test_a_ticker_that_comes_after_its_diff_is_none_either(self) -> None:
        scenario().given(OPEN, tape(diff({97: 1}, id=2), ticker(2, (99, 10), (101, 10)), diff({97: 2}), after=1)).feed(
            equal=0, different=0
        )

    def test_a_ticker_waits_for_its_diff(self) -> None:
        (
            scenario()
            .given(OPEN, tape(ticker(3, (99, 10), (101, 10)), diff({97: 1}, id=2), diff({97: 2}, id=3), after=1))
            .feed(equal=1)
        )

    def test_nothing_is_compared_while_a_side_is_empty(self) -> None:
        scenario().given(tape(snapshot({99: 10}), ticker(2, (99, 10), (101, 10)), diff({98: 1}, id=2))).feed(
            equal=0, different=0
        )

    @pytest.mark.parametrize(
        ("bid", "ask"), [((99, 9), (101, 10)), ((98, 10), (101, 10)), ((99, 10), (101, 9)), ((99, 10), (102, 10))]
    )
    def test_prices_and_sizes_of_both_sides_count(self, bid: tuple[int, int], ask: tuple[int, int]) -> None:
        scenario().given(OPEN, tape(ticker(2, bid, ask), diff({97: 1}, id=2), after=1)).feed(equal=0, different=1)

    def test_history_alone_is_compared_whatever_traders_did(self) -> None:
        (
            scenario()
            .given(OPEN, resting(1, BUY, price=100, lots=5), market(2, BUY, lots=10))
            .given(tape(*agreed(2), after=1))
            .feed(equal=1, different=0)
        )


class TestCrossedBook:
    """History that crosses itself contradicts itself."""

    @pytest.mark.parametrize("bid", [101, 102])
    def test_it_is_stale(self, bid: int) -> None:
        scenario().given(OPEN, tape(diff({bid: 1}), after=1)).feed(stale=True, crossed=1, defects=[(0, "crossed book")])

    def test_a_crossed_snapshot_is_stale_too(self) -> None:
        scenario().given(tape(snapshot({101: 1}, {101: 1}))).feed(stale=True, crossed=1)

    def test_it_fills_nobody(self) -> None:
        scenario().given(OPEN, resting(1, SELL, price=101, lots=5)).when(tape(diff({105: 1}), after=1)).then()
