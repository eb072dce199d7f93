"""What only a file has: damage, versions, locks, readers beside a writer, and SQL."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from events.codec import encode_body
from events.commands import AccountId, OpenAccount, RequestId
from events.digest import chain
from events.facts import AccountOpened
from events.log import (
    BusyLog,
    ClosedLog,
    DamagedLog,
    ExistingLog,
    Head,
    LogError,
    MissingLog,
    NewerLog,
    StoredBatch,
    StoredChunk,
    UnwritableLog,
    check_chain,
)
from events.record import Batch, Record
from events.snapshot import seal
from events.store.sqlite import PAGE_BATCHES, SqliteLog, open_session
from events.units import Nanos
from tests.loop import in_loop, turns
from tests.stored import collected, head_of, history, stored


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session at rest, with three batches."""
    return asyncio.run(written(tmp_path / "session.db", history(3)))


async def written(path: Path, batches: list[StoredBatch], chunks: tuple[StoredChunk, ...] = ()) -> Path:
    log = await open_session(path, create=True)
    await log.append(batches, Head(), chunks)
    await log.close()
    return path


@asynccontextmanager
async def opened(path: Path, *, read_only: bool = False) -> AsyncIterator[SqliteLog]:
    """The session, closed in the end whatever happens: a connection has a thread, which would go on."""
    log = await open_session(path, read_only=read_only)
    try:
        yield log
    finally:
        await log.close()


async def check(path: Path) -> Head:
    """Read the whole session; its head."""
    async with opened(path, read_only=True) as log:
        head = Head()
        async for batch in log.read():
            head = check_chain(head, batch)
        return head


def sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """What any SQLite tool would get."""
    with closing(sqlite3.connect(path)) as db, db:
        return [row for statement in statements for row in db.execute(statement).fetchall()]


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def files(folder: Path) -> dict[str, str]:
    """Every file of the folder but SQLite's shared memory, with a digest of its bytes."""
    found = (path for path in folder.iterdir() if not path.name.endswith("-shm"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_a_session_at_rest_is_one_file(session: Path) -> None:
    assert [path.name for path in session.parent.iterdir()] == ["session.db"]


def test_the_view_unfolds_batches_into_records(tmp_path: Path) -> None:
    command = OpenAccount(Nanos(7), AccountId("ann"), RequestId("r1"))
    body = encode_body(Batch(1, Nanos(7), [Record(1, 0, command), Record(2, 1, AccountOpened(AccountId("ann")))]))
    one = StoredBatch(1, 1, 2, Nanos(7), chain(Head().digest, body), body)
    path = asyncio.run(written(tmp_path / "session.db", [one, *history(1, head_of(one))]))
    assert sql(path, "SELECT seq, batch, at, cause, kind FROM records") == [
        (1, 1, 7, 0, "open_account.1"),
        (2, 1, 7, 1, "account_opened.1"),
        (3, 2, 20, 0, "advance_time.1"),
    ]
    assert sql(path, "SELECT message FROM records WHERE seq = 2") == [('{"kind":"account_opened.1","account":"ann"}',)]
    assert sql(path, "SELECT typeof(body), typeof(digest) FROM batches LIMIT 1") == [("text", "blob")]


@in_loop
async def test_a_session_that_is_not_there_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "no.db", tmp_path):
        with pytest.raises(MissingLog, match=f"^{path}: there is no such session; check the name, or create it$"):
            await open_session(path)
    assert list(tmp_path.iterdir()) == []


@in_loop
async def test_nothing_is_created_over_what_exists(session: Path) -> None:
    before = files(session.parent)
    with pytest.raises(ExistingLog, match=f"^{session}: exists already; open it, or choose another name$"):
        await open_session(session, create=True)
    assert files(session.parent) == before


@in_loop
async def test_nothing_is_created_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UnwritableLog, match=r"No such file or directory; check the path, and the rights to it$"):
        await open_session(tmp_path / "no" / "session.db", create=True)


@in_loop
async def test_a_creation_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.store.sqlite.SCHEMA", "CREATE TABLE batches(")
    with pytest.raises(DamagedLog, match="incomplete input"):
        await open_session(tmp_path / "session.db", create=True)
    assert list(tmp_path.iterdir()) == []


@in_loop
async def test_a_session_goes_on_where_it_ended(session: Path) -> None:
    async with opened(session) as log:
        head = await log.head()
        await log.append(history(2, head), head)
        await log.close()
        assert await check(session) == head_of(history(5)[-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"instrument,price\nBTCUSDT,1\n" * 99, r"\(2673 bytes\): not a SQLite file, or its first bytes are damaged; "),
        (b"SQLite format 3\0", r"\(16 bytes\): not a SQLite file, or its first bytes are damaged; "),
        (b"", ": a SQLite file, but not a session of Ringfence; choose another file"),
    ],
)
@in_loop
async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(DamagedLog, match=message):
            await open_session(path, read_only=read_only)
    assert path.read_bytes() == content


@in_loop
async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    sql(path, "CREATE TABLE batches(batch)")
    before = files(tmp_path)
    with pytest.raises(DamagedLog, match=f"^{path}: a SQLite file, but not a session of Ringfence; choose another"):
        await open_session(path)
    assert files(tmp_path) == before


@in_loop
async def test_a_session_without_its_tables_is_damaged(session: Path) -> None:
    sql(session, "DROP VIEW records", "DROP TABLE batches")
    with pytest.raises(DamagedLog, match=r"not what a session holds; restore it from a copy \(no such table: batches"):
        await open_session(session)


@in_loop
async def test_a_newer_session_is_refused_and_left_alone(session: Path) -> None:
    sql(session, "PRAGMA user_version = 3")
    before = files(session.parent)
    with pytest.raises(NewerLog, match=f"^{session}: has schema 3, this program knows 2; use a newer Ringfence$"):
        await open_session(session)
    assert files(session.parent) == before


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (1, r": cut short, {size} of {whole} bytes are left; restore it from a copy$"),
        (1 << 14, r" \({size} bytes\): the file is damaged or cut short; restore it from a copy"),
        (40_000, r" \({size} bytes\): the file is damaged or cut short; restore it from a copy"),
    ],
)
@in_loop
async def test_a_file_that_was_cut_short_is_named_with_its_size(session: Path, lost: int, message: str) -> None:
    whole = session.stat().st_size
    size = whole - lost
    message = f"^{session}{message.format(size=size, whole=whole)}"
    with session.open("r+b") as file:
        file.truncate(size)
    for read_only in (True, False):
        with pytest.raises(DamagedLog, match=message):
            await open_session(session, read_only=read_only)


@in_loop
async def test_damage_in_the_middle_is_named(tmp_path: Path) -> None:
    path = await written(tmp_path / "session.db", history(3 * PAGE_BATCHES))
    ((page,),) = sql(path, "PRAGMA page_size")
    assert isinstance(page, int)
    for at in range(5 * page, path.stat().st_size - 3 * page, page):
        overwrite(path, at, bytes(100))
    with pytest.raises(DamagedLog, match="the file is damaged or cut short; restore it from a copy"):
        await check(path)


@in_loop
async def test_a_flipped_byte_in_a_body_is_named_with_its_batch(session: Path) -> None:
    at = session.read_bytes().index(history(2)[1].body)
    overwrite(session, at + 20, b"!")
    with pytest.raises(DamagedLog, match=r"^batch 2: the digest is not that of its body and of what came before;"):
        await check(session)


@in_loop
async def test_no_flipped_byte_is_overlooked(session: Path) -> None:
    """Whatever byte is damaged: one line says so, or it held nothing and the session is as it was."""
    whole, head, seen = session.read_bytes(), await check(session), 0
    positions = [*range(100), *(at for at in range(100, len(whole)) if whole[at])]
    for at in positions[::3]:
        overwrite(session, at, bytes([whole[at] ^ 0x55]))
        try:
            assert await check(session) == head
        except LogError as error:
            assert "\n" not in str(error)  # noqa: PT017
            seen += 1
        overwrite(session, at, whole[at : at + 1])
    assert seen > len(positions) // 6


@in_loop
async def test_missing_batches_are_named(tmp_path: Path) -> None:
    path = await written(tmp_path / "session.db", history(PAGE_BATCHES + 20))
    missing = f"^{path}: batch 5 is missing; restore the session from a copy$"
    async with opened(path, read_only=True) as log:
        sql(path, f"DELETE FROM batches WHERE batch BETWEEN 5 AND {PAGE_BATCHES + 10}")
        with pytest.raises(DamagedLog, match=missing):
            await collected(log.read(after=4))
    for read_only in (True, False):
        with pytest.raises(DamagedLog, match=missing):
            await open_session(path, read_only=read_only)


@in_loop
async def test_reading_only_leaves_every_byte_as_it_was(session: Path) -> None:
    before, changed = files(session.parent), session.stat().st_mtime_ns
    async with opened(session, read_only=True) as log:
        head = await log.head()
        assert await collected(log.read()) == history(3)
        with pytest.raises(UnwritableLog, match="opened for reading only; open it for writing, with the rights to"):
            await log.append([stored(head)], head)
        await log.close()
        assert (files(session.parent), session.stat().st_mtime_ns) == (before, changed)


@in_loop
async def test_a_reader_beside_the_writer_sees_what_is_durable(session: Path) -> None:
    async with opened(session, read_only=True) as reader:
        async with opened(session) as writer:
            head = await writer.head()
            new = stored(head)
            await writer.append([new], head)
            assert await reader.head() == head_of(new)
            assert await collected(reader.read(after=3)) == [new]
        assert await collected(reader.read(after=3)) == [new]
    async with opened(session):
        pass
    assert [path.name for path in session.parent.iterdir()] == ["session.db"]
    assert await check(session) == head_of(new)


@in_loop
async def test_a_second_writer_is_refused_until_the_first_has_closed(session: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(session)
    async with opened(session) as writer:
        for path in (session, link):
            message = f"^{path}: another process writes to this session; stop it, or open read-only$"
            with pytest.raises(BusyLog, match=message):
                await open_session(path)
        head = await writer.head()
        await writer.append([stored(head)], head)
    async with opened(link) as writer:
        assert await writer.head() == head_of(stored(head))


@in_loop
async def test_of_two_writers_that_open_at_once_one_is_refused(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(session):
        monkeypatch.setattr("events.store.sqlite.is_being_written", lambda _path: False)
        with pytest.raises(BusyLog, match="another process writes to this session; stop it, or open read-only"):
            await open_session(session)


@in_loop
async def test_another_program_that_holds_the_file_is_waited_for_and_named(session: Path) -> None:
    async with opened(session) as log:
        await in_sql(log, "PRAGMA busy_timeout = 0")
        head = await log.head()
        with closing(sqlite3.connect(session, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(BusyLog, match="another program holds the file; stop it and try again"):
                await log.append([stored(head)], head)
        await log.append([stored(head)], head)


async def in_sql(log: SqliteLog, statement: str) -> None:
    await log._db.execute_fetchall(statement)


@in_loop
async def test_a_full_disk_stores_nothing_and_keeps_what_was_stored(session: Path) -> None:
    async with opened(session) as log:
        head = await log.head()
        await in_sql(log, "PRAGMA max_page_count = 6")
        with pytest.raises(UnwritableLog, match="the disk is full; make room and try again"):
            await log.append(history(100, head, records=2, text="x" * 9999), head)
        assert await log.head() == head
        await in_sql(log, "PRAGMA max_page_count = 1000000")
        await log.append([stored(head)], head)
    assert (await check(session)).batch == 4


@in_loop
async def test_what_sqlite_refuses_for_any_other_reason_stores_nothing(session: Path) -> None:
    async with opened(session) as log:
        head = await log.head()
        twice = stored(head)
        with pytest.raises(LogError, match=r"SQLite failed \(UNIQUE constraint failed: batches\.batch\)"):
            await log.append([twice, twice], head)
        assert await log.head() == head


@pytest.mark.parametrize("after_turns", range(12))
@in_loop
async def test_a_cancelled_append_stores_all_or_nothing(session: Path, after_turns: int) -> None:
    async with opened(session) as log:
        head = await log.head()
        append = asyncio.create_task(log.append(history(70, head), head))
        await turns(after_turns)
        append.cancel()
        await asyncio.wait([append])
        now = await log.head()
        assert now.batch in (3, 73)
        await log.append([stored(now)], now)
    assert (await check(session)).batch == now.batch + 1


@in_loop
async def test_closing_waits_for_an_append_that_is_under_way(session: Path) -> None:
    async with opened(session) as log:
        head = await log.head()
        append = asyncio.create_task(log.append(history(600, head), head))
        late = asyncio.create_task(log.append(history(1, head), head))
        await turns(3)
        await log.close()
        assert (await append).batch == 603
        with pytest.raises(LogError):
            await late
        with pytest.raises(ClosedLog):
            await log.head()
    assert (await check(session)).batch == 603


@in_loop
async def test_a_file_of_before_there_were_snapshots_is_read_as_it_is_and_gets_them_when_written_to(
    session: Path,
) -> None:
    sql(session, "DROP TABLE snapshots")
    before = files(session.parent)
    async with opened(session, read_only=True) as log:
        assert await log.snapshot(1) is None
    assert files(session.parent) == before
    async with opened(session) as log:
        await log.keep(seal(await log.head(), 1, b"state"))
    async with opened(session, read_only=True) as log:
        assert await log.snapshot(1) == seal(await log.head(), 1, b"state")
