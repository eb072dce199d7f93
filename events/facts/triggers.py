"""Facts of conditional orders: placed, reached by a price, triggered. They end like orders do."""

from __future__ import annotations

from events.commands import AccountId, ClientId, OrderNumber, Side, TimeInForce
from events.facts.base import Fact
from events.instructions import Arming, PriceMatch, SelfTrade
from events.instruments import InstrumentId, Leg
from events.triggers import PriceSource, TriggerKind
from events.units import Lots, Nanos, Rate, Ticks


class TriggerPlaced(Fact, tag="trigger_placed.1"):
    """A conditional order waits for its price, and reserves nothing.

    trigger is the price, ticks, that it waits for, or that activates a trailing stop; none where that follows its price
    at once. lots is 0 where it closes whatever is held when it fires. No price means that it becomes a market order,
    but with a price_match. good_till is until when it lives, ns, fired or not, where it is a GTD or a day order.
    linked is the number of another order: as soon as one of the two trades, fires or ends, the other one ends. One with
    an entry is attached to the order of that number, placed right after: it has no lots, and waits for nothing, before
    that one's fills arm it.
    """

    account: AccountId
    number: OrderNumber
    instrument: InstrumentId
    side: Side
    trigger_kind: TriggerKind
    lots: Lots
    trigger: Ticks | None
    price: Ticks | None
    time_in_force: TimeInForce
    source: PriceSource
    reduce_only: bool
    callback: Rate = Rate(0)
    closes: bool = False
    protects: bool = False
    leg: Leg = Leg.NET
    client: ClientId = ClientId("")
    self_trade: SelfTrade = SelfTrade.NONE
    good_till: Nanos = Nanos(0)
    price_match: PriceMatch = PriceMatch.NONE
    with_position: bool = False
    linked: OrderNumber = OrderNumber(0)
    entry: OrderNumber = OrderNumber(0)
    arms: Arming = Arming.FIRST_FILL


class TriggerArmed(Fact, tag="trigger_armed.1"):
    """The entry of an attached order traded: it waits for its price from now on, for so many lots in all."""

    account: AccountId
    number: OrderNumber
    lots: Lots


class TriggerAmended(Fact, tag="trigger_amended.1"):
    """A conditional order that waits has this size, these prices and this callback now.

    Unless it keeps its priority it counts as placed now among those that a price meets at once.
    """

    account: AccountId
    number: OrderNumber
    lots: Lots
    trigger: Ticks | None
    price: Ticks | None
    callback: Rate = Rate(0)
    keeps_priority: bool = False


class TriggersReached(Fact, tag="triggers_reached.1"):
    """Prices reached so many conditional orders of the instrument: they fire as due work, in order.

    They did so in this batch, or while trading was not continuous, so that nobody fires before it is.
    """

    instrument: InstrumentId
    orders: int


class OrderTriggered(Fact, tag="order_triggered.1"):
    """A conditional order fired: it is an order like any other from now on, for so many lots."""

    account: AccountId
    number: OrderNumber
    lots: Lots
