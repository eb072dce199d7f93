"""How far apart snapshots of a replay are taken: so that going on from one to any moment before the next is quick."""

from __future__ import annotations

ROWS_APART = 100_000
"""Snapshots are so many rows of history apart, or as much else as takes as long to apply: well below a second."""

RECORD_AS_ROWS = 5
"""Applying a record takes about as long as applying so many rows."""

BYTES_A_ROW = 2
"""Of a large state they are further apart: by a row for so many bytes of it, so that taking them stays cheap."""


class Spacing:
    """Counts the work since the last snapshot, in rows."""

    def __init__(self, apart: int = ROWS_APART) -> None:
        self._apart = apart
        self._next = apart

    def is_over(self, work: int) -> bool:
        """Whether so much work in all asks for another snapshot."""
        return work >= self._next

    def begin(self, work: int, size: int) -> None:
        """One was taken after so much work in all, of so many bytes."""
        self._next = work + max(self._apart, size // BYTES_A_ROW)
