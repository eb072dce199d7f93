"""A session in one SQLite file.

A session at rest is a single file that any SQLite tool can query. While it is written to, a write-ahead log stands
beside it; the writer locks that, from open to close, and the lock dies with its process.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import sys
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import aiosqlite
import msgspec

from events.commands import ChunkId
from events.log import (
    NO_CHUNK,
    BusyLog,
    ClosedLog,
    DamagedLog,
    ExistingLog,
    Head,
    MissingChunk,
    MissingLog,
    StaleHead,
    StoredBatch,
    StoredChunk,
    StoredSnapshot,
    UnwritableLog,
)
from events.snapshot import is_whole, surplus
from events.store.follow import Growth, follow
from events.store.link import Link, moved, statements
from events.store.soundness import APPLICATION_ID, SCHEMA_VERSION, beside, check, is_being_written
from events.store.sqlite_errors import clear_errors

T = TypeVar("T")

PAGE_BATCHES, PAGE_RECORDS = 256, 8192
"""Batches are read so many at a time, and no further batch once a page holds so many records."""

WRITTEN = "{}: another process writes to this session; stop it, or open read-only"

ROWS_AT_ONCE = (512, 64, 8, 1)
"""Batches are inserted by statements of so many rows. Python's lock changes hands at every statement: with one a row, a
thread that is busy deciding makes a commit ten times as long.
"""

_SNAPSHOTS = """
CREATE TABLE IF NOT EXISTS snapshots(
    batch INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    version INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    data BLOB NOT NULL
)
"""

_NOTES = """
CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL) WITHOUT ROWID
"""

# A view that is the last in the schema keeps `PRAGMA quick_check` of SQLite 3.40 from looking at the free pages.
SCHEMA = f"""
PRAGMA page_size = 16384;
BEGIN;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE VIEW records(seq, batch, at, cause, kind, message) AS
    SELECT json_extract(record.value, '$[0]'), batch, at, json_extract(record.value, '$[1]'),
           json_extract(record.value, '$[2].kind'), json_extract(record.value, '$[2]')
    FROM batches, json_each(batches.body) AS record;
CREATE TABLE batches(
    batch INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE chunks(id TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL);
{_SNAPSHOTS};
COMMIT;
"""

_HEAD = "SELECT batch, last_seq, digest FROM batches ORDER BY batch DESC LIMIT 1"
_PAGE = f"""
SELECT batch, first_seq, last_seq, at, digest, CAST(body AS BLOB) FROM batches
WHERE batch > :after AND batch <= min(:after + {PAGE_BATCHES}, :head)
  AND first_seq < {PAGE_RECORDS} + (SELECT first_seq FROM batches WHERE batch > :after ORDER BY batch LIMIT 1)
ORDER BY batch
"""
_ADD_BATCH = "INSERT INTO batches VALUES "
_ROW = "(?, ?, ?, ?, ?, CAST(? AS TEXT))"
_ADD_CHUNK = "INSERT OR IGNORE INTO chunks VALUES (?, ?)"
_CHUNK = "SELECT id, data FROM chunks WHERE id = ?"
_HAS_TABLE = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
_FITS = "SELECT count(*) FROM batches WHERE batch = ? AND last_seq = ? AND digest = ?"
_KEEP = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)"
_KEPT = "SELECT batch FROM snapshots ORDER BY batch"
_DROP = "DELETE FROM snapshots WHERE batch = ?"
_CANDIDATES = """
SELECT kept.batch FROM snapshots AS kept JOIN batches USING (batch, digest)
WHERE seq = last_seq AND version = ? AND batch <= ? AND EXISTS (SELECT 1 FROM batches WHERE batch = ?)
ORDER BY batch DESC
"""
_SNAPSHOT = "SELECT batch, seq, digest, version, checksum, data FROM snapshots WHERE batch = ?"
_NOTE = "INSERT OR REPLACE INTO notes VALUES (?, ?)"
_NOTED = "SELECT name, text FROM notes ORDER BY name"


async def open_session(
    path: Path | str, *, create: bool = False, read_only: bool = False, link: Link | None = None
) -> SqliteLog:
    """Open the session in a file, or create one. Read-only leaves the file as it is and may be done beside a writer.

    A new session that is given a link has its past in another file.

    Raises MissingLog, ExistingLog, BusyLog, DamagedLog, NewerLog, UnwritableLog.
    """
    assert not (create and read_only), "a new session is there to be written"
    path = Path(path)
    if create:
        _create_file(path)
    else:
        link = await asyncio.to_thread(_check_file, path, is_to_be_written=not read_only)
    with clear_errors(path):
        uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
        db = await aiosqlite.connect(uri, uri=True, isolation_level=None)
        past = None
        try:
            past = await open_session(link.parent, read_only=True) if link else None
            if create:
                await db.executescript(SCHEMA)
                for statement, values in statements(link, path) if link else ():
                    await db.execute(statement, values)
            lock = None if read_only else await _become_writer(db, path)
        except BaseException:
            await db.close()
            if past:
                await past.close()
            if create:
                path.unlink()
            raise
    return SqliteLog(path, db, lock, Past(link, past) if link and past else None)


def _check_file(path: Path, *, is_to_be_written: bool) -> Link | None:
    if not path.is_file():
        raise MissingLog(f"{path}: there is no such session; check the name, or create it")
    if is_to_be_written and is_being_written(path):
        raise BusyLog(WRITTEN.format(path))
    return check(path, is_to_be_written=is_to_be_written)


def _create_file(path: Path) -> None:
    """Bring an empty file into being, or fail because there is one."""
    try:
        with clear_errors(path):
            path.open("xb").close()
    except UnwritableLog as error:
        if isinstance(error.__cause__, FileExistsError):
            raise ExistingLog(f"{path}: exists already; open it, or choose another name") from None
        raise


async def _become_writer(db: aiosqlite.Connection, path: Path) -> int:
    """Switch to write-ahead logging and lock that log. The descriptor returned holds the lock until it is closed.

    SQLite itself puts no lock on this file, and closing a descriptor of the session's own would drop SQLite's locks.
    """
    await db.execute("PRAGMA journal_mode = WAL")
    await db.execute("PRAGMA synchronous = FULL")
    await db.execute(_SNAPSHOTS)
    await db.execute_fetchall(_HEAD)
    lock = os.open(beside(path), os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise BusyLog(WRITTEN.format(path)) from None
    # A process that was killed between writing and syncing left batches that can be read, and are not durable yet.
    os.fsync(lock)
    return lock


class Past(NamedTuple):
    """What a fork refers to instead of holding it."""

    link: Link
    log: SqliteLog


class SqliteLog:
    """A `NotedLog` in a file; `open_session` makes one."""

    def __init__(self, path: Path, db: aiosqlite.Connection, lock: int | None, past: Past | None) -> None:
        self._path = path
        self._past = past
        self._base = past.link.head if past else Head()
        self._db = db
        self._lock = lock
        self._turn = asyncio.Lock()
        self._growth = Growth()

    async def head(self) -> Head:
        """See `EventLog.head`."""
        async with self._turn:
            return await self._stored_head()

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`. Cancelled, it stores all or nothing; `head` tells which."""
        async with self._turn:
            self._check_open()
            with clear_errors(self._path):
                try:
                    await self._db.execute("BEGIN IMMEDIATE")
                    await self._check_head(expected_head)
                    if own := [chunk for chunk in chunks if not await self._is_past(chunk.id)]:
                        await self._db.executemany(_ADD_CHUNK, own)
                    await self._insert(batches)
                    await self._db.commit()
                except BaseException:
                    await self._db.rollback()
                    raise
        self._growth.announce()
        if not batches:
            return expected_head
        return Head(batches[-1].number, batches[-1].last_seq, batches[-1].digest)

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.read`. Holds one page at a time, and no lock in between."""
        head = await self.head()
        if self._past and after < self._base.batch:
            async for stored in self._past.log.read(after):
                if stored.number > self._base.batch:
                    break
                yield stored
                after = stored.number
        while after < head.batch:
            bounds = {"after": after, "head": head.batch}
            page = await self._fetch(list[StoredBatch], _PAGE, bounds, f", after batch {after}")
            if not page:
                raise DamagedLog(f"{self._path}: batch {after + 1} is missing; restore the session from a copy")
            for stored in page:
                yield stored
            after = page[-1].number

    def follow(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """See `EventLog.follow`. What another process appends is not followed."""
        return follow(self.read, self._growth, after)

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """See `EventLog.chunk`."""
        for stored in await self._fetch(list[StoredChunk], _CHUNK, (id,), f", chunk {id}"):
            return stored
        if self._past:
            return await self._past.log.chunk(id)
        raise MissingChunk(f"{self._path}: does not hold chunk {id}; {NO_CHUNK}")

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """See `EventLog.keep`."""
        async with self._turn:
            fits = await self._fetch(list[tuple[int]], _FITS, (snapshot.batch, snapshot.seq, snapshot.digest))
            if not fits[0][0]:
                raise StaleHead(f"{self._path}: has no batch {snapshot.batch} of this snapshot; read it again")
            with clear_errors(self._path):
                await self._db.execute(_KEEP, snapshot)
            kept = [batch for (batch,) in await self._fetch(list[tuple[int]], _KEPT)]
            if gone := surplus(kept):
                with clear_errors(self._path):
                    await self._db.execute(_DROP, (gone,))

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """See `EventLog.snapshot`. A file of before there were snapshots has none, and none hides a lost beginning."""
        if not await self._has_table("snapshots"):
            return None
        bounds = version, sys.maxsize if until is None else until, self._base.batch + 1
        for batch in await self._fetch(list[tuple[int]], _CANDIDATES, bounds):
            for found in await self._fetch(list[StoredSnapshot], _SNAPSHOT, batch):
                if is_whole(found):
                    return found
        if self._past:
            return await self._past.log.snapshot(version, min(bounds[1], self._base.batch))
        return None

    async def note(self, name: str, text: str) -> None:
        """See `NotedLog.note`. A file gets the table with its first note."""
        async with self._turn:
            self._check_open()
            with clear_errors(self._path):
                await self._db.execute(_NOTES)
                await self._db.execute(_NOTE, (name, text))

    async def notes(self) -> dict[str, str]:
        """See `NotedLog.notes`. A file of before there were notes has none."""
        if not await self._has_table("notes"):
            return {}
        return dict(await self._fetch(list[tuple[str, str]], _NOTED))

    async def backup(self, path: Path) -> None:
        """Copy the session, as it stands in this moment, into a new file. Writing goes on meanwhile."""
        _create_file(path)
        async with self._turn:
            self._check_open()
            with clear_errors(path), closing(sqlite3.connect(path, check_same_thread=False)) as copy:
                await self._db.backup(copy)
                if self._past:
                    moved(copy, self._past.link, path)
                copy.execute("PRAGMA journal_mode = DELETE")

    async def close(self) -> None:
        """See `EventLog.close`. Leaves a single file, unless somebody else is reading it."""
        async with self._turn:
            if self._growth.is_closed:
                return
            self._growth.close()
            if self._lock is not None:
                with suppress(sqlite3.Error):
                    await self._db.executescript("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE")
            await self._db.close()
            if self._past:
                await self._past.log.close()
            if self._lock is not None:
                os.close(self._lock)

    async def _insert(self, batches: Sequence[StoredBatch]) -> None:
        start = 0
        for rows in ROWS_AT_ONCE:
            end = len(batches) - (len(batches) - start) % rows
            if end > start:
                sql = _ADD_BATCH + ", ".join([_ROW] * rows)
                statements = (list(chain.from_iterable(batches[at : at + rows])) for at in range(start, end, rows))
                await self._db.executemany(sql, statements)
            start = end

    async def _check_head(self, expected: Head) -> None:
        head = await self._stored_head()
        if head != expected:
            raise StaleHead(
                f"{self._path}: ends at batch {head.batch}, not at batch {expected.batch} as the writer believes; "
                "read it again"
            )

    async def _stored_head(self) -> Head:
        for head in await self._fetch(list[Head], _HEAD):
            return head
        return self._base

    async def _has_table(self, name: str) -> bool:
        return bool((await self._fetch(list[tuple[int]], _HAS_TABLE, (name,)))[0][0])

    async def _is_past(self, id: ChunkId) -> bool:
        """Whether the file that this one refers to holds the chunk."""
        if self._past is None:
            return False
        try:
            return bool(await self._past.log.chunk(id))
        except MissingChunk:
            return False

    async def _fetch(self, kind: type[T], sql: str, parameters: Iterable[Any] = (), where: str = "") -> T:
        """The rows, each with the values that its kind has."""
        self._check_open()
        with clear_errors(self._path, where):
            return msgspec.convert(await self._db.execute_fetchall(sql, parameters), kind)

    def _check_open(self) -> None:
        if self._growth.is_closed:
            raise ClosedLog(f"{self._path}: the log is closed; open the session again")
