"""An exchange that is easy to believe: one list of orders, sorted and scanned anew for every question, and no margin.

The oracle of what the core says to orders whose owners can afford anything. Sides are signs, +1 for a buy. It answers a
command with what it says, one tuple a fact: what happened, and the figures of it.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events import commands as c
from events.commands import Side, TimeInForce
from events.facts import Expiry
from events.instructions import PriceMatch, SelfTrade
from events.linked import PlaceLinked
from events.refusals import Reason
from events.triggers import PriceSource
from events.units import UNIT
from tests.contract.naive_amending import amend
from tests.contract.naive_bound import end_lost, lose_bound
from tests.contract.naive_handling import cancel_all, run_down, set_countdown, submit
from tests.contract.naive_linking import place_linked
from tests.contract.naive_links import NaiveLinks, end_others, settle
from tests.contract.naive_orders import NaiveOrder, parts
from tests.contract.naive_phases import CONTINUOUS, phase_ends, set_phase, uncross
from tests.contract.naive_reducing import shrink
from tests.contract.naive_rules import (
    NaiveRules,
    match_refusal,
    matched,
    order_refusal,
    out_of_place,
    trigger_refusal,
)
from tests.contract.naive_triggers import NaiveTrigger, met

GTC, GTD, FOK, POST_ONLY = TimeInForce.GTC, TimeInForce.GTD, TimeInForce.FOK, TimeInForce.POST_ONLY

Saying = tuple[Any, ...]


class NaiveExchange:
    """One instrument, accounts in one-way mode; marks are mark units."""

    def __init__(self, rules: NaiveRules, mark: int) -> None:
        self.rules = rules
        self.prices = {PriceSource.MARK: mark, PriceSource.LAST: 0}
        self.units = {PriceSource.MARK: rules.tick, PriceSource.LAST: 1}
        self.countdowns: dict[str, int] = {}
        self.triggers: list[NaiveTrigger] = []
        self.reached: list[NaiveTrigger] = []
        self.phase, self.phase_end = CONTINUOUS, 0
        self.crossing: int | None = None
        self.firing: list[NaiveTrigger] = []
        self.lost: list[NaiveTrigger] = []
        self.links = NaiveLinks()
        self.orders: list[NaiveOrder] = []
        self.held: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.ranks = 0
        self.said: list[Saying] = []

    def ask(self, command: c.Command) -> list[Saying]:
        """What is said to a command."""
        self.said = []
        phase_ends(self, command.at)
        self.expire_good_till(command.at)
        if getattr(command, "account", "") in self.run_out(command.at):
            run_down(self, command.account)  # type: ignore[attr-defined]
        self.decide(command)
        settle(self)
        shrink(self)
        end_lost(self)
        settle(self)
        while self.fires or self.crossing or self.run_out(command.at):
            if self.fires:
                self.said.append(("reached", len(self.reached)))
                self.firing, self.reached = self.reached, []
            while self.firing:
                self.fire(self.firing[0])
                settle(self)
            uncross(self, command.at)
            settle(self)
            for account in self.run_out(command.at):
                run_down(self, account)
                settle(self)
            shrink(self)
            end_lost(self)
            settle(self)
        return self.said

    def decide(self, command: c.Command) -> None:
        """Do what is asked."""
        DECIDES[type(command)](self, command)

    @property
    def fires(self) -> bool:
        """Whether conditional orders fire that were reached: they wait for continuous trading."""
        return bool(self.reached) and self.phase is CONTINUOUS

    def expire_good_till(self, now: int) -> None:
        """Orders whose time is over expire, the earliest first."""
        over = [one for one in self.everything if 0 < one.until <= now]
        for one in sorted(over, key=lambda one: (one.until, *one.name)):
            self.expire(one, Expiry.GOOD_TILL)
        settle(self)

    def run_out(self, now: int) -> list[str]:
        """Whose countdown is over, the earliest first."""
        return [account for until, account in sorted((u, a) for a, u in self.countdowns.items()) if until <= now]

    @property
    def everything(self) -> list[NaiveOrder | NaiveTrigger]:
        """All that is open."""
        return [*self.orders, *self.waiting()]

    def all_of(self, account: str) -> list[NaiveOrder | NaiveTrigger]:
        """All that an account has open, in the order in which it was placed."""
        return sorted((one for one in self.everything if one.name[0] == account), key=lambda one: one.name[1])

    def waiting(self) -> list[NaiveTrigger]:
        """All conditional orders."""
        return [*self.triggers, *self.reached, *self.firing, *self.lost]

    def drop(self, trigger: NaiveTrigger) -> None:
        """A conditional order waits no more."""
        self.firing = [other for other in self.firing if other is not trigger]
        self.triggers = [other for other in self.triggers if other is not trigger]
        self.reached = [other for other in self.reached if other is not trigger]
        self.firing = [other for other in self.firing if other is not trigger]
        self.lost = [other for other in self.lost if other is not trigger]

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

    def named(self, account: str, client: str) -> NaiveOrder | NaiveTrigger | None:
        """What of the account is open under that client id."""
        return next((o for o in self.everything if client and o.client == client and o.name[0] == account), None)

    def found(self, command: c.CancelOrder | c.AmendOrder) -> NaiveOrder | NaiveTrigger | None:
        """What is open that a command names, by its number, or else by its client id."""
        if not command.number:
            return self.named(command.account, command.client)
        name = command.account, command.number
        return next((o for o in self.everything if o.name == name), None)

    def place(self, command: c.PlaceOrder) -> None:
        """Refuse the order, or let it in."""
        if command.price_match is not PriceMatch.NONE:
            if reason := match_refusal(self, command):
                self.said.append(("refused", reason))
                return
            command = replace(command, price=matched(self, command))
        if reason := order_refusal(self, command):
            self.said.append(("refused", reason))
            return
        self.used[command.account] = command.number
        self.accept(command)

    def accept(self, command: c.PlaceOrder) -> None:
        """Let in an order that no rule speaks against."""
        sign = 1 if command.side is Side.BUY else -1
        order = NaiveOrder(
            command.account, command.number, sign, command.price, command.lots, command.reduce_only,
            command.self_trade, command.client, command.time_in_force, command.lots, command.good_till,
            command.visible,
        )  # type: ignore[arg-type]  # fmt: skip
        self.said.append(("accepted", *order.name))
        if command.price is not None:
            self.orders.append(order)
        self.enter(order, command.price)

    def outermost(self, sign: int) -> int:
        """The last price at which a market order of this side trades."""
        mark, whole = self.prices[PriceSource.MARK], UNIT * self.rules.tick
        return sign * (sign * mark * (UNIT + sign * self.rules.take) // whole)

    def place_trigger(self, command: c.PlaceTrigger) -> None:
        """Refuse a conditional order, or let it wait."""
        trigger = NaiveTrigger(command, self.ranks, self.units[command.source])
        if reason := trigger_refusal(self, trigger):
            self.said.append(("refused", reason))
            return
        self.let_wait(trigger)

    def let_wait(self, trigger: NaiveTrigger) -> None:
        """Let a conditional order wait that no rule speaks against."""
        self.ranks += 1
        self.used[trigger.placed.account] = trigger.placed.number
        self.triggers.append(trigger)
        if trigger.trails and trigger.placed.trigger is None and not trigger.sleeps:
            trigger.extreme = self.prices[trigger.placed.source]
        self.said.append(("placed", *trigger.name))

    def set_mark(self, command: c.SetMarkPrice) -> None:
        """The mark moves."""
        self.move(PriceSource.MARK, command.mark)

    def move(self, source: PriceSource, price: int) -> None:
        """A price moves: what it met fires when the command is decided."""
        self.prices[source] = price
        found = met(self.triggers, source, price)
        self.reached += found
        self.triggers = [trigger for trigger in self.triggers if trigger not in found]

    def fire(self, trigger: NaiveTrigger) -> None:
        """A conditional order becomes one like any other, or expires."""
        placed = trigger.placed
        lots = self.reducible(placed.account, trigger.sign) if placed.closes else placed.lots
        if placed.protects and self.is_torn():
            self.expire(trigger, Expiry.PRICE_PROTECTION)
        elif not lots:
            self.expire(trigger, Expiry.NOTHING_TO_REDUCE)
        else:
            end_others(self, trigger)
            self.drop(trigger)
            self.said.append(("triggered", *trigger.name, lots))
            order = c.PlaceOrder(
                placed.at, placed.account, placed.request, placed.number, placed.instrument, placed.side, lots,
                placed.price, placed.time_in_force, placed.reduce_only or placed.closes, client=placed.client,
                self_trade=placed.self_trade, good_till=placed.good_till, price_match=placed.price_match,
            )  # type: ignore[arg-type]  # fmt: skip
            order = order if order.price_match is PriceMatch.NONE else replace(order, price=matched(self, order))
            broken = {**out_of_place(self, order), Reason.NO_PRICE_TO_MATCH: trigger.is_limit and order.price is None}
            if reason := next((reason for reason in Reason if broken.get(reason)), None):
                self.said.append(("expired", *trigger.name, lots, Expiry.REFUSED_WHEN_TRIGGERED, reason))
            else:
                self.accept(order)

    def is_torn(self) -> bool:
        """Whether mark and last price are too far apart for orders with price protection."""
        mark, last = self.prices[PriceSource.MARK], self.prices[PriceSource.LAST] * self.units[PriceSource.MARK]
        return bool(last) and abs(mark - last) * UNIT > mark * self.rules.protect

    def enter(self, order: NaiveOrder, price: int | None) -> None:
        """Let an accepted order meet the book; what is left of it rests or expires. In an auction all of it rests."""
        if self.phase is not CONTINUOUS:
            self.rest(order)
            return
        limit = self.outermost(order.sign) if price is None else price
        if order.force is FOK and not self.fills_whole(order, limit):
            self.expire(order, Expiry.FILL_OR_KILL)
            return
        why = self.take(order, limit)
        if price is None and why is Expiry.IMMEDIATE and self.met(order.sign, None):
            why = Expiry.PRICE_PROTECTION
        if not order.lots:
            return
        if price is not None and why is Expiry.IMMEDIATE and order.force in (GTC, POST_ONLY, GTD):
            self.rest(order)
        else:
            self.expire(order, why)

    def rest(self, order: NaiveOrder) -> None:
        """What is open of an order joins the queue at its price."""
        self.ranks += 1
        order.join(self.ranks)
        self.said.append(("rested", *order.name, order.lots))

    def take(self, order: NaiveOrder, price: int) -> Expiry:
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
            offered = maker.offered
            if maker.reduces:
                own = maker.account == order.account
                offered = 0 if own else min(offered, self.reducible(maker.account, maker.sign))
            if offered:
                self.trade(maker, order, min(most, offered))
            else:
                self.expire(maker, Expiry.NOTHING_TO_REDUCE)
        return Expiry.IMMEDIATE

    def fills_whole(self, order: NaiveOrder, price: int) -> bool:
        """Whether all of a fill-or-kill order trades right now, and not with its own account."""
        left, held = order.lots, dict(self.held)
        if order.reduces and left > self.reducible(order.account, order.sign):
            return False
        for maker, part in parts(self.met(order.sign, price)):
            if maker.account == order.account:
                return False
            lots = min(part, left)
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
        elif self.crossing and (isinstance(order, NaiveOrder) or self.links.holds(order.name, self.orders)):
            self.said.append(("refused", Reason.AUCTION_UNCROSSES))
        else:
            self.cancel_one(order)

    def cancel_one(self, one: NaiveOrder | NaiveTrigger) -> None:
        """What is open of an order, or one that waits, is taken back."""
        if isinstance(one, NaiveTrigger):
            self.said.append(("cancelled", *one.name, one.placed.lots))
            self.drop(one)
        else:
            self.said.append(("cancelled", *one.name, one.lots))
            self.lose(one, one.lots)
        self.links.ended(one.name, None)

    def trade(self, maker: NaiveOrder, taker: NaiveOrder, lots: int, at: int | None = None) -> None:
        """Two orders meet at the maker's price, or at that of an auction."""
        price = maker.price if at is None else at
        self.said.append(("traded", price, lots, *maker.name, *taker.name))
        self.held[maker.account] = self.held.get(maker.account, 0) + maker.sign * lots
        self.held[taker.account] = self.held.get(taker.account, 0) + taker.sign * lots
        self.lose(maker, lots)
        self.lose(taker, lots)
        for order in (maker, taker):
            if order.uses_up(lots):
                self.ranks += 1
                order.join(self.ranks)
            self.links.traded(order.name, lots, not order.lots)
        for account in (maker.account, taker.account):
            lose_bound(self, account)
        self.move(PriceSource.LAST, price)

    def expire(self, order: NaiveOrder | NaiveTrigger, why: Expiry) -> None:
        """What is open of the order, or one that waits, ends by rule."""
        if isinstance(order, NaiveTrigger):
            self.said.append(("expired", *order.name, order.placed.lots, why))
            self.drop(order)
        else:
            self.said.append(("expired", *order.name, order.lots, why))
            self.lose(order, order.lots)
        self.links.ended(order.name, why)

    def lose(self, order: NaiveOrder, lots: int) -> None:
        """An order has so many lots less; at 0 it is gone."""
        order.lots -= lots
        self.orders = [other for other in self.orders if other.lots]


DECIDES: dict[type[c.Command], Any] = {
    c.PlaceOrder: NaiveExchange.place,
    c.PlaceTrigger: NaiveExchange.place_trigger,
    PlaceLinked: place_linked,
    c.CancelOrder: NaiveExchange.cancel,
    c.CancelAll: cancel_all,
    c.AmendOrder: amend,
    c.SubmitBatch: submit,
    c.SetCountdown: set_countdown,
    c.SetMarkPrice: NaiveExchange.set_mark,
    c.SetTradingPhase: set_phase,
}
"""Command -> what is done about it."""
