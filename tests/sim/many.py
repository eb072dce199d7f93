"""Many made-up sessions: in portions, on several processes, written down portion by portion so as to go on later."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from tests.sim.census import Census, Count, Sights, read, seen_in, written
from tests.sim.hosted import host_again
from tests.sim.session import run

PORTION = 20
"""So many sessions are run, and written down, at a time."""

HOSTED_EACH = 5
"""One session in so many is hosted."""

ROOT = Path(__file__).parents[2]


class Plan(NamedTuple):
    """Which sessions: from which seed on, how many, how long."""

    first: int
    sessions: int
    records: int

    def portions(self) -> list[range]:
        """The seeds, a portion at a time."""
        end = self.first + self.sessions
        return [range(seed, min(seed + PORTION, end)) for seed in range(self.first, end, PORTION)]


class Failed(msgspec.Struct, frozen=True):
    """A session that did not come to its end, and why."""

    seed: int
    what: str


class Done(msgspec.Struct):
    """What was done of a plan: by the first seeds of the portions."""

    plan: Plan
    code: str
    portions: list[int]
    failed: list[Failed]
    count: Count


class Progress:
    """A bar for people; for files a line now and then. `run` counts the sessions that were run now."""

    def __init__(self, sessions: int) -> None:
        self.run = 0
        columns = TextColumn("sessions"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self._bar = Bar(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("", total=sessions)
        self._sessions, self._told, self._done = sessions, 0, 0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def add(self, sessions: int, now: bool = True) -> None:
        """So many more are done; `now` says whether they were run, or found."""
        self.run += sessions if now else 0
        self._done += sessions
        self._bar.advance(self._task, sessions)
        if self._bar.disable and (self._done - self._told) * 10 >= self._sessions:
            self._told = self._done
            sys.stderr.write(f"{self._done} of {self._sessions} sessions\n")
            sys.stderr.flush()


def done(
    plan: Plan, workers: int, into: Path | None, until: float | None, progress: Progress
) -> tuple[Census, list[Failed]]:
    """Run what is not done yet of a plan, until a moment of the monotonic clock; what was reached, and what failed."""
    before = _kept(plan, into)
    census, failed, portions = read(before.count), before.failed, before.portions
    progress.add(census.sessions + len(failed), now=False)
    left = [seeds for seeds in plan.portions() if seeds[0] not in portions]
    for seeds, part, missed in _run_all(left, plan.records, workers, until):
        census.update(part)
        failed += missed
        portions.append(seeds[0])
        if into:
            _keep(into, Done(plan, before.code, portions, failed, written(census)))
        progress.add(len(seeds))
    return census, sorted(failed, key=lambda one: one.seed)


def _run_all(
    left: list[range], records: int, workers: int, until: float | None
) -> Iterator[tuple[range, Census, list[Failed]]]:
    in_time = (seeds for seeds in left if until is None or time.monotonic() < until)
    if workers == 1:
        yield from (portion(seeds, records) for seeds in in_time)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running: set[Future[tuple[range, Census, list[Failed]]]] = set()
        while True:
            running |= {pool.submit(portion, seeds, records) for seeds in islice(in_time, 2 * workers - len(running))}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in finished)


def lived(seed: int, records: int) -> tuple[Sights, int]:
    """Run a session, one in some of them under the real host as well; what it counts for, and its records."""
    world = run(seed, records)
    return seen_in(world) + (host_again(world, seed) if is_hosted(seed) else Counter()), world.state.seq


def is_hosted(seed: int) -> bool:
    """Whether the session of a seed is lived once more through the sequencer and a log that fails."""
    return seed % HOSTED_EACH == 3


def portion(seeds: range, records: int) -> tuple[range, Census, list[Failed]]:
    """Run the sessions of some seeds: what they reached, and those that failed."""
    census, failed = Census(), []
    for seed in seeds:
        try:
            census.count(*lived(seed, records))
        except Exception as error:
            failed.append(Failed(seed, f"{type(error).__name__}: {error}"))
    return seeds, census, failed


def _kept(plan: Plan, into: Path | None) -> Done:
    """What a file says was done of this plan by this code; what another one did is of no use."""
    code = code_of()
    if into and into.exists():
        kept = msgspec.json.decode(into.read_bytes(), type=Done)
        if (kept.plan, kept.code) == (plan, code):
            return kept
    return Done(plan, code, [], [], written(Census()))


def _keep(into: Path, what: Done) -> None:
    beside = into.with_name(f"{into.name}.new")
    beside.write_bytes(msgspec.json.encode(what))
    beside.replace(into)


def code_of() -> str:
    """A fingerprint of everything that decides what a seed means and what is checked."""
    files = [path for room in ("events", "exchange", "tests/sim") for path in sorted((ROOT / room).rglob("*"))]
    chosen = [path for path in files if path.suffix in {".py", ".json"}]
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in chosen)).hexdigest()
