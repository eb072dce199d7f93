"""What is known ahead of the rows of a chunk, so that many of them can be applied at once.

All of it follows from the chunk's own columns; it is no part of a chunk's bytes or its id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

LOW, HIGH = -(1 << 63), (1 << 63) - 1
"""Stand where there is no bid, and where there is no ask."""


class SideCourse(Protocol):
    """What one side of history's book comes to along some depth rows.

    best:  the best price before the first of them and after each one, None where there is none
    ends:  how many levels they state up to the end of each one, 0 first; levels are counted from the first row on
    """

    best: list[int | None]
    ends: list[int]

    def statements(self, price: int) -> tuple[list[int], list[int]]:
        """Which of the levels state this price, rising, and with how many lots."""

    def last(self, first: int, end: int) -> tuple[list[int], list[int]]:
        """The prices that the levels from `first` until `end` state, each once, and the lots stated last."""


class Course(NamedTuple):
    """What history's book comes to along the depth rows from `first` until `until`, and after which of them its prices
    cross, rising.
    """

    first: int
    until: int
    bids: SideCourse
    asks: SideCourse
    crossed: list[int]


Standing = Mapping[int, int]
"""Price -> lots, of one side."""


class Spans(msgspec.Struct, frozen=True):
    """Prepared columns of a chunk whose rows use the tables of diffs and prints in order.

    rows, levels:  how many the chunk has
    along:         the course of a book, given by its bids and asks, over the depth rows from one until another
    others:        the rows that are neither a diff nor a print, rising; among them marks and snapshots
    depth_before:  how many rows of the depth table come before each row, and in all; depth_rows: where those rows are
    prints_before, print_rows: likewise the prints
    high_bid, low_ask:   of each depth row the highest bid and the lowest ask that it names, gone or not; LOW or HIGH
    breaks:        the depth rows whose previous id is not that of the one before them, rising
    bought, sold:  the price of each print that bought, or LOW; of each that sold, or HIGH
    """

    rows: int
    levels: int
    along: Callable[[int, int, Standing, Standing], Course]
    others: list[int]
    marks: list[int]
    snapshots: list[int]
    depth_before: list[int]
    depth_rows: list[int]
    prints_before: list[int]
    print_rows: list[int]
    high_bid: list[int]
    low_ask: list[int]
    breaks: list[int]
    bought: list[int]
    sold: list[int]
