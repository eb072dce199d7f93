"""Many seeds of the whole system, on several processes; or one, turn by turn.

    python -m tests.sim.world [--seeds HOW_MANY] [--first SEED] [--workers PROCESSES]
    python -m tests.sim.world --seed SEED [--last LINES]

What is printed: how often each fault and each event occurred, at how many of the places where the code waits a crash
fell, and how many seeds a second were run. Exit code 1 where a seed failed; alone it fails alike, and prints the order
of events up to there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from tests.sim.whole.awaits import Wait, all_waits
from tests.sim.whole.loop import undisturbed
from tests.sim.whole.system import Reached, System

PORTION = 25
"""So many seeds a process runs at a time."""


class Failed(NamedTuple):
    """A seed that found something, and what."""

    seed: int
    what: str


class Done(NamedTuple):
    """What came of some seeds."""

    reached: Reached
    failed: list[Failed]


def run(seed: int, order: list[str] | None = None, at: Wait | None = None) -> tuple[Reached, str]:
    """What a seed reached, and what went wrong with it, with nothing left behind; `order` is given the events. `at` is
    where crashes are to fall, if the seed does not say.
    """
    with undisturbed():
        system = System(seed, order.append if order is not None else None, at)
        try:
            return system.run(), ""
        except (Exception, asyncio.CancelledError) as error:
            shown = traceback.format_exc() if order is not None else f"{type(error).__name__}: {error}"
            traceback.clear_frames(error.__traceback__)
            return Reached(system.events, system.waits), shown


def portion(seeds: Iterable[int]) -> Done:
    """Run some seeds."""
    done = Done(Reached(Counter(), Counter()), [])
    for seed in seeds:
        reached, what = run(seed)
        done.reached.events.update(reached.events)
        done.reached.waits.update(reached.waits)
        if what:
            done.failed.append(Failed(seed, what))
    return done


def portions(seeds: range, workers: int) -> Iterator[Done]:
    """Run seeds on several processes."""
    parts = [seeds[at : at + PORTION] for at in range(0, len(seeds), PORTION)]
    if workers == 1:
        yield from map(portion, parts)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(portion, parts)


def waits_missed(waits: Counter[Wait]) -> list[Wait]:
    """Where no crash fell, though one can."""
    return [wait for wait in all_waits() if wait not in waits]


def table(reached: Reached) -> str:
    """What was reached."""
    lines = [f"{name:30} {times:>10,}" for name, times in sorted(reached.events.items())]
    missed = waits_missed(reached.waits)
    lines.append(f"a crash fell at {len(set(reached.waits))} places that wait, at {len(missed)} none did")
    return "\n".join([*lines, *(f"no crash at: {wait}" for wait in missed)])


def all_of(options: argparse.Namespace) -> int:
    """Run many; the exit code."""
    began, cpu = time.monotonic(), time.process_time()
    total = Done(Reached(Counter(), Counter()), [])
    for done in portions(range(options.first, options.first + options.seeds), options.workers):
        total.reached.events.update(done.reached.events)
        total.reached.waits.update(done.reached.waits)
        total.failed.extend(done.failed)
    seconds = max(time.monotonic() - began, 0.001)
    say(table(total.reached))
    for failed in total.failed:
        say(f"FAILED: make sim WORLD={failed.seed}\n        {failed.what}")
    pace = f"{options.seeds / seconds:.0f} a second"
    by = f", {time.process_time() - cpu:.0f} s of CPU" if options.workers == 1 else f" by {options.workers} processes"
    say(f"{options.seeds} worlds, {len(total.failed)} failed; {seconds:.0f} s{by}: {pace}")
    return 1 if total.failed else 0


def one_of(options: argparse.Namespace) -> int:
    """Run one, and say in which order everything happened; the exit code."""
    order: list[str] = []
    reached, what = run(options.seed, order)
    say("\n".join(order[-options.last :] if options.last else order))
    say(f"{len(order)} events; {', '.join(f'{name} {times}' for name, times in sorted(reached.events.items()))}")
    say(f"FAILED: seed {options.seed}\n{what}" if what else f"seed {options.seed} holds")
    return 1 if what else 0


def main(arguments: list[str]) -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.world", description="The whole system, seed by seed.")
    parser.add_argument("--seed", type=int, help="this one, with the order of its events")
    parser.add_argument("--last", type=int, default=0, metavar="LINES", help="only so many of the last events")
    parser.add_argument("--seeds", type=int, default=1000, help="so many (1000)")
    parser.add_argument("--first", type=int, default=0, help="from this seed on (0)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes (one a core)")
    options = parser.parse_args(arguments)
    return all_of(options) if options.seed is None else one_of(options)


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")
