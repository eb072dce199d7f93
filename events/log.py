"""The event log: what every store offers, and the errors that a store may raise.

LogError
├── StaleHead          the writer's head is not the store's
├── DamagedLog         bytes that contradict themselves, or a file that is no session
├── NewerLog           a schema newer than this code
└── MissingChunk       a chunk of observations that the store does not hold
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from events.commands import ChunkId
from events.digest import GENESIS
from events.units import Nanos


class LogError(Exception):
    """The log cannot do what was asked; the message is one line that says what, where and what to do."""


class StaleHead(LogError):
    """Somebody else appended first."""


class DamagedLog(LogError):
    """The stored bytes contradict themselves."""


class NewerLog(LogError):
    """The log was written by a newer version."""


class MissingChunk(LogError):
    """The log refers to observations that are not in it."""


class Head(NamedTuple):
    """Where a log ends: number of its last batch and record, and the digest over all of it."""

    batch: int = 0
    seq: int = 0
    digest: bytes = GENESIS


class StoredBatch(NamedTuple):
    """A batch as it is kept. body is the JSON array of its records, digest = sha256(digest before, body)."""

    number: int
    first_seq: int
    last_seq: int
    at: Nanos
    digest: bytes
    body: bytes


class StoredChunk(NamedTuple):
    """A chunk of observations as it is kept: compressed columns, named by the hash of the uncompressed canonical
    ones.
    """

    id: ChunkId
    data: bytes


class EventLog(Protocol):
    """An append-only log of batches, and of the chunks of observations that they refer to."""

    async def head(self) -> Head:
        """Where the log ends: durable."""
        ...

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """Store batches and chunks, durably and all or none. Raises StaleHead where the log does not end at
        expected_head.

        A chunk that is already stored is left as it is.
        """
        ...

    def read(self, after: int = 0) -> AsyncIterator[StoredBatch]:
        """The durable batches whose number is greater than `after`, in order, up to the head at the time of the
        call.
        """
        ...

    def follow(self, after: int = 0) -> AsyncIterator[StoredBatch]:
        """As `read`, and then whatever is appended through this object, for ever. Ends when the log is closed."""
        ...

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """The chunk of that name. Raises MissingChunk."""
        ...

    async def close(self) -> None:
        """Release what the log holds; nothing that was appended is lost."""
        ...
