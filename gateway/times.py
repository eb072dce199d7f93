"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

from events.units import SECOND, Nanos
from gateway.errors import UsageError


def nanos_of(text: str, option: str) -> Nanos:
    """A time as a user writes it: ns since the epoch, or ISO 8601, UTC where it does not say. Raises UsageError."""
    if text.isdecimal():
        return Nanos(int(text))
    whole, _, part = text.removesuffix("Z").partition(".")
    try:
        at = datetime.fromisoformat(whole)
        fraction = int(part.ljust(9, "0")[:9] or 0)
    except ValueError:
        raise UsageError(f"{option} {text!r}: write it as 2023-04-05T08:00:12.5 (UTC), or in ns") from None
    at = at.replace(tzinfo=at.tzinfo or UTC)
    return Nanos(int(at.timestamp()) * SECOND + fraction)
