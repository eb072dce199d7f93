"""The matching flow through the core: decided only, with encoding and digest, durable; and the bare book beside it."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.bare_book import BareBook
from benchmarks.figures import Figure
from benchmarks.flow import Flow, make_flow, run_bare
from events.codec import encode_body
from events.commands import Command
from events.digest import GENESIS, chain
from events.facts import Refused
from events.instruments import load_pack
from events.log import EventLog
from events.record import Batch
from events.refusals import Reason
from events.store.sqlite import open_session
from exchange.core.state import State
from exchange.core.step import step
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from gateway.memory import collect_seldom

WINDOW = 4_000
"""Commands in flight at once in the durable run: several commits' worth."""


def measure(operations: int, seed: int) -> list[Figure]:
    """The figures of the matching flow and of the rebuild from its log. Raises where the run is void."""
    flow = make_flow(load_pack("binance-usdm"), operations, seed)
    collect_seldom()
    bare = operations / _bare(flow)
    core = len(flow.commands) / _core(flow, _nothing())
    encoded = len(flow.commands) / _core(flow, _encoding())
    durable, rebuilt, opened = _durable(flow)
    what = f"{operations:,} operations, 100 accounts in both modes, marks; margin, watch"
    return [
        Figure(
            "match_core_commands_per_cpu_s", core, "commands/CPU s", f"{what}; records made, not encoded", ">= 100,000"
        ),
        Figure(
            "match_encoded_commands_per_cpu_s", encoded, "commands/CPU s", f"{what}; JSON, sha256 chain", ">= 80,000"
        ),
        Figure(
            "match_durable_commands_per_cpu_s",
            durable,
            "commands/CPU s",
            f"{what}; JSON, sha256 chain, SQLite synchronous=FULL, acknowledgements; CPU of all threads",
            ">= 50,000",
        ),
        Figure("bare_book_operations_per_cpu_s", bare, "operations/CPU s", "the same operations on SortedDict + deque"),
        Figure("match_core_to_bare_book_ratio", core / bare, "ratio", "core / bare book"),
        Figure("match_encoded_to_core_ratio", encoded / core, "ratio", "encoded / core"),
        Figure("match_durable_to_core_ratio", durable / core, "ratio", "durable / core"),
        Figure(
            "rebuild_facts_per_cpu_s",
            rebuilt,
            "facts/CPU s",
            "the whole log without its snapshots: read from SQLite, digest checked, JSON decoded, applied",
            ">= 150,000",
        ),
        Figure(
            "open_from_snapshot_cpu_s",
            opened,
            "CPU s",
            f"the same session, {len(flow.commands):,} commands long, opened by the snapshot that it closed with",
        ),
    ]


def _bare(flow: Flow) -> float:
    book = BareBook()
    run_bare(flow._replace(bare=flow.bare_opening), book)
    started = process_time()
    run_bare(flow, book)
    return process_time() - started


def _nothing() -> Callable[[Batch], None]:
    return lambda _batch: None


def _encoding() -> Callable[[Batch], None]:
    digest = GENESIS

    def encode(batch: Batch) -> None:
        nonlocal digest
        digest = chain(digest, encode_body(batch))

    return encode


def _core(flow: Flow, then: Callable[[Batch], None]) -> float:
    state = State()
    for command in flow.opening:
        step(state, command)
    refusals: Counter[Reason] = Counter()
    gc.collect()
    started = process_time()
    for command in flow.commands:
        batch = step(state, command)
        assert isinstance(batch, Batch)
        then(batch)
        fact = batch.records[1].message
        if type(fact) is Refused:
            refusals[fact.reason] += 1
    took = process_time() - started
    if refusals.total() * 100 > len(flow.commands):
        raise RuntimeError(f"void: more than 1 % of the commands was refused: {dict(refusals)}")
    return took


class WithoutSnapshots:
    """A log that has none: what it adds up to follows from its records alone."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def snapshot(self, version: int, until: int | None = None) -> None:
        """Nothing is kept here."""


def _durable(flow: Flow) -> tuple[float, float, float]:
    """Commands a CPU second, facts a CPU second of a rebuild, CPU seconds of an opening from a snapshot."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        path = Path(folder) / "session.db"
        took = asyncio.run(_submit_all(path, flow))
        facts, rebuilt = asyncio.run(_rebuild(path, with_snapshots=False))
        _, opened = asyncio.run(_rebuild(path, with_snapshots=True))
    return len(flow.commands) / took, facts / rebuilt, opened


async def _submit_all(path: Path, flow: Flow) -> float:
    log = await open_session(path, create=True)
    sequencer = await Sequencer.open(log, apart=1)
    await _submit(sequencer, flow.opening)
    gc.collect()
    started = process_time()
    await _submit(sequencer, flow.commands)
    took = process_time() - started
    await sequencer.close()
    await log.close()
    return took


async def _submit(sequencer: Sequencer, commands: list[Command]) -> None:
    for start in range(0, len(commands), WINDOW):
        acknowledged = [sequencer.submit_soon(command) for command in commands[start : start + WINDOW]]
        for future in acknowledged:
            await future


async def _rebuild(path: Path, *, with_snapshots: bool) -> tuple[int, float]:
    """How many facts a session has, and the CPU seconds that its state took."""
    log = await open_session(path, read_only=True)
    gc.collect()
    started = process_time()
    state, _ = await rebuild(log if with_snapshots else WithoutSnapshots(log))
    took = process_time() - started
    await log.close()
    return state.seq - state.batch, took
