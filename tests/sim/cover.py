"""The cover set: a few sessions that reach everything between them, so that the gate can ask for all of it in a minute.

What there is to reach: every command, fact, refusal, layer and choice (`census.ROWS`), every branch of the waterfall
(`branches`). Two kinds of world reach it: the scripts, which are told by hand for what chance meets seldom, and made-up
sessions. `cover.json` names the seeds of these, and what each was chosen for. What a seed means changes with the code:
the gate looks among further seeds for what neither reaches any more, and `python -m tests.sim --cover` makes a new set.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.sim import scripted
from tests.sim.branches import measured
from tests.sim.census import ROWS, Census, Sights
from tests.sim.many import lived
from tests.sim.scripts import SCRIPTS

SET = Path(__file__).with_name("cover.json")

LENGTH = 1000
"""How many records a session of the set has: twice as many reach more than two sessions do."""

OFTEN = 2
"""What no script reaches is reached by so many sessions of the set, where there are as many: most changes leave one."""

TOGETHER = 20
"""So many scripts are measured at a time."""

FURTHER = 60
"""So many sessions beyond the set are run at most."""

UNREACHABLE = {
    "adl.quantile": "a read model of the queue: no decision asks for it",
}
"""What no session can reach, and why; a function stands for its branches."""


class SessionFailed(Exception):
    """A session of the set, or a script, does not come to its end; the argument is its seed, or name."""


class Reached(NamedTuple):
    """What some worlds reached: of the census, each with its records, and of the branches, with all that there are."""

    seed: int
    worlds: list[tuple[Sights, int]]
    taken: frozenset[str]
    branches: frozenset[str]

    @property
    def goals(self) -> set[str]:
        """All of it by name."""
        return {f"{group} {name}" for seen, _ in self.worlds for group, name in seen} | self.taken


def reached_by(seed: int, records: int = 0) -> Reached:
    """Run a session, as long as those of the set are unless told otherwise, and see what it reaches."""
    try:
        with measured() as branches:
            world = lived(seed, records or LENGTH)
    except Exception as error:
        raise SessionFailed(seed) from error
    return Reached(seed, [world], frozenset(branches.taken), frozenset(branches.all))


def reached_by_scripts(first: int) -> Reached:
    """Play some scripts, from the first of them on, and see what they reach."""
    worlds = []
    with measured() as branches:
        for name in list(SCRIPTS)[first : first + TOGETHER]:
            try:
                worlds.append(scripted.lived(name, SCRIPTS[name]))
            except Exception as error:
                raise SessionFailed(name) from error
    return Reached(-1, worlds, frozenset(branches.taken), frozenset(branches.all))


class Cover:
    """What scripts and made-up sessions reach between them; `sessions` of each goal count made-up ones only."""

    def __init__(self) -> None:
        self.census = Census()
        self.sessions: Counter[str] = Counter()
        self.scripts = 0
        self.scripted: set[str] = set()
        self.branches: set[str] = set()

    def add(self, one: Reached) -> None:
        """Count a session, or some scripts."""
        for seen, records in one.worlds:
            self.census.count(seen, records)
        if one.seed < 0:
            self.scripts += len(one.worlds)
            self.scripted |= one.goals
        else:
            self.sessions.update(one.goals)
        self.branches |= one.branches

    @property
    def goals(self) -> list[str]:
        """All that can be reached."""
        rows = [f"{group} {name}" for group, names in ROWS.items() for name in names]
        return [goal for goal in (*rows, *sorted(self.branches)) if not unreachable(goal)]

    @property
    def missing(self) -> list[str]:
        """What no world reached."""
        return [goal for goal in self.goals if not self.sessions[goal] and goal not in self.scripted]

    @property
    def made_up(self) -> int:
        """How many made-up sessions there were."""
        return self.census.sessions - self.scripts

    @property
    def told(self) -> list[str]:
        """What scripts alone reached."""
        return [goal for goal in self.goals if not self.sessions[goal] and goal in self.scripted]

    def table(self) -> str:
        """What was reached, by how many sessions, how often; branches by function."""
        lines = [self.census.table(), "", f"{'':51} {'reached':>8} {'of':>9} {'by, at least, made-up':>24}"]
        functions = dict.fromkeys(name.partition(":")[0] for name in sorted(self.branches))
        for function in functions:
            goals = [goal for goal in self.branches if goal.partition(":")[0] == function and not unreachable(goal)]
            if goals:
                reached = sum(self.sessions[goal] > 0 or goal in self.scripted for goal in goals)
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
    """Run scripts and cover set, and as many further sessions as it takes to reach everything, up to a limit."""
    cover = after_scripts(workers)
    seeds = list(chosen())
    for one in _runs(reached_by, seeds, workers):
        cover.add(one)
    further = sorted(set(range(FURTHER + len(seeds))) - set(seeds))
    for portion in _portions(further, 5 * workers):
        if not cover.missing:
            break
        for one in _runs(reached_by, portion, workers):
            cover.add(one)
    return cover


def after_scripts(workers: int) -> Cover:
    """What the scripts reach."""
    cover = Cover()
    for one in _runs(reached_by_scripts, list(range(0, len(SCRIPTS), TOGETHER)), workers):
        cover.add(one)
    return cover


def _portions(seeds: list[int], size: int) -> Iterator[list[int]]:
    return (seeds[start : start + size] for start in range(0, len(seeds), size))


def search(seeds: range, workers: int) -> tuple[Cover, dict[int, list[str]]]:
    """The smallest set that was found to reach all that was reached, twice where no script does: the greedy one.

    The recorded set is run first, and then of these seeds as many as it takes to reach everything without scripts.
    """
    everything, found = after_scripts(workers), {}
    order = list(dict.fromkeys([*(seed for seed in chosen() if seed in seeds), *seeds]))
    for portion in _portions(order, 20):
        for one in _runs(reached_by, portion, workers):
            everything.add(one)
            found[one.seed] = {goal for goal in one.goals if not unreachable(goal)}
        left = everything.missing + everything.told
        few = f": {'; '.join(left)}" if 0 < len(left) < 10 else ""
        sys.stderr.write(f"{len(found)} of {len(seeds)} sessions, {len(left)} goals not reached by them{few}\n")
        if not left:
            break
    often = {goal: 1 if goal in everything.scripted else OFTEN for goal in everything.goals}
    wanted = {goal: min(times, everything.sessions[goal]) for goal, times in often.items()}
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


def _runs(run: Callable[[int], Reached], numbers: list[int], workers: int) -> Iterator[Reached]:
    if workers == 1:
        yield from map(run, numbers)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run, numbers)
