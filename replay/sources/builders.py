"""From cells to rows: prints, tickers, marks and funding. Each builder serves one instrument of one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from events.instruments import Instrument
from events.observations import Kind
from events.units import SECOND
from replay.sources.cells import MEND, Cells, Ints, Mask
from replay.sources.report import Report
from replay.sources.rows import NO_ID, Rows
from replay.sources.sieve import Sieve

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
YEAR = 24 * 366
"""In hours: no interval is longer."""


class Builder(Protocol):
    """Makes rows of the cells of one instrument, block after block."""

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """The rows of a block; their times as the file has them."""
        ...

    def finish(self) -> Iterator[Rows]:
        """What waited for rows to follow, where none do: the file ends, or its time went on."""
        ...


Make = Callable[[Instrument], Builder]


class Times(NamedTuple):
    """The columns with the time of capture and the venue's own."""

    at: str
    transacted: str


def rows_of(cells: Cells, sieve: Sieve, times: Times, kind: Kind, tables: dict[str, Ints]) -> Rows:
    """A row for each row of the block that is good."""
    good = sieve.good
    at, transacted = (cells.numbers[name][good] for name in times)
    return Rows(cells.lines[good], at, transacted, kind, {name: column[good] for name, column in tables.items()})


class Taker(NamedTuple):
    """The column that tells the taker's side, and the words for either, in small letters."""

    column: str
    bought: tuple[str, ...]
    sold: tuple[str, ...]


class Prints:
    """Trades. Where a column of ids is named, a step that is not one between neighbouring lines is told as a gap, and
    the trade used; after a line that could not be read it is no news.
    """

    def __init__(
        self, instrument: Instrument, times: Times, price: str, size: str, taker: Taker | None, ids: str = ""
    ) -> None:
        self._instrument, self._times = instrument, times
        self._price, self._size, self._taker, self._ids = price, size, taker, ids
        self._last: tuple[int, int] | None = None
        self._last_price = 0

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """A print a row; trades of nothing, or of which nobody knows the taker, make none."""
        if not len(cells.lines):
            return
        sieve = Sieve(cells, self._instrument, report)
        self._follow(cells, report)
        price, size = cells.numbers[self._price], cells.numbers[self._size]
        sieve.leave_out((price == 0) | (size == 0), "trade_zero")
        bought = self._bought(cells, sieve)
        tables = {
            "print_price": sieve.prices(self._price),
            "print_lots": sieve.sizes(self._size, 1),
            "print_side": np.where(bought, 1, -1),
        }
        yield rows_of(cells, sieve, self._times, Kind.PRINT, tables)

    def _bought(self, cells: Cells, sieve: Sieve) -> Mask:
        """Whether the taker bought. Where no column tells it: at or above the price of the trade before."""
        if self._taker is None:
            price = cells.numbers[self._price]
            before = np.concatenate([[self._last_price], price[:-1]])
            self._last_price = int(price[-1])
            at_or_above: Mask = price >= before
            return at_or_above
        name, *words = self._taker
        bought, sold = (_says(cells, name, either) for either in words)
        sieve.leave_out(_says(cells, name, ("unknown",)), "trade_of_unknown_side")
        sieve.refuse(~(bought | sold), "odd_field", f"{name} says neither side of the taker; {MEND}")
        return bought

    def _follow(self, cells: Cells, report: Report) -> None:
        """Tell gaps in the ids."""
        if not self._ids:
            return
        ids, lines = cells.numbers[self._ids], cells.lines
        id_before, line_before = self._last or (ids[0] - 1, lines[0] - 1)
        self._last = int(ids[-1]), int(lines[-1])
        before = np.concatenate([[id_before], ids[:-1]])
        is_next = lines == np.concatenate([[line_before], lines[:-1]]) + 1
        for row in np.flatnonzero((ids != before + 1) & is_next):
            what = f"{self._instrument.id}: trade {ids[row]} follows trade {before[row]}; fetch the file again"
            report.defect(int(lines[row]), "gap_in_trade_ids", what)

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


class Best(NamedTuple):
    """The columns of a book ticker; `update` is its id, empty where it has none."""

    bid: str
    bid_size: str
    ask: str
    ask_size: str
    update: str = ""


class Tickers:
    """Best bids and asks."""

    def __init__(self, instrument: Instrument, times: Times, best: Best) -> None:
        self._instrument, self._times = instrument, times
        self._best = best

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """A ticker a row; a side that is not stated is 0."""
        sieve = Sieve(cells, self._instrument, report)
        yield rows_of(cells, sieve, self._times, Kind.TICKER, self.tables(cells, sieve))

    def tables(self, cells: Cells, sieve: Sieve) -> dict[str, Ints]:
        """The columns of tickers."""
        best = self._best
        ids = cells.numbers[best.update] if best.update else np.full(len(cells.lines), NO_ID)
        return {
            "ticker_id": ids,
            "ticker_bid": sieve.prices(best.bid, 0),
            "ticker_bid_lots": sieve.sizes(best.bid_size),
            "ticker_ask": sieve.prices(best.ask, 0),
            "ticker_ask_lots": sieve.sizes(best.ask_size),
        }

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


class Stated(NamedTuple):
    """The columns of a mark; those that a file does not have are empty."""

    mark: str
    index_price: str = ""
    rate: str = ""
    next_funding: str = ""


class Marks:
    """Mark and index prices, funding rates and times."""

    def __init__(self, instrument: Instrument, times: Times, stated: Stated) -> None:
        self._instrument, self._times = instrument, times
        self._stated = stated

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """A mark a row; rows that state neither mark nor index price make none. One that states an index alone has no
        mark, which a session may derive from its book.
        """
        sieve = Sieve(cells, self._instrument, report)
        index = cells.numbers.get(self._stated.index_price)
        is_silent = cells.numbers[self._stated.mark] == 0
        sieve.leave_out(is_silent if index is None else is_silent & (index == 0), "mark_not_stated")
        yield rows_of(cells, sieve, self._times, Kind.MARK, self.tables(cells, sieve))

    def tables(self, cells: Cells, sieve: Sieve) -> dict[str, Ints]:
        """The columns of marks."""
        stated, none = self._stated, np.zeros(len(cells.lines), np.int64)
        return {
            "mark": sieve.mark_units(stated.mark),
            "mark_index": sieve.mark_units(stated.index_price),
            "mark_rate": sieve.mark_units(stated.rate, -(1 << 53)),
            "mark_next_funding": cells.numbers.get(stated.next_funding, none),
        }

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


class MarksAndTickers:
    """Rows that state a mark and best prices: each makes a mark, where it states one, and a ticker."""

    def __init__(self, instrument: Instrument, times: Times, stated: Stated, best: Best) -> None:
        self._instrument, self._times = instrument, times
        self._marks = Marks(instrument, times, stated)
        self._tickers = Tickers(instrument, times, best)

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """A mark and a ticker a row."""
        sieve = Sieve(cells, self._instrument, report)
        tables = self._marks.tables(cells, sieve) | self._tickers.tables(cells, sieve)
        good = sieve.good
        pairs = np.stack([tables["mark"][good] > 0, np.ones(good.sum(), np.bool_)], axis=1).ravel()
        kind = np.tile([int(Kind.MARK), int(Kind.TICKER)], int(good.sum()))[pairs]
        at, transacted, lines = (
            np.repeat(column[good], 2)[pairs]
            for column in (*(cells.numbers[name] for name in self._times), cells.lines)
        )
        marked = good & (tables["mark"] > 0)
        cut = {name: column[marked if name.startswith("mark") else good] for name, column in tables.items()}
        yield Rows(lines, at, transacted, kind, cut)

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


class Funding:
    """Funding rates that were paid, each at its time, to the minute.

    A row makes two marks without a price: the rate, and then the rate with the following funding time. That funding of
    the time passed is due once, at that rate, follows from the rule for marks (docs/replay.md). Where the file states
    no interval, the following time is an hour later: none is shorter.
    """

    def __init__(self, instrument: Instrument, times: Times, rate: str, hours: str) -> None:
        self._instrument, self._times = instrument, times
        self._rate, self._hours = rate, hours
        self._next = 0

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """Two marks a row."""
        sieve = Sieve(cells, self._instrument, report)
        rate = sieve.mark_units(self._rate, -(1 << 53))
        hours = cells.numbers.get(self._hours, np.ones(len(cells.lines), np.int64))
        sieve.refuse((hours < 1) | (hours > YEAR), "odd_field", f"{self._hours} is no number of hours; {MEND}")
        good = sieve.good
        if not good.any():
            return
        at = cells.numbers[self._times.at][good]
        due = (at + MINUTE // 2) // MINUTE * MINUTE
        following = np.maximum.accumulate(np.maximum(due + hours[good] * HOUR, self._next))
        known = np.concatenate([[self._next or due[0]], following[:-1]])
        self._next = int(following[-1])
        at, rates, lines = (np.repeat(column, 2) for column in (at, rate[good], cells.lines[good]))
        none = np.zeros(len(at), np.int64)
        stated = np.stack([known, following], axis=1).ravel()
        tables = {"mark": none, "mark_index": none, "mark_rate": rates, "mark_next_funding": stated}
        yield Rows(lines, at, at, Kind.MARK, tables)

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


class Unplayed:
    """Rows that are no part of a market's course: they are checked and counted."""

    def __init__(self, instrument: Instrument, times: Times, reason: str) -> None:
        self._instrument, self._times = instrument, times
        self._reason = reason

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """Nothing."""
        report.skip(self._reason, len(cells.lines))
        return iter(())

    def finish(self) -> Iterator[Rows]:
        """Nothing: no row waits for another."""
        return iter(())


def _says(cells: Cells, name: str, wanted: tuple[str, ...]) -> Mask:
    """The rows of a column that hold one of these words, in whatever letters."""
    words = cells.words[name]
    found: Mask = np.isin(words.codes, [n for n, value in enumerate(words.values) if value.lower() in wanted])
    return found
