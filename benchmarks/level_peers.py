"""The flow of `benchmarks.level_replay` in other engines, each in a process of its own, where they are installed.

hftbacktest 2.4 needs an older NumPy than the one that is pinned here, so the interpreter can be another one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.figures import Figure
from benchmarks.level_market import Written

PEERS = {"nautilus": ("NautilusTrader", 8.0), "hftbacktest": ("hftbacktest", 1.0)}
"""Module of `other_engines` -> name, and how many times faster than it a replay is to be."""


class Said(msgspec.Struct):
    """What a peer measured: CPU seconds of its run alone, from data that is in memory as it wants it."""

    version: str
    cpu: float
    orders: int
    fills: int


def ratios(written: Written, every: int, ticks_away: int, own: Figure, interpreter: str) -> list[Figure]:
    """How many times as fast as each peer a replay is."""
    found = []
    for module, (name, aim) in PEERS.items():
        if (said := _run(module, written, every, ticks_away, interpreter)) is not None:
            rate = written.events / said.cpu
            includes = (
                f"{own.name} / {rate:,.0f} events/s of {name} {said.version}, the run alone: data in memory in its own "
                f"form, {said.orders:,} orders, {said.fills:,} fills, no log"
            )
            found.append(Figure(f"replay_to_{module}_ratio", own.value / rate, "ratio", includes, f">= {aim:g}"))
    return found


def _run(module: str, written: Written, every: int, ticks_away: int, interpreter: str) -> Said | None:
    """What the peer says; None where it is not installed."""
    arguments = [str(written.levels), str(written.prints), str(every), str(ticks_away)]
    command = [interpreter or sys.executable, "-m", f"benchmarks.other_engines.{module}_flow", *arguments]
    ran = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[1])
    if b"ModuleNotFoundError" in ran.stderr:
        return None
    assert ran.returncode == 0, ran.stderr.decode()
    return msgspec.json.decode(ran.stdout.splitlines()[-1], type=Said)
