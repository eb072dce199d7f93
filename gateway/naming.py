"""Names that were mistyped: those there are or, of many, the nearest ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

NAMED_MAX = 8
"""So many names are told."""


def there_are(names: Iterable[str], wanted: str) -> str:
    """All names where they are few, else the nearest to what was wanted, or the first ones where none is near."""
    known = sorted(names)
    if len(known) <= NAMED_MAX:
        return f"it has {', '.join(known) or 'none'}"
    if near := get_close_matches(wanted, known, n=3):
        return f"the nearest of {len(known):,}: {', '.join(near)}"
    return f"it has {', '.join(known[:NAMED_MAX])} and {len(known) - NAMED_MAX:,} more"
