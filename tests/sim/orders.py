"""What traders place and cancel."""

from __future__ import annotations

from events import commands as c
from events.commands import Command, Side, TimeInForce
from events.instruments import Leg
from tests.sim.clock import proceed
from tests.sim.traders import Traders

TIMES = {TimeInForce.GTC: 12, TimeInForce.IOC: 3, TimeInForce.FOK: 2, TimeInForce.POST_ONLY: 3}
"""For how long an order stands, and how often."""


def order(t: Traders) -> Command:
    """An order of a size that margin just carries or just does not, near the mark or through it."""
    dice, terms, account = t.dice, t.terms(), t.account()
    if t.free(account, terms.settle) < t.whole(terms.settle) // 100 and dice.random() < 0.7:
        return t.gift(account, terms.settle)
    side, tick, reduce_only = dice.choice(list(Side)), t.ticks(terms), False
    spread = dice.choice((0, 0, 1, 2, 5, 20, tick // 50, tick // 5))
    price = max(1, tick + dice.randint(-spread, spread)) if dice.random() < 0.85 else None
    if held := t.held(account, terms):
        reduce_only = dice.random() < 0.2
        side = dice.choice((side, Side.SELL if held > 0 else Side.BUY))
    time_in_force = dice.choices([*TIMES], [*TIMES.values()])[0]
    return t.place(account, terms, side, t.lots(account, terms), price, time_in_force, reduce_only)


def close(t: Traders) -> Command:
    """An order against a position: a part of it, all of it, or through zero; at times far worse than the mark."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots]
    if not held:
        return order(t)
    dice, position = t.dice, t.dice.choice(held)
    terms = position.contract.terms
    lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 4, 8)) // 4)
    side = Side.SELL if position.lots > 0 else Side.BUY
    tick = t.ticks(terms)
    worse = -tick // 20 if position.lots > 0 else tick // 20
    price = dice.choice((None, tick, max(1, tick + dice.choice((-3, 3))), max(1, tick + worse)))
    time_in_force = dice.choice((TimeInForce.GTC, TimeInForce.IOC))
    reduce_only = dice.random() < 0.5
    return t.place(position.account, terms, side, lots, price, time_in_force, reduce_only, position.leg)


def ruin(t: Traders) -> Command:
    """A resting order that gives a position away far below its worth, soon taken: a loss greater than its pool."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots and not p.pool.due]
    position = t.dice.choice(held) if held else None
    if position is None:
        return order(t)
    contract, book = position.contract, position.contract.book
    side, resting, share = (Side.SELL, book.bids, 60) if position.lots > 0 else (Side.BUY, book.asks, 140)
    price = max(1, contract.mark * share // (100 * contract.tick))
    if book.front(resting, price) is not None:
        return close(t)
    t.planned = [hit, proceed]
    gtc, lots = TimeInForce.GTC, abs(position.lots)
    return t.place(position.account, contract.terms, side, lots, price, gtc, True, position.leg)


def hit(t: Traders) -> Command:
    """An order that meets the resting order of somebody, of one who is due or gives away if there is such a one."""
    open_orders = t.open_orders()
    in_need = [one for one in open_orders if one.reduce_only or one.holder.pool.due]
    if not open_orders:
        return order(t)
    maker = t.dice.choice(in_need or open_orders)
    takers = [a.name for a in t.accounts() if a.name != maker.account] or [maker.account]
    side = Side.SELL if maker.sign > 0 else Side.BUY
    terms = maker.holder.contract.terms
    return t.place(t.dice.choice(takers), terms, side, maker.lots, maker.price, TimeInForce.IOC, False)


def borrow(t: Traders) -> Command:
    """An order in multi-asset mode of somebody who has nothing of the settle asset: what it costs is a debt."""
    poor = [
        (account, terms)
        for account in t.accounts()
        for terms in t.pack.instruments
        if account.multi and ((wallet := account.wallets.get(terms.settle)) is None or wallet.balance <= 0)
    ]
    if not poor:
        return order(t)
    account, terms = t.dice.choice(poor)
    t.planned = [hit]
    side, lots = t.dice.choice(list(Side)), max(terms.min_lots, t.lots(account.name, terms) // 4)
    price = t.dice.choice((None, t.ticks(terms)))
    return t.place(account.name, terms, side, lots, price, TimeInForce.GTC, False)


def hedge(t: Traders) -> Command:
    """An order for the other leg of a position, in hedge mode: both may be liquidated at once."""
    held = [p for a in t.accounts() if a.hedges for p in a.positions.values() if p.lots]
    if not held:
        return order(t)
    position = t.dice.choice(held)
    side, leg = (Side.BUY, Leg.LONG) if position.lots < 0 else (Side.SELL, Leg.SHORT)
    t.planned = [hit]
    terms, lots = position.contract.terms, max(1, abs(position.lots) // t.dice.choice((1, 2, 4)))
    return t.place(position.account, terms, side, lots, t.ticks(terms), TimeInForce.GTC, False, leg)


def join(t: Traders) -> Command:
    """An order behind history's volume, where others of the traders may stand too."""
    terms, account, side = t.terms(), t.account(), t.dice.choice(list(Side))
    book = t.world.state.contracts[terms.id].book
    stated = sorted((book.bids if side is Side.BUY else book.asks).history.stated)
    if not stated:
        return order(t)
    price = t.dice.choice(stated[-3:] if side is Side.BUY else stated[:3])
    lots = max(terms.min_lots, t.lots(account, terms) // 8)
    return t.place(account, terms, side, lots, price, TimeInForce.POST_ONLY, False)


def cancel(t: Traders) -> Command:
    """A cancel of an open order."""
    open_orders = t.open_orders()
    if not open_orders:
        return order(t)
    one = t.dice.choice(open_orders)
    return c.CancelOrder(t.at, one.account, t.request(), one.number)
