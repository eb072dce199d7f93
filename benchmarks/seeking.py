"""Seeking: the CPU time of going to one moment of a recorded session, opening the file included."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks.figures import Figure
from events.commands import AccountId, SessionOptions
from events.instruments import MarginMode, load_pack
from events.store.sqlite import open_session
from events.units import SECOND
from examples.quoter import Quoter
from exchange.sequencer import Sequencer
from replay.player import Player
from replay.sources import open_source
from replay.synth import write_session
from replay.traders import Trader
from replay.travel import batch_at
from replay.visit import Visit

SECONDS = 4200
"""The session is longer than the hour."""

HOUR = 3600 * SECOND
ROUNDS = 5


def measure(seed: int, seconds: int = SECONDS) -> list[Figure]:
    """To one hour into a session (or to six sevenths of a shorter one), and from there a minute and a batch back."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        path = Path(folder) / "session.db"
        asyncio.run(_record(Path(folder) / "market.gz", path, seed, seconds))
        gc.collect()
        runs = [asyncio.run(_seek(path, min(HOUR, seconds * SECOND * 6 // 7))) for _ in range(ROUNDS)]
    hours, minutes, steps = zip(*runs, strict=True)
    what = f"{seconds:,} s of generated market with two quoting accounts, in a file; median of {ROUNDS}"
    return [
        Figure("seek_one_hour_cpu_s", median(hours), "s of CPU", f"{what}; opening and closing it included", "<= 1"),
        Figure("seek_a_minute_back_cpu_s", median(minutes), "s of CPU", f"{what}; from there"),
        Figure("step_back_cpu_s", median(steps), "s of CPU", f"{what}; one batch back from there"),
    ]


async def _record(source: Path, path: Path, seed: int, seconds: int) -> None:
    write_session(source, seed=seed, seconds=seconds)
    pack = load_pack("binance-usdm")
    traders = [
        Trader(AccountId(name), mode, 10, Decimal(10_000), Quoter())
        for name, mode in (("ann", MarginMode.ISOLATED), ("ben", MarginMode.CROSS))
    ]
    log = await open_session(path, create=True)
    sequencer = await Sequencer.open(log)
    await Player(sequencer, [open_source(source, pack)], traders).run(pack, SessionOptions())
    await sequencer.close()
    await log.close()


async def _seek(path: Path, offset: int) -> tuple[float, float, float]:
    """The CPU seconds of going there, a minute back, and a batch back."""
    times = [process_time()]
    log = await open_session(path, read_only=True)
    visit = Visit(log)
    at = (await batch_at(log, 1)).at + offset
    await visit.seek(at)
    times.append(process_time())
    await visit.seek(at - min(60 * SECOND, offset // 2))
    times.append(process_time())
    await visit.seek_batch(visit.head.batch - 1)
    times.append(process_time())
    await visit.close()
    await log.close()
    closing = process_time() - times[-1]
    return times[1] - times[0] + closing, times[2] - times[1], times[3] - times[2]
