"""Where a replay takes its marks from when nobody says it."""

from __future__ import annotations

from collections.abc import Iterable

from events.commands import MarkSource
from replay.sources import Source
from replay.streams import beginning


def mark_source(sources: Iterable[Source]) -> MarkSource:
    """From the data where the beginning of a source has any, else the mid price."""
    has_marks = any(any(chunk.mark) for source in sources for chunk in beginning(source))
    return MarkSource.DATA if has_marks else MarkSource.MID
