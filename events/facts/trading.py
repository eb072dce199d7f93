"""Facts of an order's life, and the trade."""

from __future__ import annotations

from enum import Enum, unique

from events.commands import AccountId, ClientId, OrderNumber, Side, TimeInForce
from events.facts.base import Fact
from events.instructions import SelfTrade
from events.instruments import InstrumentId, Leg
from events.refusals import Reason
from events.units import Atoms, Lots, Nanos, Ticks


@unique
class Expiry(Enum):
    """Why what was open of an order ended without a cancel."""

    IMMEDIATE = "immediate"
    FILL_OR_KILL = "fill_or_kill"
    MARGIN_EXHAUSTED = "margin_exhausted"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    LIQUIDATION = "liquidation"
    SETTLEMENT = "settlement"
    COUNTDOWN = "countdown"
    SELF_TRADE = "self_trade"
    GOOD_TILL = "good_till"
    REFUSED_WHEN_TRIGGERED = "refused_when_triggered"
    PRICE_PROTECTION = "price_protection"
    EXCEEDS_POSITION = "exceeds_position"
    POSITION_CLOSED = "position_closed"
    LINKED = "linked"


class OrderAccepted(Fact, tag="order_accepted.1"):
    """An order passed every check and is about to meet the book. No price means a market order.

    good_till is until when it lives, ns, where it is a GTD or a day order. visible are the lots that the book shows of
    it at a time, 0 for all of them.
    """

    account: AccountId
    number: OrderNumber
    instrument: InstrumentId
    side: Side
    lots: Lots
    price: Ticks | None
    time_in_force: TimeInForce
    reduce_only: bool
    leg: Leg = Leg.NET
    client: ClientId = ClientId("")
    self_trade: SelfTrade = SelfTrade.NONE
    good_till: Nanos = Nanos(0)
    visible: Lots = Lots(0)


class OrderRested(Fact, tag="order_rested.1"):
    """What is open of the order joined the queue at its price."""

    account: AccountId
    number: OrderNumber
    lots: Lots


class OrderAmended(Fact, tag="order_amended.1"):
    """A resting order has this price and this size now, what is executed of it included; so much of it is left open.

    Unless it keeps its place in the queue it leaves the book, and what is left meets the book like a new order.
    """

    account: AccountId
    number: OrderNumber
    price: Ticks
    lots: Lots
    left: Lots
    keeps_priority: bool = False


class OrderShrunk(Fact, tag="order_shrunk.1"):
    """A resting reduce-only order lost so many lots, which there is no position for any more; the rest is left open.

    It keeps its place in the queue.
    """

    account: AccountId
    number: OrderNumber
    lots: Lots
    left: Lots


class OrderCancelled(Fact, tag="order_cancelled.1"):
    """The trader took back what was open of the order."""

    account: AccountId
    number: OrderNumber
    lots: Lots


class OrderExpired(Fact, tag="order_expired.1"):
    """What was open of the order ended by rule. reason is what refused a conditional order when it fired."""

    account: AccountId
    number: OrderNumber
    lots: Lots
    why: Expiry
    reason: Reason | None = None


class Traded(Fact, tag="traded.1"):
    """A maker and a taker met at the maker's price.

    value is the trade's one value in atoms of the settle asset, posted to both sides; fees are atoms, negative for a
    rebate. side is the taker's. Order number 0 belongs to MARKET and to forced orders. crossed is the price of
    MARKET's level that ran through the maker's price, where that is how they met. leg is the taker's; the maker's is
    that of its order. An iceberg trades no more at once than it shows; where that is all it shows, what is left of it
    shows its next part, at the back of the queue.
    """

    instrument: InstrumentId
    side: Side
    price: Ticks
    lots: Lots
    value: Atoms
    maker: AccountId
    maker_order: OrderNumber
    maker_fee: Atoms
    taker: AccountId
    taker_order: OrderNumber
    taker_fee: Atoms
    crossed: Ticks | None = None
    leg: Leg = Leg.NET
