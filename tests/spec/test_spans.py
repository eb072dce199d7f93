"""Many rows at once and row by row: the same state, whatever the rows are and wherever they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.chunks import decode_chunk, encode_chunk
from events.commands import MarkSource, QueueModel
from events.observations import Observations
from exchange.core import snapshot
from exchange.core.matching import along
from exchange.core.matching.touching import first_touch
from tests.scenario import Scenario, scenario
from tests.spec.tape import Row, added, cleared, diff, event, marked, printed, tape, ticker
from tests.spec.tape import snapshot as stated
from tests.spec.waiting import LAST, waiting
from tests.spec.words import BUY, GOLD, SELL, place


@pytest.fixture(autouse=True, scope="module")
def _short_courses() -> Iterator[None]:
    """Let tapes of a few rows go along courses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(along, "WORTHWHILE", 2)
        yield


SIDES = st.sampled_from((BUY, SELL))
CALM_BIDS = st.dictionaries(st.integers(90, 99), st.integers(0, 9), max_size=4)
CALM_ASKS = st.dictionaries(st.integers(101, 110), st.integers(0, 9), max_size=4)
WILD_BIDS = st.dictionaries(st.integers(96, 103), st.integers(0, 9), max_size=3)
WILD_ASKS = st.dictionaries(st.integers(97, 104), st.integers(0, 9), max_size=3)
CALM = st.builds(diff, CALM_BIDS, CALM_ASKS, at=st.just(0.0))
PRINT = st.builds(printed, SIDES, st.integers(95, 105), st.integers(1, 12), at=st.just(0.0))
ODD = st.one_of(
    st.builds(diff, WILD_BIDS, WILD_ASKS, at=st.just(0.0)),
    st.builds(diff, CALM_BIDS, CALM_ASKS, at=st.just(0.0), previous=st.sampled_from((0, 777))),
    st.builds(stated, CALM_BIDS, CALM_ASKS, at=st.just(0.0)),
    st.builds(ticker, st.integers(1, 30), st.just((99, 5)), st.just((101, 5)), at=st.just(0.0)),
    st.builds(marked, st.integers(97, 103), at=st.just(0.0)),
)
ROWS = st.lists(st.one_of(CALM, CALM, CALM, PRINT, PRINT, ODD), min_size=8, max_size=40)
LATE = st.integers(0, 200)
"""Tenths of a second by which the venue's own time of a row is before its capture."""

ORDERS = st.lists(st.tuples(SIDES, st.integers(93, 107), st.integers(1, 9)), max_size=6)
OPEN = tape(stated({99: 5, 98: 9}, {101: 5, 102: 9}), printed(BUY, 100, 1))


def told(orders: list[tuple[Any, int, int]], **options: Any) -> Scenario:
    session = scenario(**options).given(OPEN)
    for number, (side, price, lots) in enumerate(orders, 1):
        session.run(place(number, side, lots=lots, price=price))
    return session


def in_pieces(session: Scenario, chunk: Observations, cuts: list[int]) -> tuple[Any, ...]:
    """Apply the rows piece by piece: the state afterwards, and all fills and defects. Nobody answers to the fills, so
    that orders stay where further rows touch them.
    """
    feed = session.state.contracts[GOLD].feed  # type: ignore[index]
    first, fills, defects = 0, [], []
    for last in [*sorted(cut % len(chunk) for cut in cuts), len(chunk) - 1]:
        if last >= first:
            feed.advance(chunk, first, last)
            fills += [(fill.order.number, fill.lots) for fill in feed.fills]
            defects += feed.defects
            first = last + 1
    feed.book.check()
    return snapshot.encode(session.state), fills, defects


def touches(session: Scenario, chunk: Observations) -> list[int]:
    feed = session.state.contracts[GOLD].feed  # type: ignore[index]
    return [first_touch(feed, chunk, first, len(chunk) - 1) for first in range(len(chunk))]


@settings(max_examples=150)
@given(
    ROWS,
    ORDERS,
    st.lists(st.integers(0, 99), max_size=3),
    st.lists(LATE, min_size=40, max_size=40),
    st.sampled_from(QueueModel),
)
def test_rows_at_once_leave_the_state_that_rows_one_by_one_leave(
    rows: list[Row], orders: list[tuple[Any, int, int]], cuts: list[int], late: list[int], model: QueueModel
) -> None:
    plain = tape(*(row._replace(at=100 + n, transacted=100 + n - late[n] / 10) for n, row in enumerate(rows)), after=1)
    prepared = decode_chunk(encode_chunk(plain))
    options = {"queue_model": model, "mark_source": MarkSource.DATA}
    one, many = told(orders, **options), told(orders, **options)
    bare = replace(plain)
    assert (bare.spans, prepared.spans is None) == (None, False)
    assert touches(one, bare) == touches(many, prepared)
    assert in_pieces(many, prepared, cuts) == in_pieces(one, bare, list(range(len(plain))))


BOTH = [(BUY, 99, 3), (SELL, 101, 3)]


@pytest.mark.parametrize(
    ("orders", "rows"),
    [
        pytest.param([], [printed(BUY, 101, 1), printed(SELL, 99, 2), printed(BUY, 101, 3)], id="prints only"),
        pytest.param([], [diff({98: 1}), diff({98: 2}, previous=777), diff({98: 3}), diff({97: 3})], id="a gap"),
        pytest.param([], [diff({98: 1}, previous=777), diff({98: 2}), diff({98: 3})], id="a gap at once"),
        pytest.param([], [diff({98: 1}), diff({101: 2}), diff({101: 0}), diff({97: 3})], id="a crossed book"),
        pytest.param([], [diff({101: 2}), diff({98: 1}), diff({101: 0}), diff({97: 3})], id="crossed at once"),
        pytest.param([], [diff({100: 2}, {100: 0}), diff({101: 1}, {101: 0}), diff({99: 1})], id="prices that move"),
        pytest.param([], [ticker(3, (99, 5), (101, 5)), *(diff({98: n}) for n in range(4))], id="a ticker"),
        pytest.param([], [ticker(1, (99, 5), (101, 5)), *(diff({98: n}) for n in range(4))], id="an old ticker"),
        pytest.param([], [diff({99: 0, 98: 0}, {101: 0, 102: 0}), diff({99: 1}), diff({98: 1})], id="an empty book"),
        pytest.param(BOTH, [diff({99: 9}), diff({99: 2}, {101: 1}), diff({}, {101: 8}), diff({99: 4})], id="levels"),
        pytest.param(BOTH, [diff({98: 2}), printed(SELL, 99, 7), diff({98: 3}), printed(BUY, 101, 7)], id="own fills"),
        pytest.param(BOTH[:1], [diff({98: 2}), printed(BUY, 101, 7), printed(SELL, 99, 1), diff()], id="own bid"),
        pytest.param(BOTH[1:], [diff({98: 2}), printed(SELL, 99, 7), printed(BUY, 101, 1), diff()], id="own ask"),
        pytest.param(BOTH, [diff({98: 2}), stated({97: 1}, {103: 1}), diff({96: 3}), diff({95: 1})], id="a snapshot"),
        pytest.param(BOTH, [diff({98: 2}, previous=777), diff({98: 1}), printed(SELL, 99, 7), diff()], id="stale"),
    ],
)  # fmt: skip
def test_whatever_ends_a_stretch_is_applied_as_it_would_be_by_itself(orders: list[Any], rows: list[Row]) -> None:
    plain = tape(*(row._replace(at=100 + n, transacted=100 + n) for n, row in enumerate(rows)), after=1)
    together = decode_chunk(encode_chunk(plain))
    one, many = told(orders, mark_source=MarkSource.DATA), told(orders, mark_source=MarkSource.DATA)
    bare = replace(plain)
    assert touches(one, bare) == touches(many, together)
    assert in_pieces(many, together, []) == in_pieces(one, bare, list(range(len(plain))))


def test_what_a_trader_took_is_there_again_where_a_stretch_states_the_level() -> None:
    session = told([(BUY, 101, 2)])
    session.state.contracts[GOLD].feed.advance(prepared(diff({98: 1}), diff({}, {101: 4}), diff({98: 2})), 0, 2)  # type: ignore[index]
    asks = session.state.contracts[GOLD].book.asks  # type: ignore[index]
    assert (asks.available(101), asks.history.taken) == (4, {})


def test_orders_of_history_are_forgotten_where_a_stretch_states_their_level() -> None:
    orders = tape(event(cleared(), added(BUY, 1, 99, 10), added(BUY, 2, 98, 5), added(SELL, 3, 101, 4)))
    session = scenario().given(orders, place(1, BUY, lots=3, price=99))
    session.given(tape(diff({99: 8}), diff({97: 2}), diff({99: 9}), diff({99: 7}), after=1))
    bids = session.state.contracts[GOLD].book.bids  # type: ignore[index]
    assert (bids.history.queues, bids.levels[99].market, bids.history.stated) == (
        {98: {2: 5}},
        7,
        {97: 2, 98: 5, 99: 7},
    )


def prepared(*rows: Row) -> Observations:
    return decode_chunk(encode_chunk(tape(*(row._replace(at=n) for n, row in enumerate(rows)), after=1)))


CALM_ROWS = (diff({99: 4}), diff({98: 0}, {102: 7}), diff({97: 3}), diff({99: 6}))


def test_prints_in_bulk_reach_the_conditional_orders_that_wait_for_them() -> None:
    session = scenario(marks=100).given(OPEN, *(waiting(n, BUY, at=at, source=LAST) for n, at in ((1, 103), (2, 109))))
    feed = session.state.contracts[GOLD].feed  # type: ignore[index]
    feed.advance(prepared(*CALM_ROWS, printed(BUY, 102, 1), printed(BUY, 105, 1), printed(BUY, 101, 2)), 0, 6)
    assert [trigger.placed.number for trigger in feed.lasts.reached] == [1]
    assert (feed.prints, feed.volume, feed.last_price) == (4, 5, 101)


def test_the_best_prices_along_a_course_are_those_of_what_stood_before_and_of_what_its_rows_state() -> None:
    spans = prepared(diff({99: 0, 97: 2}), diff({}, {100: 3}), diff({100: 1}), diff({97: 0, 98: 0, 100: 0})).spans
    assert spans is not None
    course = spans.along(0, 4, {99: 5, 98: 9}, {101: 5})
    assert (course.bids.best, course.asks.best) == ([99, 98, 98, 100, None], [101, 101, 100, 100, 100])
    assert course.crossed == [2]
    assert spans.along(2, 4, {99: 5}, {}).bids.best == [99, 100, 99]


def test_prices_of_any_distance_have_a_course() -> None:
    spans = prepared(diff({1: 1, 10**15: 2}), diff({1: 3, 10**15: 0})).spans
    assert spans is not None
    side = spans.along(0, 2, {}, {}).bids
    assert (side.best, side.statements(1), side.last(0, 4)) == (
        [None, 10**15, 1],
        ([0, 2], [1, 3]),
        ([1, 10**15], [3, 0]),
    )


def test_a_course_of_a_side_of_which_nothing_is_stated_stays_where_it_was() -> None:
    spans = prepared(diff({99: 1}), diff({99: 2})).spans
    assert spans is not None
    side = spans.along(0, 2, {}, {101: 4}).asks
    assert (side.best, side.statements(101), side.last(0, 0)) == ([101, 101, 101], ([], []), ([], []))


def advanced(session: Scenario, chunk: Observations, first: int, last: int) -> Any:
    session.state.contracts[GOLD].feed.advance(chunk, first, last)  # type: ignore[index]
    book = session.state.contracts[GOLD].book  # type: ignore[index]
    book.check()
    return book


def test_a_book_goes_along_the_diffs_of_another_chunk_where_it_is_given_one_and_back() -> None:
    session, one, other = told([]), prepared(*CALM_ROWS), prepared(diff({96: 1}), diff({97: 5}), diff({96: 2}))
    for chunk, first, last in ((one, 0, 1), (other, 0, 1), (one, 2, 3), (other, 2, 2), (one, 1, 1)):
        book = advanced(session, chunk, first, last)
    assert book.bids.history.stated == {96: 2, 97: 3, 99: 6}
    assert (book.bids.available(96), book.asks.history.best()) == (2, 101)


def test_what_traders_took_of_many_prices_is_there_again_only_where_a_stretch_states_it() -> None:
    asks = dict.fromkeys(range(102, 102 + 2 * along.MANY), 1)
    session = scenario().given(tape(stated({99: 5}, asks)), place(1, BUY, lots=len(asks)))
    book = advanced(session, prepared(diff({98: 1}), diff({}, {105: 4, 106: 3}), diff({98: 2})), 0, 2)
    assert [price for price in asks if price not in book.asks.history.taken] == [105, 106]


@pytest.mark.parametrize(("times", "entries"), [(5, 7), (80, 3)])
def test_prices_that_come_and_go_do_not_pile_up(times: int, entries: int) -> None:
    rows = [diff({n + 1: 1, n: 0}) for n in range(1, times + 1)]
    bids = advanced(told([]), tape(*rows, after=1), 0, times - 1).bids.history
    assert (list(bids.prices()), len(bids.heap)) == ([99, 98, times + 1], entries)


def test_volume_that_traders_took_at_the_best_price_of_a_course_is_not_the_best_to_be_had() -> None:
    session = told([]).given(tape(*CALM_ROWS, after=1), place(1, BUY, lots=5, price=101))
    book = session.state.contracts[GOLD].book  # type: ignore[index]
    assert (book.asks.history.best(), book.asks.market_best()) == (101, 102)


def test_a_chunk_whose_levels_belong_to_no_row_or_whose_tables_are_used_out_of_order_has_no_spans() -> None:
    whole = tape(*CALM_ROWS)
    encode_chunk(whole)
    assert whole.spans is not None
    for odd in (
        replace(whole, asks_end=[0, *whole.asks_end[1:]]),
        replace(whole, level_price=[*whole.level_price, 1], level_lots=[*whole.level_lots, 1]),
        replace(whole, print_side=[1]),
        replace(whole, index=[1, 0, 2, 3]),
    ):
        encode_chunk(odd)
        assert odd.spans is None


def test_spans_count_for_nothing_once_their_chunk_has_grown() -> None:
    chunk = tape(*CALM_ROWS)
    encode_chunk(chunk)
    chunk.level_price.append(100)
    assert chunk.spans is None


def test_a_chunk_that_tells_orders_apart_has_no_spans() -> None:
    chunk = replace(tape(printed(BUY, 101, 1)), print_order=[7])
    encode_chunk(chunk)
    assert chunk.spans is None
