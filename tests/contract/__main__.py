"""`make oracle`: millions of operations by chance on the fast book and the core, and on their naive counterparts.

    python -m tests.contract [--operations HOW_MANY] [--only books|orders|exchanges] [--first SEED | --seed SEED]

Operations are cut into runs of RUN, each from a seed of its own. A run that fails names its seed, and `--seed` does it
again, comparing everything after every operation. Exit code 1 where a run failed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterable
from functools import partial

from tests.contract import books, exchanges

MAKERS = {
    "books": books.by_chance,
    "orders": partial(books.by_chance, kinds=books.BY_ORDER),
    "exchanges": exchanges.by_chance,
}
"""What is compared, and who does it."""

OPERATIONS = 1_000_000
"""How many of each, unless told otherwise."""

RUN, COMPARED_EVERY = 5_000, 100
"""Operations of a run, and after how many the two are compared as a whole; what they answer is compared each time."""


def main(arguments: Iterable[str]) -> int:
    """Do what was asked for; the exit code."""
    options = parse(arguments)
    failed = 0
    for name in options.only or MAKERS:
        seeds = range(options.first, options.first + -(-options.operations // RUN))
        failed += run(name, [options.seed] if options.seed is not None else seeds, options.seed is not None)
    return 1 if failed else 0


def run(name: str, seeds: Iterable[int], closely: bool) -> int:
    """Run some seeds and say what came of it; how many failed."""
    started, done, failed = time.monotonic(), [], []
    for seed in seeds:
        done.append(seed)
        try:
            MAKERS[name](seed, RUN, 1 if closely else COMPARED_EVERY)
        except Exception:
            failed.append(seed)
            say(f"{traceback.format_exc()}\nFAILED: python -m tests.contract --only {name} --seed {seed}")
    took = time.monotonic() - started
    say(f"{name}: {len(done) * RUN:,} operations, seeds {done[0]} to {done[-1]}, {len(failed)} failed, {took:.0f} s")
    return len(failed)


def parse(arguments: Iterable[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description="The core against its oracles.")
    parser.add_argument("--operations", type=int, default=OPERATIONS, help=f"of each ({OPERATIONS:,})")
    parser.add_argument("--only", action="append", choices=list(MAKERS), help="this one only")
    parser.add_argument("--first", type=int, default=0, help="from this seed on (0)")
    parser.add_argument("--seed", type=int, help="this run only, compared closely")
    return parser.parse_args(list(arguments))


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
