"""A session that a process left which died: what its log of newer pages lost is told from what a crash tears."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from events.log import DamagedLog
from events.store.salvage import Salvage
from events.store.sqlite import open_session
from events.store.wal import PAIRS, _sums, defect_of
from tests.loop import in_loop
from tests.stored import history

COMMITS = 6


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A session with a log of newer pages, of six commits of one batch."""
    asyncio.run(_written(tmp_path / "written.db"))
    return tmp_path / "left" / "written.db"


async def _written(path: Path) -> None:
    log = await open_session(path, create=True)
    for batch in history(COMMITS):
        await log.append([batch], await log.head())
    (path.parent / "left").mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), path.parent / "left" / name)
    await log.close()


def wal_of(session: Path) -> Path:
    return session.with_name(f"{session.name}-wal")


def frames(session: Path) -> list[int]:
    """Where each frame begins."""
    data = wal_of(session).read_bytes()
    return list(range(32, len(data), 24 + int.from_bytes(data[8:12], "big")))


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


async def batches_of(session: Path) -> int:
    log = await open_session(session)
    head = await log.head()
    await log.close()
    return head.batch


@in_loop
async def test_a_log_that_nothing_happened_to_is_whole_and_is_taken_over(left: Path) -> None:
    assert defect_of(wal_of(left)) == ""
    assert await batches_of(left) == COMMITS


@in_loop
async def test_the_last_commit_may_be_torn_and_is_left_out(left: Path) -> None:
    overwrite(wal_of(left), frames(left)[-1] + 100, b"torn")
    assert defect_of(wal_of(left)) == ""
    assert await batches_of(left) == COMMITS - 1


@pytest.mark.parametrize("offset", [20, 5000])
@in_loop
async def test_a_commit_that_was_safe_may_not_and_the_session_is_refused_until_it_is_repaired(
    left: Path, offset: int
) -> None:
    number = len(frames(left)) - 3
    overwrite(wal_of(left), frames(left)[number - 1] + offset, b"damage")
    before = wal_of(left).read_bytes()
    said = f"page {number} of it is damaged, and commits stand behind it"
    for read_only in (True, False):
        with pytest.raises(DamagedLog, match=f"^{left}: the log of newer pages beside it is damaged .{said}.; restore"):
            await open_session(left, read_only=read_only)
    assert wal_of(left).read_bytes() == before
    salvage = Salvage(left)
    assert [stored.number for stored, _ in salvage] == list(range(1, COMMITS - 3))
    assert salvage.finding.defect == f"the log of newer pages beside it is damaged ({said})"
    assert salvage.finding.beyond is None


def test_what_an_earlier_use_of_the_log_left_behind_the_torn_commit_is_no_damage(left: Path) -> None:
    for at in frames(left)[-3:]:
        overwrite(wal_of(left), at + 8, b"old salt")
    assert defect_of(wal_of(left)) == ""


def test_a_log_whose_first_bytes_are_damaged_is_no_log_of_nothing(left: Path) -> None:
    wal = wal_of(left)
    overwrite(wal, 17, b"damage")
    assert defect_of(wal) == "its first bytes are damaged"
    overwrite(wal, 0, bytes(32))
    assert defect_of(wal) == "its first bytes are damaged"


@pytest.mark.parametrize("data", [b"", b"\x37\x7f", bytes(5000)])
def test_a_log_of_which_nothing_was_written_yet_is_none(tmp_path: Path, data: bytes) -> None:
    wal = tmp_path / "session.db-wal"
    assert defect_of(wal) == ""
    wal.write_bytes(data)
    assert defect_of(wal) == ""


def test_checksums_are_those_of_the_machine_that_wrote_the_log(left: Path) -> None:
    """The same words, read highest byte first: SQLite says in the first four bytes which it was."""
    wal = wal_of(left)
    data = bytearray(wal.read_bytes()[: frames(left)[2]])
    data[:4] = (0x377F0683).to_bytes(4, "big")
    sums = _sums(bytes(data[:24]), (0, 0), PAIRS[0x377F0683])
    data[24:32] = b"".join(part.to_bytes(4, "big") for part in sums)
    for at in frames(left)[:2]:
        page = data[at + 24 : at + 24 + int.from_bytes(data[8:12], "big")]
        sums = _sums(bytes(data[at : at + 8] + page), sums, PAIRS[0x377F0683])
        data[at + 16 : at + 24] = b"".join(part.to_bytes(4, "big") for part in sums)
    wal.write_bytes(data)
    assert asyncio.run(batches_of(left)) >= 0
    assert defect_of(wal) == ""
