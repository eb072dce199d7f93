"""A session that begins with an auction."""

from __future__ import annotations

from events import commands as c
from events.units import SECOND, Nanos
from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.spec.words import BUY, SELL, account, place, proceed, resting


def opened() -> Scenario:
    """Orders cross for ten seconds, then trade at one price; what is left of them meets who comes later."""
    told = scenario(opening_auction=Nanos(10 * SECOND)).given(account("ann", 1_000), account("ben", 1_000))
    told.given(resting(1, SELL, price=98, lots=4), place(2, BUY, price=103, lots=6, by="ann"))
    told.given(place(3, SELL, price=101, lots=3, by="ben"), c.AdvanceTime(Nanos(11 * SECOND)), proceed())
    return told.given(place(4, SELL, price=101, lots=1, by="ben"))


SCRIPTS: dict[str, Script] = {"an opening auction": Script(opened)}
