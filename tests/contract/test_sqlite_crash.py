"""A writer that is killed: what it acknowledged is there, and its lock is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from events.log import BusyLog, Head, check_chain
from events.store.sqlite import open_session
from tests.contract.test_sqlite_store import check, files, opened
from tests.loop import in_loop
from tests.stored import stored

ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, sys
from events.store.sqlite import open_session
from tests.stored import history

async def main():
    log = await open_session(sys.argv[1], create=True)
    head = await log.head()
    while True:
        head = await log.append(history(30, head, records=3), head)
        print(head.batch, head.digest.hex(), flush=True)

asyncio.run(main())
"""


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that appends without end, and prints the head after each acknowledged append."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def killed_after(path: Path, appends: int) -> list[str]:
    """What a writer had printed when it was killed after so many appends."""
    with writer(path) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(appends)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
        assert child.wait() == -signal.SIGKILL
        return lines


@pytest.mark.parametrize("appends", [1, 3, 40])
@in_loop
async def test_every_acknowledged_append_survives_a_kill(tmp_path: Path, appends: int) -> None:
    path = tmp_path / "session.db"
    lines = killed_after(path, appends)
    assert (tmp_path / "session.db-wal").stat().st_size > 0
    async with opened(path) as log:
        heads = {}
        head = Head()
        async for batch in log.read():
            head = check_chain(head, batch)
            heads[head.batch] = head.digest.hex()
        assert [heads[int(number)] for number, _ in map(str.split, lines)] == [line.split()[1] for line in lines]
        await log.append([stored(head)], head)
    assert (await check(path)).batch == head.batch + 1
    assert [file.name for file in tmp_path.iterdir()] == ["session.db"]


@in_loop
async def test_what_a_killed_writer_left_is_synced_before_anybody_is_shown_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written and not synced can be read after a kill; who is told of it must not lose it with the power."""
    path = tmp_path / "session.db"
    killed_after(path, 3)
    left = (tmp_path / "session.db-wal").stat().st_ino
    synced = []
    monkeypatch.setattr("events.store.sqlite.os.fsync", lambda file: synced.append(os.fstat(file).st_ino))
    async with opened(path):
        assert synced == [left]


@in_loop
async def test_reading_only_leaves_what_a_killed_writer_left(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    lines = killed_after(path, 5)
    before = files(tmp_path)
    assert (await check(path)).batch >= int(lines[-1].split()[0])
    assert files(tmp_path) == before


@in_loop
async def test_a_writer_in_another_process_is_found_and_its_lock_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with writer(path) as child:
        assert child.stdout is not None
        first = int(child.stdout.readline().split()[0])
        with pytest.raises(BusyLog, match=f"^{path}: another process writes to this session; stop it, or open read-on"):
            await open_session(path)
        assert (await check(path)).batch >= first
    async with opened(path):
        pass
    assert (await check(path)).batch >= first
