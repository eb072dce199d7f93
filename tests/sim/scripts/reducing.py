"""Reduce-only orders that shrink with their position, and expire where nothing is left of it."""

from __future__ import annotations

from tests.scenario import Scenario
from tests.sim.scripted import Script
from tests.spec.test_shrinking import less, long, sells
from tests.spec.words import proceed


def shrinking() -> Scenario:
    """One of three shrinks, the next time all of them go."""
    told = long().given(sells(3, 105, 4), sells(4, 103, 4), sells(5, 104, 2), *less(10, 3))
    return told.given(*less(12, 9))


def shrinking_in_full_batches() -> Scenario:
    """Several go, in as many batches as it takes."""
    told = long().given(*(sells(number, 100 + number, 1) for number in range(3, 13)), *less(20, 8))
    return told.given(*([proceed()] if told.state.has_work else []))


SCRIPTS: dict[str, Script] = {
    "shrinking": Script(shrinking),
    "shrinking in full batches": Script(shrinking_in_full_batches, 6),
}
