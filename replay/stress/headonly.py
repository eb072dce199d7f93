"""A log that remembers only where it ends."""

# ruff: noqa: ARG002 - the protocol names what this log has no use for

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from events.commands import ChunkId
from events.log import Head, MissingChunk, StoredBatch, StoredChunk, StoredSnapshot


class HeadOnly:
    """An `EventLog` that keeps nothing but its head: for sessions whose digest is all that is wanted of them."""

    def __init__(self) -> None:
        self._head = Head()

    async def head(self) -> Head:
        """See `EventLog.head`."""
        return self._head

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`."""
        assert expected_head == self._head, "one writer"
        if batches:
            last = batches[-1]
            self._head = Head(last.number, last.last_seq, last.digest)
        return self._head

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.read`: there is nothing."""
        nothing: tuple[StoredBatch, ...] = ()
        for batch in nothing:
            yield batch

    def follow(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.follow`: there is nothing."""
        return self.read(after)

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """See `EventLog.chunk`."""
        raise MissingChunk(f"the log keeps no chunk {id}")

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """See `EventLog.keep`: it is not kept."""

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """See `EventLog.snapshot`: there is none."""
        return None

    async def close(self) -> None:
        """See `EventLog.close`."""
