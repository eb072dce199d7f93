"""Every pack that is shipped: somebody is liquidated under the rules of each venue."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from events import commands as c
from events.commands import INSURANCE
from events.instruments import Inverse, load_pack
from events.units import UNIT
from tests.scenario import Scenario, scenario
from tests.sim.chance import worth_of
from tests.sim.rules import PRICES, SHIPPED, price_of
from tests.sim.scripted import Script
from tests.spec.words import BUY, account, deposit, mark_at, position, proceed

MONEY = 10_000
"""What the trader has, dollars; the others, and the fund, have a thousand times as much."""


def liquidated_under(name: str) -> Scenario:
    """A trader buys for four times what it has, and the mark falls by half."""
    whole = load_pack(name)
    terms = whole.instruments[0]
    mark = PRICES.get(terms.id) or price_of(terms.base)
    told = scenario(replace(whole, instruments=(terms,)).check(), marks=None).given(mark_at(mark, on=terms.id))
    dollar = UNIT // worth_of(terms.settle)
    told.given(*(deposit(who, 1_000 * MONEY * dollar, terms.settle) for who in ("maker", "taker", INSURANCE)))
    told.given(account("ann"), deposit("ann", MONEY * dollar, terms.settle))
    told.given(c.SetLeverage(c.Nanos(0), "ann", "", terms.id, 5), c.SetLeverage(c.Nanos(0), "maker", "", terms.id, 5))
    grains = terms.contract_value * terms.lot * UNIT // mark if isinstance(terms, Inverse) else mark * terms.lot
    lots = 4 * MONEY * dollar * UNIT // grains
    told.given(*position(1, BUY, price=mark // terms.tick, lots=lots, by="ann", on=terms.id))
    return told.given(mark_at(mark // 2, on=terms.id), proceed())


SCRIPTS: dict[str, Script] = {f"under {name}": Script(partial(liquidated_under, name)) for name in SHIPPED}
