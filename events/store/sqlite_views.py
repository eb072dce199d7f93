"""Views in a SQLite file of their own, beside that of the session: folding never waits for a commit of the log, nor a
commit for it, and the file may be deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import msgspec

from events.log import ClosedLog, Head
from events.store.sqlite_errors import clear_errors
from events.views import KeptView, check_place

APPLICATION_ID = 0x52465657
"""Marks a SQLite file as views: "RFVW"."""

SCHEMA = f"""
PRAGMA journal_mode = WAL;
BEGIN;
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE IF NOT EXISTS views(
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS rows(
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY(name, key)
) WITHOUT ROWID;
COMMIT;
"""

_VIEW = "SELECT version, batch, seq, digest FROM views WHERE name = ?"
_ROWS = "SELECT key, CAST(row AS BLOB) FROM rows WHERE name = ? ORDER BY key"
_PLACE = "INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?, ?)"
_PUT = "INSERT OR REPLACE INTO rows VALUES (?, ?, CAST(? AS TEXT))"
_DROP = "DELETE FROM rows WHERE name = ? AND key = ?"
_DROP_ALL = "DELETE FROM rows WHERE name = ?"


async def open_views(path: Path | str) -> SqliteViews:
    """Open the views in a file, which is created if there is none. Raises LogError."""
    path = Path(path)
    with clear_errors(path):
        db = await aiosqlite.connect(path, isolation_level=None)
        try:
            await db.executescript(SCHEMA)
        except BaseException:
            await db.close()
            raise
    return SqliteViews(path, db)


class SqliteViews:
    """`Views` in a file; `open_views` makes one. A view and its rows are written in one transaction."""

    def __init__(self, path: Path, db: aiosqlite.Connection) -> None:
        self._path = path
        self._db = db
        self._turn = asyncio.Lock()
        self._is_closed = False

    async def load(self, name: str) -> KeptView | None:
        """See `Views.load`."""
        async with self._transaction():
            view = await self._view(name)
            if view is None:
                return None
            rows = msgspec.convert(await self._db.execute_fetchall(_ROWS, (name,)), list[tuple[str, bytes]])
            return KeptView(*view, dict(rows))

    async def save(self, name: str, expected: Head, place: Head, changes: Mapping[str, bytes | None]) -> None:
        """See `Views.save`."""
        async with self._transaction():
            view = await self._view(name)
            check_place(name, view and view[1], expected)
            assert view, "a view that stands somewhere is there"
            put = [(name, key, row) for key, row in changes.items() if row is not None]
            gone = [(name, key) for key, row in changes.items() if row is None]
            await self._db.executemany(_PUT, put)
            await self._db.executemany(_DROP, gone)
            await self._db.execute(_PLACE, (name, view[0], *place))

    async def replace(self, name: str, view: KeptView) -> None:
        """See `Views.replace`."""
        async with self._transaction():
            await self._db.execute(_DROP_ALL, (name,))
            await self._db.executemany(_PUT, [(name, key, row) for key, row in view.rows.items()])
            await self._db.execute(_PLACE, (name, view.version, *view.place))

    async def close(self) -> None:
        """See `Views.close`."""
        async with self._turn:
            if not self._is_closed:
                self._is_closed = True
                await self._db.close()

    async def _view(self, name: str) -> tuple[int, Head] | None:
        for version, *place in await self._db.execute_fetchall(_VIEW, (name,)):
            return version, Head(*place)
        return None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """All that is done within is done, or nothing of it."""
        async with self._turn:
            if self._is_closed:
                raise ClosedLog(f"{self._path}: the views are closed; open them again")
            with clear_errors(self._path):
                try:
                    await self._db.execute("BEGIN IMMEDIATE")
                    yield
                    await self._db.commit()
                except BaseException:
                    await self._db.rollback()
                    raise
