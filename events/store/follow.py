"""Following a log: what is stored, and then what is appended, without asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from events.log import ClosedLog, StoredBatch


class Growth:
    """Wakes whoever follows a log: when it has grown, and when it is closed."""

    def __init__(self) -> None:
        self.is_closed = False
        self.next = asyncio.Event()

    def announce(self) -> None:
        """The log has grown."""
        happened, self.next = self.next, asyncio.Event()
        happened.set()

    def close(self) -> None:
        """The log will not grow again."""
        self.is_closed = True
        self.announce()


async def follow(
    read: Callable[[int], AsyncGenerator[StoredBatch, None]], growth: Growth, after: int
) -> AsyncGenerator[StoredBatch, None]:
    """What `read` yields now, and what it will yield after each growth; ends when the log is closed."""
    while not growth.is_closed:
        grown = growth.next
        try:
            async with aclosing(read(after)) as batches:
                async for stored in batches:
                    yield stored
                    after = stored.number
        except ClosedLog:
            return
        await grown.wait()
