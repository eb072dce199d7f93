"""Rows of Databento's MBO schema -> records in ticks and lots, those that can be used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from events.instruments import Instrument
from events.units import UNIT
from replay.sources.cells import MEND, Cells, Ints, Mask
from replay.sources.columns import REFUSED, Fault
from replay.sources.report import Report
from replay.sources.rows import Wholes
from replay.sources.sieve import FIT, Sieve

MBO = 160
"""The type of the records of this schema."""

LAST, TOP, SNAPSHOT, AGGREGATED, GAP = 0x80, 0x40, 0x20, 0x10, 0x04
"""Flags: the last record of an event, top of a book without orders, part of a snapshot, a level and no order, and
that records are missing which nobody has.
"""

BUY, SELL, NEITHER = 1, -1, 0

_UNDEFINED = (1 << 63) - 1
"""A price that is none."""

_SIZE_MAX = (1 << 32) - 1
_SIDES = {"B": BUY, "A": SELL, "N": NEITHER}
_NO_SIDE = 2
_ACTIONS = ("A", "C", "M", "R", "T", "F", "N")


class Record(NamedTuple):
    """A record. side is that of an order, or of the taker in a trade (T); price is in ticks, 0 for none."""

    line: int
    at: int
    transacted: int
    action: str
    side: int
    price: int
    lots: int
    order: int
    flags: int


def records(cells: Cells, instrument: Instrument, report: Report, only: int) -> Iterator[Record]:
    """The records of a block that can be used, in their order, those of one instrument id if not 0; the report is told
    of the others.
    """
    sieve, numbers = _Sieve(cells, instrument, report), cells.numbers
    if only:
        strange = f"is of an instrument beside {only}, and no column says its symbol; ask for one with symbols"
        sieve.refuse(numbers["instrument_id"] != only, "other_instrument", strange)
    price, lots = sieve.in_ticks(numbers["price"]), sieve.in_lots(numbers["size"])
    at, stated = numbers["ts_recv"], numbers["ts_event"]
    transacted = np.where(stated > 0, stated, at)
    order, flags = numbers["order_id"], numbers["flags"]
    columns = (cells.lines, at, transacted, sieve.actions, sieve.sides, price, lots, order, flags)
    return map(Record._make, zip(*(column[sieve.good].tolist() for column in columns), strict=True))


class _Sieve(Sieve):
    """Records on their way: `actions` are letters, `sides` numbers."""

    def __init__(self, cells: Cells, instrument: Instrument, report: Report) -> None:
        super().__init__(cells, instrument, report)
        action, side = cells.words["action"], cells.words["side"]
        self.actions = np.array(action.values, object)[action.codes]
        self.sides = np.array([_SIDES.get(value, _NO_SIDE) for value in side.values], np.int64)[side.codes]
        flags = cells.numbers["flags"]
        self._of_order: Mask = np.isin(self.actions, ("A", "C", "M"))
        self._of_trade: Mask = np.isin(self.actions, ("T", "F"))
        self._is_top: Mask = (flags & TOP) > 0
        self._refuse_odd(cells, flags)

    def _refuse_odd(self, cells: Cells, flags: Ints) -> None:
        self.refuse(cells.numbers["rtype"] != MBO, "other_schema", f"its rtype is not {MBO}, that of mbo; remove it")
        self.leave_out(self.actions == "N", "no_action")
        self.refuse(~np.isin(self.actions, _ACTIONS), "odd_field", f"action is none of {' '.join(_ACTIONS)}; {MEND}")
        self.refuse(self.sides == _NO_SIDE, "odd_field", f"side is none of {' '.join(_SIDES)}; {MEND}")
        self.refuse(self._of_order & (self.sides == NEITHER), "odd_field", f"side of an order is N; {MEND}")
        self.refuse((flags & AGGREGATED) > 0, "aggregated_level", "is a level, not an order; remove it")

    def in_ticks(self, nanos: Ints) -> Ints:
        """Prices in ticks, 0 where there is none and there need be none."""
        none = (nanos == _UNDEFINED) | ((nanos == 0) & (self._is_top | self._of_trade))
        self.leave_out(none & self._of_trade, "trade_zero")
        self.refuse(none & self._of_order & ~self._is_top, "undefined_price", f"an order without a price; {MEND}")
        units, rest = np.divmod(nanos, 10)
        wholes = Wholes(self._instrument.tick, "price", "tick")
        ticks = np.where(rest == 0, wholes.of(units), REFUSED)
        for row in np.flatnonzero(~none & (self._of_trade | self._of_order) & (ticks < 1) & self.good):
            fault = wholes.fault(int(units[row]))
            if rest[row]:
                fault = Fault("off_tick", f"price {Decimal(int(nanos[row])).scaleb(-9)} is finer than 10^-8")
            self._refuse(int(row), fault.reason, f"{fault.what}; {FIT}")
        return np.where(none, 0, ticks)

    def in_lots(self, sizes: Ints) -> Ints:
        """Sizes in lots. A trade of nothing is none; an order of nothing is refused, but for a top of book."""
        self.leave_out(self._of_trade & (sizes == 0), "trade_zero")
        units = np.clip(sizes, 0, _SIZE_MAX) * UNIT
        wholes = Wholes(self._instrument.lot, "size", "lot")
        lots = wholes.of(units)
        wanted = self._of_trade | (self._of_order & ~self._is_top)
        for row in np.flatnonzero(wanted & (lots < 1) & self.good):
            fault = wholes.fault(int(units[row]))
            self._refuse(int(row), fault.reason, f"{fault.what}; {FIT}")
        return np.maximum(lots, 0)
