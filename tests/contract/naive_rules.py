"""What the naive exchange refuses: every rule is asked, and the first one broken in the order of `Reason` is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from events import commands as c
from events.commands import Side, TimeInForce
from events.instructions import PriceMatch
from events.linked import PlaceLinked
from events.refusals import Reason
from events.triggers import PriceSource
from events.units import UNIT
from tests.contract.naive_links import is_sound
from tests.contract.naive_phases import CONTINUOUS, of_phase, of_waiting
from tests.contract.naive_triggers import NaiveTrigger

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange
    from tests.contract.naive_orders import NaiveOrder

IOC, FOK, GTD, POST_ONLY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD, TimeInForce.POST_ONLY


@dataclass(frozen=True)
class NaiveRules:
    """The rules of the instrument: so many open and conditional orders an account, and amendments an order, at most.

    tick is a tick in mark units. Shares of the mark, in 10^-8: protect, how far the last price may be off it where an
    order with price protection fires; band, how far beyond it a limit order may trade; take, how far a market order
    does. largest is the most lots of a market order, parts the most of an iceberg.
    """

    orders: int
    triggers: int
    amendments: int
    tick: int
    protect: int
    band: int
    take: int
    largest: int
    parts: int
    shrinks: bool = False


def order_refusal(exchange: NaiveExchange, command: c.PlaceOrder) -> Reason | None:
    """The rule that the order breaks, the first in the order of precedence."""
    broken = {
        **used_up(exchange, command),
        Reason.MARKET_SIZE_ABOVE_MAXIMUM: command.price is None and command.lots > exchange.rules.largest,
        Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE: (command.time_in_force is GTD) != (command.good_till != 0),
        Reason.GOOD_TILL_OUT_OF_RANGE: command.time_in_force is GTD and command.good_till <= command.at,
        Reason.MARKET_ORDER_CANNOT_REST: command.time_in_force in (POST_ONLY, GTD) and command.price is None,
        Reason.ICEBERG_CANNOT_REST: command.visible != 0
        and (command.price is None or command.time_in_force in (IOC, FOK)),
        Reason.VISIBLE_BELOW_MINIMUM: command.visible < 0,
        Reason.VISIBLE_ABOVE_SIZE: command.visible > command.lots,
        Reason.TOO_MANY_PARTS: too_many(exchange, command.visible, command.lots),
        **out_of_place(exchange, command),
        **of_phase(exchange, command.price, command.time_in_force),
    }
    return next((reason for reason in Reason if broken.get(reason)), None)


def used_up(exchange: NaiveExchange, command: c.PlaceOrder | c.PlaceTrigger) -> dict[Reason, bool]:
    """The rules about how an order is called."""
    return {
        Reason.ORDER_NUMBER_USED: command.number <= exchange.used.get(command.account, 0),
        Reason.CLIENT_ID_MALFORMED: " " in command.client,
        Reason.CLIENT_ID_IN_USE: exchange.named(command.account, command.client) is not None,
    }


def too_many(exchange: NaiveExchange, visible: int, size: int) -> bool:
    """Whether an order of that size has more parts than it may."""
    return visible > 0 and visible * exchange.rules.parts < size


def out_of_place(exchange: NaiveExchange, command: c.PlaceOrder) -> dict[Reason, bool]:
    """The rules about account and market."""
    sign = 1 if command.side is Side.BUY else -1
    return {
        **out_of_band(exchange, sign, command.price),
        Reason.TOO_MANY_OPEN_ORDERS: len(exchange.open_of(command.account)) >= exchange.rules.orders,
        Reason.REDUCE_ONLY_WOULD_INCREASE: command.reduce_only and exchange.reducible(command.account, sign) == 0,
        Reason.POST_ONLY_WOULD_TAKE: command.time_in_force is POST_ONLY
        and bool(exchange.met(sign, command.price))
        and exchange.phase is CONTINUOUS,
    }


def trigger_refusal(
    exchange: NaiveExchange, trigger: NaiveTrigger, beside: int = 0, unasked: tuple[Reason, ...] = ()
) -> Reason | None:
    """The rule that a conditional order breaks, the first in the order of precedence, of those that are asked; so many
    others are placed with it.
    """
    placed, price = trigger.placed, exchange.prices[trigger.placed.source]
    own = [other for other in (*exchange.triggers, *exchange.reached) if other.placed.account == placed.account]
    alike = [o for o in own if o.placed.closes and (o.sign, o.direction) == (trigger.sign, trigger.direction)]
    alike = [other for other in alike if not other.lost]
    bound = placed.with_position
    callback = UNIT // 1000 <= placed.callback <= UNIT // 10
    broken = {
        **used_up(exchange, placed),
        Reason.PRICE_MATCH_WITH_PRICE: placed.price is not None and placed.price_match is not PriceMatch.NONE,
        Reason.SIZE_NOT_POSITIVE: not placed.closes and placed.lots == 0,
        Reason.MARKET_SIZE_ABOVE_MAXIMUM: trigger.is_market and placed.lots > exchange.rules.largest,
        Reason.MARKET_ORDER_CANNOT_REST: placed.time_in_force is POST_ONLY and trigger.is_market,
        Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE: (placed.time_in_force is GTD) != (placed.good_till != 0),
        Reason.GOOD_TILL_OUT_OF_RANGE: placed.time_in_force is GTD and placed.good_till <= placed.at,
        Reason.NO_TRIGGER_PRICE: placed.trigger is None and not trigger.trails,
        Reason.CALLBACK_OUT_OF_RANGE: not callback if trigger.trails else placed.callback != 0,
        Reason.NOT_FOR_TRAILING_STOPS: trigger.trails and (not trigger.is_market or placed.closes or placed.protects),
        Reason.CLOSES_WHOLE_POSITION: placed.closes
        and (placed.lots != 0 or placed.reduce_only or not trigger.is_market),
        Reason.WITH_POSITION_ONLY_REDUCES: bound and not trigger.reduces,
        **of_waiting(exchange),
        Reason.NO_LAST_PRICE: not price,
        Reason.TOO_MANY_TRIGGERS: len(own) + beside >= exchange.rules.triggers,
        Reason.CLOSING_TRIGGER_EXISTS: placed.closes and bool(alike),
        Reason.WOULD_TRIGGER_AT_ONCE: trigger.is_beyond(price),
        Reason.NO_POSITION: bound and not exchange.reducible(placed.account, trigger.sign),
    }
    return next((reason for reason in Reason if broken.get(reason) and reason not in unasked), None)


def linked_refusal(exchange: NaiveExchange, command: PlaceLinked) -> Reason | None:
    """The rule that linked orders break: how they go together, or the first one broken by the first order of them."""
    every = [*([command.entry] if command.entry else []), *command.linked]
    clients = [one.client for one in every if one.client]
    numbers = [one.number for one in every]
    if any((one.account, one.at, one.request) != (command.account, command.at, command.request) for one in every):
        return Reason.LINKED_UNLIKE_COMMAND
    if not is_sound(command):
        return Reason.NOT_FOR_THE_ENTRY if command.entry else Reason.NOT_A_PAIR
    if numbers != sorted(set(numbers)):
        return Reason.ORDER_NUMBER_USED
    if len(set(clients)) < len(clients):
        return Reason.CLIENT_ID_IN_USE
    found, triggers = [], [one for one in command.linked if isinstance(one, c.PlaceTrigger)]
    if command.entry:
        found.append(entry_refusal(exchange, command.entry))
    for beside, one in enumerate(triggers):
        asked = replace(one, lots=command.entry.lots) if command.entry else one
        trigger = NaiveTrigger(asked, 0, exchange.units[one.source])
        found.append(trigger_refusal(exchange, trigger, beside, OF_THE_MOMENT if command.entry else ()))
    found += [order_refusal(exchange, one) for one in command.linked if isinstance(one, c.PlaceOrder)]
    return next((reason for reason in found if reason), None)


OF_THE_MOMENT = (Reason.NO_LAST_PRICE, Reason.WOULD_TRIGGER_AT_ONCE)
"""What nobody asks of a conditional order that is attached to an entry."""


def entry_refusal(exchange: NaiveExchange, entry: c.PlaceOrder) -> Reason | None:
    """The rule that an entry breaks, which may take its price from the book."""
    if entry.price_match is PriceMatch.NONE:
        return order_refusal(exchange, entry)
    return match_refusal(exchange, entry) or order_refusal(exchange, replace(entry, price=matched(exchange, entry)))


def out_of_band(exchange: NaiveExchange, sign: int, price: Any) -> dict[Reason, bool]:
    """The rules about how far a limit price is from the mark."""
    mark, band = exchange.prices[PriceSource.MARK], exchange.rules.band
    far = price is not None and (price * exchange.rules.tick - mark) * sign * UNIT > mark * band
    return {Reason.PRICE_ABOVE_BAND: far and sign > 0, Reason.PRICE_BELOW_BAND: far and sign < 0}


def amend_trigger_refusal(
    exchange: NaiveExchange, one: NaiveTrigger, asked: NaiveTrigger, command: c.AmendOrder
) -> Reason | None:
    """The rule that the amendment of a conditional order breaks, the first in the order of precedence."""
    placed, new = one.placed, asked.placed
    callback = UNIT // 1000 <= new.callback <= UNIT // 10
    has_not = [
        one not in exchange.triggers, one.lost, one.linked, command.lots is not None and placed.closes,
        command.price is not None and placed.price is None, command.trigger is not None and one.extreme is not None,
    ]  # fmt: skip
    broken = {
        Reason.PRICE_MATCH_WITH_PRICE: new.price is not None and new.price_match is not PriceMatch.NONE,
        Reason.PRICE_NOT_POSITIVE: any(price is not None and price <= 0 for price in (new.price, new.trigger)),
        Reason.SIZE_NOT_POSITIVE: not new.closes and new.lots <= 0,
        Reason.MARKET_SIZE_ABOVE_MAXIMUM: asked.is_market and not new.closes and new.lots > exchange.rules.largest,
        Reason.CALLBACK_OUT_OF_RANGE: not callback if one.trails else new.callback != 0,
        Reason.NOT_AMENDABLE: any(has_not),
        Reason.NOTHING_TO_AMEND: new == placed,
        Reason.TOO_MANY_AMENDMENTS: one.amended >= exchange.rules.amendments,
        **of_waiting(exchange),
        Reason.WOULD_TRIGGER_AT_ONCE: asked.has_come(exchange.prices[new.source]),
    }
    return next((reason for reason in Reason if broken.get(reason)), None)


def amend_refusal(
    exchange: NaiveExchange, order: NaiveOrder, price: int, size: int, names_waiting: bool
) -> Reason | None:
    """The rule that an amendment breaks, the first in the order of precedence."""
    broken = {
        Reason.PRICE_NOT_POSITIVE: price <= 0,
        Reason.SIZE_NOT_POSITIVE: size <= 0,
        Reason.VISIBLE_ABOVE_SIZE: order.size >= order.visible > size,
        Reason.TOO_MANY_PARTS: too_many(exchange, order.visible, size),
        Reason.NOT_AMENDABLE: names_waiting,
        **out_of_band(exchange, order.sign, price),
        **of_phase(exchange, price, order.force),
        Reason.SIZE_IS_LINKED: size != order.size and is_one_of_two(exchange, order),
        Reason.NOTHING_TO_AMEND: (price, size) == (order.price, order.size),
        Reason.TOO_MANY_AMENDMENTS: order.amended >= exchange.rules.amendments,
        Reason.REDUCE_ONLY_WOULD_INCREASE: order.reduces and not exchange.reducible(order.account, order.sign),
    }
    return next((reason for reason in Reason if broken.get(reason)), None)


def is_one_of_two(exchange: NaiveExchange, order: NaiveOrder) -> bool:
    """Whether another order of its size ends with it."""
    group = exchange.links.of(order.name)
    return group is not None and group.entry != order.name


def match_refusal(exchange: NaiveExchange, command: c.PlaceOrder) -> Reason | None:
    """The rule that an order breaks which takes its price from the book."""
    broken = {
        **used_up(exchange, command),
        Reason.PRICE_MATCH_WITH_PRICE: command.price is not None,
        Reason.NO_PRICE_TO_MATCH: matched(exchange, command) is None,
    }
    return next((reason for reason in Reason if broken.get(reason)), None)


def matched(exchange: NaiveExchange, command: c.PlaceOrder) -> int | None:
    """The price of the book that an order takes, None where it has not as many."""
    of, _, rank = command.price_match.value.partition("_")
    sign = 1 if command.side is Side.BUY else -1
    prices = list(dict.fromkeys(order.price for order in exchange.queue(sign if of == "queue" else -sign)))
    return prices[int(rank or 1) - 1] if len(prices) >= int(rank or 1) else None
