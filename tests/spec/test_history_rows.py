"""Rows in bulk: an AdvanceMarket over many rows says what one command a row would have said, in the same order."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import AdvanceTime, MarkSource, QueueModel
from events.facts import Fact, MarketAdvanced
from events.units import SECOND
from exchange.core.matching.touching import first_touch, look_ahead, next_touch
from tests.scenario import Scenario, scenario
from tests.spec.tape import (
    Row,
    added,
    changed,
    cleared,
    deleted,
    diff,
    event,
    leveled,
    marked,
    printed,
    reduced,
    snapshot,
    tape,
    ticker,
)
from tests.spec.words import BUY, GOLD, SELL, resting

OPEN = tape(snapshot({99: 10, 98: 20}, {101: 10, 102: 20}))
ORDERS = (resting(1, BUY, price=99, lots=3), resting(2, SELL, price=102, lots=3), resting(3, BUY, price=97, lots=2))

BUSY = (
    ticker(2, (99, 10), (101, 10)),
    diff({98: 21}, id=2),
    printed(SELL, 99, 4, at=0.1),
    printed(BUY, 101, 4, at=0.2),
    diff({99: 6}, {101: 6}, id=3, at=0.3),
    marked(99, rate=1_000_000, next_funding=2, at=0.4),
    printed(SELL, 99, 7, at=0.5),
    diff({99: 0}, {}, id=4, at=0.6),
    printed(BUY, 104, 40, at=0.7),
    diff({}, {102: 2, 101: 0}, id=5, at=0.8),
    ticker(9, (98, 21), (102, 2), at=0.8),
    diff({97: 3}, id=9, previous=8, at=0.9),
    printed(SELL, 97, 99, at=1.0),
    ticker(10, (98, 21), (102, 2), at=1.0),
    ticker(11, (98, 21), (102, 2), at=1.0),
    ticker(12, (98, 21), (102, 2), at=1.0),
    diff({97: 2}, id=10, at=1.1),
    diff({97: 3}, id=11, at=1.2),
    marked(98, rate=2_000_000, next_funding=4, at=1.3),
    diff({97: 4}, id=12, at=1.4),
    printed(SELL, 97, 5, at=1.5),
    snapshot({100: 5}, {103: 4}, id=20, at=1.6),
    diff({104: 3, 103: 2}, {103: 0, 106: 7}, id=21, previous=20, at=2.6),
    printed(SELL, 97, 9, at=2.7),
    marked(97, rate=2_000_000, next_funding=4, at=2.8),
    printed(BUY, 99, 1, at=4.5),
    ticker(30, (98, 21), (102, 2), at=5.5),
)
"""Prints, crossings, marks, funding, a gap, three equal comparisons, a snapshot: whatever a file may bring."""

BY_ORDER = (
    event(added(BUY, 1, 99, 4), added(SELL, 2, 101, 3)),
    printed(SELL, 99, 9, order=0, at=0.1),
    event(deleted(BUY, 71, 99, 6), leveled(BUY, 98, 7), at=0.1),
    printed(SELL, 99, 6, order=72, at=0.2),
    event(reduced(BUY, 1, 99, 1), changed(SELL, 2, 102, 3), at=0.3),
    printed(SELL, 99, 5, order=1, at=0.4),
    event(added(BUY, 3, 103, 1), at=0.5),
    printed(BUY, 105, 50, order=0, at=0.6),
    event(deleted(BUY, 3), leveled(SELL, 101, 0), at=0.7),
    printed(BUY, 105, 2, order=2, at=0.8),
    event(added(SELL, 4, 97, 1), at=0.9),
    event(leveled(BUY, 99, 0), leveled(BUY, 98, 0), leveled(BUY, 97, 0), at=1.0),
    marked(99, rate=1_000_000, next_funding=2, at=1.4),
    event(cleared(), added(BUY, 5, 97, 3), added(SELL, 6, 99, 1), at=2.4),
    printed(SELL, 97, 9, order=5, at=2.6),
    printed(SELL, 97, 9, order=0, at=2.7),
)
"""The same where history tells its orders apart: some unknown, some crossed, and a book that begins anew."""


def session(**options: Any) -> Scenario:
    return scenario(**options).given(OPEN, *ORDERS)


def said(told: Scenario, *commands: object) -> list[Fact]:
    facts = [fact for command in commands for fact in told.run(command)]
    return [fact for fact in facts if not isinstance(fact, MarketAdvanced)]


@pytest.mark.parametrize("source", list(MarkSource))
@pytest.mark.parametrize("model", list(QueueModel))
def test_rows_in_bulk_say_what_rows_one_by_one_say(source: MarkSource, model: QueueModel) -> None:
    chunk = tape(*BUSY, after=1)
    bulk = said(session(mark_source=source, queue_model=model), chunk)
    single = session(mark_source=source, queue_model=model)
    last = len(chunk) - 1
    first = replace(single.addressed(chunk), last_row=0)
    rows = [replace(first, first_row=row, last_row=row) for row in range(last + 1)]
    assert said(single, *rows) == bulk
    single.feed(observations=1 + len(chunk), prints=8)
    assert {type(fact).__name__ for fact in bulk} >= {"Traded", "MarkPriceMoved"}


@pytest.mark.parametrize("model", list(QueueModel))
def test_so_they_do_where_history_tells_its_orders_apart(model: QueueModel) -> None:
    chunk = tape(*BY_ORDER, after=1)
    bulk = said(session(queue_model=model), chunk)
    single = session(queue_model=model)
    first = replace(single.addressed(chunk), last_row=0)
    assert said(single, *(replace(first, first_row=row, last_row=row) for row in range(len(chunk)))) == bulk
    single.feed(observations=1 + len(chunk), prints=7, crossed=2)
    assert sum(type(fact).__name__ == "Traded" for fact in bulk) > 3


def touching(told: Scenario, *rows: Row) -> int:
    """Where first_touch stops."""
    chunk = tape(*rows, after=1)
    return first_touch(told.state.contracts[GOLD].feed, chunk, 0, len(chunk) - 1)


def test_what_was_seen_ahead_counts_for_the_rows_and_the_record_after_which_it_was_seen() -> None:
    told = session()
    feed = told.state.contracts[GOLD].feed  # type: ignore[index]
    chunk, other = (tape(diff({98: n}), diff({98: 5}), diff({98: 6}), after=1) for n in (3, 4))
    assert next_touch(feed, chunk, 0, 2, 7) == 2
    assert look_ahead(feed, chunk, 0, 2, 7) == 2
    feed.untouched = (chunk, 0, 1, 7)
    seen = [next_touch(feed, *asked) for asked in ((chunk, 0, 1, 7), (chunk, 0, 0, 7))]
    anew = [
        next_touch(feed, *asked) for asked in ((chunk, 0, 2, 7), (chunk, 0, 2, 8), (chunk, 1, 2, 7), (other, 0, 2, 7))
    ]
    assert (seen, anew) == ([1, 0], [2, 2, 2, 2])


QUIET = (
    printed(SELL, 100, 1),
    diff({98: 3}),
    ticker(3, (1, 1), (2, 2)),
    printed(BUY, 101, 99),
    event(added(BUY, 8, 101, 1), deleted(BUY, 9, 102, 5), reduced(SELL, 9, 98, 1), leveled(SELL, 100, 2)),
)
"""Rows that touch nobody while the best own bid is 99 and the best own ask 102."""


@pytest.mark.parametrize(
    "touch",
    [
        printed(SELL, 99, 1),
        printed(SELL, 90, 1),
        printed(BUY, 102, 1),
        printed(BUY, 110, 1),
        diff({102: 1}),
        diff({103: 1}),
        diff({}, {99: 1}),
        event(added(BUY, 8, 102, 1)),
        event(deleted(BUY, 8, 102, 1), changed(BUY, 8, 103, 1)),
        event(leveled(SELL, 99, 1)),
        event(cleared()),
        snapshot({1: 1}, {200: 1}),
        marked(100),
    ],
    ids=str,
)
def test_bulk_ends_with_the_first_row_that_can_touch_somebody(touch: Row) -> None:
    assert touching(session(), *QUIET, touch, *QUIET) == len(QUIET)
    assert touching(session(), touch, *QUIET) == 0


def test_rows_that_touch_nobody_go_in_bulk() -> None:
    assert touching(session(), *QUIET, *QUIET) == 2 * len(QUIET) - 1
    assert touching(scenario(), *QUIET, printed(SELL, 1, 1), diff({102: 1}), diff({}, {5: 0}), printed(BUY, 1, 1)) == 8


def test_where_nobody_rests_only_marks_and_samples_end_it() -> None:
    busy = (printed(SELL, 1, 1), snapshot({1: 1}), diff({500: 1}))
    assert touching(scenario(), *busy, marked(1), *busy) == 3
    assert touching(scenario(mark_source=MarkSource.LAST).given(OPEN), *busy, printed(BUY, 1, 1, at=1.5), *busy) == 3
    assert touching(scenario(mark_source=MarkSource.MID).given(OPEN), *busy, marked(1), *busy) == 3
    funded = scenario(mark_source=MarkSource.MID).given(OPEN, tape(marked(1, next_funding=5), after=1))
    assert touching(funded, *busy, *busy) == 5


def test_while_the_book_is_stale_every_row_but_a_ticker_ends_it() -> None:
    stale = session().given(tape(diff({98: 1}, id=9, previous=7)))
    assert touching(stale, ticker(3, (1, 1), (2, 2)), ticker(4, (1, 1), (2, 2)), diff({1: 1}), *QUIET) == 2


def test_an_empty_level_side_of_a_diff_touches_nobody() -> None:
    assert touching(session(), diff(), diff({98: 1}), diff({}, {103: 1})) == 2


def test_only_bids_or_only_asks_at_rest_are_touched_by_their_own_rows() -> None:
    bids = scenario().given(OPEN, ORDERS[0])
    assert touching(bids, printed(BUY, 500, 1), diff({500: 1}), printed(SELL, 99, 1)) == 2
    asks = scenario().given(OPEN, ORDERS[1])
    assert touching(asks, printed(SELL, 1, 1), diff({}, {1: 1}), printed(BUY, 102, 1)) == 2
    assert touching(asks, event(added(SELL, 8, 1, 1)), event(added(BUY, 8, 102, 1)), printed(BUY, 1, 1)) == 1
    assert touching(bids, event(added(BUY, 8, 500, 1)), event(added(SELL, 8, 99, 1)), printed(SELL, 500, 1)) == 1


def test_counts_go_on_in_bulk() -> None:
    session().given(tape(*QUIET, after=1)).feed(observations=6, prints=2, volume=100)


def test_time_may_pass_on_its_own() -> None:
    told = scenario()
    now = told.state.now
    told.when(AdvanceTime(now + SECOND)).then()
    assert told.state.now == now + SECOND
    assert [type(fact).__name__ for fact in told.batches[-1].facts] == ["TimeAdvanced"]
