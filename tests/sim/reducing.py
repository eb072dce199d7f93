"""Reduce-only orders for more or less than there is to close, and what their positions lose beside them."""

from __future__ import annotations

from events.commands import Command, Side, TimeInForce
from exchange.core.state import Position
from tests.sim.orders import order
from tests.sim.traders import Traders


def rung(t: Traders) -> Command:
    """A reduce-only order that rests beyond the market: for a part of a position, all of it, or more."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots]
    if not held:
        return order(t)
    dice, position = t.dice, t.dice.choice(held)
    t.planned = [dice.choice((rung, lessen, lessen))] if dice.random() < 0.8 else []
    tick, side = t.ticks(position.contract.terms), _closing(position)
    away = dice.choice((0, 1, 2, 2, 5)) * max(1, tick // 100)
    price = max(1, tick + away if side is Side.SELL else tick - away)
    lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 6)) // 4)
    terms, leg = position.contract.terms, position.leg
    return t.place(position.account, terms, side, lots, price, TimeInForce.POST_ONLY, True, leg)


def lessen(t: Traders) -> Command:
    """A plain order that closes some of a position that has open orders, all of it, or turns it over."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots and p.open_orders]
    if not held:
        return order(t)
    dice, position = t.dice, t.dice.choice(held)
    lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 6)) // 4)
    price = None if dice.random() < 0.5 else t.ticks(position.contract.terms)
    terms, leg = position.contract.terms, position.leg
    return t.place(position.account, terms, _closing(position), lots, price, TimeInForce.IOC, False, leg)


def _closing(position: Position) -> Side:
    return Side.SELL if position.lots > 0 else Side.BUY
