"""Times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from events.log import EventLog
from events.units import SECOND, Nanos
from gateway.errors import UsageError
from replay.travel import batch_at

_OF_THE_DAY = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
"""A time without its day."""


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


def nanos_on(day: int, text: str, option: str) -> Nanos:
    """A time as a user writes it, of the day in which the moment `day` lies where no day stands in it. Raises
    UsageError.
    """
    if _OF_THE_DAY.fullmatch(text):
        text = f"{datetime.fromtimestamp(day // SECOND, UTC):%Y-%m-%d}T{text}"
    return nanos_of(text, option)


async def nanos_in(log: EventLog, text: str, option: str) -> Nanos:
    """A time as a user writes it, of the day on which the session begins where no day stands in it. Raises
    UsageError.
    """
    begins = (await batch_at(log, 1)).at if (await log.head()).batch else 0
    return nanos_on(begins, text, option)
