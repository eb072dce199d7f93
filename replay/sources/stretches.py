"""Rows of several instruments of one file -> stretches of the file: chunks, one an instrument, that end at one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from events.instruments import Instrument
from events.observations import Observations
from replay.sources.builders import MINUTE
from replay.sources.report import Report
from replay.sources.rows import Ints, Rows, ends_of

Stretch = list[tuple[Observations, Ints]]
"""Chunks with the lines of their rows; each is of another instrument, and no row of the next stretch is older."""

Found = Sequence[tuple[Instrument, Rows]]
"""What there is of each instrument in a block of a file, in the order of lines."""


class Clock:
    """The time of a file. A row that is older than one ahead of it, of whichever instrument, takes that one's time."""

    def __init__(self) -> None:
        self._now = 0
        self._ends: dict[str, int] = {}

    def set(self, found: Found, report: Report) -> None:
        """Set the times of the rows of a block, so that they never fall."""
        place = _places(found)
        at = np.concatenate([rows.at for _, rows in found])[np.argsort(place)]
        running = np.maximum.accumulate(np.maximum(at, self._now))
        self._now = int(running[-1])
        for instrument, rows, here in _split(found, place):
            self._complain(instrument, rows, running[here], report)
            report.time_went_back += int((rows.at < running[here]).sum())
            self._ends[instrument.id] = max(self._ends.get(instrument.id, 0), int(rows.at.max()))
            rows.at = running[here]

    def _complain(self, instrument: Instrument, rows: Rows, now: Ints, report: Report) -> None:
        """Tell of rows that are in order for themselves, and far behind those of other instruments."""
        before = np.concatenate([[self._ends.get(instrument.id, 0)], rows.at[:-1]])
        late = np.flatnonzero((now - rows.at > MINUTE) & (rows.at >= np.maximum.accumulate(before)))
        if len(late):
            behind = int(now[late[0]] - rows.at[late[0]]) // MINUTE
            what = f"{instrument.id} is {behind:,} minutes behind other symbols; sort the file by time, or pick one"
            report.defect(int(rows.lines[late[0]]), "symbol_out_of_order", what, len(late) - 1)


def stretches(found: Found) -> Iterator[Stretch]:
    """The rows of a block, cut so that no chunk is too large."""
    place = _places(found)
    ends = list(ends_of(np.concatenate([rows.weights for _, rows in found])[np.argsort(place)]))
    cut = [
        rows.chunks(instrument, np.searchsorted(here, ends).tolist()) for instrument, rows, here in _split(found, place)
    ]
    for chunks in zip(*cut, strict=True):
        yield [(chunk, lines) for chunk, lines in chunks if len(lines)]


def _places(found: Found) -> Ints:
    """Which row of the block each row is, the rows of one instrument after those of the other."""
    if len(found) == 1:
        return np.arange(len(found[0][1]))
    lines = np.concatenate([rows.lines for _, rows in found])
    places = np.empty(len(lines), np.int64)
    places[np.argsort(lines, kind="stable")] = np.arange(len(lines))
    return places


def _split(found: Found, places: Ints) -> Iterator[tuple[Instrument, Rows, Ints]]:
    """What there is of each instrument, with the places of its rows."""
    first = 0
    for instrument, rows in found:
        yield instrument, rows, places[first : first + len(rows)]
        first += len(rows)
