"""A log that lives as long as its process: for tests, forks and sessions that nobody keeps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from events.commands import ChunkId
from events.log import NO_CHUNK, ClosedLog, Head, MissingChunk, StaleHead, StoredBatch, StoredChunk, StoredSnapshot
from events.snapshot import head_of, is_whole, surplus
from events.store.follow import Growth, follow


class MemoryLog:
    """A `NotedLog` in four containers."""

    def __init__(self) -> None:
        self._batches: list[StoredBatch] = []
        self._chunks: dict[ChunkId, StoredChunk] = {}
        self._snapshots: dict[int, StoredSnapshot] = {}
        self._notes: dict[str, str] = {}
        self._growth = Growth()

    async def head(self) -> Head:
        """See `EventLog.head`."""
        self._check_open()
        return self._head()

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`."""
        self._check_open()
        self._check_head(expected_head)
        for chunk in chunks:
            self._chunks.setdefault(chunk.id, chunk)
        self._batches.extend(batches)
        self._growth.announce()
        return self._head()

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.read`."""
        head = await self.head()
        for at in range(after, head.batch):
            self._check_open()
            yield self._batches[at]

    def follow(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.follow`."""
        return follow(self.read, self._growth, after)

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """See `EventLog.chunk`."""
        self._check_open()
        try:
            return self._chunks[id]
        except KeyError:
            raise MissingChunk(f"the log does not hold chunk {id}; {NO_CHUNK}") from None

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """See `EventLog.keep`."""
        self._check_open()
        if not self._fits(snapshot):
            raise StaleHead(f"the log has no batch {snapshot.batch} of this snapshot; read it again")
        self._snapshots[snapshot.batch] = snapshot
        if gone := surplus(sorted(self._snapshots)):
            del self._snapshots[gone]

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """See `EventLog.snapshot`."""
        self._check_open()
        for batch in sorted(self._snapshots, reverse=True):
            found = self._snapshots[batch]
            if found.version == version and (until is None or batch <= until) and is_whole(found):
                return found
        return None

    async def note(self, name: str, text: str) -> None:
        """See `NotedLog.note`."""
        self._check_open()
        self._notes[name] = text

    async def notes(self) -> dict[str, str]:
        """See `NotedLog.notes`."""
        self._check_open()
        return dict(sorted(self._notes.items()))

    async def close(self) -> None:
        """See `EventLog.close`."""
        self._growth.close()

    def _head(self) -> Head:
        return self._head_at(len(self._batches))

    def _head_at(self, batch: int) -> Head:
        if not batch:
            return Head()
        last = self._batches[batch - 1]
        return Head(last.number, last.last_seq, last.digest)

    def _check_head(self, expected: Head) -> None:
        head = self._head()
        if head != expected:
            raise StaleHead(
                f"the log ends at batch {head.batch}, not at batch {expected.batch} as the writer believes; "
                "read it again"
            )

    def _fits(self, snapshot: StoredSnapshot) -> bool:
        return 0 < snapshot.batch <= len(self._batches) and self._head_at(snapshot.batch) == head_of(snapshot)

    def _check_open(self) -> None:
        if self._growth.is_closed:
            raise ClosedLog("the log is closed; open the session again")
