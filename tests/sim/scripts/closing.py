"""How due pools are closed: in one go, in steps, slices and auctions, under caps, of every kind of contract."""

from __future__ import annotations

from msgspec.structs import replace

from events import commands as c
from events.instruments import Leg, Liquidation
from events.rules import LiquidationStyle, MarginModel
from events.units import SECOND, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.sim.scripts.situations import AUCTION, FUND, LATER, SLICES, STEPS, WINDOW, and_tin, ann, under
from tests.spec.contracts import COIN, OUNCE, auto_add, hedge, inverse, join, pack_of, price, several_assets
from tests.spec.tape import snapshot, tape
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    account,
    deposit,
    mark,
    open_account,
    pack,
    place,
    position,
    proceed,
    resting,
    set_leverage,
    set_mode,
)


def next_step(told: Scenario) -> c.AdvanceTime:
    """Time passes until the next step of an auction comes."""
    return c.AdvanceTime(Nanos(told.state.now + 10 * SECOND))


def cured_by_one_sale() -> Scenario:
    """A step of an auction sells GOLD, and the pool may keep TIN."""
    told = under(AUCTION).given(*ann(2_000, 100), *and_tin(100), resting(5, BUY, price=95, lots=100), mark(95))
    return told.given(mark(94, on=TIN), mark(93, on=TIN), mark(90, on=TIN), proceed())


def auction_forgotten() -> Scenario:
    """A step fills the batch, so that nobody says that the pool is due again; the next mark cures it."""
    told = under(AUCTION).given(*ann(1_000, 100))
    told.given(*(resting(n, BUY, price=94, lots=1) for n in range(5, 13)), mark(94), proceed())
    return told.given(mark(100), mark(94), proceed(limit=1))


def auction_to_its_end() -> Scenario:
    """A short bids more at every step, and at last its rest goes to the fund; a mark between brings nothing forward."""
    told = under(AUCTION).given(account("ann", 1_000, mode=ISOLATED), *position(1, SELL, price=100, lots=100, by="ann"))
    told.given(mark(106), proceed(limit=1), proceed(), mark(107))
    for _ in range(2):
        told.given(next_step(told), proceed(limit=1), proceed())
    return told.given(next_step(told), proceed())


def auction_taken() -> Scenario:
    """A step finds somebody who takes all of it."""
    told = under(AUCTION).given(*ann(1_000, 100), mark(94), proceed(limit=1), proceed())
    return told.given(resting(5, BUY, price=93, lots=200), next_step(told), proceed())


def nothing_left_for_an_auction() -> Scenario:
    """A mark takes what is left from somebody who waits: no further step is waited for."""
    told = under(AUCTION).given(*ann(1_000, 100, mode=ISOLATED), mark(94), proceed(limit=1), proceed())
    return told.given(mark(89), proceed())


def capped(liquidation: Liquidation) -> Scenario:
    """Six lots of each instrument in ten seconds: bob uses up GOLD's, and ann's TIN is closed all the same."""
    told = under(replace(liquidation, **WINDOW), liquidation_cap=6).given(account("ann", 200), account("bob", 60))
    told.given(*position(1, BUY, price=100, lots=10, by="ann"), *and_tin(4))
    told.given(*position(5, BUY, price=100, lots=6, by="bob"), LATER, mark(90), proceed(), mark(84), proceed())
    told.given(mark(80), *([proceed()] if told.state.has_work else []), mark(79))
    return told.given(c.AdvanceTime(Nanos(200 * SECOND)), proceed())


def cured_by_one_slice() -> Scenario:
    """A slice of TIN cures the pool, and GOLD is not touched."""
    told = under(SLICES).given(*ann(200), *and_tin(), resting(5, BUY, price=100, lots=2, on=TIN), LATER)
    return told.given(mark(94), mark(96, on=TIN), mark(95, on=TIN), proceed())


def legs_netted() -> Scenario:
    """Both legs of one instrument close each other before anything is sold; where they are all there is, it is over."""
    told = under(STEPS).given(account("ann", 300), hedge("ann"), account("bob", 420), hedge("bob"))
    for number, name, short in ((1, "ann", 5), (11, "bob", 20)):
        told.given(resting(number, SELL, price=100, lots=20))
        told.given(place(number + 1, BUY, price=100, lots=20, by=name, leg=Leg.LONG))
        told.given(resting(number + 2, BUY, price=100, lots=short))
        told.given(place(number + 3, SELL, price=100, lots=short, by=name, leg=Leg.SHORT))
    return told.given(mark(80), proceed(), mark(230), *([proceed()] if told.state.has_work else []))


def steps_of_many_kinds() -> Scenario:
    """Of an isolated position, of one alone in its pool, and of two, of which the one that loses less goes first."""
    told = under(STEPS).given(*ann(), account("ida", 100, mode=ISOLATED), account("zoe", 250))
    told.given(*position(5, BUY, price=100, lots=10, by="ida"), *position(7, BUY, price=100, lots=10, by="zoe"))
    return told.given(*position(9, BUY, price=100, lots=10, by="zoe", on=TIN), mark(95, on=TIN), mark(84), proceed())


def with_orders_and_triggers() -> Scenario:
    """Orders and conditional ones of the pool end with it, others stay; a fee is charged where it can be."""
    told = under(Liquidation(last_resort=FUND), liquidation_fee=Rate(PERCENT)).given(*ann(300, mode=ISOLATED))
    told.given(resting(5, BUY, price=50, lots=1, by="ann"), resting(6, BUY, price=50, lots=1, by="ann", on=TIN))
    told.given(waiting(7, BUY, at=150, by="ann"), waiting(8, BUY, at=150, by="ann", on=TIN))
    told.given(*(resting(n, BUY, price=94, lots=3) for n in (20, 21)), account("bob", 100))
    told.given(*position(30, BUY, price=100, lots=10, by="bob", on=TIN), resting(32, BUY, price=90, lots=5, on=TIN))
    return told.given(mark(94), mark(90, on=TIN), proceed())


def history_takes_it() -> Scenario:
    """MARKET's resting lots take what is closed by force."""
    told = under(Liquidation(last_resort=FUND)).given(tape(snapshot({95: 4}, {100: 10})), account("ann", 100))
    told.given(place(1, BUY, price=100, lots=10, by="ann"), tape(snapshot({91: 4}, {120: 1}), after=1))
    told.given(mark(91), proceed(), tape(snapshot({95: 4}, {120: 1}), after=2), mark(92))
    return told.given(*([proceed()] if told.state.has_work else []))


def wallets_that_answer_together() -> Scenario:
    """A pool of several assets is closed, in steps and whole, with a fee, and with a debt that the fund covers."""
    rules = replace(several_assets(), liquidation=STEPS)
    rules = replace(rules, instruments=tuple(replace(i, liquidation_fee=Rate(PERCENT)) for i in rules.instruments))
    told = scenario(rules).given(price(2), deposit(c.INSURANCE, 10_000), mark(100, on=COIN), set_leverage("maker", 5))
    for number, name, lots in ((1, "ann", 200), (5, "bob", 10)):
        told.given(account(name, 20 * lots, leverage=5), deposit(name, 20, asset=OUNCE), join(name))
        told.given(*position(number, BUY, price=100, lots=lots, by=name), resting(number + 2, BUY, price=85, lots=lots))
    told.given(*position(9, BUY, price=100, lots=1, by="bob", on=COIN), mark(85))
    return told.given(proceed(), mark(60), *([proceed()] if told.state.has_work else []))


def coins() -> Scenario:
    """Inverse contracts, long and short, cross and isolated."""
    told = scenario(pack_of(inverse(), liquidation=Liquidation(last_resort=FUND)))
    for number, (name, side) in enumerate((("ann", BUY), ("bob", SELL))):
        told.given(open_account(name), deposit(name, 100, asset=OUNCE))
        told.given(*position(2 * number + 1, side, price=100, lots=10, by=name, on=COIN))
    told.given(open_account("ida"), deposit("ida", 200, asset=OUNCE), set_mode("ida", ISOLATED, on=COIN))
    told.given(*position(7, BUY, price=100, lots=10, by="ida", on=COIN), deposit(c.INSURANCE, 1_000, asset=OUNCE))
    return told.given(mark(93, on=COIN), proceed(), mark(115, on=COIN), proceed())


def margin_added() -> Scenario:
    """Margin is added to who falls due, once; the second time there is not enough."""
    told = scenario().given(account("ann", 200, mode=ISOLATED), auto_add("ann"))
    told.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(94), proceed(), mark(80), proceed())
    return told


def leveraged_margins() -> Scenario:
    """Margins are parts of notional over leverage."""
    rules = replace(pack(initial_margin=Rate(50 * PERCENT)), margin_model=MarginModel.LEVERAGED)
    return scenario(rules).given(*ann(60), mark(94), proceed())


SCRIPTS: dict[str, Script] = {
    "cured by one sale": Script(cured_by_one_sale),
    "auction forgotten": Script(auction_forgotten, 12),
    "auction to its end": Script(auction_to_its_end),
    "auction taken": Script(auction_taken),
    "nothing left for an auction": Script(nothing_left_for_an_auction),
    "capped pools": Script(lambda: capped(Liquidation(LiquidationStyle.FULL, last_resort=FUND))),
    "capped slices": Script(lambda: capped(SLICES)),
    "capped steps": Script(lambda: capped(STEPS)),
    "cured by one slice": Script(cured_by_one_slice),
    "legs netted": Script(legs_netted),
    "steps of many kinds": Script(steps_of_many_kinds),
    "with orders and triggers": Script(with_orders_and_triggers),
    "history takes it": Script(history_takes_it),
    "wallets that answer together": Script(wallets_that_answer_together),
    "coins": Script(coins),
    "margin added": Script(margin_added),
    "leveraged margins": Script(leveraged_margins),
}
