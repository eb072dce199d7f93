"""What the auditor notices of linked orders: who ends with whom, and for how much they are armed."""

from __future__ import annotations

from typing import Any

import pytest

from events import facts as f
from events.facts import Expiry
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.linking import attached, bracket, pair, profit
from tests.spec.waiting import waiting
from tests.spec.words import BUY, SELL, cancel, place, resting


def without(_message: Any) -> None:
    """The message is left out."""


def oco(*asked: Any) -> Scenario:
    """Sell 4 at 110, or at the market once the mark is at 90."""
    return scenario().given(pair(place(10, SELL, lots=4, price=110), waiting(11, SELL, at=90, lots=4)), *asked)


def entered(*asked: Any) -> Scenario:
    """Buy 4 at 100, guarded on both sides; 3 are sold to it."""
    entry = bracket(place(10, BUY, lots=4, price=100), profit(11, SELL, at=110), attached(12, SELL, at=90))
    return scenario().given(entry, place(1, SELL, price=100, lots=3, by="maker"), *asked)


def test_it_has_nothing_to_say_where_all_is_as_it_was() -> None:
    told(oco(resting(1, BUY, price=100, lots=1), cancel(10)))
    told(entered(cancel(11)))


def test_one_that_is_linked_to_what_ended_has_to_end() -> None:
    noticed(oco(cancel(10)), "what follows for linked orders was said", without, f.OrderExpired)


def test_it_ends_whole() -> None:
    noticed(oco(cancel(10)), "lots", putting(lots=3), f.OrderExpired)


def test_nobody_ends_for_another_who_is_there() -> None:
    session = scenario().given(waiting(10, SELL, at=90), cancel(10))
    ends = f.OrderExpired("taker", 10, 1, Expiry.LINKED)  # type: ignore[arg-type]
    noticed(session, "another one ended it", lambda _: ends, f.OrderCancelled)


@pytest.mark.parametrize("lots", [2, 4])
def test_what_is_attached_is_armed_for_what_the_entry_traded(lots: int) -> None:
    noticed(entered(), "lots that are armed", putting(lots=lots), f.TriggerArmed)


def test_what_is_attached_has_to_be_armed() -> None:
    noticed(entered(), "what follows for linked orders was said", without, f.TriggerArmed)


@pytest.mark.parametrize("other", [0, 9])
def test_a_pair_is_linked_as_it_was_asked_for(other: int) -> None:
    noticed(oco(), "order that it is linked to", putting(linked=other), f.TriggerPlaced)
