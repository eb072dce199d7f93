"""The session file: durable commands, how long each waits, what group commit makes of them, opening, and raw SQLite."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, NamedTuple

from benchmarks.figures import Figure, Grid
from benchmarks.flow import Flow, make_flow
from benchmarks.matching import WINDOW, _rebuild, _submit
from benchmarks.sessions import session_of
from events.commands import Command
from events.instruments import load_pack
from events.log import Head, StoredBatch, StoredChunk
from events.store.sqlite import SqliteLog, open_session
from exchange.committer import GROUP_BATCHES
from exchange.sequencer import Sequencer
from gateway.memory import collect_seldom

OPERATIONS = 200_000
"""A run is no longer than this."""

RATES = (1_000, 10_000)
"""Commands a second that come in whatever happens."""

SECONDS = 5.0
"""For so long, wall clock."""

TURNS = 5
"""How often the log and raw SQLite store the same batches; the figures are medians."""

RAW_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE batches(
    batch INTEGER PRIMARY KEY, first_seq INTEGER, last_seq INTEGER, at INTEGER, digest BLOB, body BLOB
);
"""


Groups = list[list[StoredBatch]]
"""Batches, as many together as are stored at once."""


class Run(NamedTuple):
    """Commands made durable: CPU and wall seconds, the wait of each, wall seconds, and the sizes of the commits."""

    commands: int
    cpu: float
    wall: float
    waits: list[float]
    groups: list[int]


class Counting:
    """A log that notes the size of each commit."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self.groups: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`."""
        self.groups.append(len(batches))
        return await self._log.append(batches, expected_head, chunks)


def measure(operations: int, records: int, seed: int) -> tuple[list[Figure], Grid]:
    """All figures of the session file, and the table of waits."""
    collect_seldom()
    flow = make_flow(load_pack("binance-usdm"), operations, seed)
    runs = {f"{rate:,}": _run(flow, rate) for rate in RATES}
    runs["as fast as it goes"] = _run(flow, 0)
    path = session_of(records, seed)
    return [*_rates(_run(flow, None)), *_opening(path), *_beside_raw(path)], _grid(runs)


def _run(flow: Flow, rate: int | None) -> Run:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        return asyncio.run(_durable(Path(folder) / "session.db", flow, rate))


async def _durable(path: Path, flow: Flow, rate: int | None) -> Run:
    """So many commands a second; with 0 as many as become durable, with None those, and nobody looks at the clock."""
    log = await open_session(path, create=True)
    counting = Counting(log)
    sequencer = await Sequencer.open(counting)
    await _submit(sequencer, flow.opening)
    counting.groups.clear()
    gc.collect()
    cpu, wall = process_time(), perf_counter()
    commands = flow.commands[: int(rate * SECONDS)] if rate else flow.commands
    waits: list[float] = []
    if rate is None:
        await _submit(sequencer, commands)
    else:
        waits = await (_at_rate(sequencer, commands, rate) if rate else _in_windows(sequencer, commands))
    run = Run(len(commands), process_time() - cpu, perf_counter() - wall, waits, counting.groups)
    await sequencer.close()
    await log.close()
    return run


async def _at_rate(sequencer: Sequencer, commands: Sequence[Command], rate: int) -> list[float]:
    """Submit each at its time, however long the others take; a wait begins when the command was due."""
    waits: list[float] = []
    began, sent = perf_counter(), 0
    while sent < len(commands):
        due = min(len(commands), int((perf_counter() - began) * rate) + 1)
        for n in range(sent, due):
            _timed(sequencer, commands[n], began + n / rate, waits)
        sent = max(sent, due)
        await asyncio.sleep(max(0.0, began + sent / rate - perf_counter()))
    await sequencer.flush()
    await asyncio.sleep(0)
    return waits


async def _in_windows(sequencer: Sequencer, commands: Sequence[Command]) -> list[float]:
    """As many as `WINDOW` at once, and the next ones when all of them are durable."""
    waits: list[float] = []
    for start in range(0, len(commands), WINDOW):
        for command in commands[start : start + WINDOW]:
            _timed(sequencer, command, perf_counter(), waits)
        await sequencer.flush()
    await asyncio.sleep(0)
    return waits


def _timed(sequencer: Sequencer, command: Command, since: float, waits: list[float]) -> None:
    answer = sequencer.submit_soon(command)
    answer.add_done_callback(lambda _: waits.append(perf_counter() - since))


def _rates(run: Run) -> list[Figure]:
    sizes = f"{len(run.groups):,} commits of {min(run.groups):,} to {max(run.groups):,} batches"
    what = f"{run.commands:,} commands of the matching flow, {WINDOW:,} at once, SQLite synchronous=FULL, {sizes}"
    cpu, wall = run.commands / run.cpu, run.commands / run.wall
    return [
        Figure("durable_commands_per_cpu_s", cpu, "commands/CPU s", f"{what}; all threads", ">= 50,000"),
        Figure("durable_commands_per_wall_s", wall, "commands/s", f"{what}; the most sustainable"),
        Figure("group_commit_batches", median(run.groups), "batches", f"the median commit; {sizes}"),
    ]


def _grid(runs: dict[str, Run]) -> Grid:
    rows = []
    for name, run in runs.items():
        percent = quantiles(run.waits, n=100)
        waits = [f"{seconds * 1000:,.1f}" for seconds in (median(run.waits), percent[98], max(run.waits))]
        groups = [f"{median(run.groups):,.0f}", f"{max(run.groups):,}"]
        rows.append([name, f"{run.commands / run.wall:,.0f}", *waits, *groups])
    header = ["commands a second", "done a second", "p50, ms", "p99, ms", "max, ms", "batches a commit", "at most"]
    return Grid("how long a command waits until it is durable, wall clock", header, rows)


def _opening(path: Path) -> list[Figure]:
    facts, rebuilt = asyncio.run(_rebuild(path, with_snapshots=False))
    size = f"a session of {path.stat().st_size >> 20:,} MiB and {facts:,} facts"
    began = process_time()
    asyncio.run(_opened(path))
    opened = process_time() - began
    how = f"{size}: opened to be written, structure and newest digests checked"
    whole = f"{size}: without its snapshot, digest checked, applied"
    return [
        Figure("open_1m_from_snapshot_cpu_s", opened, "CPU s", how, "< 1"),
        Figure("open_1m_rebuild_facts_per_cpu_s", facts / rebuilt, "facts/CPU s", whole, ">= 150,000"),
    ]


async def _opened(path: Path) -> None:
    log = await open_session(path)
    sequencer = await Sequencer.open(log)
    await sequencer.close()
    await log.close()


def _beside_raw(path: Path) -> list[Figure]:
    """The same batches into the log and into a plain table of SQLite, by turns."""
    groups = asyncio.run(_groups(path))
    turns = [(_in_turn(_into_raw, groups), _in_turn(_into_log, groups)) for _ in range(TURNS)]
    batches = sum(map(len, groups))
    raw, log = (batches / median(turn[n][0] for turn in turns) for n in (0, 1))
    wall = median(turn[0][1] / turn[1][1] for turn in turns)
    what = f"{batches:,} batches of that session, {GROUP_BATCHES:,} a commit, synchronous=FULL, median of {TURNS} turns"
    into = f"{what}; executemany into a table of the same columns"
    return [
        Figure("raw_sqlite_batches_per_cpu_s", raw, "batches/CPU s", into),
        Figure("log_batches_per_cpu_s", log, "batches/CPU s", f"{what}; `append`, encoded and digested before"),
        Figure("log_to_raw_sqlite_ratio", log / raw, "ratio", f"by CPU time; by wall clock {wall:.2f}", ">= 0.5"),
    ]


def _in_turn(store: Callable[[Path, Groups], tuple[float, float]], groups: Groups) -> tuple[float, float]:
    """CPU and wall seconds."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        gc.collect()
        return store(Path(folder) / "session.db", groups)


def _into_raw(path: Path, groups: Groups) -> tuple[float, float]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(RAW_SCHEMA)
        cpu, wall = process_time(), perf_counter()
        for group in groups:
            db.execute("BEGIN")
            db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", group)
            db.execute("COMMIT")
        return process_time() - cpu, perf_counter() - wall


def _into_log(path: Path, groups: Groups) -> tuple[float, float]:
    return asyncio.run(_appended(path, groups))


async def _appended(path: Path, groups: Groups) -> tuple[float, float]:
    log = await open_session(path, create=True)
    cpu, wall = process_time(), perf_counter()
    head = Head()
    for group in groups:
        head = await log.append(group, head)
    took = process_time() - cpu, perf_counter() - wall
    await log.close()
    return took


async def _groups(path: Path) -> Groups:
    """The batches of a session, as many together as a commit holds."""
    log = await open_session(path, read_only=True)
    batches = [stored async for stored in log.read()]
    await log.close()
    return [batches[at : at + GROUP_BATCHES] for at in range(0, len(batches), GROUP_BATCHES)]
