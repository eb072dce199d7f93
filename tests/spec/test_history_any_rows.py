"""Rows in bulk, whatever they are: `first_touch` never passes a row that matters."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.commands import MarkSource, QueueModel
from events.facts import Fact, MarketAdvanced
from tests.scenario import Scenario, scenario
from tests.spec.tape import (
    Message,
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
from tests.spec.words import BUY, SELL, place

TIMES = st.integers(0, 30).map(lambda tenths: tenths / 10)
BIDS = st.dictionaries(st.integers(96, 101), st.integers(0, 9), max_size=3)
ASKS = st.dictionaries(st.integers(99, 104), st.integers(0, 9), max_size=3)
SIDES = st.sampled_from((BUY, SELL))

ROWS = st.one_of(
    st.builds(diff, BIDS, ASKS, at=TIMES, transacted=TIMES),
    st.builds(diff, BIDS, ASKS, at=TIMES, previous=st.sampled_from((-1, 0, 777))),
    st.builds(printed, SIDES, st.integers(96, 104), st.integers(1, 15), at=TIMES, transacted=TIMES),
    st.builds(snapshot, BIDS, ASKS, at=TIMES),
    st.builds(ticker, st.integers(1, 9), st.just((99, 5)), st.just((101, 5)), at=TIMES),
    st.builds(marked, st.integers(97, 103), rate=st.just(10_000), next_funding=TIMES, at=TIMES),
)

NAMES, PRICES, LOTS = st.integers(1, 6), st.integers(96, 104), st.integers(1, 9)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    *(st.builds(said, SIDES, NAMES, PRICES, LOTS) for said in (added, added, added, changed, reduced, deleted)),
    st.builds(leveled, SIDES, PRICES, st.integers(0, 9)),
)
BY_ORDER = st.one_of(
    st.lists(MESSAGES, min_size=1, max_size=4).map(lambda messages: event(*messages)),
    st.builds(printed, SIDES, PRICES, st.integers(1, 15), order=st.integers(0, 6)),
    st.just(event(cleared(), added(BUY, 1, 98, 5), added(SELL, 2, 101, 5))),
)

ORDERS = st.lists(
    st.builds(
        place,
        st.just(0),
        SIDES,
        lots=st.integers(1, 9),
        price=st.integers(97, 103),
        by=st.sampled_from(("maker", "taker")),
        reduce_only=st.booleans(),
    ),
    max_size=6,
)

OPEN = tape(snapshot({99: 5, 98: 9}, {101: 5, 102: 9}))


def told(orders: list[Any], options: dict[str, Any]) -> Scenario:
    session = scenario(**options).given(OPEN)
    for number, order in enumerate(orders, 1):
        session.run(replace(order, number=number))
    return session


def said(session: Scenario, *commands: object) -> list[Fact]:
    """What follows, but for where the rows were split."""
    facts = [fact for command in commands for fact in session.run(command)]
    return [fact for fact in facts if not isinstance(fact, MarketAdvanced)]


@settings(max_examples=60)
@given(
    ORDERS,
    st.lists(ROWS, min_size=1, max_size=25) | st.lists(ROWS | BY_ORDER | BY_ORDER | BY_ORDER, min_size=1, max_size=25),
    st.sampled_from(MarkSource),
    st.sampled_from(QueueModel),
)
def test_any_rows_in_bulk_say_what_they_say_one_by_one(
    orders: list[Any], rows: list[Row], source: MarkSource, model: QueueModel
) -> None:
    in_order = sorted(row.at for row in rows)
    chunk = tape(*(row._replace(at=at) for row, at in zip(rows, in_order, strict=True)), after=1)
    options = {"mark_source": source, "queue_model": model}
    bulk, single = told(orders, options), told(orders, options)
    whole = bulk.addressed(chunk)
    one = replace(single.addressed(chunk), at=0)
    apart = [replace(one, first_row=row, last_row=row) for row in range(len(chunk))]
    assert said(single, *apart) == said(bulk, whole)
    assert [c.book.depth(c.book.bids, 99) for c in single.state.contracts.values()] == [
        c.book.depth(c.book.bids, 99) for c in bulk.state.contracts.values()
    ]
