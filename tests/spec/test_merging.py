"""Several files about one instrument: one after the other by time, of the same time the first file's first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.observations import Kind, Observations
from replay.merging import begun
from replay.sources import Report, SourceError
from tests.spec.tape import Row, diff, marked, printed, snapshot, tape, ticker
from tests.spec.words import BUY, SELL


class Told:
    """A file of these stretches, a chunk an instrument each."""

    names_symbols, goes_on, name, position = True, False, "told", 5

    def __init__(self, name: str, *stretches: list[Observations]) -> None:
        self.path = Path(name)
        self.report = Report(name, strict=True)
        self._stretches = stretches

    def __iter__(self) -> Iterator[Observations]:
        for stretch in self._stretches:
            for left, chunk in zip(range(len(stretch) - 1, -1, -1), stretch, strict=True):
                self.goes_on = left > 0
                yield chunk

    def locate(self, row: int, instrument: str) -> str:
        return f"{self.path}:{instrument}:{row}"


def content(chunk: Observations, row: int) -> tuple[Any, ...]:
    """All that a row says."""
    i, kind = chunk.index[row], chunk.kind[row]
    said: tuple[Any, ...]
    if kind in (Kind.DIFF, Kind.SNAPSHOT):
        start, middle, end = chunk.asks_end[i - 1] if i else 0, chunk.bids_end[i], chunk.asks_end[i]
        levels = list(zip(chunk.level_price, chunk.level_lots, strict=True))
        said = (chunk.first_id[i], chunk.last_id[i], chunk.previous_id[i], levels[start:middle], levels[middle:end])
    elif kind == Kind.PRINT:
        said = (chunk.print_price[i], chunk.print_lots[i], chunk.print_side[i])
    elif kind == Kind.TICKER:
        said = (chunk.ticker_id[i], chunk.ticker_bid[i], chunk.ticker_ask_lots[i])
    else:
        said = (chunk.mark[i], chunk.mark_rate[i], chunk.mark_next_funding[i])
    return chunk.at[row], chunk.transacted[row], kind, *said


LEVELS = st.dictionaries(st.integers(90, 110), st.integers(0, 9), max_size=3)
ROWS = st.one_of(
    st.builds(diff, LEVELS, LEVELS),
    st.builds(printed, st.sampled_from((BUY, SELL)), st.integers(90, 110), st.integers(1, 9)),
    st.builds(snapshot, LEVELS, LEVELS),
    st.builds(ticker, st.integers(1, 9), st.just((99, 5)), st.just((101, 5))),
    st.builds(marked, st.integers(90, 110)),
)
FILES = st.lists(
    st.lists(st.lists(st.tuples(st.integers(0, 3), ROWS), min_size=1, max_size=6), min_size=1, max_size=4),
    min_size=2,
    max_size=3,
)
"""Files of stretches of rows, each with the seconds since the row before it."""


def chunks_of(stretches: list[list[tuple[int, Row]]], transacted: float) -> list[Observations]:
    now, found = 0, []
    for stretch in stretches:
        rows = []
        for seconds, row in stretch:
            now += seconds
            rows.append(row._replace(at=now, transacted=transacted))
        found.append(tape(*rows))
    return found


@settings(max_examples=80)
@given(FILES)
def test_rows_of_several_files_come_by_time_and_then_by_file(files: list[Any]) -> None:
    chunks = [chunks_of(file, number / 10) for number, file in enumerate(files)]
    expected = sorted(
        ((content(chunk, row), f"{number}:GOLD:{row}") for number, file in enumerate(chunks) for chunk in file
         for row in range(len(chunk))),
        key=lambda row: row[0][0],
    )  # fmt: skip
    (merged,) = begun([Told(str(number), *([chunk] for chunk in file)) for number, file in enumerate(chunks)])
    found = []
    for chunk in merged.chunks:
        chunk.check()
        assert not merged.source.goes_on
        places = [merged.source.locate(row, chunk.instrument) for row in range(len(chunk))]
        found += [(content(chunk, row), place) for row, place in enumerate(places)]
    assert found == expected
    assert merged.source.position == 5 * len(files)


def on(name: str, *rows: Row) -> Observations:
    return tape(*rows, on=name)


def test_a_chunk_of_one_file_that_no_row_of_another_falls_into_stays_as_it_is() -> None:
    early, late = tape(printed(BUY, 100, 1, at=1), printed(BUY, 100, 1, at=2)), tape(printed(BUY, 100, 2, at=3))
    (merged,) = begun([Told("early", [early]), Told("late", [late])])
    assert [id(chunk) for chunk in merged.chunks] == [id(early), id(late)]


def test_files_of_several_instruments_are_merged_instrument_by_instrument() -> None:
    one = Told("one", [on("A", printed(BUY, 1, 1, at=1)), on("B", printed(BUY, 2, 1, at=2))])
    two = Told("two", [on("A", printed(BUY, 3, 1, at=1))], [on("B", printed(BUY, 4, 1, at=2))])
    (merged,) = begun([one, two])
    stretches: list[list[tuple[str, list[int]]]] = [[]]
    for chunk in merged.chunks:
        stretches[-1].append((chunk.instrument, chunk.print_price))
        if not merged.source.goes_on:
            stretches.append([])
    assert stretches == [[("A", [1, 3])], [("B", [2])], [("B", [4])], []]


def test_files_of_different_instruments_and_empty_ones_stay_apart_in_their_order() -> None:
    files = [Told("a", [on("A", printed(BUY, 1, 1))]), Told("empty"), Told("b", [on("B", printed(BUY, 1, 1))])]
    assert [one.source for one in begun(files)] == files


def test_the_same_rows_in_two_files_are_turned_away() -> None:
    rows = tape(printed(BUY, 100, 1, at=1))
    (merged,) = begun([Told("one", [rows]), Told("two", [replace(rows)])])
    with pytest.raises(SourceError, match="two: holds what one holds; name each file once"):
        next(merged.chunks)


def test_a_file_that_tells_orders_apart_stays_apart_and_must_do_so_from_its_beginning() -> None:
    plain, orders = tape(printed(BUY, 100, 1, at=1)), replace(tape(printed(BUY, 100, 2, at=2)), print_order=[7])
    files = [Told("levels", [plain]), Told("orders", [orders])]
    assert [one.source for one in begun(files)] == files
    (merged,) = begun([Told("levels", [plain]), Told("late", [tape(printed(BUY, 1, 1, at=1))], [orders])])
    with pytest.raises(SourceError, match="late: tells orders apart, though not from its beginning"):
        list(merged.chunks)
