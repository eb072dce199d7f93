"""What leads to liquidations, rare ones among them: pools of several positions, at the edge, with help or without.

A move looks for a pool in which it means something, and where there is none it becomes another move.
"""

from __future__ import annotations

from events import commands as c
from events.commands import AccountId, Command, Side, TimeInForce
from events.instruments import AssetId, InstrumentId
from events.units import UNIT
from exchange.core.margin.model import cross_positions, withdrawable_atoms
from exchange.core.state import MultiPool, Position
from tests.sim.clock import proceed
from tests.sim.orders import hit, order
from tests.sim.prices import mark, squeeze
from tests.sim.traders import Traders


def held(t: Traders) -> list[Position]:
    """What traders hold, of instruments that did not expire."""
    return [p for a in t.accounts() for p in a.positions.values() if p.lots and not p.contract.expired]


def spread(t: Traders) -> Command:
    """An order of somebody in cross margin for an instrument beside those that the pool holds, soon taken."""
    cross = [p for p in held(t) if not p.is_isolated and not p.pool.due]
    if not cross:
        return order(t)
    position = t.dice.choice(cross)
    account = t.world.state.accounts[position.account]
    shares = account.multi is not None
    others = [
        terms
        for terms in t.pack.instruments
        if not any(p.lots for p in account.legs(terms.id)) and (shares or terms.settle == position.contract.settle)
    ]
    if not others:
        return hit(t)
    terms, t.planned = t.dice.choice(others), [hit]
    lots = t.lots(account.name, terms)
    return t.place(account.name, terms, t.dice.choice(list(Side)), lots, t.ticks(terms), TimeInForce.GTC, False)


def press(t: Traders) -> Command:
    """Who holds something takes out what is free, and the mark goes to where the pool is looked at again, and again:
    nearer and nearer to where it is due.
    """
    pools = {p.pool: p for p in held(t) if not p.pool.due}
    several = [p for p in pools.values() if len(_open(p)) > 1]
    if not pools:
        return squeeze(t)
    return _approach(t, t.dice.choice(several or [*pools.values()]))


def _approach(t: Traders, position: Position) -> Command:
    name, instrument, leg = position.account, position.contract.id, position.name

    def on(t: Traders) -> Command:
        return _pressed(t, name, instrument, leg)

    helped = [support] * t.dice.choice((0, 0, 1, 2))
    taken = [lambda t, asset=asset: _strip(t, name, asset) for asset in t.world.state.accounts[name].wallets]
    nearer = [*taken, *[on] * t.dice.choice((1, 2, 4, 6))]
    t.planned = [*nearer[1:], *helped, proceed, *[relief] * t.dice.choice((0, 1, 1))]
    return nearer[0](t)


def _strip(t: Traders, name: AccountId, asset: AssetId) -> Command:
    wallet = t.world.state.accounts[name].wallets[asset]
    return c.Withdraw(t.at, name, t.request(), asset, max(1, withdrawable_atoms(wallet)))


def _open(position: Position) -> list[Position]:
    """The positions that are open in the same pool."""
    pool = position.pool
    return [position] if isinstance(pool, Position) else cross_positions(pool)


def _pressed(t: Traders, name: AccountId, instrument: InstrumentId, leg: str) -> Command:
    position = t.world.state.accounts[name].positions.get(leg)
    contract = t.world.state.contracts[instrument]
    ends = (position.low, position.high) if position is not None and position.lots else ()
    near = [at for at in ends if 0 < at < 4 * contract.mark]
    if position is not None and position.pool.due:
        return proceed(t)
    if not near:
        return mark(t)
    against = [at for at in near if (at < contract.mark) == (position.lots > 0)]
    if isinstance(position.pool, MultiPool):
        against = [contract.mark * (85 if position.lots > 0 else 115) // 100 or 1]
    t.prices[instrument] = t.dice.choice(against or near)
    return c.SetMarkPrice(t.at, instrument, t.prices[instrument])


def support(t: Traders) -> Command:
    """An order near the mark that takes what is to be closed by force, or some of it; at times only to reduce."""
    due = [p for p in held(t) if p.pool.due]
    if not due:
        return order(t)
    position = t.dice.choice(due)
    contract, side = position.contract, Side.BUY if position.lots > 0 else Side.SELL
    others = [a for a in t.accounts() if a.name != position.account]
    reducing = [a for a in others for p in a.legs(contract.id) if p.lots * position.lots < 0]
    if not others or not contract.mark:
        return order(t)
    reduces = bool(reducing) and t.dice.random() < 0.4
    helper = t.dice.choice(reducing if reduces else others)
    share = t.dice.choice((20, 50, 100, 200))
    lots = max(contract.terms.min_lots, abs(position.lots) * share // 100)
    price = max(1, contract.mark * t.dice.choice((90, 99, 100, 101)) // (100 * contract.tick))
    return t.place(helper.name, contract.terms, side, lots, price, TimeInForce.GTC, reduces)


def relief(t: Traders) -> Command:
    """The mark comes back to somebody who waits for the next step of an auction, or is due: whole or nearly."""
    waiting = [p for p in held(t) if p.pool in t.world.state.stepped or p.pool.due]
    stepped = [p for p in waiting if p.pool in t.world.state.stepped]
    if not waiting:
        return press(t)
    contract = (position := t.dice.choice(stepped or waiting)).contract
    share = t.dice.choice((2, 10, 40)) * (1 if position.lots > 0 else -1)
    price = contract.mark + contract.mark * share // 100
    t.prices[contract.id] = max(1, price)
    return c.SetMarkPrice(t.at, contract.id, t.prices[contract.id])


def levy(t: Traders) -> Command:
    """The mark ruins somebody, and then those on the other side owe funding of what else they hold."""
    ruined = [p for p in held(t) if not p.pool.due and p.contract.mark]
    if not ruined:
        return press(t)
    position = t.dice.choice(ruined)
    contract, rate = position.contract, t.dice.choice((-30, 30)) * UNIT
    others = [terms.id for terms in t.pack.instruments if terms.id != contract.id]
    owed = [lambda t, name=name: c.ApplyFunding(t.at, name, rate) for name in others]
    t.planned = [*owed, lambda t: c.Proceed(t.at, 1), proceed]
    share = t.dice.choice((30, 70, 85)) if position.lots > 0 else t.dice.choice((115, 130, 200))
    return c.SetMarkPrice(t.at, contract.id, max(1, contract.mark * share // 100))


def leave(t: Traders) -> Command:
    """An order to reduce a position that its owner then closes: it rests, and has nothing to reduce."""
    position = t.dice.choice(held(t)) if held(t) else None
    if position is None or position.pool.due:
        return hit(t)
    name, terms, lots, leg = position.account, position.contract.terms, abs(position.lots), position.leg
    side, tick = (Side.SELL if position.lots > 0 else Side.BUY), t.ticks(terms)
    against = [p for p in held(t) if p.contract is position.contract and p.lots * position.lots < 0]
    far = max(1, tick * (8 if side is Side.SELL else 12) // 10)
    near = max(1, tick + t.dice.choice((0, 1, 5)) * (1 if side is Side.SELL else -1))
    other, taking = t.dice.choice([a.name for a in t.accounts()]), Side.BUY if side is Side.SELL else Side.SELL
    t.planned = [
        lambda t: t.place(other, terms, taking, lots, far, TimeInForce.GTC, False),
        lambda t: t.place(name, terms, side, lots, far, TimeInForce.IOC, False, leg),
        lambda t: _approach(t, t.dice.choice(against)) if against else press(t),
    ]
    return t.place(name, terms, side, lots, near, TimeInForce.POST_ONLY, True, leg)


def crash(t: Traders) -> Command:
    """All marks fall or rise together, one after the other, before anything else is done."""
    share = t.dice.choice((30, 60, 85, 115, 150, 250))

    def moved(name: InstrumentId, t: Traders) -> Command:
        start = t.rules.prices[name]
        return c.SetMarkPrice(t.at, name, max(1, start * share // 100))

    names = [terms.id for terms in t.pack.instruments if not t.world.state.contracts[terms.id].expired]
    moves = [lambda t, name=name: moved(name, t) for name in names] or [mark]
    t.planned = [*moves[1:], proceed, proceed]
    return moves[0](t)


def pile(t: Traders) -> Command:
    """Small orders of one account, far from the mark, one after the other."""
    account, terms = t.account(), t.terms()
    side, lots = t.dice.choice(list(Side)), max(terms.min_lots, t.lots(account, terms) // 50)
    away = max(1, t.ticks(terms) * (9 if side is Side.BUY else 11) // 10)

    def one(t: Traders) -> Command:
        return t.place(account, terms, side, lots, away, TimeInForce.GTC, False)

    t.planned = [one] * t.dice.choice((2, 3, 8))
    return one(t)
