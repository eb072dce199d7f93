"""Which files are refused before anything is written to them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from events.log import BeyondRepair, DamagedLog, Head, UnwritableLog
from events.snapshot import seal
from events.store import soundness
from events.store.salvage import Salvage
from events.store.sqlite import open_session
from events.store.sqlite_errors import clear_errors
from tests.loop import in_loop
from tests.stored import history

BATCHES = 40


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session with a snapshot at its end and with free pages."""
    path = tmp_path / "session.db"
    asyncio.run(_written(path))
    return path


async def _written(path: Path) -> None:
    log = await open_session(path, create=True)
    head = await log.append(history(BATCHES, text="x" * 500, records=3), Head())
    await log.keep(seal(head, 1, bytes(range(256)) * 400))
    await log.close()
    sql(path, "CREATE TABLE gone(data)", "INSERT INTO gone VALUES (zeroblob(99000))", "DROP TABLE gone")


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def free_page(path: Path) -> None:
    """Let the list of free pages begin with a page that is in use."""
    with path.open("r+b") as file:
        file.seek(32)
        file.write((2).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (free_page, r"its pages contradict each other \(.*\); restore it from a copy$"),
        (
            lambda path: sql(path, f"UPDATE batches SET body = replace(body, 'x', 'y') WHERE batch = {BATCHES}"),
            f"batch {BATCHES}: the digest is not that of its body",
        ),
        (
            lambda path: sql(path, f"UPDATE batches SET last_seq = last_seq + 1 WHERE batch = {BATCHES}"),
            f"batch {BATCHES}: the columns say records",
        ),
        (
            lambda path: sql(path, f"UPDATE batches SET at = 'noon' WHERE batch = {BATCHES}"),
            r"holds what it cannot \(.*\); restore it from a copy$",
        ),
    ],
)
@in_loop
async def test_nobody_writes_to_a_session_whose_end_is_not_good_and_reading_it_finds_out(
    session: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    damage(session)
    with pytest.raises(DamagedLog, match=complaint):
        await open_session(session)
    await (await open_session(session, read_only=True)).close()
    salvage = Salvage(session)
    assert [stored.number for stored, _ in salvage] in (list(range(1, BATCHES)), list(range(1, BATCHES + 1)))
    assert salvage.finding.defect


@in_loop
async def test_a_session_without_its_beginning_is_refused_whatever_snapshot_it_has(session: Path) -> None:
    sql(session, "DELETE FROM batches WHERE batch < 7")
    for read_only in (True, False):
        with pytest.raises(BeyondRepair, match=f"^{session}: begins with batch 7, all before it is missing; restore"):
            await open_session(session, read_only=read_only)


@in_loop
async def test_only_the_newest_batches_are_read_before_more_are_written(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(session, "UPDATE batches SET body = replace(body, 'x', 'y') WHERE batch = 30")
    monkeypatch.setattr(soundness, "TAIL_BATCHES", 10)
    await (await open_session(session)).close()
    monkeypatch.setattr(soundness, "TAIL_BATCHES", 11)
    with pytest.raises(DamagedLog, match="batch 30: the digest is not that of its body"):
        await open_session(session)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_IOERR_SHMSIZE, "the disk is full; make room and try again"),
        (sqlite3.SQLITE_IOERR_READ, "the disk failed; check it and try again"),
        (sqlite3.SQLITE_FULL, "the disk is full; make room and try again"),
    ],
)
def test_a_session_that_finds_no_room_to_be_opened_says_so(tmp_path: Path, code: int, meaning: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(UnwritableLog, match=meaning), clear_errors(tmp_path / "session.db"):
        raise error


@in_loop
async def test_a_log_of_newer_pages_is_not_judged_while_somebody_writes_it(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_session(session)
    monkeypatch.setattr(soundness, "defect_of", lambda _path: "half a page is there")
    await (await open_session(session, read_only=True)).close()
    await log.close()
    with pytest.raises(DamagedLog, match=r"the log of newer pages beside it is damaged \(half a page is there\)"):
        await open_session(session, read_only=True)
