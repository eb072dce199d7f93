"""A disk that fills up under a running session: commands are refused and say why, reads are answered, and once there is
room the session goes on.

    python -m tests.sim.full_disk

The disk is a real one, a tmpfs of few megabytes that a process mounts for itself alone (`unshare` with a user
namespace). Where that is not allowed SQLite is told to let the file grow no further; what is printed says which.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events import commands as c
from events.codec import decode_body
from events.instruments import load_pack
from events.log import Head, UnwritableLog, check_chain
from events.store.sqlite import SqliteLog, open_session
from events.units import UNIT
from exchange.core.state import RULES_VERSION
from exchange.failures import NotAcknowledged
from exchange.sequencer import Sequencer

ROOT = Path(__file__).parents[2]

MEGABYTES, BALLAST = 6, 2
"""The size of the disk, and of a file on it that is removed to make room."""

SECONDS_MAX = 120
"""It takes a few seconds; after so many it is said to hang."""

FULL = "the disk is full; make room and try again"

ANN, USDT = "ann", "USDT"


class Disk:
    """A place that fills up, and how to make room there."""

    def __init__(self, folder: Path, *, is_real: bool) -> None:
        self.path = folder / "session.db"
        self.is_real = is_real
        self.ballast = folder / "ballast"
        if is_real:
            self.ballast.write_bytes(os.urandom(BALLAST << 20))

    async def limit(self, log: SqliteLog) -> None:
        """Let there be an end to it."""
        if not self.is_real:
            ((pages,),) = await log._db.execute_fetchall("PRAGMA page_count")
            await log._db.execute_fetchall(f"PRAGMA max_page_count = {pages}")

    async def make_room(self, log: SqliteLog) -> None:
        """Let there be more."""
        if self.is_real:
            self.ballast.unlink()
        else:
            await log._db.execute_fetchall("PRAGMA max_page_count = 1000000")


async def fill(disk: Disk) -> str:
    """Fill the disk, look around, make room, go on; what happened."""
    async with hosted(disk.path, create=True) as (log, sequencer):
        sequencer.decide(c.OpenSession(1, RULES_VERSION, load_pack("binance-usdm"), c.SessionOptions()))
        await sequencer.submit(c.OpenAccount(1, ANN, "open"))
        await disk.limit(log)
        told = await until_refused(sequencer)
        refused = [await refusal(sequencer, len(told) + n) for n in range(3)]
        await sequencer.ready()
        assert sequencer.state.accounts[ANN].wallets[USDT].balance == len(told) * UNIT, "read while it is full"
        assert await requests(disk.path) == ["open", *(f"d{n}" for n in range(len(told)))]
        await disk.make_room(log)
        again = [(await sequencer.submit(deposit(len(told) + n))).seq for n in range(5)]
    assert await requests(disk.path) == ["open", *(f"d{n}" for n in range(len(told) + 5))]
    async with hosted(disk.path, create=False) as (_, sequencer):
        for n, seq in enumerate(told + again):
            assert (await sequencer.submit(deposit(n))).seq == seq, "acknowledged, and not there"
    kind = f"tmpfs of {MEGABYTES} MiB" if disk.is_real else "SQLite's max_page_count, as nothing can be mounted here"
    return (
        f"{kind}: {len(told)} acknowledged until it was full, {len(refused)} refused ({refused[0]}), all read "
        f"meanwhile, {len(again)} more once there was room, {len(told) + len(again)} found after the next opening\n"
    )


def deposit(n: int) -> c.Deposit:
    """The n-th thing that is asked for."""
    return c.Deposit(1, ANN, f"d{n}", USDT, UNIT)


async def until_refused(sequencer: Sequencer) -> list[int]:
    """The records of what was acknowledged until nothing more was."""
    told: list[int] = []
    while True:
        try:
            told.append((await sequencer.submit(deposit(len(told)))).seq)
        except NotAcknowledged:
            return told


async def refusal(sequencer: Sequencer, n: int) -> str:
    """Why a command is not taken."""
    with pytest.raises(NotAcknowledged, match=FULL) as refused:
        await sequencer.submit(deposit(n))
    assert isinstance(refused.value.__cause__, UnwritableLog)
    return FULL


async def requests(path: Path) -> list[str]:
    """What anybody reads in the log: the requests, in order."""
    log = await open_session(path, read_only=True)
    head, found = Head(), []
    async for stored in log.read():
        head = check_chain(head, stored)
        command = decode_body(stored.number, stored.body).command
        if isinstance(command, c.TradersCommand):
            found.append(command.request)
    await log.close()
    return found


@asynccontextmanager
async def hosted(path: Path, *, create: bool) -> AsyncIterator[tuple[SqliteLog, Sequencer]]:
    """A session that is served."""
    log = await open_session(path, create=create)
    try:
        sequencer = await Sequencer.open(log)
        yield log, sequencer
        await sequencer.close()
    finally:
        await log.close()


def on_a_real_disk() -> str | None:
    """What happened on a disk of its own, None where none can be had."""
    with tempfile.TemporaryDirectory() as folder:
        mount = f"mount -t tmpfs -o size={MEGABYTES}m none {folder} || exit 77"
        run = f"{mount}; exec {sys.executable} -m tests.sim.full_disk --in {folder}"
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", run],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr.partition("\n")[0]:
        return None
    assert done.returncode == 0, done.stderr
    return done.stdout


def on_a_limit() -> str:
    """What happened where SQLite was told to stop."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(bounded(fill(Disk(Path(folder), is_real=False))))


async def bounded(running: Coroutine[Any, Any, str]) -> str:
    """What comes of it; where nothing does for a long time, an error that says what everybody waits for."""
    task = asyncio.ensure_future(running)
    done, _ = await asyncio.wait([task], timeout=SECONDS_MAX)
    if not done:
        for waiting in asyncio.all_tasks():
            waiting.print_stack(file=sys.stderr)
    assert done, f"nothing came of it for {SECONDS_MAX} s; standard error says who waits for what"
    return task.result()


def main(arguments: list[str]) -> None:
    """Fill a disk, and say what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.full_disk", description=__doc__)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    if folder := parser.parse_args(arguments).folder:
        sys.stdout.write(asyncio.run(bounded(fill(Disk(folder, is_real=True)))))
    else:
        sys.stdout.write(on_a_real_disk() or on_a_limit())


if __name__ == "__main__":
    main(sys.argv[1:])
