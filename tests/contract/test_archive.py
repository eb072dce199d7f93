"""Archives and repairs of made-up sessions: what no real writer leaves behind."""

from __future__ import annotations

import asyncio
import lzma
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from events.commands import AdvanceMarket, ChunkId
from events.log import BusyLog, DamagedLog, Head, LogError, MissingLog, NewerLog, StoredBatch
from events.record import Batch, Record
from events.store import archive
from events.store.entries import BATCHES_AT_ONCE, Entry, chunk_needed, fill
from events.store.memory import MemoryLog
from events.store.salvage import Salvage
from events.store.sqlite import open_session
from events.units import Nanos
from tests.loop import in_loop
from tests.stored import collected, head_of, history


def packed(path: Path, *frames: tuple[object, ...]) -> Path:
    """An archive of these frames."""
    encoded = [msgspec.msgpack.encode(frame) for frame in frames]
    body = b"".join(len(frame).to_bytes(4, "little") + frame for frame in encoded)
    path.write_bytes(archive.FORMAT + lzma.compress(body))
    return path


def frames(batches: list[StoredBatch]) -> list[tuple[object, ...]]:
    return [("batch", *batch) for batch in batches]


def end(batches: list[StoredBatch]) -> tuple[object, ...]:
    return ("end", *(head_of(batches[-1]) if batches else Head()))


@in_loop
async def test_a_long_log_fills_another_in_a_few_transactions() -> None:
    batches, log = history(2 * BATCHES_AT_ONCE + 1), MemoryLog()
    assert await fill(log, ((batch, None) for batch in batches)) == head_of(batches[-1])
    assert await collected(log.read()) == batches


@in_loop
async def test_an_empty_log_is_archived_too(tmp_path: Path) -> None:
    path = tmp_path / "empty.rfa"
    assert await archive.write(MemoryLog(), path, lambda _: None) == Head()
    assert list(archive.read(path)) == []


@in_loop
async def test_notes_come_first_and_change_what_the_file_says_it_is(tmp_path: Path) -> None:
    log, path, notes = MemoryLog(), tmp_path / "noted.rfa", dict[str, str]()
    await log.append(history(2), Head())
    await log.note("who", "ann")
    await archive.write(log, path, lambda _: None)
    assert path.read_bytes().startswith(archive.NOTED_FORMAT)
    assert [stored for stored, _ in archive.read(path, notes)] == history(2)
    assert notes == {"who": "ann"}
    assert [stored for stored, _ in archive.read(path)] == history(2), "who does not ask for notes gets none"


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([*frames(history(2)), end(history(3))], "ends at batch 2, not 3 as it says; fetch it again"),
        ([*frames(history(2)), end(history(2)), ("more",)], r"damaged after batch 2 \(something comes after the end\)"),
        ([*frames(history(2))], r"damaged after batch 2 \(the end is missing\)"),
        ([*frames(history(2)[1:])], "batch 2: it comes after batch 0"),
        ([("batch", 1)], r"damaged after batch 0 \("),
        ([()], r"damaged after batch 0 \("),
        ([("note", "alone")], r"damaged after batch 0 \("),
    ],
)
def test_an_archive_that_contradicts_itself_is_refused(
    tmp_path: Path, frames: list[tuple[object, ...]], complaint: str
) -> None:
    with pytest.raises(DamagedLog, match=complaint):
        list(archive.read(packed(tmp_path / "bad.rfa", *frames)))


def test_a_frame_of_an_absurd_length_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bad.rfa"
    path.write_bytes(archive.FORMAT + lzma.compress((archive.FRAME_MAX + 1).to_bytes(4, "little") + bytes(9)))
    with pytest.raises(DamagedLog, match=f"a frame of {archive.FRAME_MAX + 1} bytes"):
        list(archive.read(path))


def test_an_archive_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingLog, match=r"no.rfa: there is no such archive; check the name"):
        list(archive.read(tmp_path / "no.rfa"))


def test_a_refused_advance_needs_no_chunk() -> None:
    asked = AdvanceMarket(Nanos(1), "GOLD", ChunkId("c1"), 0, 1)  # type: ignore[arg-type]
    assert chunk_needed(Batch(1, Nanos(1), [Record(1, 0, asked)]), set()) is None


# Repair


@pytest.fixture
def session(tmp_path: Path) -> Path:
    async def write(path: Path) -> Path:
        log = await open_session(path, create=True)
        await log.append(history(3), Head())
        await log.close()
        return path

    return asyncio.run(write(tmp_path / "session.db"))


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)


def read(path: Path) -> Iterator[Entry]:
    return iter(Salvage(path))


def test_what_cannot_be_repaired_says_why(session: Path) -> None:
    causes: dict[str, tuple[type[LogError], str]] = {
        "PRAGMA user_version = 99": (NewerLog, "has schema 99, this program knows 2; use a newer Ringfence"),
    }
    for statement, (kind, why) in causes.items():
        sql(session, statement)
        with pytest.raises(kind, match=why):
            list(read(session))
    with pytest.raises(MissingLog, match=r"no.db: there is no such session; check the name"):
        list(read(session.with_name("no.db")))


def test_notes_that_can_be_read_are_saved(session: Path) -> None:
    salvage = Salvage(session)
    assert list(salvage)
    assert salvage.notes == {}
    sql(session, "CREATE TABLE notes(name TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL) WITHOUT ROWID")
    sql(session, "INSERT INTO notes VALUES ('who', 'ann')")
    assert list(salvage)
    assert salvage.notes == {"who": "ann"}


def test_another_database_has_nothing_good(session: Path) -> None:
    sql(session, "PRAGMA application_id = 7")
    salvage = Salvage(session)
    assert list(salvage) == []
    assert salvage.finding.defect == "not a session of Ringfence, or its first bytes are damaged"


@in_loop
async def test_a_writer_is_not_disturbed_and_one_that_is_gone_does_not_disturb(session: Path) -> None:
    log = await open_session(session)
    with pytest.raises(BusyLog, match="another process writes to this session; stop it first"):
        list(read(session))
    await log.close()
    session.with_name("session.db-wal").touch()
    assert [stored for stored, _ in read(session)] == history(3)
