"""`make sim`: run made-up sessions, say what they reached, and name the seed of any that failed.

    python -m tests.sim [SEED | --seed SEED | --seeds HOW_MANY] [--first SEED] [--records HOW_LONG]
                        [--workers PROCESSES] [--into FILE] [--minutes M] [--gate | --cover]

SEED and SEEDS are taken from the environment where the command line has neither. With --into, what was done is kept in
a file: the same call goes on where it was interrupted, or where its minutes were over, as long as the code is the same.
--gate runs the scripts and the cover set, worlds that reach between them every refusal, every layer and every branch of
the waterfall, and says what they do not reach; --cover looks for a new set among so many seeds, and writes it down.
Exit code 1 where a session failed or something was not reached, 3 where the minutes were over before all were run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from textwrap import fill

from tests.sim.census import Census
from tests.sim.cover import LENGTH, SET, Cover, SessionFailed, chosen, gate, record, search
from tests.sim.hosted import host_again
from tests.sim.many import Failed, Plan, Progress, done
from tests.sim.paste import WIDTH, specification
from tests.sim.scripted import played
from tests.sim.scripts import SCRIPTS
from tests.sim.session import RECORDS, run
from tests.sim.shrink import failure_of, shrink
from tests.sim.world import World

SEEDS = 40
"""How many sessions, unless told otherwise."""

SHOWN = 3
"""So many of those that failed are shown as a specification."""


def main(arguments: list[str]) -> int:
    """Run what was asked for; the exit code."""
    options = parse(arguments)
    if options.gate:
        return gated(options.workers)
    if options.cover:
        return covered(range(options.first, options.first + options.seeds), options.workers)
    if options.seed is None:
        plan = Plan(options.first, options.seeds, options.records)
    else:
        plan = Plan(options.seed, 1, options.records)
    began = time.monotonic()
    until = began + 60 * options.minutes if options.minutes else None
    with Progress(plan.sessions) as progress:
        into = Path(options.into) if options.into else None
        census, failed = done(plan, options.workers, into, until, progress)
    say(f"\n{census.table()}\n")
    tell(plan, census, failed)
    say(pace(progress.run, time.monotonic() - began, options.workers))
    if failed:
        return 1
    return 3 if census.sessions < plan.sessions else 0


def tell(plan: Plan, census: Census, failed: list[Failed]) -> None:
    """What went wrong, and what was not reached."""
    longer = "" if plan.records == RECORDS else f"  (python -m tests.sim SEED --records {plan.records})"
    for one in failed:
        say(f"FAILED: make sim SEED={one.seed}{longer}\n        {one.what}")
    for one in failed[:SHOWN]:
        say(f"\n{shortest(one.seed, plan.records)}")
    for group, names in groupby(census.missing(), key=lambda missing: missing[0]):
        say(wrapped(f"not reached: {group} {', '.join(name for _, name in names)}"))
    say(wrapped(census.waterfall()))
    ran = census.sessions + len(failed)
    short = f" of {plan.sessions}" if ran < plan.sessions else ""
    say(f"{ran}{short} sessions, {census.records} records, {len(failed)} failed")


def gated(workers: int) -> int:
    """Whether the cover set reaches everything; what it does not, by name."""
    try:
        cover, recorded = gate(workers), chosen()
    except SessionFailed as failed:
        name = failed.args[0]
        how = f"the script '{name}'" if isinstance(name, str) else f"python -m tests.sim {name} --records {LENGTH}"
        say(f"FAILED: {how}\n\n{shortest(name, LENGTH)}")
        return 1
    say(f"\n{cover.table()}\n")
    name_missing(cover)
    if cover.missing:
        say("look for seeds: python -m tests.sim --cover --seeds 200")
        say("what no session can reach: `cover.UNREACHABLE`, with the reason")
    beyond = cover.made_up - len(recorded)
    say(wrapped(cover.census.waterfall()))
    say(wrapped(f"{summary(cover)}, {beyond} of them beyond the recorded set; {len(cover.told)} by scripts alone"))
    return 1 if cover.missing else 0


def name_missing(cover: Cover) -> None:
    """Say what was not reached, line by line."""
    for goal in cover.missing:
        say(wrapped(f"NOT REACHED: {goal}"))


def wrapped(text: str) -> str:
    """A line that is not too wide to read: what follows is set in."""
    return fill(text, WIDTH, subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False)


def summary(cover: Cover) -> str:
    """How much of it all was reached, and by how many sessions."""
    goals = len(cover.goals)
    reached = f"{goals - len(cover.missing)} of {goals} goals reached"
    return f"{reached} by {cover.scripts} scripts and {cover.made_up} made-up sessions"


def covered(seeds: range, workers: int) -> int:
    """Look for a cover set among some seeds, and record it."""
    everything, picked = search(seeds, workers)
    record(picked)
    name_missing(everything)
    say(summary(everything))
    say(f"{len(picked)} of them are recorded in {SET.name}")
    return 1 if everything.missing else 0


def shortest(seed: int | str, records: int) -> str:
    """Why a session, or the script of a name, fails, and the shortest one that fails alike, as a specification."""
    world = World()
    try:
        played(SCRIPTS[seed], world) if isinstance(seed, str) else run(seed, records, world)
    except Exception:
        why = traceback.format_exc()
        if failure_of(world.moves, world) is None:
            return why
        shrunk = shrink(world)
        short = f"{len(world.moves)} moves, of which {len(shrunk.moves)} are enough ({shrunk.runs} sessions tried)"
        return f"{why}\nseed {seed}: {short}\n\n{specification(seed, shrunk, world.columns)}"
    try:
        host_again(world, seed)
    except Exception:
        return f"seed {seed}, hosted\n{traceback.format_exc()}"
    return f"seed {seed} does not fail again"


def pace(sessions: int, seconds: float, workers: int) -> str:
    """How fast it went."""
    by = "1 process" if workers == 1 else f"{workers} processes"
    return f"{sessions} sessions by {by} in {seconds:.0f} s: {sessions * 60 / max(seconds, 0.001):.0f} a minute"


def parse(arguments: Iterable[str]) -> argparse.Namespace:
    """The command line, and where that says nothing the environment."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="Seeded sessions, everything checked.")
    parser.add_argument("one", nargs="?", type=int, metavar="SEED", help="this session only")
    parser.add_argument("--seed", type=int, help="the same")
    parser.add_argument("--seeds", type=int, help=f"this many sessions ({SEEDS})")
    parser.add_argument("--first", type=int, default=0, help="from this seed on (0)")
    parser.add_argument("--records", type=int, default=RECORDS, help=f"records a session ({RECORDS})")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes (one a core)")
    parser.add_argument("--gate", action="store_true", help="run the cover set, and demand that it reaches everything")
    parser.add_argument("--cover", action="store_true", help="look for a new cover set")
    parser.add_argument("--into", metavar="FILE", help="keep what was done, to go on from")
    parser.add_argument("--minutes", type=float, default=0, help="begin no more sessions after this time")
    options = parser.parse_args(list(arguments))
    asked = options.one if options.seed is None else options.seed
    if asked is None and options.seeds is None and os.environ.get("SEED"):
        asked = int(os.environ["SEED"])
    options.seed = asked
    options.seeds = int(os.environ.get("SEEDS") or SEEDS) if options.seeds is None else options.seeds
    return options


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
