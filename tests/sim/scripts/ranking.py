"""Auto-deleveraging: winners of every kind, who are ranked again as they pay, and batches that it fills."""

from __future__ import annotations

from msgspec.structs import replace

from events import commands as c
from events.instruments import Leg, Liquidation
from events.units import UNIT, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.sim.scripts.situations import ADL, ann, under
from tests.spec.contracts import OUNCE, hedge, join, price, several_assets
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    account,
    deposit,
    funding,
    instrument,
    mark,
    place,
    position,
    proceed,
    resting,
)

RANKED = Liquidation(last_resort=ADL)


def winners_of_all_kinds() -> Scenario:
    """Ann's loss is set against cross, isolated and joint winners; for eve's they are ranked again."""
    told = scenario(replace(several_assets(instrument(GOLD), instrument(TIN)), liquidation=RANKED))
    told.given(price(2), account("ann", 120), account("eve", 200), account("bob", 500))
    told.given(account("joe", 100), deposit("joe", 100, asset=OUNCE), join("joe"), account("ida", 500, mode=ISOLATED))
    for number, winner in enumerate(("joe", "bob", "ida")):
        told.given(*position(4 * number + 1, BUY, price=100, lots=4, by="ann", against=winner))
        told.given(*position(4 * number + 3, BUY, price=100, lots=5, by="eve", against=winner))
    return told.given(*position(31, BUY, price=100, lots=1, by="bob", on=TIN), mark(85), proceed())


def rank_that_stays() -> Scenario:
    """An isolated winner is deleveraged for one, and its rank is the same for the other."""
    told = under(RANKED, 0).given(account("ann", 40), account("eve", 60), account("ida", 500, mode=ISOLATED))
    told.given(*position(1, BUY, price=100, lots=4, by="ann", against="ida"))
    return told.given(*position(3, BUY, price=100, lots=6, by="eve", against="ida"), mark(85), proceed())


def winner_without_means() -> Scenario:
    """Who is first in the queue pays funding before it is deleveraged, has nothing left then, and stands last."""
    told = under(RANKED, 0).given(account("ann", 100), account("bob", 300), account("cat", 1_000))
    told.given(*position(1, BUY, price=100, lots=5, by="ann", against="bob"))
    told.given(*position(3, BUY, price=100, lots=5, by="ann", against="cat"))
    told.given(*position(5, BUY, price=100, lots=10, by="bob", on=TIN), mark(85))
    return told.given(replace(funding(2 * UNIT, on=TIN), at=Nanos(told.state.now + 5)), proceed())


def own_leg_in_the_queue() -> Scenario:
    """Who is liquidated holds the other leg too, isolated, and first in the queue: it is passed over."""
    told = under(RANKED, 0).given(account("ann", 300), hedge("ann"), account("bob", 2_000))
    told.given(c.SetMarginMode(Nanos(0), "ann", "", GOLD, ISOLATED), resting(1, SELL, price=100, lots=10, by="bob"))
    told.given(place(2, BUY, price=100, lots=10, by="ann", leg=Leg.LONG), resting(3, BUY, price=100, lots=10))
    return told.given(place(4, SELL, price=100, lots=10, by="ann", leg=Leg.SHORT), mark(85), proceed())


def full_batch_of_winners() -> Scenario:
    """A deleveraging that fills the batch charges the fee for what the book took, and goes on in the next batch."""
    told = under(RANKED, 0, liquidation_fee=Rate(PERCENT)).given(account("ann", 400))
    for n in range(15):
        winner = f"b{n:02d}"
        told.given(account(winner, 1000), *position(2 * n + 1, BUY, price=100, lots=2, by="ann", against=winner))
    told.given(account("cy", 1000), *position(91, BUY, price=100, lots=10, by="ann", against="cy", on=TIN))
    told.given(resting(97, BUY, price=99, lots=10, on=TIN), resting(98, BUY, price=95, lots=5), mark(91), proceed())
    return told.given(proceed())


def market_is_last() -> Scenario:
    """MARKET takes what no trader holds."""
    told = under(RANKED, 0).given(account("ann", 100), tape(snapshot({}, {100: 10})))
    told.given(place(1, BUY, price=100, lots=10, by="ann"), tape(snapshot({}, {120: 1}), after=1))
    return told.given(mark(88), proceed())


def fund_left_without_means() -> Scenario:
    """Without a layer the fund takes all of it, and is below zero after that."""
    return under(Liquidation(), 0).given(*ann(), mark(88), proceed())


SCRIPTS: dict[str, Script] = {
    "winners of all kinds": Script(winners_of_all_kinds),
    "rank that stays": Script(rank_that_stays),
    "winner without means": Script(winner_without_means),
    "own leg in the queue": Script(own_leg_in_the_queue),
    "full batch of winners": Script(full_batch_of_winners, 12),
    "market is last": Script(market_is_last),
    "fund left without means": Script(fund_left_without_means),
}
