"""Conditional orders in made-up sessions, near the price, so that marks and trades reach them; and nonsense."""

from __future__ import annotations

from typing import Any

import msgspec

from events import commands as c
from events.commands import Command, OrderNumber, Side, TimeInForce
from events.instructions import PriceMatch
from events.instruments import Instrument, Leg
from events.triggers import CALLBACK_MAX, CALLBACK_MIN, PriceSource, TriggerKind
from events.units import SECOND, UNIT, Nanos
from exchange.core.triggers.trigger import Trigger, direction_of
from tests.sim.handling import CLIENT_IDS
from tests.sim.orders import cancel
from tests.sim.traders import Move, Traders

STOP, TRAILING_STOP = TriggerKind.STOP, TriggerKind.TRAILING_STOP
FORCES = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY)


def trigger(t: Traders) -> Command:
    """A conditional order of any kind, mostly on the side of the price where it waits."""
    account, terms, side = t.account(), t.terms(), t.dice.choice(list(Side))
    kind, source = t.dice.choice(list(TriggerKind)), t.dice.choice(list(PriceSource))
    known = t.world.state.accounts.get(account)
    asked: dict[str, Any] = {"reduce_only": t.dice.random() < 0.3, "protects": t.dice.random() < 0.2}
    if kind is TRAILING_STOP:
        asked |= {"callback": t.dice.choice((CALLBACK_MIN, 5 * CALLBACK_MIN, CALLBACK_MAX)), "protects": False}
    elif t.dice.random() < 0.4:
        asked |= {"price": _near(t, terms, t.dice.choice((-1, 1))), "time_in_force": t.dice.choice(FORCES)}
    if kind is not TRAILING_STOP or t.dice.random() < 0.5:
        asked["trigger"] = _near(t, terms, direction_of(kind, 1 if side is Side.BUY else -1))
    if t.dice.random() < 0.1:
        asked["client"] = t.dice.choice(CLIENT_IDS)
    if known and known.hedges:
        asked["leg"] = t.dice.choice((Leg.LONG, Leg.SHORT))
    number = OrderNumber((known.last_number if known else 0) + 1)
    lots = c.Lots(t.lots(account, terms))
    made = c.PlaceTrigger(t.at, account, t.request(), number, terms.id, side, kind, lots, source=source, **asked)
    return _instructed(t, made)


def _instructed(t: Traders, made: c.PlaceTrigger) -> c.PlaceTrigger:
    """The conditional order, now and then with a time of its own, or a price of the book in the place of a limit."""
    asked: dict[str, Any] = {}
    if t.whims.random() < 0.15:
        ahead = t.whims.choice((-1, SECOND, 60 * SECOND, 700 * SECOND, 700 * SECOND))
        timed = {"time_in_force": TimeInForce.GTD, "good_till": Nanos(t.at + ahead)}
        asked |= timed if t.whims.random() < 0.8 else {"time_in_force": TimeInForce.DAY}
    if t.whims.random() < 0.1:
        price = made.price if t.whims.random() < 0.1 else None
        asked |= {"price": price, "price_match": t.whims.choice(list(PriceMatch)[1:])}
    return msgspec.structs.replace(made, **asked) if asked else made


def _near(t: Traders, terms: Instrument, direction: int) -> int:
    """A price on that side of the present one, seldom the wrong one."""
    ticks = t.ticks(terms)
    if t.dice.random() < 0.1:
        direction = -direction
    return max(1, ticks + direction * max(1, ticks * t.dice.choice((1, 1, 3, 10, 50)) // 1000))


def closing(t: Traders) -> Command:
    """A stop that closes what an account holds, if any holds something."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots]
    made = trigger(t)
    assert isinstance(made, c.PlaceTrigger)
    if not held:
        return made
    p = t.dice.choice(held)
    side = Side.SELL if p.lots > 0 else Side.BUY
    kind = t.dice.choice((STOP, TriggerKind.TAKE_PROFIT))
    level = _near(t, p.contract.terms, direction_of(kind, 1 if side is Side.BUY else -1))
    number = OrderNumber(t.world.state.accounts[p.account].last_number + 1)
    plain = {
        "lots": 0, "price": None, "time_in_force": TimeInForce.GTC, "reduce_only": False, "callback": 0,
        "price_match": PriceMatch.NONE, "good_till": 0, "with_position": t.whims.random() < 0.5,
    }  # fmt: skip
    return msgspec.structs.replace(
        made, account=p.account, number=number, instrument=p.contract.id, side=side, trigger_kind=kind, trigger=level,
        closes=True, leg=p.leg, **plain,
    )  # fmt: skip


def reach(t: Traders) -> Command:
    """A mark that comes to a conditional order, or turns back from where it trails."""
    waiting = _waiting(t)
    if not waiting:
        return trigger(t)
    one = t.dice.choice(waiting)
    contract = one.holder.contract
    level = one.level * (1 if one.placed.source is PriceSource.MARK else contract.tick)
    if not level:
        level = contract.mark * t.dice.choice((97, 99, 101, 103)) // 100
    t.prices[contract.id] = max(1, level + t.dice.choice((0, 0, 1, -1)) * contract.tick)
    return c.SetMarkPrice(t.at, contract.id, c.MarkUnits(t.prices[contract.id]))


def leave(t: Traders) -> Command:
    """Somebody closes a position that conditional orders end with, now and then more than that, or only a part."""
    bound = [p for account in t.accounts() for p in account.positions.values() if p.bound]
    if not bound:
        return closing(t)
    p = t.dice.choice(bound)
    side, number = Side.SELL if p.lots > 0 else Side.BUY, t.world.state.accounts[p.account].last_number + 1
    lots = c.Lots(max(1, abs(p.lots) * t.dice.choice((1, 1, 1, 2)) // t.dice.choice((1, 1, 2))))
    return c.PlaceOrder(t.at, p.account, t.request(), OrderNumber(number), p.contract.id, side, lots, leg=p.leg)


def amend_trigger(t: Traders) -> Command:
    """A conditional order waits for something else, or is larger, smaller or another order; or nothing of the kind."""
    waiting = _waiting(t)
    if not waiting:
        return trigger(t)
    one, dice = t.dice.choice(waiting), t.dice
    placed, terms = one.placed, one.holder.contract.terms
    near = _near(t, terms, one.direction)
    level = dice.choice((placed.trigger, near, near, near)) if not one.group or dice.random() < 0.1 else None
    callback = dice.choice((0, CALLBACK_MIN, 5 * CALLBACK_MIN, CALLBACK_MAX)) if one.trails else 0
    price = _near(t, terms, dice.choice((-1, 1))) if dice.random() < (0.4 if placed.price else 0.05) else None
    lots = (
        dice.choice((1, 2, 3)) * max(1, placed.lots // 2) if dice.random() < (0.05 if placed.closes else 0.4) else None
    )
    named = (0, placed.client) if placed.client and dice.random() < 0.5 else (placed.number, c.ClientId(""))
    number, client = OrderNumber(named[0]), named[1]
    callback = callback if dice.random() < 0.97 else 1
    return c.AmendOrder(
        t.at, placed.account, t.request(), number, price, lots, client, level, callback  # type: ignore[arg-type]
    )  # fmt: skip


def cancel_trigger(t: Traders) -> Command:
    """A conditional order is cancelled, one that was reached and has not fired rather."""
    waiting = _waiting(t)
    if not waiting:
        return cancel(t)
    one = t.dice.choice([one for one in waiting if one.due] or waiting)
    return c.CancelOrder(t.at, one.placed.account, t.request(), one.placed.number)


def _waiting(t: Traders) -> list[Trigger]:
    return [one for account in t.accounts() for one in account.triggers.values()]


def muddled(t: Traders) -> Command:
    """A conditional order that a rule forbids, or nearly."""
    made = t.dice.choice((trigger, closing))(t)
    assert isinstance(made, c.PlaceTrigger)
    return msgspec.structs.replace(made, **t.dice.choice(MUDDLES))


MUDDLES: list[dict[str, Any]] = [
    {"trigger": None}, {"trigger": 0}, {"price": "0.05"}, {"callback": 1}, {"callback": UNIT}, {"closes": True},
    {"closes": True, "lots": 0, "reduce_only": True}, {"lots": 0, "closes": False}, {"lots": "0.5"}, {"number": 0},
    {"instrument": "XAGUSDT"}, {"leg": Leg.LONG}, {"leg": Leg.SHORT}, {"lots": 10**30},
    {"trigger_kind": TRAILING_STOP, "callback": CALLBACK_MIN, "price": 5},
    {"price": None, "time_in_force": TimeInForce.POST_ONLY, "closes": False},
    {"with_position": True, "reduce_only": False, "closes": False}, {"with_position": True, "reduce_only": True},
    {"time_in_force": TimeInForce.GTD}, {"good_till": 1}, {"price": 5, "price_match": PriceMatch.QUEUE},
]  # fmt: skip
"""Fields that do not go with the rest."""

CONDITIONAL: dict[Move, int] = {
    trigger: 16, closing: 10, reach: 8, cancel_trigger: 2, muddled: 8, amend_trigger: 6, leave: 3,
}  # fmt: skip
"""How often each is done where traders know conditional orders."""
