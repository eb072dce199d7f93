"""Commands that are mostly refused: one for each way of being wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from events import commands as c
from events.commands import AccountId, Command, OrderNumber, RequestId, TimeInForce
from events.instruments import AssetId, InstrumentId, MarginMode
from exchange.core.state import RULES_VERSION
from tests.sim.traders import NAMES, Traders

GOLD, SILVER = AssetId("GOLD"), InstrumentId("XAGUSDT")


def nonsense(traders: Traders) -> Command:
    """Something that a rule forbids, or nearly."""
    return traders.dice.choice(NONSENSE)(traders)


def _order(traders: Traders, **changes: Any) -> Command:
    order = traders.order()
    return msgspec.structs.replace(order, **changes) if isinstance(order, c.PlaceOrder) else order


NONSENSE: list[Callable[[Traders], Command]] = [
    lambda t: _order(t, account=AccountId("NOBODY")),
    lambda t: _order(t, account=c.MARKET),
    lambda t: _order(t, account=c.INSURANCE),
    lambda t: _order(t, instrument=SILVER),
    lambda t: _order(t, number=OrderNumber(t.dice.choice((-1, 0, 1)))),
    lambda t: _order(t, request=RequestId("caf\N{LATIN SMALL LETTER E WITH ACUTE}")),
    lambda t: _order(t, price=t.dice.choice((0, -1))),
    lambda t: _order(t, price="1.005"),
    lambda t: _order(t, lots="0.0005"),
    lambda t: _order(t, lots=t.dice.choice((0, -5))),
    lambda t: _order(t, lots=1),
    lambda t: _order(t, lots=10**30),
    lambda t: _order(t, lots=10**7, reduce_only=False),
    lambda t: _order(t, price=None, time_in_force=TimeInForce.POST_ONLY),
    lambda t: _order(t, reduce_only=True),
    lambda t: c.OpenAccount(t.at, t.account(), t.request()),
    lambda t: c.OpenAccount(t.at, t.dice.choice(NAMES), t.request()),
    lambda t: c.OpenAccount(t.at, AccountId("\t"), t.request()),
    lambda t: c.OpenAccount(t.at, c.MARKET, t.request()),
    lambda t: c.OpenSession(t.at, RULES_VERSION, t.pack, c.SessionOptions()),
    lambda t: c.Deposit(t.at, t.account(), t.request(), GOLD, 1),
    lambda t: c.Deposit(t.at, t.account(), t.request(), t.terms().settle, 0),
    lambda t: c.Withdraw(t.at, t.account(), t.request(), t.terms().settle, -1),
    lambda t: c.Withdraw(t.at, c.INSURANCE, t.request(), t.terms().settle, 1),
    lambda t: c.CancelOrder(t.at, t.account(), t.request(), OrderNumber(10**6)),
    lambda t: c.SetLeverage(t.at, t.account(), t.request(), SILVER, 3),
    lambda t: c.SetMarginMode(t.at, t.account(), t.request(), SILVER, MarginMode.CROSS),
    lambda t: c.SetMarkPrice(t.at, t.terms().id, 0),
    lambda t: c.SetMarkPrice(t.at, SILVER, 1),
    lambda t: c.ApplyFunding(t.at, SILVER, 1),
    lambda t: c.AdvanceMarket(t.at, t.terms().id, c.ChunkId("none"), 0, 0),
    lambda t: c.AdvanceMarket(t.at, t.terms().id, t.dice.choice([*t.world.columns, "none"]), 3, t.dice.choice((2, 99))),
]
"""What somebody might send who has not read the rules."""
