"""A traced run: between each commit and the acknowledgements that follow it, the disk was asked to sync.

    python -m tests.sim.syncs [--unsafe]

A kill keeps what the system has not yet written to the disk, so that it cannot show this. Here a process asks for a
group of things at once, says what was acknowledged, and asks for the next group, while `strace` notes its writes and
syncs: whenever it says so, nothing that it wrote to the write-ahead log may be without a sync. With --unsafe SQLite is
told not to sync, which has to be found out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from events import commands as c
from events.store.sqlite import open_session
from exchange.sequencer import Sequencer
from tests.sim.kills import BTC, RULES_VERSION, UNIT, command, load_pack

ROOT = Path(__file__).parents[2]

GROUPS, CLIENTS = 40, 12
"""So many groups of so many things."""

_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\(\d+<(?P<file>[^>]*)>(?P<rest>.*)")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>.*= (?P<result>-?\d+)")


class Syncs(NamedTuple):
    """What a trace shows: how often the log was written and synced, how often an acknowledgement was told, and the
    lines at which one was told of what no sync had covered yet.
    """

    writes: int
    syncs: int
    told: int
    early: list[int]


def read(trace: Iterable[str]) -> Syncs:
    """Judge the lines that `strace -f -y` wrote."""
    writes = syncs = told = 0
    early: list[int] = []
    is_dirty, is_synced, syncing = False, False, set[str]()
    for number, line in enumerate(trace, 1):
        if resumed := _RESUMED.match(line):
            is_over = "sync" in resumed["name"] and resumed["pid"] in syncing and resumed["result"] == "0"
            syncing.discard(resumed["pid"])
        elif not (call := _CALL.match(line)):
            continue
        elif call["rest"].startswith(', "told'):
            told += 1
            early += [number] if is_dirty or not is_synced else []
            is_synced = False
            continue
        elif not call["file"].endswith("-wal"):
            continue
        elif "write" in call["name"]:
            writes += 1
            is_dirty = True
            continue
        else:
            is_over = call["rest"].rstrip().endswith("= 0")
            if not is_over:
                syncing.add(call["pid"])
        if is_over:
            syncs += 1
            is_dirty, is_synced = False, True
    return Syncs(writes, syncs, told, early)


def traced(folder: Path, *, is_unsafe: bool) -> Syncs:
    """Have it written, and judge."""
    trace = folder / "trace"
    calls = "write,pwrite64,writev,pwritev,fsync,fdatasync"
    asked = [sys.executable, "-m", "tests.sim.syncs", "--write", str(folder / "session.db")]
    subprocess.run(
        ["strace", "-f", "-y", "-s", "16", "-e", f"trace={calls}", "-o", str(trace), *asked, *["--unsafe"] * is_unsafe],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    with trace.open(errors="replace") as lines:
        return read(lines)


async def write(path: Path, *, is_unsafe: bool) -> None:
    """Ask for group after group, and say what was acknowledged."""
    log = await open_session(path, create=True)
    if is_unsafe:
        await log._db.execute("PRAGMA synchronous = OFF")
    sequencer = await Sequencer.open(log)
    sequencer.decide(c.OpenSession(1, RULES_VERSION, load_pack("binance-usdm"), c.SessionOptions()))
    sequencer.decide(c.SetMarkPrice(1, BTC, 50_000 * UNIT))
    await sequencer.flush()
    for group in range(GROUPS):
        answers = [sequencer.submit_soon(command(client, group)) for client in range(CLIENTS)]
        for answer in answers:
            await answer
        os.write(1, f"told {group}\n".encode())
    await sequencer.close()
    await log.close()


def main(arguments: list[str]) -> int:
    """Trace a run and say what it shows, or be the one that is traced. Returns 1 where something was told early."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.syncs", description=__doc__)
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.write:
        asyncio.run(write(options.write, is_unsafe=options.unsafe))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = traced(Path(folder), is_unsafe=options.unsafe)
    sys.stdout.write(
        f"{found.told} groups of {CLIENTS} acknowledged, {found.writes} writes to the log, {found.syncs} syncs: "
        f"{len(found.early)} told before what they are about was synced\n"
    )
    return 1 if found.early else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
