"""Whether a session file is fit to be used, before anything is read of it or written to it.

Any use refuses a file that is not a session, that is cut short, or whose batches are not all there from the first on.
Whoever writes has the structure of the file checked as well, and the digests of the newest batches: what is appended
to a damaged file would be lost with the rest when that is cut back.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from events.log import BeyondRepair, DamagedLog, Head, NewerLog, NoSession, StoredBatch, check_chain
from events.store.archive import is_archive
from events.store.link import LINKED_VERSION, Link, check_parent, link_of, missing_parent
from events.store.sqlite_errors import clear_errors
from events.store.wal import defect_of

APPLICATION_ID = 0x52464E43
"""Marks a SQLite file as a session: "RFNC"."""

SCHEMA_VERSION = 1
"""The schema of a session that holds all of its past, kept as user_version; a file of a newer one is left alone."""

TAIL_BATCHES = 10_000
"""So many batches at the end are checked before more are written, where the newest snapshot spares reading them."""

NEWER = "the log of newer pages beside it is damaged"
"""What is said of a write-ahead log that lost something."""

_EXTENT = "SELECT count(*), coalesce(min(batch), :past + 1), coalesce(max(batch), :past) FROM batches"
_GAP = """
SELECT batch + 1 FROM batches AS before
WHERE NOT EXISTS (SELECT 1 FROM batches WHERE batch = before.batch + 1) ORDER BY batch LIMIT 1
"""
_BEFORE = "SELECT batch, last_seq, digest FROM batches WHERE batch = ?"
_AFTER = "SELECT batch, first_seq, last_seq, at, digest, CAST(body AS BLOB) FROM batches WHERE batch > ? ORDER BY batch"


def check(path: Path, *, is_to_be_written: bool) -> Link | None:
    """Refuse a file that cannot be used; what it refers to for its past. Raises DamagedLog, BeyondRepair, NoSession,
    NewerLog, and MissingLog for a parent that is not there.
    """
    refuse_archive(path)
    with clear_errors(path), closing(reading(path)) as db:
        _check_identity(db, path)
        _check_size(db, path)
        if not is_being_written(path) and (defect := defect_of(beside(path))) and not is_being_written(path):
            raise DamagedLog(f"{path}: {NEWER} ({defect}); restore both from a copy")
        link = link_of(db, path)
        past = link.head if link else Head()
        _check_extent(db, path, past)
        if is_to_be_written:
            if defect := structural_defect(db):
                raise DamagedLog(f"{path}: {defect}; restore it from a copy")
            _check_tail(db, path, past)
    if link:
        _check_link(link, path)
    return link


def refuse_archive(path: Path) -> None:
    """Refuse the packed form of a session, which is no SQLite file. Raises NoSession."""
    with clear_errors(path):
        if is_archive(path):
            raise NoSession(f"{path}: a packed session; make a session of it first: ringfence log unpack {path} FILE")


def _check_link(link: Link, path: Path) -> None:
    """Refuse a parent that cannot be used, or is not what it was."""
    if not link.parent.is_file():
        raise missing_parent(link, path)
    check(link.parent, is_to_be_written=False)
    with clear_errors(link.parent), closing(reading(link.parent)) as parent:
        check_parent(parent, link, path)


def reading(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, and leaves what stands beside the file."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def beside(path: Path) -> Path:
    """The write-ahead log."""
    resolved = path.resolve()
    return resolved.with_name(f"{resolved.name}-wal")


def is_being_written(path: Path) -> bool:
    """Whether a process has the session open for writing."""
    if not beside(path).exists():
        return False
    lock = os.open(beside(path), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def structural_defect(db: sqlite3.Connection) -> str:
    """What SQLite finds wrong with its pages, the free ones included; empty where nothing is."""
    ((found,),) = db.execute("PRAGMA quick_check(1)")
    return "" if found == "ok" else f"its pages contradict each other ({' '.join(found.split())})"


def _check_identity(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a session, or one of a schema that is not known here."""
    ((application,),) = db.execute("PRAGMA application_id")
    ((version,),) = db.execute("PRAGMA user_version")
    if application != APPLICATION_ID or version < 1:
        raise NoSession(f"{path}: a SQLite file, but not a session of Ringfence; choose another file")
    if version > LINKED_VERSION:
        raise NewerLog(f"{path}: has schema {version}, this program knows {LINKED_VERSION}; use a newer Ringfence")


def _check_size(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that ends within a page, which SQLite reads as zeros. What a log beside it holds may be longer."""
    ((pages,),) = db.execute("PRAGMA page_count")
    ((page_size,),) = db.execute("PRAGMA page_size")
    size, whole, newer = path.stat().st_size, pages * page_size, beside(path)
    if size < whole and not (newer.exists() and newer.stat().st_size):
        raise DamagedLog(f"{path}: cut short, {size} of {whole} bytes are left; restore it from a copy")


def _check_extent(db: sqlite3.Connection, path: Path, past: Head) -> None:
    """Refuse a session without its beginning, or with batches missing: no snapshot may hide that."""
    ((count, first, last),) = db.execute(_EXTENT, {"past": past.batch})
    if first != past.batch + 1:
        raise BeyondRepair(f"{path}: begins with batch {first}, all before it is missing; restore it from a copy")
    if count != last - past.batch:
        ((missing,),) = db.execute(_GAP)
        raise DamagedLog(f"{path}: batch {missing} is missing; restore the session from a copy")


def _check_tail(db: sqlite3.Connection, path: Path, past: Head) -> None:
    """Check the newest batches against their digests."""
    ((_, _, last),) = db.execute(_EXTENT, {"past": past.batch})
    after = max(past.batch, last - TAIL_BATCHES)
    (head,) = msgspec.convert(db.execute(_BEFORE, (after,)).fetchall(), list[Head]) or [past]
    try:
        for row in db.execute(_AFTER, (after,)):
            head = check_chain(head, msgspec.convert(row, StoredBatch))
    except DamagedLog as error:
        raise type(error)(f"{path}: {error}") from error
