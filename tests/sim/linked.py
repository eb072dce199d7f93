"""Linked orders in made-up sessions, near the price, so that they trade, fire and end each other; and nonsense."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import Command, OrderNumber, Side, TimeInForce
from events.instructions import Arming, PriceMatch
from events.instruments import Instrument, Leg
from events.linked import PlaceLinked
from events.triggers import CALLBACK_MIN, PriceSource, TriggerKind
from exchange.core.holdings import Account
from tests.sim.clock import proceed
from tests.sim.conditional import cancel_trigger, reach
from tests.sim.orders import hit, join, order
from tests.sim.traders import Move, Traders

STOP, TAKE_PROFIT, TRAILING_STOP = TriggerKind.STOP, TriggerKind.TAKE_PROFIT, TriggerKind.TRAILING_STOP
OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


def pair(t: Traders) -> Command:
    """Two orders about the price of which one ends the other: at times both of them conditional."""
    account, terms, side = t.account(), t.terms(), t.dice.choice(list(Side))
    lots, leg = t.lots(account, terms), _leg(t, account, side)
    gains, loses = -1 if side is Side.BUY else 1, 1 if side is Side.BUY else -1
    limit = t.place(account, terms, side, lots, _near(t, terms, gains), TimeInForce.GTC, False, leg)
    limit = replace(limit, price_match=PriceMatch.NONE, price=limit.price or t.ticks(terms))
    one: Any = limit
    if t.dice.random() < 0.4:
        one = _wait(t, limit, TAKE_PROFIT, _near(t, terms, gains))
    stop = replace(_wait(t, limit, STOP, _near(t, terms, loses)), number=OrderNumber(limit.number + 1))
    t.planned = t.dice.choice(([], [hit], [reach, proceed], [cancel_trigger]))
    return _muddled(t, PlaceLinked(t.at, account, limit.request, (one, stop)))


def bracket(t: Traders) -> Command:
    """An entry near the price, or through it, with a take-profit, a stop or both."""
    made = t.dice.choice((order, order, join))(t)
    if not isinstance(made, c.PlaceOrder):
        return made
    account, terms = made.account, t.world.state.contracts.get(made.instrument)
    if terms is None:
        return made
    sign = 1 if made.side is Side.BUY else -1
    entry = replace(made, reduce_only=t.dice.random() < 0.02, leg=_leg(t, account, made.side, opens=True))
    exits = [
        _wait(t, replace(entry, side=OTHER[entry.side]), kind, _near(t, terms.terms, direction * sign))
        for kind, direction in ((TAKE_PROFIT, 1), (t.dice.choice((STOP, STOP, TRAILING_STOP)), -1))
    ]
    exits = exits[t.dice.choice((0, 0, 0, 1)) :]
    linked = [replace(one, lots=0, number=entry.number + 1 + n) for n, one in enumerate(exits)]
    arms = t.dice.choice((Arming.FIRST_FILL, Arming.FIRST_FILL, Arming.FULL_FILL))
    t.planned = t.dice.choice(([], [hit], [hit, reach, proceed], [reach, hit], [cancel_trigger]))
    return _muddled(t, PlaceLinked(t.at, account, entry.request, tuple(linked), entry, arms))


def _wait(t: Traders, like: c.PlaceOrder, kind: TriggerKind, trigger: int) -> c.PlaceTrigger:
    """A conditional order of the account, side and size of another one."""
    trails = kind is TRAILING_STOP
    price = None if trails or t.dice.random() < 0.6 else trigger
    source = t.dice.choice((PriceSource.MARK, PriceSource.MARK, PriceSource.LAST))
    return c.PlaceTrigger(
        like.at, like.account, like.request, like.number, like.instrument, like.side, kind, like.lots,
        None if trails and t.dice.random() < 0.5 else trigger, price, TimeInForce.GTC, source,
        callback=CALLBACK_MIN if trails else c.Rate(0), protects=not trails and t.dice.random() < 0.1, leg=like.leg,
    )  # fmt: skip


def _near(t: Traders, terms: Instrument, direction: int) -> int:
    """A price on that side of the present one."""
    ticks = t.ticks(terms)
    return max(1, ticks + direction * max(1, ticks * t.dice.choice((1, 1, 3, 10)) // 1000))


def _leg(t: Traders, account: str, side: Side, opens: bool = False) -> Leg:
    """The leg of an account that hedges: the one that the side opens, or any."""
    known: Account | None = t.world.state.accounts.get(account)  # type: ignore[call-overload]
    if known is None or not known.hedges:
        return Leg.NET
    own = Leg.LONG if side is Side.BUY else Leg.SHORT
    return own if opens else t.dice.choice((Leg.LONG, Leg.SHORT))


def _muddled(t: Traders, made: PlaceLinked) -> PlaceLinked:
    """Seldom what a rule forbids."""
    if t.dice.random() > 0.05:
        return made
    first, *others = made.linked
    wrong = t.dice.choice(({"side": OTHER[first.side]}, {"lots": 7}, {"request": "another"}, {"number": 0}))
    return replace(made, linked=(replace(first, **wrong), *others))


LINKED: dict[Move, int] = {pair: 10, bracket: 14, reach: 4, cancel_trigger: 1}
"""How often each is done where traders know linked orders."""
