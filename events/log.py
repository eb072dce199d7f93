"""The event log: what every store offers, and the errors that a store may raise.

LogError
├── StaleHead          the writer's head is not the store's
├── DamagedLog         bytes that contradict themselves
│   └── BeyondRepair   of which nothing can be kept by cutting it back, or in which nothing is broken
│       └── NoSession  a file that is no session, or whose first bytes do not say so any more
├── NewerLog           a schema newer than this code
├── MissingLog         no session there
├── ExistingLog        something is there already
├── BusyLog            another process writes to it
├── UnwritableLog      no room, or no right, to write
├── ClosedLog          closed by its owner
└── MissingChunk       a chunk of observations that the store does not hold
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

import msgspec

from events.commands import ChunkId
from events.digest import GENESIS, chain
from events.record import Batch
from events.units import Nanos

NO_CHUNK = "the records are whole, the market data that they refer to is not there: restore the session from a copy"
"""What is said of a chunk that a log does not hold."""


class LogError(Exception):
    """The log cannot do what was asked; the message is one line that says what, where and what to do."""


class StaleHead(LogError):
    """Somebody else appended first."""


class DamagedLog(LogError):
    """The stored bytes contradict themselves."""


class BeyondRepair(DamagedLog):
    """Cutting the log back does not help: its beginning is not good, or its chain is whole and what it says is not."""


class NoSession(BeyondRepair):
    """The file does not say that it is a session."""


class NewerLog(LogError):
    """The log was written by a newer version."""


class MissingLog(LogError):
    """There is no session to open."""


class ExistingLog(LogError):
    """A session cannot be created over something that exists."""


class BusyLog(LogError):
    """Another process writes to the session; a session has one writer."""


class UnwritableLog(LogError):
    """The disk refused to take what was to be stored, and nothing of it was."""


class ClosedLog(LogError):
    """The log was closed by its owner."""


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


class StoredSnapshot(NamedTuple):
    """A state as it was after a batch: compressed bytes that only code of the same state version reads.

    batch, seq and digest are the log's head there; checksum is sha256 over data.
    """

    batch: int
    seq: int
    digest: bytes
    version: int
    checksum: bytes
    data: bytes


class EventLog(Protocol):
    """An append-only log of batches, of the chunks of observations that they refer to, and of snapshots of the state,
    which spare reading it from the beginning and may be lost.
    """

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

    def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """The durable batches whose number is greater than `after`, in order, up to the head at the time of the
        call.
        """
        ...

    def follow(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """As `read`, and then whatever is appended through this object, for ever. Ends when the log is closed.

        There may be any number of followers, each at its own pace: one that is slow holds a page and is behind, and
        holds up neither the writer nor others.
        """
        ...

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """The chunk of that name. Raises MissingChunk."""
        ...

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot beside those kept already; of too many, one that is close to others goes.

        Raises StaleHead where the log does not have its head.
        """
        ...

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """The newest snapshot of that state version that fits the log, of batch `until` at most; None without one.

        A damaged one is passed over.
        """
        ...

    async def close(self) -> None:
        """Release what the log holds; nothing that was appended is lost."""
        ...


class _Given(msgspec.Struct, gc=False):
    at: int = -1


_RECORDS = msgspec.json.Decoder(list[tuple[int, int, _Given]])


def check_chain(previous: Head, stored: StoredBatch, batch: Batch | None = None) -> Head:
    """The head after this batch; `batch`, where it is decoded already, spares reading the body again.

    Raises DamagedLog where the batch does not follow `previous`, or its columns belie its body.
    """
    number, first, last, at, digest, body = stored
    if (
        batch is None
        or number != previous[0] + 1
        or first != previous[1] + 1
        or digest != sha256(previous[2] + body).digest()
        or last - first + 1 != len(records := batch.records)
        or first != records[0].seq
        or last != records[-1].seq
        or at != batch.at
    ) and (defect := _broken_link(previous, stored) or _false_column(stored, batch)):
        kind = DamagedLog if previous.batch else BeyondRepair
        raise kind(f"batch {stored.number}: {defect}; restore the session from a copy")
    return Head(number, last, digest)


def time_goes_back(record: int) -> BeyondRepair:
    """A record is older than the one before it, which no damage does to a chain that is whole."""
    return BeyondRepair(
        f"record {record}: its time lies before the record before it, and every digest holds: it was written so, there "
        "is nothing to repair; use a copy from elsewhere"
    )


def _broken_link(previous: Head, stored: StoredBatch) -> str | None:
    if stored.number != previous.batch + 1:
        return f"it comes after batch {previous.batch}"
    if stored.digest != chain(previous.digest, stored.body):
        return "the digest is not that of its body and of what came before"
    if stored.first_seq != previous.seq + 1:
        return f"it begins with record {stored.first_seq}, after record {previous.seq}"
    return None


def _false_column(stored: StoredBatch, batch: Batch | None) -> str | None:
    if batch:
        at: int = batch.at
        first, last, records = batch.first_seq, batch.last_seq, len(batch.records)
    else:
        try:
            lines = _RECORDS.decode(stored.body)
            at, first, last, records = lines[0][2].at, lines[0][0], lines[-1][0], len(lines)
        except (ValueError, IndexError, RecursionError):
            return "the body is not a list of records"
    if first != stored.first_seq or last != stored.last_seq or records != last - first + 1:
        return f"the columns say records {stored.first_seq} to {stored.last_seq}, the body says {first} to {last}"
    if at != stored.at:
        return f"the column says at {stored.at}, the command {at}"
    return None
