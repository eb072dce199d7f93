"""`ringfence fork --link`: a fork that refers to its parent's file for the past that both share."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from events.commands import ChunkId
from events.log import BusyLog, Head, MissingLog, NewerLog, StoredBatch, StoredChunk
from events.snapshot import seal
from events.store.link import Link
from events.store.salvage import Salvage
from events.store.sqlite import open_session
from exchange.core.snapshot import STATE_VERSION
from tests.command_line import ringfence
from tests.loop import in_loop
from tests.stored import stored
from tests.tampering import recorded, rows_of

DEPOSIT = ("--set", "ann:deposit:USDT=5000")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def middle(session: Path) -> int:
    """A batch half way."""
    return len(rows_of(session)) // 2


def forked(session: Path, out: str, *options: str) -> Path:
    """A fork from the middle on."""
    path = session.with_name(out)
    at = rows_of(session)[middle(session) - 1].first_seq
    ringfence("fork", session, "--at", at, *DEPOSIT, *options, "--out", path)
    return path


@pytest.fixture
def linked(session: Path) -> Path:
    return forked(session, "linked.db", "--link")


def sql(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(statement).fetchall()


async def batches(path: Path, after: int = 0) -> list[StoredBatch]:
    log = await open_session(path, read_only=True)
    found = [batch async for batch in log.read(after)]
    await log.close()
    return found


def test_it_is_the_fork_that_a_copy_would_be_and_holds_only_what_differs(session: Path) -> None:
    copied, linked = forked(session, "copied.db"), forked(session, "linked.db", "--link")
    whole = asyncio.run(batches(copied))
    assert asyncio.run(batches(linked)) == whole
    for after in (middle(session) - 3, middle(session) - 1, middle(session), len(whole) - 1):
        assert asyncio.run(batches(linked, after)) == whole[after:]
    assert sql(linked, "SELECT min(batch), max(batch) FROM batches") == [(middle(session), len(whole))]
    assert sql(linked, "SELECT count(*) FROM chunks") == [(0,)]
    assert linked.stat().st_size < copied.stat().st_size
    verified = [ringfence("verify", path, "--json").json | {"seconds": 0} for path in (linked, copied)]
    assert verified[0] == verified[1]
    assert ringfence("audit", linked, "--json").json["ok"]
    assert ringfence("diff", linked, copied, "--json").json["same"]
    at = rows_of(session)[middle(session) // 2].first_seq
    for record in ((), ("--record", at)):
        moments = [ringfence("log", "at", path, *record, "--json").json for path in (linked, copied)]
        assert moments[0] == moments[1]


def test_nothing_is_referred_to_where_nothing_is_shared(session: Path) -> None:
    out = session.with_name("fork.db")
    ringfence("fork", session, "--at", 1, "--set", "pack=bybit-linear", "--link", "--out", out)
    assert sql(out, "PRAGMA user_version") == [(1,)]
    session.unlink()
    assert ringfence("verify", out, "--json").json["ok"]


def test_a_fork_of_such_a_fork_goes_back_through_both(session: Path) -> None:
    linked = forked(session, "linked.db", "--link")
    again = session.with_name("again.db")
    at = sql(linked, "SELECT last_seq FROM batches ORDER BY batch DESC LIMIT 1")[0][0]
    ringfence("fork", linked, "--at", at, "--set", "ann:deposit:USDT=7", "--link", "--out", again)
    assert ringfence("verify", again, "--json").json["ok"]


def test_both_files_may_be_moved_together_and_a_copy_or_an_archive_may_be_anywhere(session: Path) -> None:
    linked = forked(session, "linked.db", "--link")
    head = ringfence("verify", linked, "--json").json["head"]
    elsewhere, other = session.parent / "elsewhere", session.parent / "other"
    elsewhere.mkdir()
    other.mkdir()
    for path in (session, linked):
        shutil.move(path, elsewhere)
    linked = elsewhere / linked.name
    assert head in ringfence("log", "backup", linked, other / "copy.db").out
    ringfence("log", "pack", linked, other / "whole.rfa")
    ringfence("log", "unpack", other / "whole.rfa", other / "whole.db")
    for path in (linked, other / "copy.db", other / "whole.db"):
        assert ringfence("verify", path, "--json").json["head"] == head
    assert sql(other / "whole.db", "PRAGMA user_version") == [(1,)]


def test_a_parent_that_is_gone_or_changed_is_told_in_one_line(session: Path) -> None:
    linked = forked(session, "linked.db", "--link")
    shared = middle(session) - 1
    away = session.rename(session.with_name("away.db"))
    said = ringfence("verify", linked, status=2).complaint
    assert said == f"{linked}: a fork of {session}, which is not there; put it back, or make the fork again"
    shutil.copy(away, session)
    sql(session, f"UPDATE batches SET digest = zeroblob(32) WHERE batch = {shared}")
    said = ringfence("verify", linked, status=2).complaint
    assert said == (
        f"{linked}: a fork of {session}, whose first {shared} batches are not what they were when it was made; restore "
        "that file from a copy"
    )
    session.write_bytes(b"something else")
    said = ringfence("verify", linked, status=2).complaint
    assert f"{session} (14 bytes): not a SQLite file" in said
    shutil.copy(away, session)
    sql(session, f"DELETE FROM batches WHERE batch > {shared}")
    assert ringfence("log", linked).out, "what the parent became after that is not the fork's"


def test_damage_deep_in_the_parent_is_found_by_who_reads_it(session: Path) -> None:
    linked = forked(session, "linked.db", "--link")
    sql(session, "UPDATE batches SET body = replace(body, 'a', 'b') WHERE batch = 5")
    assert "batch 5: the digest is not that of its body" in ringfence("verify", linked, status=2).complaint


def test_what_holds_no_past_is_not_repaired(session: Path) -> None:
    linked = forked(session, "linked.db", "--link")
    said = ringfence("log", "repair", linked, status=2).complaint
    assert said == f"{linked}: a fork of {session} that holds no past of its own; make it again"
    sql(linked, "DELETE FROM batches WHERE batch = (SELECT min(batch) FROM batches)")
    said = ringfence("verify", linked, status=2).complaint
    assert said.startswith(f"{linked}: begins with batch {middle(session) + 1}, all before it is missing")
    sql(linked, "PRAGMA user_version = 3")
    with pytest.raises(NewerLog, match="has schema 3, this program knows 2"):
        list(Salvage(linked))


@in_loop
async def test_it_is_written_to_and_has_snapshots_like_any_session(session: Path, linked: Path) -> None:
    before = session.read_bytes()
    log = await open_session(linked)
    old = await log.head()
    more = stored(old)
    ((known, data),) = sql(session, "SELECT id, data FROM chunks LIMIT 1")
    new = StoredChunk(ChunkId("c1"), b"columns")
    head = await log.append([more], old, [StoredChunk(known, data), new])
    assert sql(linked, "SELECT id FROM chunks") == [("c1",)]
    assert [await log.chunk(name) for name in (known, new.id)] == [StoredChunk(known, data), new]
    shared = middle(session) - 1
    assert await log.snapshot(STATE_VERSION, until=shared) is None
    await log.keep(seal(head, 1, b"state"))
    kept = await log.snapshot(1)
    assert kept is not None
    assert kept.batch == head.batch
    await log.close()
    assert (await batches(linked))[-1] == more
    assert session.read_bytes() == before
    past = await open_session(session)
    ((_, last, digest),) = sql(session, f"SELECT batch, last_seq, digest FROM batches WHERE batch = {shared}")
    await past.keep(
        seal((await past.head())._replace(batch=shared, seq=last, digest=digest), STATE_VERSION, b"earlier")
    )
    await past.close()
    log = await open_session(linked, read_only=True)
    found = await log.snapshot(STATE_VERSION)
    assert found is not None
    assert found.batch == shared
    await log.close()


@in_loop
async def test_of_two_that_open_it_at_once_to_write_one_is_refused(
    linked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_session(linked)
    monkeypatch.setattr("events.store.sqlite.is_being_written", lambda _path: False)
    with pytest.raises(BusyLog):
        await open_session(linked)
    await log.close()


@in_loop
async def test_a_fork_that_cannot_be_made_leaves_nothing(session: Path, linked: Path) -> None:
    session.unlink()
    for read_only in (True, False):
        with pytest.raises(MissingLog):
            await open_session(linked, read_only=read_only)
    with pytest.raises(MissingLog):
        await open_session(session.with_name("new.db"), create=True, link=Link(session, Head(1, 2, bytes(32))))
    assert not session.with_name("new.db").exists()
