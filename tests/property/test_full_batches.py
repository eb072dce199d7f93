"""A full batch leaves who is due for the next one: nobody is lost, whatever road led to the state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import commands as c
from events import facts as f
from events.record import Batch
from exchange.core.invariants import check_end_of_batch
from exchange.core.snapshot import decode, encode
from exchange.core.state import State
from exchange.core.step import apply_batch, finish_rebuild, step
from tests.full_batches import batches_of
from tests.property.portfolios import pools, portfolios
from tests.property.rules import X, Y
from tests.property.test_watch import command, steps

FACTS = 4
"""How many facts a batch holds here."""


@pytest.fixture(autouse=True)
def small_batches() -> Iterator[None]:
    with batches_of(FACTS):
        yield


def crash(state: State) -> list[c.Command]:
    """Both marks fall to a third."""
    return [c.SetMarkPrice(state.now, name, state.contracts[name].mark // 3 or 1) for name in (X, Y)]


fixtures = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


NAMED = (f.LiquidationDue, f.ExchangeDue, f.MarginCalled, f.MarginRecovered)


@fixtures
@given(portfolios(), st.lists(steps, max_size=12))
def test_who_is_due_is_named_or_left_until_a_proceed_has_room(state: State, asked: list[Any]) -> None:
    given = [command(state, one, place) for place, one in enumerate(asked)]
    for one in [*crash(state), *given]:
        if one is None:
            continue
        batch = step(state, one)
        assert isinstance(batch, Batch)
        check_end_of_batch(state)
        others = [fact for fact in batch.facts if getattr(fact, "account", None) != getattr(one, "account", "")]
        named = sum(type(fact) in NAMED for fact in others)
        assert not named or len(batch.facts) <= FACTS or type(one) is not c.SetMarkPrice
    while state.has_work:
        assert isinstance(step(state, c.Proceed(state.now, 4096)), Batch)
        check_end_of_batch(state)
    assert not [pool.id for pool in pools(state) if pool.due]


@fixtures
@given(portfolios(), st.integers(0, 6))
def test_a_rebuilt_state_and_one_from_bytes_go_on_alike(state: State, proceeds: int) -> None:
    before = encode(state)
    batches = [step(state, one) for one in crash(state)]
    batches += [step(state, c.Proceed(state.now, 4096)) for _ in range(proceeds)]
    rebuilt = decode(before)
    for batch in batches:
        assert isinstance(batch, Batch)
        apply_batch(rebuilt, batch)
    assert encode(rebuilt) == encode(state)
    finish_rebuild(rebuilt)
    stored = decode(encode(state))
    assert encode(rebuilt) == encode(state) == encode(stored)
    while state.has_work:
        going_on = c.Proceed(state.now, 4096)
        assert step(state, going_on) == step(rebuilt, going_on) == step(stored, going_on)
        assert encode(rebuilt) == encode(state) == encode(stored)
