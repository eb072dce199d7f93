"""Replays as whole processes: speed against the market's own clock, and peak memory against the length of the file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from benchmarks.figures import Figure
from replay.synth import write_session

CAPTURES = ("binance_usdm_ws/btcusdt_20230405.dat.gz", "binance_usdm_ws/btcusdt_20240808.gz")
SHORT_SECONDS = 300


class Run(NamedTuple):
    """One whole process: wall seconds, peak memory in KiB, and what it printed."""

    seconds: float
    peak_kib: int
    printed: dict[str, Any]


def measure(seed: int) -> list[Figure]:
    """How many times faster than the market a replay is, and how memory grows with the file."""
    return [*_speed(seed), _memory(seed)]


def _speed(seed: int) -> list[Figure]:
    data = Path(os.environ.get("RINGFENCE_DATA", "../shared/data"))
    captures = [data / name for name in CAPTURES if (data / name).exists()]
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        what = "real captures, whole process, parsing and log included"
        if not captures:
            captures, what = (
                [_generated(folder, seed, 400)],
                "a generated session (RINGFENCE_DATA is absent), whole process",
            )
        speeds = []
        for path in captures:
            run = _replay(path, Path(folder) / f"{path.stem}.db")
            span = (run.printed["last_at"] - run.printed["first_at"]) / 1e9
            speeds.append(span / run.seconds)
    names = ", ".join(f"{path.name} {speed:,.0f}x" for path, speed in zip(captures, speeds, strict=True))
    return [Figure("replay_times_realtime", min(speeds), "x", f"{what}: {names}", ">= 100")]


def _memory(seed: int) -> Figure:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        short = _replay(_generated(folder, seed, SHORT_SECONDS), Path(folder) / "short.db")
        long = _replay(_generated(folder, seed, SHORT_SECONDS * 10), Path(folder) / "long.db")
    includes = f"peak of the process, {SHORT_SECONDS * 10:,} s of market ({long.peak_kib:,} KiB) / {SHORT_SECONDS} s"
    return Figure("replay_peak_memory_ratio_10x", long.peak_kib / short.peak_kib, "ratio", includes, "<= 1.1")


def _generated(folder: str, seed: int, seconds: int) -> Path:
    path = Path(folder) / f"generated-{seconds}.gz"
    write_session(path, seed=seed, seconds=seconds)
    return path


def _replay(source: Path, out: Path) -> Run:
    command = [sys.executable, "-m", "gateway.cli", "replay", str(source), "--out", str(out), "--json"]
    started = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = perf_counter() - started
    assert process.returncode == 0, f"{source}: replay failed"
    return Run(seconds, usage.ru_maxrss, msgspec.json.decode(printed))
