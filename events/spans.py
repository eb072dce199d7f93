"""What is known ahead of the rows of a chunk, so that many of them can be applied at once.

All of it follows from the chunk's own columns; it is no part of a chunk's bytes or its id.
"""

from __future__ import annotations

import msgspec

LOW, HIGH = -(1 << 63), (1 << 63) - 1
"""Stand where there is no bid, and where there is no ask."""


class Spans(msgspec.Struct, frozen=True):
    """Prepared columns of a chunk whose rows use the tables of diffs and prints in order.

    rows, levels:  how many the chunk has
    others:        the rows that are neither a diff nor a print, rising; among them marks and snapshots
    depth_before:  how many rows of the depth table come before each row, and in all; depth_rows: where those rows are
    prints_before, print_rows: likewise the prints
    bid_end, bid_price, bid_lots: the bids of all depth rows one after the other, and how many there are up to the end
                   of each depth row; 0 first. ask_end, ask_price, ask_lots likewise
    high_bid, low_ask:   of each depth row the highest bid and the lowest ask that it names, gone or not; LOW or HIGH
    set_bid, set_ask:    likewise, but only of levels that are not gone
    breaks:        the depth rows whose previous id is not that of the one before them, rising
    bought, sold:  the price of each print that bought, or LOW; of each that sold, or HIGH
    """

    rows: int
    levels: int
    others: list[int]
    marks: list[int]
    snapshots: list[int]
    depth_before: list[int]
    depth_rows: list[int]
    prints_before: list[int]
    print_rows: list[int]
    bid_end: list[int]
    bid_price: list[int]
    bid_lots: list[int]
    ask_end: list[int]
    ask_price: list[int]
    ask_lots: list[int]
    high_bid: list[int]
    low_ask: list[int]
    set_bid: list[int]
    set_ask: list[int]
    breaks: list[int]
    bought: list[int]
    sold: list[int]

    def fit(self, rows: int, levels: int) -> bool:
        """Whether the chunk still has so many rows and levels."""
        return self.rows == rows and self.levels == levels
