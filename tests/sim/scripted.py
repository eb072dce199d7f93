"""Worlds that are told instead of made up: a few commands each, for what chance meets too seldom to rely on.

A script is a scenario in the words of the specifications. What it was asked is lived once more as a made-up session is:
in a `World`, with its shadow, its auditor and all invariants, a loss of the live state at the end, and under the real
host. A script means the same for ever, whatever becomes of the dice of made-up sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.full_batches import USUAL, batches_of
from tests.scenario import Scenario
from tests.sim.census import Sights, seen_in
from tests.sim.hosted import host_again
from tests.sim.world import Happening, World


class Script(NamedTuple):
    """How the scenario is told, and how many facts a batch of it holds."""

    tell: Callable[[], Scenario]
    batch_facts: int = USUAL


def played(script: Script, world: World | None = None) -> World:
    """Live what the scenario was asked in a world; whoever wants to look at one that failed brings it."""
    world = world or World()
    world.batch_facts = script.batch_facts
    with batches_of(script.batch_facts):
        told = script.tell()
    world.columns.update(told.state.columns)
    world.given(*(batch.command for batch in told.batches))
    world.given(Happening.SAVE, Happening.CRASH, Happening.RESTORE).finish()
    return world


def lived(name: str, script: Script) -> tuple[Sights, int]:
    """Play a script, and host it; what it counts for, and its records."""
    world = played(script)
    return seen_in(world) + host_again(world, name), world.state.seq
