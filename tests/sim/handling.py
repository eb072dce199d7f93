"""How traders handle what they have open: by names of their own."""

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


def cancel_by_name(t: Traders) -> Command:
    """A cancel by a client id, which is not always one of the account's."""
    names = [(account.name, client) for account in t.accounts() for client in account.clients]
    if not names:
        return cancel(t)
    account, client = t.dice.choice(names)
    owner = account if t.dice.random() < 0.9 else t.account()
    return c.CancelOrder(t.at, owner, t.request(), c.OrderNumber(0), client)
