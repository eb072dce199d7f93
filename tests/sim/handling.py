"""How traders handle what they have open: by names of their own, and by amendments."""

from __future__ import annotations

import msgspec

from events import commands as c
from events.commands import ClientId, Command
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


def cancel_by_name(t: Traders) -> Command:
    """A cancel by a client id, which is not always one of the account's."""
    names = [(account.name, client) for account in t.accounts() for client in account.clients]
    if not names:
        return cancel(t)
    account, client = t.dice.choice(names)
    owner = account if t.dice.random() < 0.9 else t.account()
    return c.CancelOrder(t.at, owner, t.request(), c.OrderNumber(0), client)
