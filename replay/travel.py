"""Any moment of a session: the state after a record, or as it was at a time."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime

from events.log import EventLog, StoredBatch
from events.units import SECOND, Nanos
from exchange.rebuild import Rebuilt, rebuild


class NoSuchMoment(Exception):
    """The session does not reach there; the message says how far it does."""


async def state_at(log: EventLog, record: int) -> Rebuilt:
    """The state after the batch that holds this record, ready to decide, and the head of the log there.

    Raises NoSuchMoment, LogError.
    """
    return await rebuild(log, until=await batch_of(log, record))


async def state_when(log: EventLog, at: Nanos) -> Rebuilt:
    """The state when the clock of the session stood at `at`, after all that happened up to then, and the head there.

    Raises NoSuchMoment, LogError.
    """
    return await rebuild(log, until=await batch_when(log, at))


async def batch_of(log: EventLog, record: int) -> int:
    """The number of the batch that holds the record. Raises NoSuchMoment."""
    head = await log.head()
    if not 1 <= record <= head.seq:
        raise NoSuchMoment(f"record {record}: the session has records 1 to {head.seq:,}")
    low, high = 1, head.batch
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if (await batch_at(log, middle)).last_seq >= record else (middle + 1, high)
    return low


async def batch_when(log: EventLog, at: Nanos) -> int:
    """The number of the last batch up to that time. Raises NoSuchMoment."""
    low, high = 0, (await log.head()).batch
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if (await batch_at(log, middle)).at <= at else (low, middle - 1)
    if not low:
        raise NoSuchMoment(f"{utc(at)}: nothing had happened yet; the session begins {await _begin(log)}")
    return low


async def _begin(log: EventLog) -> str:
    return f"at {utc((await batch_at(log, 1)).at)}" if (await log.head()).batch else "at no time: it is empty"


def utc(at: int) -> str:
    """A time as ISO 8601, to the nanosecond, as people and options take it."""
    whole, part = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{part:09d}".rstrip("0").rstrip(".") + "Z"


async def batch_at(log: EventLog, number: int) -> StoredBatch:
    """The batch of that number, which the log holds."""
    async with aclosing(log.read(number - 1)) as batches:
        return await anext(batches)
