"""What is still good of a damaged session, and a new session of just that.

Good is every batch from the first on whose digest follows from those before, whose records can be read, and whose
observations are there whole, up to the first that is not.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from events.chunks import decode_chunk
from events.commands import ChunkId
from events.log import BusyLog, DamagedLog, Head, MissingLog, NewerLog, StoredBatch, StoredChunk
from events.store.entries import Entry, checked, chunk_needed, head_after
from events.store.link import LINKED_VERSION, link_of
from events.store.soundness import (
    APPLICATION_ID,
    NEWER,
    beside,
    is_being_written,
    reading,
    refuse_archive,
    structural_defect,
)
from events.store.wal import defect_of
from events.units import Nanos

_BATCH = "SELECT batch, first_seq, last_seq, at, digest, CAST(body AS BLOB) FROM batches WHERE batch = ?"
_CHUNK = "SELECT id, data FROM chunks WHERE id = ?"
_BEYOND = "SELECT count(*) FROM batches WHERE batch > ?"
_NOTES = "SELECT name, text FROM notes ORDER BY name"


_MAGIC = b"SQLite format 3\0"

_PAGE_SIZE, _PAGE_COUNT = slice(16, 18), slice(28, 32)
"""Where the header of a SQLite file states them, as whole numbers, the highest byte first; a size of 1 is 65,536."""


LONGEST = 1 << 40
"""No session is longer, whatever its damaged header says, bytes."""


class Finding(msgspec.Struct):
    """How far a session is good: its head and time there, what is wrong after it (empty: nothing), and how many batches
    the file holds beyond, None where it cannot say.
    """

    good: Head = Head()
    at: Nanos = Nanos(0)
    defect: str = ""
    beyond: int | None = 0


class Salvage:
    """Reads a session file from its beginning for as long as it is good; `finding` then says how far that was, and
    `notes` are those that can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[ChunkId] = set()
        self.finding = Finding()
        self.notes: dict[str, str] = {}

    def __iter__(self) -> Iterator[Entry]:
        """Raise MissingLog, BusyLog, NoSession for an archive, and NewerLog where a newer version wrote the file."""
        if not self._path.is_file():
            raise MissingLog(f"{self._path}: there is no such session; check the name")
        if is_being_written(self._path):
            raise BusyLog(f"{self._path}: another process writes to this session; stop it first")
        refuse_archive(self._path)
        self._seen.clear()
        self.finding = finding = Finding()
        with _readable(self._path) as path, closing(reading(path)) as db:
            try:
                self._check_identity(db)
                while entry := self._next(db):
                    yield entry
                finding.defect = structural_defect(db)
            except (sqlite3.Error, DamagedLog, msgspec.ValidationError) as error:
                finding.defect = " ".join(str(error).split())
            finding.beyond = self._beyond(db)
            with suppress(sqlite3.Error):
                self.notes = dict(db.execute(_NOTES))
        if lacking := _lacking(self._path.resolve()):
            finding.defect, finding.beyond = f"the file is cut short, {lacking} bytes are gone", None
        elif finding.beyond and not finding.defect:
            finding.defect = f"batch {finding.good.batch + 1} is missing"
        elif not finding.defect and (lost := defect_of(beside(self._path))):
            finding.defect, finding.beyond = f"{NEWER} ({lost})", None

    def _check_identity(self, db: sqlite3.Connection) -> None:
        ((application,),) = db.execute("PRAGMA application_id")
        ((version,),) = db.execute("PRAGMA user_version")
        if application != APPLICATION_ID:
            raise DamagedLog("not a session of Ringfence, or its first bytes are damaged")
        if version > LINKED_VERSION:
            raise NewerLog(
                f"{self._path}: has schema {version}, this program knows {LINKED_VERSION}; use a newer Ringfence"
            )
        if link := link_of(db, self._path):
            raise NewerLog(f"{self._path}: a fork of {link.parent} that holds no past of its own; make it again")

    def _next(self, db: sqlite3.Connection) -> Entry | None:
        good = self.finding.good
        for stored in msgspec.convert(db.execute(_BATCH, (good.batch + 1,)).fetchall(), list[StoredBatch]):
            needed = chunk_needed(checked(good, stored), self._seen)
            chunk = self._chunk(db, needed) if needed else None
            self.finding.good, self.finding.at = head_after(stored), stored.at
            return stored, chunk
        return None

    def _chunk(self, db: sqlite3.Connection, id: ChunkId) -> StoredChunk:
        for chunk in msgspec.convert(db.execute(_CHUNK, (id,)).fetchall(), list[StoredChunk]):
            decode_chunk(chunk)
            return chunk
        raise DamagedLog(f"chunk {id} is missing")

    def _beyond(self, db: sqlite3.Connection) -> int | None:
        try:
            ((count,),) = db.execute(_BEYOND, (self.finding.good.batch,))
        except sqlite3.Error:
            return None
        return int(count)


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """The file or, where it was cut short, a copy that is as long as it says: SQLite reads no page of one that is not.

    The pages that are gone are zeros there, which is no page: what stands in the others can be read.
    """
    resolved = path.resolve()
    lacking = _lacking(resolved)
    if not lacking:
        yield resolved
        return
    with tempfile.TemporaryDirectory(prefix="ringfence-") as folder:
        copy = Path(folder) / "session.db"
        shutil.copyfile(resolved, copy)
        with copy.open("ab") as file:
            file.truncate(file.tell() + lacking)
        yield copy


def _lacking(path: Path) -> int:
    """How many bytes shorter the file is than its header says; none where a log of newer pages stands beside it."""
    newer = beside(path)
    if newer.exists() and newer.stat().st_size:
        return 0
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(_MAGIC):
        return 0
    size = int.from_bytes(header[_PAGE_SIZE], "big")
    whole = int.from_bytes(header[_PAGE_COUNT], "big") * (65_536 if size == 1 else size)
    return max(0, min(whole, LONGEST) - path.stat().st_size)
