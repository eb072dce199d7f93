"""The arrays beside a chunk's lists: what the lists hold, whatever became of them."""

from __future__ import annotations

import numpy as np
import pytest

from events.arrays import column_of, set_column
from events.instruments import InstrumentId
from events.observations import UNLISTED, Observations


def test_a_column_is_the_array_that_it_was_made_of_until_its_list_changes() -> None:
    chunk = Observations(InstrumentId("GOLD"))
    set_column(chunk, "at", np.arange(6)[::2])
    assert (chunk.at, column_of(chunk, "at").tolist()) == ([0, 2, 4], [0, 2, 4])
    assert column_of(chunk, "at") is column_of(chunk, "at")
    chunk.at.append(7)
    assert column_of(chunk, "at").tolist() == [0, 2, 4, 7]
    chunk.at = [5]
    assert column_of(chunk, "at").tolist() == [5]


def test_a_number_beyond_64_bits_is_no_column() -> None:
    with pytest.raises(OverflowError):
        column_of(Observations(InstrumentId("GOLD"), at=[1 << 63]), "at")


def test_levels_are_made_into_a_list_by_their_first_reader() -> None:
    chunk = Observations(InstrumentId("GOLD"))
    set_column(chunk, "level_price", np.arange(2))
    set_column(chunk, "level_price", np.arange(3))
    assert column_of(chunk, "level_price").tolist() == [0, 1, 2]
    assert "level_price" in chunk.__dict__[UNLISTED]
    assert chunk.level_price == [0, 1, 2]
    assert not chunk.__dict__[UNLISTED]
    chunk.level_price.append(7)
    assert column_of(chunk, "level_price").tolist() == [0, 1, 2, 7]


def test_chunks_are_alike_whether_somebody_read_their_levels_or_not() -> None:
    one, other = Observations(InstrumentId("GOLD"), level_price=[5, 6]), Observations(InstrumentId("GOLD"))
    set_column(other, "level_price", np.array([5, 6]))
    assert (one == other, one == Observations(InstrumentId("GOLD")), one == "GOLD") == (True, False, False)


def test_a_chunk_has_no_columns_but_its_own() -> None:
    with pytest.raises(AttributeError, match="Observations has no level_size"):
        _ = Observations(InstrumentId("GOLD")).level_size  # type: ignore[attr-defined]
