"""Who bears what the book does not take: fund, backstop, winners who share a loss; and what the fund does with it."""

from __future__ import annotations

from events.commands import INSURANCE
from events.instruments import Liquidation
from events.rules import Layer
from events.units import UNIT, Rate
from tests.scenario import Scenario
from tests.sim.scripted import Script
from tests.sim.scripts.situations import ADL, FUND, ann, under
from tests.spec.tape import snapshot, tape
from tests.spec.words import BUY, ISOLATED, SELL, account, deposit, mark, place, position, proceed, resting

SOCIALISED = (Layer.SOCIALISED,)


def backstop() -> Scenario:
    """The fund takes over without asking the book."""
    told = under(Liquidation(backstop=Rate(UNIT * 2 // 3), last_resort=FUND))
    return told.given(*ann(), resting(5, BUY, price=92, lots=10), mark(92), proceed())


def loss_shared() -> Scenario:
    """Three winners share what the fund lacks, which is so little that none is left for the last."""
    told = under(Liquidation(last_resort=SOCIALISED), 0).given(account("ann", 100), account("eve", 119))
    for number, (name, lots) in enumerate((("bob", 7), ("cat", 2), ("dan", 1))):
        told.given(account(name, 500))
        told.given(*position(4 * number + 1, BUY, price=100, lots=lots, by="ann", against=name))
        told.given(*position(4 * number + 3, BUY, price=100, lots=lots, by="eve", against=name))
    return told.given(mark(88), proceed())


def fund_then_winners() -> Scenario:
    """The fund takes what it can bear, the ranked the rest; it bears all of the next one, and nothing of the last."""
    told = under(Liquidation(last_resort=FUND + ADL), 8).given(*ann(), account("eve", 150), account("zoe", 250))
    told.given(*position(3, BUY, price=100, lots=10, by="eve"), *position(5, BUY, price=100, lots=10, by="zoe"))
    told.given(mark(88), proceed(), deposit(INSURANCE, 10_000), mark(84), proceed())
    return told.given(mark(40), *([proceed()] if told.state.has_work else []))


def fund_without_means() -> Scenario:
    """The fund can bear nothing, and all goes to the ranked."""
    return under(Liquidation(last_resort=FUND + ADL), 0).given(*ann(), mark(88), proceed())


def winners_then_all() -> Scenario:
    """Where winners come first, the others share nothing."""
    return under(Liquidation(last_resort=ADL + SOCIALISED), 0).given(*ann(), mark(88), proceed())


def offer_goes_on() -> Scenario:
    """The fund's offer ends an order that has nothing left to reduce, and goes on to the next one."""
    told = under(Liquidation(last_resort=FUND), 100).given(*ann())
    told.given(account("cat", 500), *position(3, SELL, price=100, lots=5, by="cat"), mark(88), proceed())
    told.given(resting(5, BUY, price=90, lots=5, by="cat", reduce_only=True), resting(6, SELL, price=95, lots=5))
    told.given(place(7, BUY, price=95, lots=5, by="cat"), resting(8, BUY, price=89, lots=2), mark(88), proceed())
    told.given(tape(snapshot({90: 3}, {120: 1})), mark(89))
    return told.given(*([proceed()] if told.state.has_work else []))


def forced_order_goes_on() -> Scenario:
    """So does a forced order."""
    told = under(Liquidation(last_resort=FUND)).given(*ann(), account("cat", 500))
    told.given(*position(3, SELL, price=100, lots=5, by="cat"))
    told.given(resting(5, BUY, price=93, lots=5, by="cat", reduce_only=True), resting(6, SELL, price=95, lots=5))
    return told.given(place(7, BUY, price=95, lots=5, by="cat"), resting(8, BUY, price=92, lots=2), mark(93), proceed())


def loss_beyond_the_wallet() -> Scenario:
    """An order that rests far below is filled: what its owner lacks then is covered, of a wallet and of a position."""
    told = under(Liquidation(last_resort=FUND), 300).given(*ann(), account("ida", 100, mode=ISOLATED))
    told.given(*position(3, BUY, price=100, lots=10, by="ida"))
    for number, name in ((5, "ann"), (7, "ida")):
        told.given(resting(number, SELL, price=85, lots=10, by=name, reduce_only=True))
        told.given(place(number + 1, BUY, price=85, lots=10))
    return told.given(proceed())


SCRIPTS: dict[str, Script] = {
    "backstop": Script(backstop),
    "loss shared": Script(loss_shared),
    "fund, then winners": Script(fund_then_winners),
    "fund without means": Script(fund_without_means),
    "winners, then all": Script(winners_then_all),
    "offer goes on": Script(offer_goes_on),
    "forced order goes on": Script(forced_order_goes_on),
    "loss beyond the wallet": Script(loss_beyond_the_wallet),
}
