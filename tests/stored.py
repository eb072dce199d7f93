"""Batches as a store keeps them, made up: stores do not look into bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from events.digest import chain
from events.log import Head, StoredBatch
from events.units import Nanos

EMPTY = Head()


def head_of(batch: StoredBatch) -> Head:
    return Head(batch.number, batch.last_seq, batch.digest)


def stored(previous: Head, records: int = 1, text: str = "") -> StoredBatch:
    """The batch after `previous`: a command, and `records` - 1 facts."""
    number, first = previous.batch + 1, previous.seq + 1
    command = f'[{first},0,{{"kind":"advance_time.1","at":{number * 10}}}]'
    facts = (
        f',[{seq},{first},{{"kind":"time_advanced.1","text":"{text}"}}]' for seq in range(first + 1, first + records)
    )
    body = f"[{command}{''.join(facts)}]".encode()
    return StoredBatch(number, first, first + records - 1, Nanos(number * 10), chain(previous.digest, body), body)


def history(batches: int, after: Head = EMPTY, records: int = 1, text: str = "") -> list[StoredBatch]:
    """So many batches that follow one another."""
    found: list[StoredBatch] = []
    for _ in range(batches):
        found.append(stored(after, records, text))
        after = head_of(found[-1])
    return found


async def collected(batches: AsyncIterator[StoredBatch]) -> Sequence[StoredBatch]:
    return [batch async for batch in batches]
