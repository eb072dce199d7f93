"""Trading phases in made-up sessions: the operator halts, calls auctions, and lets trading be continuous again."""

from __future__ import annotations

from events import commands as c
from events.commands import Command, Side, TimeInForce
from events.phases import TradingPhase
from events.units import SECOND, Nanos
from tests.sim import orders
from tests.sim.nonsense import SILVER
from tests.sim.traders import Traders

WEIGHTS = {
    TradingPhase.CONTINUOUS: 5,
    TradingPhase.AUCTION: 5,
    TradingPhase.HALTED: 1,
    TradingPhase.CANCEL_ONLY: 1,
}
"""How often each phase is asked for."""


def phase(t: Traders) -> Command:
    """A phase, soonest for what is not continuous; at times it ends by itself, or would have before it began."""
    terms = t.terms()
    closed = [name for name, contract in t.world.state.contracts.items() if contract.closed]
    name = t.dice.choice(closed) if closed and t.dice.random() < 0.7 else terms.id
    asked = t.dice.choices(list(WEIGHTS), WEIGHTS.values())[0]
    until = t.at + t.dice.choice((0, SECOND, 60 * SECOND)) if t.dice.random() < 0.3 else 0
    return c.SetTradingPhase(t.at, name, asked, Nanos(until))


def wrong(t: Traders) -> Command:
    """A phase of nothing, or one that ends before it begins."""
    nothing = c.SetTradingPhase(t.at, SILVER, TradingPhase.HALTED)
    return t.dice.choice((nothing, c.SetTradingPhase(t.at, t.terms().id, TradingPhase.CONTINUOUS, Nanos(t.at + 1))))


def call(t: Traders) -> Command:
    """An auction that several orders cross in, all at once, and what ends it."""
    terms = t.terms()
    t.planned = [crossing] * t.dice.choice((2, 4, 8))
    t.planned += [lambda t: c.SetTradingPhase(t.at, terms.id, TradingPhase.CONTINUOUS)]
    return c.SetTradingPhase(t.at, terms.id, TradingPhase.AUCTION)


def crossing(t: Traders) -> Command:
    """A limit order that crosses, where there is an auction; small beside what its account could carry, at times for
    what it holds.
    """
    called = [t.world.state.contracts[terms.id] for terms in t.pack.instruments]
    called = [contract for contract in called if contract.phase is TradingPhase.AUCTION]
    if not called or t.dice.random() < 0.2:
        return orders.order(t)
    contract, dice = t.dice.choice(called), t.dice
    held = [p for p in contract.positions if p.lots and not p.exempt]
    if held and dice.random() < 0.4:
        position = dice.choice(held)
        side = Side.SELL if position.lots > 0 else Side.BUY
        lots, tick = max(1, abs(position.lots) // dice.choice((1, 1, 2))), t.ticks(contract.terms)
        price = max(1, tick + dice.choice((-2, -1, 0, 1, 2)) * max(1, tick // 200))
        return t.place(
            position.account, contract.terms, side, lots, price, TimeInForce.GTC, dice.random() < 0.7, position.leg
        )
    account, side = t.account(), dice.choice(list(Side))
    tick = t.ticks(contract.terms)
    price = max(1, tick + dice.randint(-3, 3) * max(1, tick // 500))
    lots = max(contract.terms.min_lots, t.lots(account, contract.terms) // dice.choice((2, 4, 8)))
    return t.place(
        account, contract.terms, side, lots, price, dice.choice((TimeInForce.GTC, TimeInForce.POST_ONLY)), False
    )
