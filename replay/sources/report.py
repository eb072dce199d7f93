"""What a source says about the file that it read: what it left out, why, and where."""

from __future__ import annotations

from collections import Counter

REASONS_MAX = 64
"""Further reasons are counted as "other": names of streams come from the file, and a report must not grow with it."""

PROBLEMS_MAX = 20
"""Lines told of each reason; the rest is counted only."""

OPEN_MAX = 4_096
"""So many defects are not kept for sorting."""


class SourceError(Exception):
    """A file that cannot be read as asked; the message is one line that says where, what and what to do."""


class Report:
    """The account of one reading.

    `lines` were read. `skipped` counts what was left out, by reason. `problems` tells the first defects of each reason,
    as `file:line: what; what to do`; what a venue's own rules leave out is counted but is no defect.
    `time_went_back` counts rows that were older than the row before and took its time.
    """

    def __init__(self, file: str, strict: bool) -> None:
        self.file = file
        self.strict = strict
        self.lines = 0
        self.skipped: Counter[str] = Counter()
        self.problems: list[str] = []
        self.time_went_back = 0
        self._open: list[tuple[int, str, str]] = []

    def skip(self, reason: str) -> None:
        """Count a row that is rightly left out."""
        known = reason in self.skipped or len(self.skipped) < REASONS_MAX
        self.skipped[reason if known else "other"] += 1

    def defect(self, line: int, reason: str, what: str) -> None:
        """Note a row that cannot be used. It is told by `settle`, so that a block's defects come in order of lines."""
        self._open.append((line, reason, what))
        if len(self._open) >= OPEN_MAX:
            self.settle()

    def settle(self) -> None:
        """Tell the defects noted since the last call. Raises SourceError of the first one if the reading is strict."""
        for line, reason, what in sorted(self._open):
            problem = f"{self.file}:{line}: {what}"
            if self.strict:
                raise SourceError(problem)
            self.skip(reason)
            if self.skipped[reason] <= PROBLEMS_MAX:
                self.problems.append(problem)
        self._open.clear()
