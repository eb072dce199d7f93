"""Which rows of a block fit their instrument, and why the others do not."""

from __future__ import annotations

import numpy as np

from events.instruments import Instrument
from replay.sources.binance_messages import MARK_MAX
from replay.sources.cells import MEND, Cells, Ints, Mask
from replay.sources.report import Report
from replay.sources.rows import Wholes

FIT = "correct it, or take a rule pack that it fits (`ringfence pack fit`)"


class Sieve:
    """Rows of one instrument on their way into columns. `good` are those that nothing was found against so far."""

    def __init__(self, cells: Cells, instrument: Instrument, report: Report) -> None:
        self._cells = cells
        self._instrument = instrument
        self._report = report
        self.good: Mask = np.ones(len(cells.lines), np.bool_)

    def prices(self, name: str, least: int = 1) -> Ints:
        """A column of prices in ticks; rows whose price is less than `least`, or no whole number, are refused."""
        return self._whole(name, Wholes(self._instrument.tick, "price", "tick"), least)

    def sizes(self, name: str, least: int = 0) -> Ints:
        """A column of sizes in lots; rows whose size is less than `least`, or no whole number, are refused."""
        return self._whole(name, Wholes(self._instrument.lot, "size", "lot"), least)

    def _whole(self, name: str, wholes: Wholes, least: int) -> Ints:
        units = self._cells.numbers[name]
        multiples = wholes.of(units)
        for row in np.flatnonzero((multiples < least) & self.good):
            fault = wholes.fault(int(units[row]))
            self._refuse(int(row), fault.reason, f"{fault.what}; {FIT}")
        return multiples

    def mark_units(self, name: str, least: int = 0) -> Ints:
        """A column of marks, indices or rates, units of 10^-8; rows where it is below `least` or huge are refused."""
        units = self._cells.numbers.get(name, np.zeros(len(self.good), np.int64))
        for row in np.flatnonzero(((units < least) | (units >= MARK_MAX)) & self.good):
            self._refuse(int(row), "odd_mark", f"{name} is not usable; {MEND}")
        return units

    def leave_out(self, rows: Mask, reason: str) -> None:
        """Leave rows out that are no defects."""
        self._report.skip(reason, int((rows & self.good).sum()))
        self.good &= ~rows

    def refuse(self, rows: Mask, reason: str, what: str) -> None:
        """Refuse rows for a reason that their numbers do not tell."""
        self._report.defects(self._cells.lines[rows & self.good].tolist(), reason, f"{self._instrument.id}: {what}")
        self.good &= ~rows

    def _refuse(self, row: int, reason: str, what: str) -> None:
        self._report.defect(int(self._cells.lines[row]), reason, f"{self._instrument.id}: {what}")
        self.good[row] = False
