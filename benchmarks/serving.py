"""The exchange as a server: order round trips over loopback, orders a second, and readers of a busy book.

Server and client are processes of their own. The server is `ringfence serve` with its generated market and agents, its
session on disk, every order durable before it is answered; limits are off.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any, NamedTuple

from benchmarks.figures import Figure, Grid
from benchmarks.loading import Target, Waits, closed_loop, open_loop, read_along

RATE = 200
"""Orders a second of the round trips."""

CONNECTIONS = 20
READERS = 500
SYNCS = 200
SETTLE = 3.0
"""A server that has just begun makes ready what was before its session, s."""

STREAM = "/public/ws/btcusdt@depth@100ms"

SOAK_FROM = 120.0
"""Growth is counted from here on, s: what is bounded has filled by then."""


class Served(NamedTuple):
    """A server that runs."""

    target: Target
    process: int
    folder: Path


def measure(seconds: float) -> tuple[list[Figure], Grid]:
    """All figures, each run so long."""
    with served() as server:
        sleep(SETTLE)
        sync = _sync(server.folder)
        calm = asyncio.run(open_loop(server.target, CONNECTIONS, RATE, seconds))
        most = asyncio.run(closed_loop(server.target, CONNECTIONS, seconds))
        busy, heard, lost = asyncio.run(_beside_readers(server.target, seconds))
    runs = {f"{RATE} a second": calm, f"as fast as {CONNECTIONS} connections ask": most}
    runs[f"{RATE} a second, {READERS} readers"] = busy
    return [*_round_trips(calm, sync), *_most(most), *_readers(calm, busy, heard / seconds, lost)], _grid(runs)


def soak(seconds: float) -> list[Figure]:
    """What the server's memory does while orders come and readers read."""
    with served() as server:
        sizes: list[tuple[float, float]] = []
        asyncio.run(_soaked(server, seconds, sizes))
    late = [(at, size) for at, size in sizes if at >= min(SOAK_FROM, seconds / 3)]
    growth = (late[-1][1] - late[0][1]) / max(1.0, (late[-1][0] - late[0][0]) / 60)
    said = f"{RATE} requests a second and {READERS // 10} readers for {seconds:.0f} s"
    return [
        Figure("serve_memory_mb", late[-1][1], "MB", f"resident, at the end of {said}"),
        Figure("serve_memory_growth_mb_per_min", growth, "MB/min", f"from {late[0][0]:.0f} s on, during {said}", "0"),
    ]


@contextmanager
def served() -> Iterator[Served]:
    """A server in a process of its own, with a session in a folder that goes away with it."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as name:
        folder = Path(name)
        options = ["--session", str(folder / "session.db"), "--port", "0", "--tls-port", "0", "--json", "--no-limits"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "serve", *options], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            yield Served(_target(_first_object(process.stdout)), process.pid, folder)
        finally:
            process.terminate()
            process.wait(30)


def _first_object(lines: Any) -> dict[str, Any]:
    """What the server says of itself."""
    text = ""
    for line in lines:
        text += line
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:
            continue
        return found
    raise AssertionError(f"the server ended and said {text!r}")


def _target(said: dict[str, Any]) -> Target:
    host, _, port = said["http"].rpartition("/")[2].partition(":")
    return Target(host, int(port), said["key"], said["secret"])


async def _beside_readers(target: Target, seconds: float) -> tuple[Waits, int, int]:
    found: list[Waits] = []

    async def load() -> None:
        found.append(await open_loop(target, CONNECTIONS, RATE, seconds))

    heard, lost = await read_along(target, STREAM, READERS, load)
    return found[0], heard, lost


async def _soaked(server: Served, seconds: float, sizes: list[tuple[float, float]]) -> None:
    began = perf_counter()

    async def watch() -> None:
        while True:
            sizes.append((perf_counter() - began, _resident_mb(server.process)))
            await asyncio.sleep(5)

    async def load() -> None:
        await open_loop(server.target, CONNECTIONS, RATE, seconds)

    watching = asyncio.create_task(watch())
    await read_along(server.target, STREAM, READERS // 10, load)
    watching.cancel()
    sizes.append((perf_counter() - began, _resident_mb(server.process)))


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _sync(folder: Path) -> float:
    """The median of writing a page to a file and having it on disk, s."""
    waits = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            waits.append(perf_counter() - began)
    return median(waits)


def _ms(waits: Waits) -> tuple[float, float]:
    """p50 and p99."""
    cuts = quantiles(waits.seconds, n=100)
    return cuts[49] * 1e3, cuts[98] * 1e3


def _round_trips(calm: Waits, sync: float) -> list[Figure]:
    p50, p99 = _ms(calm)
    said = f"a signed order or cancel over {CONNECTIONS} connections at {RATE} a second, until its answer; durable"
    return [
        Figure("serve_sync_ms", sync * 1e3, "ms", "a page written and synced, median of 200"),
        Figure("serve_order_p50_ms", p50, "ms", said, f"<= {sync * 1e3 + 3:.1f}"),
        Figure("serve_order_p99_ms", p99, "ms", said, f"<= {sync * 1e3 + 12:.1f}"),
    ]


def _most(most: Waits) -> list[Figure]:
    said = f"orders and cancels, half each, that {CONNECTIONS} connections had answered; {most.failed} were refused"
    return [Figure("serve_orders_per_s", most.rate, "/s", said, ">= 2,000")]


def _readers(calm: Waits, busy: Waits, heard: float, lost: int) -> list[Figure]:
    said = f"p50 of round trips with {READERS} readers of {STREAM} over that without; {lost} readers were cut off"
    ratio, late = (with_them / without for with_them, without in zip(_ms(busy), _ms(calm), strict=True))
    return [
        Figure("serve_readers_mb_per_s", heard / 1e6, "MB/s", f"what {READERS} readers got"),
        Figure("serve_ack_with_readers_ratio", ratio, "x", said, "<= 1.2"),
        Figure("serve_ack_p99_with_readers_ratio", late, "x", "the same of p99", "<= 1.2"),
    ]


def _grid(runs: dict[str, Waits]) -> Grid:
    rows = []
    for name, waits in runs.items():
        p50, p99 = _ms(waits)
        worst = max(waits.seconds) * 1e3
        rows.append([name, f"{waits.rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{worst:.1f}", str(waits.failed)])
    return Grid("Order requests over loopback", ["load", "/s", "p50 ms", "p99 ms", "max ms", "refused"], rows)
