"""Commands that are mostly refused: one for each way of being wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from events import commands as c
from events.commands import AccountId, Command, OrderNumber, RequestId, TimeInForce
from events.instruments import AssetId, InstrumentId, Leg, MarginMode
from exchange.core.state import RULES_VERSION
from tests.sim.orders import order
from tests.sim.traders import NAMES, Move, Traders

GOLD, SILVER = AssetId("GOLD"), InstrumentId("XAGUSDT")


def nonsense(traders: Traders) -> Command:
    """Something that a rule forbids, or nearly."""
    return traders.dice.choice(NONSENSE)(traders)


def more_nonsense(traders: Traders) -> Command:
    """Something that a rule forbids, or nearly, about what only some venues have."""
    return traders.dice.choice(MORE)(traders)


def _order(traders: Traders, **changes: Any) -> Command:
    made = order(traders)
    return msgspec.structs.replace(made, **changes) if isinstance(made, c.PlaceOrder) else made


NONSENSE: list[Move] = [
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
    lambda t: _order(t, lots=t.terms().max_lots, price=None),
    lambda t: _order(t, price=t.dice.choice((1, 10 * t.ticks(t.terms())))),
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

MORE: list[Move] = [
    lambda t: _order(t, leg=t.dice.choice(list(Leg))),
    lambda t: _order(t, leg=t.dice.choice(list(Leg)), reduce_only=True),
    lambda t: c.Transfer(t.at, t.account(), t.request(), t.asset(), 1, t.account()),
    lambda t: c.Transfer(t.at, t.account(), t.request(), t.asset(), 1, t.dice.choice((c.MARKET, AccountId("NOBODY")))),
    lambda t: c.Transfer(t.at, t.account(), t.request(), t.dice.choice((GOLD, t.asset())), 0, t.dice.choice(NAMES)),
    lambda t: c.ExchangeAsset(t.at, t.account(), t.request(), t.asset(), t.dice.choice((-1, 0, 10**40)), t.asset()),
    lambda t: c.ExchangeAsset(t.at, t.account(), t.request(), t.dice.choice((GOLD, t.asset())), 1, GOLD),
    lambda t: c.SetPositionMode(t.at, t.account(), t.request(), t.dice.random() < 0.5),
    lambda t: c.SetAutoAddMargin(t.at, t.account(), t.request(), SILVER, True),
    lambda t: c.AddMargin(t.at, t.account(), t.request(), t.dice.choice((SILVER, t.terms().id)), 0, t.leg()),
    lambda t: c.RemoveMargin(t.at, t.account(), t.request(), t.terms().id, 10**30, t.leg()),
    lambda t: c.SetIndexPrice(t.at, t.dice.choice((SILVER, t.terms().id)), t.dice.choice((-1, 0, 1))),
    lambda t: c.SetMarginMode(t.at, t.account(), t.request(), t.terms().id, MarginMode.ISOLATED),
]
"""What those may send who have not read these rules."""
