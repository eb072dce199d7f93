"""Linked orders in sessions by chance: of two that end each other one at most ever trades, and guards never exceed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from events import facts as f
from events.record import Batch
from exchange.audit import audit
from tests.contract.exchanges import by_chance

Name = tuple[str, int]


def facts(batches: list[Batch]) -> Iterator[f.Fact]:
    """Everything that happened."""
    return (fact for batch in batches for fact in batch.facts)


def traded(batches: list[Batch]) -> Counter[Name]:
    """How much of each order traded."""
    lots: Counter[Name] = Counter()
    for fact in facts(batches):
        if isinstance(fact, f.Traded):
            lots[fact.maker, fact.maker_order] += fact.lots
            lots[fact.taker, fact.taker_order] += fact.lots
    return lots


@pytest.fixture(scope="module", params=range(4))
def batches(request: pytest.FixtureRequest) -> list[Batch]:
    """A session with many linked orders."""
    return by_chance(request.param, commands=3_000, every=3_000).core.batches


def linked(batches: list[Batch]) -> list[f.TriggerPlaced]:
    """What was placed with a link."""
    return [fact for fact in facts(batches) if isinstance(fact, f.TriggerPlaced) and (fact.linked or fact.entry)]


def test_of_two_that_end_each_other_one_at_most_ever_trades(batches: list[Batch]) -> None:
    lots = traded(batches)
    both = [
        {(one.account, one.number), (one.account, one.linked)}
        for one in linked(batches)
        if one.linked and lots[one.account, one.number] and lots[one.account, one.linked]
    ]
    assert both == []
    assert sum(lots[one.account, one.number] + lots[one.account, one.linked] > 0 for one in linked(batches)) > 0


def test_what_is_attached_trades_no_more_than_its_entry_did(batches: list[Batch]) -> None:
    lots, ones = traded(batches), [one for one in linked(batches) if one.entry]
    assert all(lots[one.account, one.number] <= lots[one.account, one.entry] for one in ones)
    assert any(lots[one.account, one.entry] for one in ones)


def test_the_auditor_agrees_with_every_link(batches: list[Batch]) -> None:
    assert audit(batches).facts["TriggerArmed"] > 0
