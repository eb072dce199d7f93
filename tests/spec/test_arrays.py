"""The arrays beside a chunk's lists: what the lists hold, whatever became of them."""

from __future__ import annotations

import numpy as np
import pytest

from events.arrays import column_of, set_column
from events.instruments import InstrumentId
from events.observations import Observations


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
