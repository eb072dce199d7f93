"""A script for each refusal: the first way to it that the specification's tables know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.spec.breaches import ANN, ORDER, PLACING, RULES
from tests.spec.test_refusals import GUARDED, OTHERS
from tests.spec.test_triggers_refused import FORM, STANDING
from tests.spec.words import mark, place


def ordinary() -> Scenario:
    """The situation in which most of the tables ask."""
    return scenario(RULES, marks=None).given(mark(100), *ANN)


def asked_for(tell: Callable[[], Scenario], given: Any, asked: Any) -> Script:
    """A script of one question in a situation."""
    return Script(lambda: tell().given(*given).when(asked))


def rows() -> Iterator[tuple[Reason, Script]]:
    """The tables in which the specification says what is refused, and why."""
    yield from ((b.reason, asked_for(ordinary, b.given, place(**{**ORDER, **b.asked}))) for b in PLACING)
    yield from ((reason, asked_for(ordinary, given, asked)) for reason, given, asked in OTHERS)
    yield from ((reason, asked_for(scenario, (), asked)) for reason, asked in FORM)
    yield from ((reason, asked_for(tell, (), asked)) for reason, tell, asked in (*GUARDED, *STANDING))


def refusals() -> dict[str, Script]:
    """The scripts by the reasons that they lead to."""
    first: dict[str, Script] = {}
    for reason, script in rows():
        first.setdefault(reason.value, script)
    return first
