"""A store on a made-up disk: frames one after the other, each sealed by a digest over itself and all before it.

A frame that was written in part, or lies where another one was overwritten, does not seal: there the log ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from events.commands import ChunkId
from events.log import EventLog, Head, StoredBatch, StoredChunk, StoredSnapshot, UnwritableLog
from events.store.memory import MemoryLog
from tests.sim.whole.disk import Disk

SEAL = 16
HEADER = SEAL + 4
NOTHING = bytes(SEAL)


class Frame(NamedTuple):
    """What was written at once; where it ends, and its seal."""

    end: int
    seal: bytes
    payload: bytes


def framed(before: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """The seal of a frame after that of another one, and the frame."""
    size = len(payload).to_bytes(4, "big")
    seal = blake2b(before + size + payload, digest_size=SEAL).digest()
    return seal, seal + size + payload


def frames(data: bytes | bytearray, at: int = 0, seal: bytes = NOTHING) -> Iterator[Frame]:
    """The frames that hold, from a byte on, after a seal."""
    while at + HEADER <= len(data):
        end = at + HEADER + int.from_bytes(data[at + SEAL : at + HEADER], "big")
        payload = bytes(data[at + HEADER : end])
        expected, _ = framed(seal, payload)
        if end > len(data) or data[at : at + SEAL] != expected:
            return
        yield Frame(end, expected, payload)
        at, seal = end, expected


class Written(msgspec.Struct, array_like=True):
    """What a frame of the log holds."""

    batches: list[StoredBatch] = []
    chunks: list[StoredChunk] = []
    snapshots: list[StoredSnapshot] = []


def decoded(payload: bytes) -> Written:
    """What stands in the frame of a log."""
    return msgspec.msgpack.decode(payload, type=Written)


class Journal:
    """A file of frames on a disk: what is written is synced, and what failed is overwritten."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._end = 0
        self._seal = NOTHING

    async def open(self) -> list[bytes]:
        """What was written. It is synced first: a process that was killed may have left it in the cache alone."""
        await self.disk.sync()
        found = list(frames(await self.disk.read()))
        if found:
            self._end, self._seal = found[-1].end, found[-1].seal
        return [frame.payload for frame in found]

    async def write(self, what: Any) -> None:
        """Write and sync. Raises OSError; then nobody knows what of it is there, until it is overwritten."""
        seal, frame = framed(self._seal, msgspec.msgpack.encode(what))
        await self.disk.write(self._end, frame)
        await self.sync()
        self._end, self._seal = self._end + len(frame), seal

    async def sync(self) -> None:
        """Make sure of what was written."""
        await self.disk.sync()


class DiskLog(MemoryLog):
    """An `EventLog` whose memory is that of a disk; `open_log` makes one."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._turn = asyncio.Lock()

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`."""
        async with self._turn:
            self._check_open()
            self._check_head(expected_head)
            new = [chunk for chunk in chunks if chunk.id not in self._chunks]
            await self._write(Written(list(batches), new))
            head = await super().append(batches, expected_head, chunks)
        self._after()
        return head

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """See `EventLog.keep`."""
        async with self._turn:
            self._check_open()
            if self._fits(snapshot):
                await self._write(Written(snapshots=[snapshot]))
            await super().keep(snapshot)

    async def head(self) -> Head:
        """See `EventLog.head`."""
        await self._journal.disk.idle()
        return await super().head()

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.read`. The disk may refuse."""
        head = await self.head()
        for at in range(after, head.batch):
            if (at - after) % 16 == 0:
                self._check_open()
                await self._read()
            self._check_open()
            yield self._batches[at]

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """See `EventLog.chunk`."""
        await self._journal.disk.idle()
        return await super().chunk(id)

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """See `EventLog.snapshot`."""
        await self._journal.disk.idle()
        return await super().snapshot(version, until)

    async def restore(self, payloads: Sequence[bytes]) -> DiskLog:
        """Take up what the disk holds."""
        for payload in payloads:
            held = decoded(payload)
            await super().append(held.batches, self._head(), held.chunks)
            for snapshot in held.snapshots:
                await super().keep(snapshot)
        return self

    async def _write(self, what: Written) -> None:
        try:
            await self._journal.write(what)
        except OSError as error:
            raise UnwritableLog(f"the disk refused ({error.strerror})") from error

    async def _read(self) -> None:
        try:
            await self._journal.disk.seek()
        except OSError as error:
            raise UnwritableLog(f"the disk could not be read ({error.strerror})") from error

    def _after(self) -> None:
        try:
            self._journal.disk.maybe_raise_after()
        except OSError as error:
            raise UnwritableLog("the disk failed after it was done") from error


async def open_log(disk: Disk) -> EventLog:
    """The log on a disk. Raises OSError."""
    journal = Journal(disk)
    return await DiskLog(journal).restore(await journal.open())
