"""The spans of a chunk, made of its columns where it is encoded or decoded: the one place that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.courses import Levels, course_of
from events.observations import TABLES, Kind
from events.spans import HIGH, LOW, Spans

Column = NDArray[np.int64]
Mask = NDArray[np.bool_]


class _Side(NamedTuple):
    """The levels of one side, and the best price that each depth row names."""

    levels: Levels
    best: Column


def spans_of(columns: Mapping[str, Column]) -> Spans | None:
    """The spans of a chunk with these columns; None where its rows do not use its tables in order."""
    if not _is_whole(columns):
        return None
    kind, index = columns["kind"], columns["index"]
    is_depth = (kind == Kind.DIFF) | (kind == Kind.SNAPSHOT)
    is_print = kind == Kind.PRINT
    is_plain = is_print | (kind == Kind.DIFF)
    depth_rows, print_rows = np.flatnonzero(is_depth), np.flatnonzero(is_print)
    if not (_counts(index[depth_rows], columns["first_id"]) and _counts(index[print_rows], columns["print_price"])):
        return None
    bids, asks = _sides(columns)
    price, side = columns["print_price"], columns["print_side"]
    return Spans(
        len(kind), len(columns["level_price"]), partial(course_of, bids.levels, asks.levels), *_lists(
            np.flatnonzero(~is_plain), np.flatnonzero(kind == Kind.MARK), np.flatnonzero(kind == Kind.SNAPSHOT),
            _running(is_depth), depth_rows, _running(is_print), print_rows,
            bids.best, asks.best, _breaks(columns), np.where(side > 0, price, LOW), np.where(side > 0, HIGH, price),
        ),
    )  # fmt: skip


def _is_whole(columns: Mapping[str, Column]) -> bool:
    """Whether the tables are rectangular and each level belongs to a side of a depth row."""
    if any(len({len(columns[name]) for name in table}) > 1 for table in TABLES.values()):
        return False
    counts = np.diff(_ends(columns), prepend=np.int64(0))
    return bool((counts >= 0).all()) and int(counts.sum()) == len(columns["level_price"])


def _ends(columns: Mapping[str, Column]) -> Column:
    """Where the bids and the asks of each depth row end, in turn."""
    return np.stack([columns["bids_end"], columns["asks_end"]], axis=1).ravel()


def _counts(index: Column, table: Column) -> bool:
    """Whether these are the rows of the table, one after the other."""
    return len(index) == len(table) and bool((index == np.arange(len(table))).all())


def _running(counts: Mask | Column) -> Column:
    """How many came before each, and in all."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _lists(*columns: Column) -> list[list[int]]:
    return [column.tolist() for column in columns]


def _breaks(columns: Mapping[str, Column]) -> Column:
    """The depth rows, but the first, that do not follow the one before them. An id of 0 is not stated."""
    last, previous = columns["last_id"][:-1], columns["previous_id"][1:]
    return np.flatnonzero((last != 0) & (previous != 0) & (last != previous)) + 1


def _sides(columns: Mapping[str, Column]) -> tuple[_Side, _Side]:
    price, lots = columns["level_price"], columns["level_lots"]
    counts = np.diff(_ends(columns), prepend=np.int64(0))
    is_ask = np.repeat(np.arange(len(counts)) % 2 > 0, counts)
    bids = Levels(1, _running(counts[0::2]), price[~is_ask], lots[~is_ask])
    asks = Levels(-1, _running(counts[1::2]), price[is_ask], lots[is_ask])
    return _Side(bids, _best(bids, np.maximum, LOW)), _Side(asks, _best(asks, np.minimum, HIGH))


def _best(levels: Levels, better: np.ufunc, none: int) -> Column:
    """The best price of each depth row."""
    end, price = levels.end, levels.price
    best = np.full(len(end) - 1, none, np.int64)
    starts = end[:-1]
    has_any = end[1:] > starts
    if has_any.any():
        best[has_any] = better.reduceat(price, starts[has_any])
    return best
