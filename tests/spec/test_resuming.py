"""Going on in a source: with the stretch that a session had come to, whatever was read before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from events.chunks import chunk_id
from events.commands import ChunkId
from events.instruments import InstrumentId
from events.observations import Kind, Observations
from events.units import Nanos
from replay.merging import Begun
from replay.resuming import Continued
from replay.sources import Report, SourceError

A, B = InstrumentId("A"), InstrumentId("B")


def chunk(name: InstrumentId, *times: int) -> Observations:
    """A print of one lot at each time."""
    count = len(times)
    return Observations(
        name, [int(Kind.PRINT)] * count, list(times), list(times), list(range(count)),
        print_price=list(times), print_lots=[1] * count, print_side=[1] * count,
    )  # fmt: skip


class Stretches:
    """A source of such stretches."""

    name, names_symbols, position = "stretches", True, 0

    def __init__(self, stretches: Sequence[Sequence[Observations]], may_differ: bool = False) -> None:
        self.path = Path("stretches")
        self.report = Report("stretches", strict=True)
        self.goes_on = False
        self.may_differ = may_differ
        self._stretches = stretches

    def __iter__(self) -> Iterator[Observations]:
        for stretch in self._stretches:
            for n, one in enumerate(stretch, 1):
                self.goes_on = n < len(stretch)
                yield one

    def locate(self, row: int, instrument: str) -> str:
        return f"line {row} of {instrument}"


FIRST = [chunk(A, 1, 2, 3), chunk(B, 2, 3)]
SECOND = [chunk(A, 4, 5), chunk(B, 4, 6)]
THIRD = [chunk(A, 7, 8)]
FOURTH = [chunk(B, 8, 9), chunk(A, 9)]
ALL = (FIRST, SECOND, THIRD, FOURTH)


def rest(
    rows: Mapping[ChunkId, int], now: int, stretches: Sequence[Sequence[Observations]] = ALL, may_differ: bool = False
) -> list[list[Observations]]:
    """What is left, as stretches."""
    source = Stretches(stretches, may_differ)
    found: list[list[Observations]] = [[]]
    continued = Continued(Begun(source, None, iter(source)), rows, Nanos(now))
    for one in continued:
        found[-1].append(one)
        assert continued.locate(0, one.instrument)
        if not continued.goes_on:
            found.append([])
    return found[:-1]


def ended(*ends: tuple[Observations, int]) -> dict[ChunkId, int]:
    """The last rows that were played."""
    return {chunk_id(one): row for one, row in ends}


def test_it_goes_on_with_the_stretch_in_which_the_session_ended() -> None:
    assert rest(ended((FIRST[0], 0)), 1) == [*ALL]
    assert rest(ended((SECOND[0], 0), (SECOND[1], 0)), 4) == [SECOND, THIRD, FOURTH]
    assert rest(ended((FOURTH[0], 1), (FOURTH[1], 0)), 9) == [FOURTH]


def test_a_stretch_is_over_once_a_later_one_was_begun() -> None:
    assert rest(ended((SECOND[1], 1), (THIRD[0], 0)), 7) == [THIRD, FOURTH]
    assert rest(ended((FOURTH[0], 0), (THIRD[0], 1)), 8) == [FOURTH]


def test_an_instrument_of_the_stretch_may_not_have_begun() -> None:
    assert rest(ended((FIRST[1], 1), (SECOND[0], 0)), 4) == [SECOND, THIRD, FOURTH]


def test_a_source_that_begins_later_is_played_from_its_beginning() -> None:
    assert rest({}, 0) == [*ALL]
    assert rest({}, 1) == [*ALL]
    assert rest({}, 4, (SECOND, THIRD)) == [SECOND, THIRD]


def test_a_source_of_which_the_session_never_had_a_row_is_refused() -> None:
    with pytest.raises(SourceError, match="stretches: the session was made of other history; give the files that"):
        rest(ended((chunk(A, 1, 2), 1)), 5)
    assert rest(ended((chunk(A, 1, 2), 1)), 5, may_differ=True) == [THIRD, FOURTH]


def test_a_source_that_came_to_its_end_has_only_what_was_left_of_its_last_stretch() -> None:
    assert rest(ended((FIRST[0], 2), (FIRST[1], 1)), 50, (FIRST,)) == [FIRST]
