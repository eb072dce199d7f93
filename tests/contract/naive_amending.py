"""Amendments of the naive exchange, of orders in the book and of those that wait for their price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from events import commands as c
from events.commands import TimeInForce
from events.refusals import Reason
from tests.contract.naive_phases import CONTINUOUS
from tests.contract.naive_rules import amend_refusal, amend_trigger_refusal
from tests.contract.naive_triggers import NaiveTrigger

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange

POST_ONLY = TimeInForce.POST_ONLY


def amend(exchange: NaiveExchange, command: c.AmendOrder) -> None:
    """Give an order another price or size: it keeps its place where it only gets smaller."""
    order, of_waiting = exchange.found(command), command.trigger is not None or command.callback != 0
    if isinstance(order, NaiveTrigger) and of_waiting:
        amend_waiting(exchange, order, command)
        return
    if order is None or isinstance(order, NaiveTrigger):
        exchange.said.append(("refused", Reason.UNKNOWN_ORDER))
        return
    price = order.price if command.price is None else int(command.price)
    size = order.size if command.lots is None else int(command.lots)
    if reason := amend_refusal(exchange, order, price, size, of_waiting):
        exchange.said.append(("refused", reason))
        return
    left = size - (order.size - order.lots)
    takes = order.force is POST_ONLY and exchange.phase is CONTINUOUS and bool(exchange.met(order.sign, price))
    if left <= 0 or takes:
        exchange.cancel_one(order)
        return
    keeps = price == order.price and size < order.size
    exchange.said.append(("amended", *order.name, price, size, left, keeps))
    order.price, order.size, order.lots, order.amended = price, size, left, order.amended + 1
    order.shown = min(order.shown, left)
    if not keeps:
        order.rank = 0
        exchange.enter(order, price)


def amend_waiting(exchange: NaiveExchange, one: NaiveTrigger, command: c.AmendOrder) -> None:
    """Let an order wait for something else, as if it were placed now, or be another order once it fires."""
    before = one.placed
    given = {"lots": command.lots, "trigger": command.trigger, "price": command.price}
    asked = replace(before, **{name: value for name, value in given.items() if value is not None})
    asked = replace(asked, callback=command.callback or before.callback)
    new = NaiveTrigger(asked, exchange.ranks, one.unit, one.extreme, one.amended + 1)
    if reason := amend_trigger_refusal(exchange, one, new, command):
        exchange.said.append(("refused", reason))
        return
    keeps = (asked.trigger, asked.callback) == (before.trigger, before.callback)
    new.age, exchange.ranks = (one.age, exchange.ranks) if keeps else (exchange.ranks, exchange.ranks + 1)
    exchange.triggers = [new if other is one else other for other in exchange.triggers]
    exchange.said.append(("trigger amended", *one.name, asked.lots, asked.trigger, asked.price, asked.callback, keeps))
