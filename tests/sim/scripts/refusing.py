"""A script for each refusal: the first way to it that the specification's tables know, or the one that is told here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import ChunkId
from events.instruments import InstrumentId
from events.refusals import Reason
from tests.scenario import Scenario, opening, scenario, unopened
from tests.sim.scripted import Script
from tests.spec.breaches import ANN, ORDER, PLACING, RULES
from tests.spec.contracts import join
from tests.spec.test_batch import REFUSALS as OF_BATCHES
from tests.spec.test_countdown import REFUSALS as OF_COUNTDOWNS
from tests.spec.test_linked_refused import TOGETHER as OF_LINKED
from tests.spec.test_phases import PHASED
from tests.spec.test_refusals import BAD_PACK, GUARDED, OTHERS
from tests.spec.test_triggers_amended import REFUSED as OF_AMENDMENTS
from tests.spec.test_triggers_refused import FORM, STANDING
from tests.spec.test_triggers_with_position import REFUSED as OF_POSITIONS
from tests.spec.words import GOLD, NOW, mark, open_account, place


def ordinary() -> Scenario:
    """The situation in which most of the tables ask."""
    return scenario(RULES, marks=None).given(mark(100), *ANN)


def asked_for(tell: Callable[[], Scenario], given: Any, asked: Any) -> Script:
    """A script of one question in a situation."""
    return Script(lambda: tell().given(*given).when(asked))


OPENING = opening()
CONTRADICTORY = replace(OPENING.options, max_slippage=-1)

BEFORE: list[tuple[Reason, c.Command]] = [
    (Reason.SESSION_NOT_OPEN, open_account("ann")),
    (Reason.BAD_RULE_PACK, replace(OPENING, pack=BAD_PACK)),
    (Reason.BAD_SESSION_OPTIONS, replace(OPENING, options=CONTRADICTORY)),
    (Reason.RULES_VERSION_UNKNOWN, replace(OPENING, rules_version=99)),
]
"""What a session that is not open refuses."""

SIMPLE: list[tuple[Reason, c.Command]] = [
    (Reason.NOT_COLLATERAL, join("taker")),
    (Reason.ROWS_OUT_OF_RANGE, c.AdvanceMarket(NOW, InstrumentId(GOLD), ChunkId("no chunk"), 0, 0)),
]
"""What an ordinary one refuses."""


def rows() -> Iterator[tuple[Reason, Script]]:
    """The tables in which the specification says what is refused, and why."""
    yield from ((b.reason, asked_for(ordinary, b.given, place(**{**ORDER, **b.asked}))) for b in PLACING)
    yield from ((reason, asked_for(ordinary, given, asked)) for reason, given, asked in OTHERS)
    yield from ((reason, asked_for(unopened, (), asked)) for reason, asked in BEFORE)
    asked_alone = (*FORM, *OF_LINKED, *OF_BATCHES, *OF_COUNTDOWNS, *SIMPLE)
    yield from ((reason, asked_for(scenario, (), asked)) for reason, asked in asked_alone)
    told = (*GUARDED, *STANDING, *PHASED, *OF_AMENDMENTS, *OF_POSITIONS)
    yield from ((reason, asked_for(tell, (), asked)) for reason, tell, asked in told)


def refusals() -> dict[str, Script]:
    """The scripts by the reasons that they lead to."""
    first: dict[str, Script] = {}
    for reason, script in rows():
        first.setdefault(reason.value, script)
    return first
