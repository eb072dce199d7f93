"""Rows of one instrument as arrays -> chunks of observations of a bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from events.arrays import set_column
from events.instruments import Instrument
from events.observations import ORDER_TABLES, TABLES, Kind, Observations
from events.units import decimal_text
from replay.sources import columns
from replay.sources.columns import EXACT_MAX, Fault

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NO_ID = -1
"""The update id of a ticker whose file states none: that of no diff, so that the two are never compared."""

_KINDS = {
    "depth": (Kind.DIFF, Kind.SNAPSHOT), "prints": (Kind.PRINT,), "tickers": (Kind.TICKER,), "marks": (Kind.MARK,),
    "makers": (Kind.PRINT,), "events": (Kind.ORDERS,),
}  # fmt: skip
_COLUMNS = TABLES | ORDER_TABLES


class Rows:
    """Rows of one instrument. kind is one for all, or one a row; `tables` has the columns of `Observations` by name,
    without the ends of levels and events: `lengths` has how many bids and asks in turn each depth row has, `messages`
    how many messages each row of orders has.
    """

    def __init__(
        self,
        lines: Ints,
        at: Ints,
        transacted: Ints,
        kind: Kind | Ints,
        tables: dict[str, Ints],
        lengths: Ints | None = None,
        messages: Ints | None = None,
    ) -> None:
        self.lines, self.at, self.transacted = lines, at, transacted
        self.kind = np.full(len(lines), int(kind)) if isinstance(kind, Kind) else kind
        self.tables = tables
        self.lengths = np.zeros(0, np.int64) if lengths is None else lengths
        self.messages = np.zeros(0, np.int64) if messages is None else messages

    def __len__(self) -> int:
        """How many rows."""
        return len(self.lines)

    @property
    def weights(self) -> Ints:
        """How many levels and messages each row has."""
        starts = self._starts()
        return np.diff(self._levels(starts) + self._orders(starts))

    def _starts(self) -> dict[str, Ints]:
        """How many rows of each table came before each row, and in all."""
        return {table: _running(columns.among(self.kind, kinds)) for table, kinds in _KINDS.items()}

    def _levels(self, starts: dict[str, Ints]) -> Ints:
        return _running(self.lengths)[::2][starts["depth"]] if len(self.lengths) else np.zeros(len(self) + 1, np.int64)

    def _orders(self, starts: dict[str, Ints]) -> Ints:
        none = np.zeros(len(self) + 1, np.int64)
        return _running(self.messages)[starts["events"]] if len(self.messages) else none

    def chunks(self, instrument: Instrument, ends: Iterable[int]) -> Iterator[tuple[Observations, Ints]]:
        """The rows in chunks that end at these rows, each with the lines of its rows; it may be empty."""
        starts = self._starts()
        levels, orders, first = self._levels(starts), self._orders(starts), 0
        for end in ends:
            yield self._chunk(instrument, first, end, starts, levels, orders), self.lines[first:end]
            first = end

    def _chunk(
        self, instrument: Instrument, first: int, end: int, starts: dict[str, Ints], levels: Ints, orders: Ints
    ) -> Observations:
        chunk = Observations(instrument.id)
        for table in _KINDS:
            self._cut(chunk, table, slice(starts[table][first], starts[table][end]))
        depth = slice(2 * starts["depth"][first], 2 * starts["depth"][end])
        here = slice(levels[first], levels[end])
        if len(self.lengths):
            lots, price = self.tables["level_lots"][here], self.tables["level_price"][here]
            columns.set_levels(chunk, self.lengths[depth], price, lots)
        if len(self.messages):
            self._cut(chunk, "orders", slice(orders[first], orders[end]))
            events = slice(starts["events"][first], starts["events"][end])
            chunk.orders_end = np.cumsum(self.messages[events]).tolist()
        columns.set_rows(chunk, self.kind[first:end], self.at[first:end], self.transacted[first:end])
        return chunk

    def _cut(self, chunk: Observations, table: str, here: slice) -> None:
        for name in _COLUMNS[table]:
            if name in self.tables:
                set_column(chunk, name, self.tables[name][here])


def ends_of(weights: Ints) -> Iterator[int]:
    """Where chunks of rows of these weights end, so that none is too large."""
    first, rows, before = 0, len(weights), _running(weights)
    while first < rows:
        full = int(np.searchsorted(before, before[first] + columns.LEVELS_MAX, side="right")) - 1
        first = min(first + columns.ROWS_MAX, max(first + 1, full), rows)
        yield first


def _running(counts: NDArray[np.int64] | Mask) -> Ints:
    """How many came before each, and in all."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


class Wholes:
    """Units of 10^-8 -> whole multiples of an instrument's unit, exactly."""

    def __init__(self, unit: int, word: str, name: str) -> None:
        self._unit = unit
        self._word = word
        self._name = name

    def of(self, units: Ints) -> Ints:
        """The multiples; REFUSED where a number is negative, too large, or not a whole multiple."""
        multiples, rest = np.divmod(units, self._unit)
        fits = (rest == 0) & (units >= 0) & (multiples <= EXACT_MAX)
        return np.where(fits, multiples, columns.REFUSED)

    def fault(self, units: int) -> Fault:
        """Why a number was refused."""
        number = f"{self._word} {decimal_text(units)}"
        if units == np.iinfo(np.int64).min or units > EXACT_MAX * self._unit:
            return Fault(f"large_{self._word}", f"{self._word} is too large")
        if units < 0:
            return Fault(f"negative_{self._word}", f"{number} is negative")
        if units == 0:
            return Fault(f"zero_{self._word}", f"{self._word} is 0")
        unit = decimal_text(self._unit)
        return Fault(f"off_{self._name}", f"{number} is not a whole number of {self._name}s of {unit}")
