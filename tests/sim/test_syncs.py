"""What a traced run shows, from made-up traces and, where `strace` is there, from real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sim.syncs import GROUPS, read, traced

WRITE = '71 pwrite64(9</tmp/session.db-wal>, "7\\177\\6", 24, 32) = 24'
SYNC = "71 fdatasync(9</tmp/session.db-wal>) = 0"
TOLD = '70 write(1</dev/null>, "told 1\\n", 7) = 7'
DATABASE = '71 pwrite64(8</tmp/session.db>, "SQLite format 3"..., 16384, 0) = 16384'
BEGUN, DONE = "71 fdatasync(9</tmp/session.db-wal> <unfinished ...>", "71 <... fdatasync resumed>)        = 0"
OTHER = "70 <... write resumed>)        = 9"


@pytest.mark.parametrize(
    ("trace", "early"),
    [
        ([WRITE, SYNC, TOLD], []),
        ([WRITE, TOLD, SYNC], [2]),
        ([TOLD], [1]),
        ([WRITE, SYNC, TOLD, WRITE, TOLD, SYNC], [5]),
        ([WRITE, SYNC, TOLD, TOLD], [4]),
        ([WRITE, BEGUN, TOLD, DONE], [3]),
        ([WRITE, BEGUN, OTHER, DONE, DATABASE, "70 +++ exited with 0 +++", TOLD], []),
        ([WRITE, BEGUN, DONE.replace("0", "-1"), TOLD], [4]),
        ([WRITE, SYNC.replace("wal", "shm"), TOLD], [3]),
    ],
)
def test_what_is_told_of_before_a_sync_is_found(trace: list[str], early: list[int]) -> None:
    assert read(trace).early == early


if shutil.which("strace"):

    def test_every_commit_is_synced_before_it_is_acknowledged(tmp_path: Path) -> None:
        found = traced(tmp_path, is_unsafe=False)
        assert (found.told, found.early) == (GROUPS, [])
        assert found.syncs >= GROUPS
        assert found.writes >= found.syncs

    def test_a_session_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
        assert len(traced(tmp_path, is_unsafe=True).early) == GROUPS
