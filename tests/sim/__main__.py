"""`make sim`: run made-up sessions, say what they reached, and name the seed of any that failed.

    python -m tests.sim [SEED | --seed SEED | --seeds HOW_MANY] [--records HOW_LONG]

SEED and SEEDS are taken from the environment where the command line has neither. Exit code 1 where a session failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterable

from tests.sim.census import Census
from tests.sim.session import RECORDS, run

SEEDS = 40
"""How many sessions, unless told otherwise."""


def main(arguments: list[str]) -> int:
    """Run what was asked for; the exit code."""
    options = parse(arguments)
    seeds = range(options.seeds) if options.seed is None else [options.seed]
    census = Census()
    failed = [seed for seed in seeds if not survives(seed, options.records, census, len(seeds))]
    say(f"\n{census.table()}\n")
    for seed in failed:
        longer = "" if options.records == RECORDS else f"  (python -m tests.sim {seed} --records {options.records})"
        say(f"FAILED: make sim SEED={seed}{longer}")
    say(f"{len(seeds)} sessions, {len(failed)} failed")
    return 1 if failed else 0


def survives(seed: int, records: int, census: Census, sessions: int) -> bool:
    """Whether the session of this seed came to its end; why not is printed."""
    try:
        census.add(run(seed, records))
    except Exception:
        say(f"\nseed {seed}\n{traceback.format_exc()}")
        return False
    progress = f"{census.sessions} of {sessions} sessions, {census.records} records"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{progress}")
    elif census.sessions % 10 == 0:
        sys.stderr.write(f"{progress}\n")
    sys.stderr.flush()
    return True


def parse(arguments: Iterable[str]) -> argparse.Namespace:
    """The command line, and where that says nothing the environment."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="Seeded sessions, everything checked.")
    parser.add_argument("one", nargs="?", type=int, metavar="SEED", help="this session only")
    parser.add_argument("--seed", type=int, help="the same")
    parser.add_argument("--seeds", type=int, help=f"this many sessions, from seed 0 on ({SEEDS})")
    parser.add_argument("--records", type=int, default=RECORDS, help=f"records a session ({RECORDS})")
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
