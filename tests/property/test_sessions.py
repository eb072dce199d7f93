"""Whatever is asked in whatever order: the invariants hold after every record, and all views of a session agree.

`World.submit` looks, after every command, at the invariants after each record, rebuilt = live, the stored bytes, the
auditor's own arithmetic, the watch against a full scan, refusals and repeated requests that change nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.codec import decode_body, encode_body
from events.commands import Command, TradersCommand
from events.facts import AnyFact
from events.record import Batch
from exchange.core import snapshot
from exchange.core.state import State
from exchange.core.step import step
from tests.full_batches import batches_of
from tests.property.sessions import CHUNKS, Script, finished, moves, scripts
from tests.sim.session import run
from tests.sim.world import World, lend, rebuild

SEEDS = range(200)


def decided(state: State, commands: list[Command]) -> list[bytes]:
    """The bodies of what the state makes of these commands."""
    batches = [step(state, command) for command in commands]
    return [encode_body(batch) for batch in batches if isinstance(batch, Batch)]


@settings(max_examples=150)
@given(scripts())
def test_what_must_hold_holds_after_every_record(script: Script) -> None:
    script.play().finish()


@settings(max_examples=40)
@given(scripts(), st.integers(0, 100))
def test_whoever_goes_on_from_a_snapshot_decides_alike(script: Script, percent: int) -> None:
    world = script.play()
    cut = len(world.bodies) * percent // 100
    commands = [decode_body(number, body).command for number, body in enumerate(world.bodies, 1)]
    before = rebuild(world.bodies[:cut], CHUNKS)
    restored = lend(snapshot.decode(snapshot.encode(before)), CHUNKS)
    assert decided(restored, commands[cut:]) == decided(before, commands[cut:]) == world.bodies[cut:]
    assert snapshot.encode(restored) == snapshot.encode(before) == snapshot.encode(world.state)


@settings(max_examples=40)
@given(scripts(), moves, st.integers(0, 99))
def test_a_fork_is_the_session_that_was_never_told_otherwise(script: Script, other: Any, percent: int) -> None:
    place = len(script.commands) * percent // 100
    before, after = [*script.opening, *script.commands[:place]], script.commands[place + 1 :]
    changed = in_place(other if isinstance(other, list) else [other], place, before[-1].at)
    shared = decided(lend(State(), CHUNKS), before)
    forked = decided(rebuild(shared, CHUNKS), [*changed, *after])
    assert shared + forked == decided(lend(State(), CHUNKS), [*before, *changed, *after])


def in_place(commands: list[Any], place: int, at: int) -> list[Command]:
    """The commands as they are given instead of the one at that place."""
    given = finished(commands, [at] + [0] * len(commands), place + 1)
    return [replace(c, request=f"instead {c.request}") if isinstance(c, TradersCommand) else c for c in given]


@cache
def session(seed: int) -> World:
    return run(seed)


@pytest.mark.parametrize("kind", [kind.__name__ for kind in get_args(AnyFact)])
def test_a_snapshot_around_every_kind_of_fact_loses_nothing(kind: str) -> None:
    world, at = next(found for seed in SEEDS if (found := first(session(seed), kind)))
    with batches_of(world.batch_facts):
        go_on_from(world, at - 1)
        go_on_from(world, at)


def go_on_from(world: World, cut: int) -> None:
    """A snapshot after so many batches leads to where the session went, by its facts and by its commands."""
    data = snapshot.encode(rebuild(world.bodies[:cut], world.columns))
    rebuilt = rebuild(world.bodies, world.columns, data, cut)
    assert snapshot.encode(rebuilt) == snapshot.encode(world.state)
    again = lend(snapshot.decode(data), world.columns)
    commands = [decode_body(number, body).command for number, body in enumerate(world.bodies[cut:], cut + 1)]
    assert decided(again, commands) == world.bodies[cut:]


def first(world: World, kind: str) -> tuple[World, int] | None:
    """The number of the first batch of the session with such a fact."""
    for number, body in enumerate(world.bodies, 1):
        if any(type(fact).__name__ == kind for fact in decode_body(number, body).facts):
            return world, number
    return None
