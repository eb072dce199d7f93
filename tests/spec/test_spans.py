"""Many rows at once and row by row: the same state, whatever the rows are and wherever they are cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.chunks import decode_chunk, encode_chunk
from events.commands import MarkSource, QueueModel
from events.observations import Observations
from exchange.core import snapshot
from exchange.core.matching.touching import first_touch
from tests.scenario import Scenario, scenario
from tests.spec.tape import Row, diff, marked, printed, tape, ticker
from tests.spec.tape import snapshot as stated
from tests.spec.words import BUY, GOLD, SELL, place

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
OPEN = tape(stated({99: 5, 98: 9}, {101: 5, 102: 9}))


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
