"""From cells to rows: books, as changes of levels or whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from events.instruments import Instrument
from events.observations import Kind
from replay.sources.builders import Times
from replay.sources.cells import MEND, Cells, Ints, Mask
from replay.sources.report import Report
from replay.sources.rows import Rows
from replay.sources.sieve import Sieve

_COLUMNS = ("lines", "at", "transacted", "is_whole", "is_ask", "price", "lots")


class Levels:
    """Changes of levels, a row each; those that came as one message make one diff, or one snapshot.

    Rows of one message stand together and have the same times. Where rows of a snapshot follow rows that are none, the
    book begins anew; further messages of the same snapshot add to it. What stands before the first snapshot is left
    out. Source: docs.tardis.dev, "Data Types", incremental_book_L2.
    """

    def __init__(self, instrument: Instrument, times: Times, is_snapshot: str, price: str, size: str) -> None:
        self._instrument = instrument
        self._times = times
        self._is_snapshot, self._price, self._size = is_snapshot, price, size
        self._held: list[Ints] = [np.zeros(0, np.int64) for _ in _COLUMNS]
        self._was_whole = self._began = False

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """The messages that are complete; the last one of the block may go on in the next, unless the cells end."""
        levels = [np.concatenate(pair) for pair in zip(self._held, self._good(cells, report), strict=True)]
        starts = _starts(levels)
        if len(starts) and not cells.ends:
            complete, starts = int(starts[-1]), starts[:-1]
        else:
            complete = len(levels[0])
        self._held = [column[complete:] for column in levels]
        if complete:
            yield self._rows([column[:complete] for column in levels], starts)

    def finish(self) -> Iterator[Rows]:
        """The last message."""
        held, self._held = self._held, [column[:0] for column in self._held]
        if len(held[0]):
            yield self._rows(held, _starts(held))

    def _good(self, cells: Cells, report: Report) -> list[Ints]:
        sieve = Sieve(cells, self._instrument, report)
        is_whole, is_ask = cells.words[self._is_snapshot].rows("true"), cells.words["side"].rows("ask")
        known = is_ask | cells.words["side"].rows("bid")
        sieve.refuse(~known, "odd_field", f"side is neither bid nor ask; {MEND}")
        stated = is_whole | cells.words[self._is_snapshot].rows("false")
        sieve.refuse(~stated, "odd_field", f"{self._is_snapshot} is neither true nor false; {MEND}")
        price, lots = sieve.prices(self._price), sieve.sizes(self._size)
        sieve.leave_out(self._before(is_whole & sieve.good), "before_snapshot")
        at, transacted = (cells.numbers[name] for name in self._times)
        columns = (cells.lines, at, transacted, is_whole, is_ask, price, lots)
        return [column[sieve.good].astype(np.int64, copy=False) for column in columns]

    def _before(self, is_whole: Mask) -> Mask:
        """The rows ahead of the first of a snapshot."""
        if self._began:
            return np.zeros(len(is_whole), np.bool_)
        self._began = bool(is_whole.any())
        return np.arange(len(is_whole)) < (int(is_whole.argmax()) if self._began else len(is_whole))

    def _rows(self, levels: list[Ints], starts: Ints) -> Rows:
        lines, at, transacted, is_whole, is_ask, price, lots = levels
        whole = is_whole[starts] > 0
        anew = whole & ~np.concatenate([[self._was_whole], whole[:-1]])
        self._was_whole = bool(whole[-1])
        group = np.zeros(len(lines), np.int64)
        group[starts[1:]] = 1
        key = 2 * np.cumsum(group) + is_ask
        if (np.diff(key) < 0).any():
            order = np.argsort(key, kind="stable")
            price, lots = price[order], lots[order]
        none = np.zeros(len(starts), np.int64)
        tables = {"first_id": none, "last_id": none, "previous_id": none, "level_price": price, "level_lots": lots}
        kind = np.where(anew, int(Kind.SNAPSHOT), int(Kind.DIFF))
        lengths = np.bincount(key, minlength=2 * len(starts))
        return Rows(lines[starts], at[starts], transacted[starts], kind, tables, lengths)


def _starts(levels: Sequence[Ints]) -> Ints:
    """Where messages begin: where a time, or what the rows are, changes."""
    if not len(levels[0]):
        return np.zeros(0, np.int64)
    _, at, transacted, is_whole, *_ = levels
    differs = (np.diff(at) != 0) | (np.diff(transacted) != 0) | (np.diff(is_whole) != 0)
    return np.concatenate([[0], np.flatnonzero(differs) + 1])


class Books:
    """Whole books of a fixed number of levels, a row each. A level without a price is none."""

    def __init__(self, instrument: Instrument, times: Times, bids: Sequence[str], asks: Sequence[str]) -> None:
        self._instrument = instrument
        self._times = times
        self._sides = (bids, asks)

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """A snapshot a row."""
        sieve = Sieve(cells, self._instrument, report)
        there = [cells.numbers[f"{name}.price"] != 0 for side in self._sides for name in side]
        prices = [sieve.prices(f"{name}.price", 0) for side in self._sides for name in side]
        sizes = [sieve.sizes(f"{name}.amount") for side in self._sides for name in side]
        good = sieve.good
        stated, price, lots = (np.stack(columns, axis=1)[good] for columns in (there, prices, sizes))
        depth = len(self._sides[0])
        lengths = np.stack([stated[:, :depth].sum(axis=1), stated[:, depth:].sum(axis=1)], axis=1).ravel()
        none = np.zeros(len(stated), np.int64)
        tables = {"first_id": none, "last_id": none, "previous_id": none}
        tables |= {"level_price": price[stated], "level_lots": lots[stated]}
        at, transacted = (cells.numbers[name][good] for name in self._times)
        yield Rows(cells.lines[good], at, transacted, Kind.SNAPSHOT, tables, lengths.astype(np.int64))

    def finish(self) -> Iterator[Rows]:
        """Nothing."""
        return iter(())
