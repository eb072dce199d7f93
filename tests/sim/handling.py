"""How traders handle what they have open: names of their own, amendments, cancels of all, batches, countdowns."""

from __future__ import annotations

from typing import Any

import msgspec

from events import commands as c
from events.commands import ClientId, Command
from events.units import SECOND
from tests.sim import clock
from tests.sim.orders import cancel, join, order
from tests.sim.traders import Traders

CLIENT_IDS = [ClientId(text) for text in ("a", "B-2", "no blanks", 37 * "x")]
"""Names that orders get, which are taken at times, and two that none may have."""


def named(t: Traders) -> Command:
    """An order with a client id."""
    placed = t.dice.choice((order, order, join))(t)
    if not isinstance(placed, c.PlaceOrder):
        return placed
    return msgspec.structs.replace(placed, client=t.dice.choices(CLIENT_IDS, (9, 6, 1, 1))[0])


def amend(t: Traders) -> Command:
    """Another price or size for an open order: less, more, less than is executed, through the other side, or nothing
    new.
    """
    open_orders = t.open_orders()
    if not open_orders:
        return order(t)
    dice, one = t.dice, t.dice.choice(open_orders)
    terms = one.holder.contract.terms
    part = max(1, one.total // dice.choice((2, 3, 10)))
    lots = dice.choice((None, one.total, one.total - part, one.total + part, one.executed, 10 * one.total, "0.5", -1))
    tick = t.ticks(terms)
    prices = (None, None, one.price, one.price + dice.choice((-1, 1)), tick, tick + one.sign * (1 + tick // 100))
    price = dice.choice((*prices, "0.05", 0)) if dice.random() < 0.9 else max(1, 100 * tick)
    number, client = (0, one.client) if one.client and dice.random() < 0.5 else (one.number, c.ClientId(""))
    return c.AmendOrder(t.at, one.account, t.request(), c.OrderNumber(number), price, lots, client)  # type: ignore[arg-type]


def amend_again(t: Traders) -> Command:
    """The same order, amended as often as its venue lets it be, and once more."""
    t.planned = [amend] * 3
    return join(t)


def cancel_all(t: Traders) -> Command:
    """A cancel of everything in an instrument, seldom one that there is not."""
    instrument = t.terms().id if t.dice.random() < 0.95 else c.InstrumentId("XAGUSDT")
    return c.CancelAll(t.at, t.account(), t.request(), instrument)


def batch(t: Traders) -> Command:
    """Several orders of an account at once; some were asked before, some are another account's, some are too many."""
    dice, account = t.dice, t.account()
    items: list[Any] = []
    for _ in range(dice.choice((0, 1, 2, 2, 3, 3, 5, 12))):
        item: Any = dice.choice((order, order, join, amend, cancel, cancel_by_name))(t)
        if not isinstance(item, c.PlaceOrder | c.AmendOrder | c.CancelOrder):
            continue
        last = max((one.number for one in items if isinstance(one, c.PlaceOrder)), default=0)
        number = max(last + 1, item.number) if isinstance(item, c.PlaceOrder) and dice.random() < 0.9 else item.number
        mine = account if dice.random() < 0.99 else item.account
        items.append(msgspec.structs.replace(item, account=mine, number=number))
    if dice.random() < 0.3:
        items = [c.CancelOrder(t.at, account, t.request(), item.number) for item in items]
    if items and dice.random() < 0.1:
        items[0] = msgspec.structs.replace(items[0], request=dice.choice((items[-1].request, "caf\u00e9")))
    t.batches.append(c.SubmitBatch(t.at, account, t.request(), tuple(items)))
    return t.batches[-1]


def retry(t: Traders) -> Command:
    """A batch that was sent before, or one item of it, in a batch with a new request or by itself."""
    if not t.batches:
        return batch(t)
    sent = t.dice.choice(t.batches[-3:])
    items = tuple(msgspec.structs.replace(item, at=t.at) for item in sent.items)
    if items and t.dice.random() < 0.4:
        return t.dice.choice(items)
    return c.SubmitBatch(t.at, sent.account, t.request(), items)


def countdown(t: Traders) -> Command:
    """A countdown that soon runs out, or is stopped, or is wrong; time goes on after it, at times far enough."""
    after = t.dice.choice((0, 1, SECOND, 60 * SECOND, 60 * SECOND, 3600 * SECOND, -1))
    known = [order.holder.contract.id for order in t.open_orders()]
    instrument = t.dice.choice(known) if known and t.dice.random() < 0.9 else c.InstrumentId("XAGUSDT")
    owners = [order.account for order in t.open_orders() if order.instrument == instrument]
    t.planned = [clock.time] if t.dice.random() < 0.3 else []
    return c.SetCountdown(t.at, t.dice.choice(owners or [t.account()]), t.request(), instrument, after)


def cancel_by_name(t: Traders) -> Command:
    """A cancel by a client id, which is not always one of the account's."""
    names = [(account.name, client) for account in t.accounts() for client in account.clients]
    if not names:
        return cancel(t)
    account, client = t.dice.choice(names)
    owner = account if t.dice.random() < 0.9 else t.account()
    return c.CancelOrder(t.at, owner, t.request(), c.OrderNumber(0), client)
