"""An exchange that is easy to believe: one list of orders, sorted and scanned anew for every question, and no margin.

The oracle of what the core says to orders whose owners can afford anything. Sides are signs, +1 for a buy. It answers a
command with what it says, one tuple a fact: what happened, and the figures of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events import commands as c
from events.commands import SelfTrade, Side, TimeInForce
from events.facts import Expiry
from events.refusals import Reason

GTC, IOC, FOK, POST_ONLY = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY

Saying = tuple[Any, ...]


@dataclass
class NaiveOrder:
    """What is open of an order. rank says when it joined the queue at its price; 0 while it is not in the book."""

    account: str
    number: int
    sign: int
    price: int
    lots: int
    reduces: bool
    self_trade: SelfTrade = SelfTrade.NONE
    client: str = ""
    rank: int = 0

    @property
    def name(self) -> tuple[str, int]:
        """What facts call it."""
        return self.account, self.number


class NaiveExchange:
    """One instrument, accounts in one-way mode, so many open orders an account at most."""

    def __init__(self, max_orders: int) -> None:
        self.max_orders = max_orders
        self.orders: list[NaiveOrder] = []
        self.held: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.ranks = 0
        self.said: list[Saying] = []

    def ask(self, command: c.Command) -> list[Saying]:
        """What is said to a command."""
        self.said = []
        DECIDES[type(command)](self, command)
        return self.said

    # What is in the book

    def queue(self, sign: int) -> list[NaiveOrder]:
        """The orders of a side as a taker meets them."""
        resting = [order for order in self.orders if order.sign == sign and order.rank]
        return sorted(resting, key=lambda order: (-sign * order.price, order.rank))

    def met(self, sign: int, price: int | None) -> list[NaiveOrder]:
        """The orders that a taker of this side meets within its price."""
        return [order for order in self.queue(-sign) if price is None or (price - order.price) * sign >= 0]

    def open_of(self, account: str) -> list[NaiveOrder]:
        """An account's open orders, the oldest first."""
        return [order for order in self.orders if order.account == account]

    def named(self, account: str, client: str) -> NaiveOrder | None:
        """The account's open order of that client id."""
        return next((o for o in self.open_of(account) if client and o.client == client), None)

    def found(self, command: c.CancelOrder) -> NaiveOrder | None:
        """The open order that a command names, by its number, or else by its client id."""
        if not command.number:
            return self.named(command.account, command.client)
        return next((o for o in self.orders if o.name == (command.account, command.number)), None)

    # Deciding

    def place(self, command: c.PlaceOrder) -> None:
        """Refuse the order, or let it in."""
        if reason := self.refusal(command):
            self.said.append(("refused", reason))
            return
        sign = 1 if command.side is Side.BUY else -1
        self.used[command.account] = command.number
        order = NaiveOrder(
            command.account, command.number, sign, command.price, command.lots, command.reduce_only,
            command.self_trade, command.client,
        )  # type: ignore[arg-type]  # fmt: skip
        self.said.append(("accepted", *order.name))
        if command.price is not None:
            self.orders.append(order)
        self.enter(order, command.price, command.time_in_force)

    def refusal(self, command: c.PlaceOrder) -> Reason | None:
        """The rule that the order breaks, the first in the order of precedence."""
        sign = 1 if command.side is Side.BUY else -1
        post_only = command.time_in_force is POST_ONLY
        broken = {
            Reason.ORDER_NUMBER_USED: command.number <= self.used.get(command.account, 0),
            Reason.CLIENT_ID_MALFORMED: " " in command.client,
            Reason.CLIENT_ID_IN_USE: self.named(command.account, command.client) is not None,
            Reason.MARKET_ORDER_CANNOT_REST: post_only and command.price is None,
            Reason.TOO_MANY_OPEN_ORDERS: len(self.open_of(command.account)) >= self.max_orders,
            Reason.REDUCE_ONLY_WOULD_INCREASE: command.reduce_only and self.reducible(command.account, sign) == 0,
            Reason.POST_ONLY_WOULD_TAKE: post_only and bool(self.met(sign, command.price)),
        }
        return next((reason for reason in Reason if broken.get(reason)), None)

    def enter(self, order: NaiveOrder, price: int | None, force: TimeInForce) -> None:
        """Let an accepted order meet the book; what is left of it rests or expires."""
        if force is FOK and not self.fills_whole(order, price):
            self.expire(order, Expiry.FILL_OR_KILL)
            return
        why = self.take(order, price)
        if not order.lots:
            return
        if price is not None and why is Expiry.IMMEDIATE and force in (GTC, POST_ONLY):
            self.ranks += 1
            order.rank = self.ranks
            self.said.append(("rested", *order.name, order.lots))
        else:
            self.expire(order, why)

    def take(self, order: NaiveOrder, price: int | None) -> Expiry:
        """Trade with what the order meets, and say why what is left would expire."""
        while order.lots and (met := self.met(order.sign, price)):
            maker = met[0]
            if maker.account == order.account and order.self_trade is not SelfTrade.NONE:
                if order.self_trade is not SelfTrade.EXPIRE_TAKER:
                    self.expire(maker, Expiry.SELF_TRADE)
                if order.self_trade is not SelfTrade.EXPIRE_MAKER:
                    return Expiry.SELF_TRADE
                continue
            most = order.lots
            if order.reduces:
                most = min(most, self.reducible(order.account, order.sign))
                if not most or maker.account == order.account:
                    return Expiry.NOTHING_TO_REDUCE
            offered = maker.lots
            if maker.reduces:
                own = maker.account == order.account
                offered = 0 if own else min(offered, self.reducible(maker.account, maker.sign))
            if offered:
                self.trade(maker, order, min(most, offered))
            else:
                self.expire(maker, Expiry.NOTHING_TO_REDUCE)
        return Expiry.IMMEDIATE

    def fills_whole(self, order: NaiveOrder, price: int | None) -> bool:
        """Whether all of a fill-or-kill order trades right now, and not with its own account."""
        left, held = order.lots, dict(self.held)
        if order.reduces and left > self.reducible(order.account, order.sign):
            return False
        for maker in self.met(order.sign, price):
            if maker.account == order.account:
                return False
            lots = min(maker.lots, left)
            if maker.reduces:
                lots = min(lots, max(0, order.sign * held.get(maker.account, 0)))
            held[maker.account] = held.get(maker.account, 0) - order.sign * lots
            left -= lots
            if not left:
                return True
        return False

    def reducible(self, account: str, sign: int) -> int:
        """How many lots of the account's position an order of this side would close at most."""
        return max(0, -sign * self.held.get(account, 0))

    def cancel(self, command: c.CancelOrder) -> None:
        """Take an order out of the book."""
        order = self.found(command)
        if order is None:
            self.said.append(("refused", Reason.UNKNOWN_ORDER))
        else:
            self.said.append(("cancelled", *order.name, order.lots))
            self.lose(order, order.lots)

    # What happens

    def trade(self, maker: NaiveOrder, taker: NaiveOrder, lots: int) -> None:
        """Two orders meet at the maker's price."""
        self.said.append(("traded", maker.price, lots, *maker.name, *taker.name))
        self.held[maker.account] = self.held.get(maker.account, 0) + maker.sign * lots
        self.held[taker.account] = self.held.get(taker.account, 0) + taker.sign * lots
        self.lose(maker, lots)
        self.lose(taker, lots)

    def expire(self, order: NaiveOrder, why: Expiry) -> None:
        """What is open of the order ends by rule."""
        self.said.append(("expired", *order.name, order.lots, why))
        self.lose(order, order.lots)

    def lose(self, order: NaiveOrder, lots: int) -> None:
        """An order has so many lots less; at 0 it is gone."""
        order.lots -= lots
        self.orders = [other for other in self.orders if other.lots]


DECIDES: dict[type[c.Command], Any] = {c.PlaceOrder: NaiveExchange.place, c.CancelOrder: NaiveExchange.cancel}
"""Command -> what is done about it."""
