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
    t.planned = dice.choice(([rung], [offer, lessen], [offer, lessen], []))
    tick, side = t.ticks(position.contract.terms), _closing(position)
    away = dice.choice((0, 1, 2, 2, 5)) * max(1, tick // 100)
    price = max(1, tick + away if side is Side.SELL else tick - away)
    lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 6)) // 4)
    terms, leg = position.contract.terms, position.leg
    return t.place(position.account, terms, side, lots, price, TimeInForce.POST_ONLY, True, leg)


def offer(t: Traders) -> Command:
    """Somebody is there to trade with a position that has open orders, near the mark."""
    position = _with_orders(t)
    takers = [a.name for a in t.accounts() if position is not None and a.name != position.account]
    if position is None or not takers:
        return order(t)
    terms, side = position.contract.terms, Side.BUY if position.lots > 0 else Side.SELL
    lots = 2 * abs(position.lots)
    return t.place(t.dice.choice(takers), terms, side, lots, t.ticks(terms), TimeInForce.POST_ONLY, False)


def lessen(t: Traders) -> Command:
    """A plain order that closes some of a position that has open orders, all of it, or turns it over."""
    dice, position = t.dice, _with_orders(t)
    if position is None:
        return order(t)
    lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 6)) // 4)
    price = None if dice.random() < 0.5 else t.ticks(position.contract.terms)
    terms, leg = position.contract.terms, position.leg
    return t.place(position.account, terms, _closing(position), lots, price, TimeInForce.IOC, False, leg)


def _with_orders(t: Traders) -> Position | None:
    """The position with the most open orders, None where none has any."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots and p.open_orders]
    return max(held, key=lambda p: p.open_orders, default=None)


def _closing(position: Position) -> Side:
    return Side.SELL if position.lots > 0 else Side.BUY
