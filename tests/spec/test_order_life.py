"""An order's life: what happens to orders is what the table of transitions says, and the page for traders shows it."""

from __future__ import annotations

import re

import pytest

from docs.generate import filled_in
from docs.life import diagram, stages
from events import commands as c
from events import facts as f
from events.facts import Expiry, Refused
from events.record import Batch, Record
from events.refusals import Reason
from exchange.projections.lives import ENDS, TRANSITIONS, ImpossibleLife, Lives, Stage, lives_of
from tests.contract.exchanges import by_chance
from tests.golden.sessions import heads, load
from tests.scenario import scenario
from tests.spec.words import BUY, SELL, cancel, place, resting
from tests.tidy.tree import ROOT

PAGE = (ROOT / "docs/orders.md").read_text("utf-8")
ABOUT_ORDERS = (c.PlaceOrder, c.CancelOrder, c.AmendOrder, c.SubmitBatch)
"""Commands whose refusals the page lists."""


def test_a_session_s_orders_go_through_the_table() -> None:
    told = scenario().given(
        resting(1, SELL, price=101, lots=5), place(2, BUY, price=101, lots=7), place(3, SELL, price=101, lots=1),
        cancel(2),
    )  # fmt: skip
    assert [step.name for step in lives_of(told.batches)] == [
        "asked -> OrderAccepted -> matching",
        "matching -> OrderRested -> resting",
        "asked -> OrderAccepted -> matching",
        "resting -> Traded -> filled",
        "matching -> Traded -> matching",
        "matching -> OrderRested -> resting",
        "asked -> OrderAccepted -> matching",
        "resting -> Traded -> resting",
        "matching -> Traded -> filled",
        "resting -> OrderCancelled -> cancelled",
    ]


def test_all_that_the_table_says_happens_and_nothing_else() -> None:
    seen = {step for name in heads() for step in lives_of(load(name).batches)}
    seen |= {step for seed in range(3) for step in lives_of(by_chance(seed, 2_000, 2_000).core.batches)}
    assert [step.name for step in TRANSITIONS if step not in seen] == []


def test_what_the_table_does_not_say_is_impossible() -> None:
    told = scenario().given(resting(1, SELL, price=101, lots=5), cancel(1))
    again = Batch(99, c.Nanos(1), [Record(500, 0, told.batches[-1].facts[-1])])
    lives = Lives()
    for batch in told.batches:
        list(lives.follow(batch))
    with pytest.raises(ImpossibleLife, match="order 1 of maker went asked -> OrderCancelled -> cancelled"):
        list(lives.follow(again))


def test_every_stage_is_reached_and_every_one_but_the_ends_is_left() -> None:
    assert {step.after for step in TRANSITIONS} | {Stage.ASKED} == set(Stage)
    assert {step.before for step in TRANSITIONS} == set(Stage) - set(ENDS)


def test_the_page_shows_the_table() -> None:
    assert diagram() in PAGE
    assert stages() in PAGE
    assert filled_in(PAGE) == PAGE
    assert (
        filled_in("<!-- generated: life -->\nold\n<!-- end -->")
        == f"<!-- generated: life -->\n{diagram()}\n<!-- end -->"
    )
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", PAGE, re.MULTILINE)
    drawn = {(before, fact, after) for before, after, facts in arrows for fact in facts.split(", ")}
    assert drawn == {(step.before.value, step.fact.__name__, step.after.value) for step in TRANSITIONS}


def listed(heading: str) -> list[str]:
    """The names in the first column of the table under a heading of the page."""
    return re.findall(r"^\| `(\w+)` \|", PAGE.split(f"## {heading}\n")[1].split("\n## ")[0], re.MULTILINE)


def test_the_page_lists_the_refusals_of_orders_by_precedence() -> None:
    reasons = [reason.value for reason in Reason]
    assert listed("Refusals by precedence") == sorted(listed("Refusals by precedence"), key=reasons.index)
    batches = [batch for name in heads() for batch in load(name).batches if isinstance(batch.command, ABOUT_ORDERS)]
    refused = {fact.reason.value for batch in batches for fact in batch.facts if isinstance(fact, Refused)}
    assert refused - set(listed("Refusals by precedence")) == set()


def test_the_page_lists_the_facts_of_an_order_and_every_way_to_expire() -> None:
    assert {step.fact.__name__ for step in TRANSITIONS} <= set(listed("Facts"))
    about = [
        kind for kind in f.AnyFact.__args__ if kind.__module__ in ("events.facts.trading", "events.facts.triggers")
    ]
    assert {kind.__name__ for kind in about} <= set(listed("Facts"))
    assert {why.value for why in Expiry} <= set(listed("Facts"))
