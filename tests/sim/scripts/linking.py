"""Turns of linked orders that chance meets seldom."""

from __future__ import annotations

from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.spec.linking import FULL_FILL, attached, bracket, pair, profit
from tests.spec.waiting import waiting
from tests.spec.words import BUY, SELL, cancel, mark, place, proceed, resting

EXITS = profit(11, SELL, at=110), attached(12, SELL, at=90)


def grows_with_its_entry() -> Scenario:
    """An entry trades twice, and what guards it is armed twice, then fires while a part of the entry is open."""
    told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), *EXITS))
    told.given(place(20, SELL, lots=2, price=99, by="maker"), place(21, SELL, lots=1, price=99, by="maker"))
    return told.given(mark(90), proceed())


def cancelled_before_a_fill() -> Scenario:
    """What sleeps is cancelled, and with it the entry."""
    return scenario().given(bracket(place(10, BUY, lots=5, price=99), *EXITS, arms=FULL_FILL), cancel(12))


def one_ends_the_other() -> Scenario:
    """A limit order trades, and its stop ends."""
    told = scenario().given(pair(place(10, SELL, lots=4, price=110), waiting(11, SELL, at=90, lots=4)))
    return told.given(place(20, BUY, lots=1, price=110, by="maker"))


SCRIPTS = {
    told.__name__.replace("_", " "): Script(told)
    for told in (grows_with_its_entry, cancelled_before_a_fill, one_ends_the_other)
}
"""The turns, by name."""
