"""The cover set: a few sessions that reach everything between them, so that the gate can ask for all of it in a minute.

What there is to reach: every command, fact, refusal, layer and choice (`census.ROWS`), every branch of the waterfall
(`branches`). `cover.json` names the seeds, and what each was chosen for. What a seed means changes with the code: the
gate looks among further seeds for what the set no longer reaches, and `python -m tests.sim --cover` makes a new set.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.sim.branches import measured
from tests.sim.census import ROWS, Census, Sights
from tests.sim.many import lived

SET = Path(__file__).with_name("cover.json")

LENGTH = 1000
"""How many records a session of the set has: twice as many reach more than two sessions do."""

OFTEN = 2
"""Everything is reached by so many sessions of the set, where there are as many: most changes leave one of them."""

FURTHER = 60
"""So many sessions beyond the set are run at most."""

UNREACHABLE = {
    "adl.quantile": "a read model of the queue: no decision asks for it",
}
"""What no session can reach, and why; a function stands for its branches."""


class SessionFailed(Exception):
    """A session of the set does not come to its end; the argument is its seed."""


class Reached(NamedTuple):
    """What a session reached: of the census, and of the branches, with all that there are."""

    seed: int
    seen: Sights
    taken: frozenset[str]
    branches: frozenset[str]
    records: int

    @property
    def goals(self) -> set[str]:
        """All of it by name."""
        return {f"{group} {name}" for group, name in self.seen} | self.taken


def reached_by(seed: int, records: int = 0) -> Reached:
    """Run a session, as long as those of the set are unless told otherwise, and see what it reaches."""
    try:
        with measured() as branches:
            seen, length = lived(seed, records or LENGTH)
    except Exception as error:
        raise SessionFailed(seed) from error
    return Reached(seed, seen, frozenset(branches.taken), frozenset(branches.all), length)


class Cover:
    """What some sessions reach between them."""

    def __init__(self) -> None:
        self.census = Census()
        self.sessions: Counter[str] = Counter()
        self.branches: set[str] = set()

    def add(self, one: Reached) -> None:
        """Count a session."""
        self.census.count(one.seen, one.records)
        self.sessions.update(one.goals)
        self.branches |= one.branches

    @property
    def goals(self) -> list[str]:
        """All that can be reached."""
        rows = [f"{group} {name}" for group, names in ROWS.items() for name in names]
        return [goal for goal in (*rows, *sorted(self.branches)) if not unreachable(goal)]

    @property
    def missing(self) -> list[str]:
        """What no session reached."""
        return [goal for goal in self.goals if not self.sessions[goal]]

    def table(self) -> str:
        """What was reached, by how many sessions, how often; branches by function."""
        lines = [self.census.table(), "", f"{'':51} {'reached':>8} {'of':>9} {'by, at least, sessions':>24}"]
        functions = dict.fromkeys(name.partition(":")[0] for name in sorted(self.branches))
        for function in functions:
            goals = [goal for goal in self.branches if goal.partition(":")[0] == function and not unreachable(goal)]
            if goals:
                reached = sum(self.sessions[goal] > 0 for goal in goals)
                least = min(self.sessions[goal] for goal in goals)
                lines.append(f"{'branches':22} {function:28} {reached:>8} {len(goals):>9} {least:>24}")
        lines += ["", *(f"unreachable: {name}, {why}" for name, why in UNREACHABLE.items())]
        return "\n".join(lines)


def unreachable(goal: str) -> bool:
    """Whether no session can reach it."""
    return goal in UNREACHABLE or goal.partition(":")[0] in UNREACHABLE


def chosen() -> dict[int, list[str]]:
    """The cover set as it is recorded: seed -> what it was chosen for."""
    return msgspec.json.decode(SET.read_bytes(), type=dict[int, list[str]]) if SET.exists() else {}


def gate(workers: int) -> Cover:
    """Run the cover set, and as many further sessions as it takes to reach everything, up to a limit."""
    cover = Cover()
    seeds = list(chosen())
    for one in _runs(seeds, workers):
        cover.add(one)
    further = sorted(set(range(FURTHER + len(seeds))) - set(seeds))
    for portion in _portions(further, 5 * workers):
        if not cover.missing:
            break
        for one in _runs(portion, workers):
            cover.add(one)
    return cover


def _portions(seeds: list[int], size: int) -> Iterator[list[int]]:
    return (seeds[start : start + size] for start in range(0, len(seeds), size))


def search(seeds: range, workers: int) -> tuple[Cover, dict[int, list[str]]]:
    """The smallest set that was found to reach, twice, all that was reached: the greedy one.

    The recorded set is run first, and then of these seeds as many as it takes until everything is reached.
    """
    everything, found = Cover(), {}
    order = list(dict.fromkeys([*(seed for seed in chosen() if seed in seeds), *seeds]))
    for portion in _portions(order, 20):
        for one in _runs(portion, workers):
            everything.add(one)
            found[one.seed] = {goal for goal in one.goals if not unreachable(goal)}
        few = f": {'; '.join(everything.missing)}" if len(everything.missing) < 10 else ""
        sys.stderr.write(f"{len(found)} of {len(seeds)} sessions, {len(everything.missing)} goals not reached{few}\n")
        if not everything.missing:
            break
    wanted = {goal: min(OFTEN, everything.sessions[goal]) for goal in everything.goals}
    picked: dict[int, list[str]] = {}
    while any(wanted.values()):
        useful = {seed: [goal for goal in goals if wanted.get(goal)] for seed, goals in found.items()}
        seed = max(useful, key=lambda seed: (len(useful[seed]), -seed))
        picked[seed] = sorted(useful[seed])
        del found[seed]
        for goal in picked[seed]:
            wanted[goal] -= 1
    return everything, picked


def record(picked: dict[int, list[str]]) -> None:
    """Write the set down."""
    text = msgspec.json.encode({str(seed): picked[seed] for seed in sorted(picked)})
    SET.write_bytes(msgspec.json.format(text, indent=1) + b"\n")


def _runs(seeds: list[int], workers: int) -> Iterator[Reached]:
    if workers == 1:
        yield from map(reached_by, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(reached_by, seeds)
