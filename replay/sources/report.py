"""What a source says about the file that it read: what it left out, why, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

REASONS_MAX = 64
"""Further reasons are counted as "other": names of streams come from the file, and a report must not grow with it."""

PROBLEMS_MAX = 20
"""Lines told of each reason; the rest is counted only."""

UNKNOWN_MAX = 4_096
"""So many symbols that are unknown are remembered."""

OPEN_MAX = 4_096
"""So many defects are not kept for sorting."""


class SourceError(Exception):
    """A file that cannot be read as asked; the message is one line that says where, what and what to do."""


class Report:
    """The account of one reading.

    `lines` were read. `skipped` counts what was left out, by reason. `problems` tells the first defects of each reason,
    as `file:line: what; what to do`, and `defective` has the reasons; what a venue's own rules leave out is counted but
    is no defect.
    `time_went_back` counts rows that were older than the row before and took its time; `rounded` counts marks, indices
    and rates that the file has finer than 10^-8. `span` is from when to when its rows are, ns, whether they are used or
    not; `unknown` counts the rows of symbols that the rule pack does not have.
    """

    def __init__(self, file: str, strict: bool) -> None:
        self.file = file
        self.strict = strict
        self.lines = 0
        self.skipped: Counter[str] = Counter()
        self.problems: list[str] = []
        self.defective: dict[str, None] = {}
        self.time_went_back = 0
        self.rounded = 0
        self.span = (0, 0)
        self.unknown: Counter[str] = Counter()
        self._open: list[tuple[int, str, str, int]] = []

    def skip(self, reason: str, rows: int = 1) -> None:
        """Count rows that are rightly left out."""
        known = reason in self.skipped or len(self.skipped) < REASONS_MAX
        if rows:
            self.skipped[reason if known else "other"] += rows

    def saw(self, first: int, last: int) -> None:
        """Note that there are rows from and to these times."""
        before, after = self.span
        self.span = (min(before or first, first), max(after, last))

    def stranger(self, symbol: str, rows: int) -> None:
        """Note rows of a symbol that the rule pack does not have."""
        if symbol in self.unknown or len(self.unknown) < UNKNOWN_MAX:
            self.unknown[symbol] += rows

    def defect(self, line: int, reason: str, what: str, more: int = 0) -> None:
        """Note a row that cannot be used, and how many more there are like it that are counted only. It is told by
        `settle`, so that a block's defects come in order of lines.
        """
        self._open.append((line, reason, what, more))
        if len(self._open) >= OPEN_MAX:
            self.settle()

    def defects(self, lines: Sequence[int], reason: str, what: str) -> None:
        """Note rows that cannot be used, all for one reason."""
        told = lines[:PROBLEMS_MAX]
        for n, line in enumerate(told, 1):
            self.defect(int(line), reason, what, len(lines) - n if n == PROBLEMS_MAX else 0)

    def settle(self) -> None:
        """Tell the defects noted since the last call. Raises SourceError of the first one if the reading is strict."""
        for line, reason, what, more in sorted(self._open):
            problem = f"{self.file}:{line}: {what}"
            if self.strict:
                raise SourceError(problem)
            self.skip(reason)
            self.defective[reason] = None
            if self.skipped[reason] <= PROBLEMS_MAX:
                self.problems.append(problem)
            self.skip(reason, more)
        self._open.clear()
