"""What a chunk of columns must be like."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from events.instruments import InstrumentId
from events.observations import Action, Kind, Observations

WHOLE = Observations(
    InstrumentId("BTCUSDT"),
    kind=[Kind.SNAPSHOT, Kind.DIFF, Kind.PRINT, Kind.TICKER, Kind.MARK, Kind.ORDERS],
    at=[5, 5, 6, 7, 9, 9],
    transacted=[1, 3, 2, 4, 5, 5],
    index=[0, 1, 0, 0, 0, 0],
    first_id=[1, 2],
    last_id=[1, 4],
    previous_id=[0, 1],
    bids_end=[1, 2],
    asks_end=[2, 3],
    level_price=[10, 11, 9],
    level_lots=[1, 1, 0],
    print_price=[10],
    print_lots=[1],
    print_side=[-1],
    ticker_id=[4],
    ticker_bid=[10],
    ticker_bid_lots=[1],
    ticker_ask=[11],
    ticker_ask_lots=[1],
    mark=[10],
    mark_index=[0],
    mark_rate=[0],
    mark_next_funding=[0],
    print_order=[71],
    orders_end=[2],
    order_action=[Action.ADD, Action.REDUCE],
    order_id=[72, 71],
    order_side=[1, -1],
    order_price=[10, 11],
    order_lots=[3, 1],
)


def changed(**columns: Any) -> Observations:
    return msgspec.structs.replace(WHOLE, **columns)


def test_a_whole_chunk_passes_and_has_as_many_rows_as_kinds() -> None:
    WHOLE.check()
    assert len(WHOLE) == 6


def test_an_empty_chunk_passes() -> None:
    Observations(InstrumentId("BTCUSDT")).check()


@pytest.mark.parametrize(
    ("chunk", "what"),
    [
        (changed(print_side=[]), "ragged table"),
        (changed(index=[0, 2, 0, 0, 0, 0]), "index out of its table"),
        (changed(index=[0, 1, -1, 0, 0, 0]), "index out of its table"),
        (changed(at=[5, 5, 6, 7, 6, 9]), "time goes back"),
        (changed(bids_end=[1, 1]), "level ranges overlap"),
        (changed(asks_end=[2, 2]), "levels without a diff"),
        (changed(index=[0, 1, 0, 0, 0, 1]), "index out of its table"),
        (changed(order_id=[72]), "ragged table"),
        (changed(print_order=[71, 72]), "some prints without a maker"),
        (changed(orders_end=[2, 1]), "events overlap"),
        (changed(orders_end=[1]), "messages without an event"),
        (changed(order_action=[0, 6]), "unknown action"),
    ],
)
def test_columns_that_do_not_belong_together_are_a_bug(chunk: Observations, what: str) -> None:
    with pytest.raises(AssertionError, match=what):
        chunk.check()
