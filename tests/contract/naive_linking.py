"""What a naive exchange does with linked orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from events import commands as c
from events.instructions import PriceMatch
from events.linked import PlaceLinked
from tests.contract.naive_rules import linked_refusal, matched
from tests.contract.naive_triggers import NaiveTrigger

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange


def place_linked(exchange: NaiveExchange, command: PlaceLinked) -> None:
    """Refuse them all, or let the conditional ones wait and then the other one in."""
    if reason := linked_refusal(exchange, command):
        exchange.said.append(("refused", reason))
        return
    exchange.links.link(command)
    for one in command.linked:
        if isinstance(one, c.PlaceTrigger):
            exchange.let_wait(
                NaiveTrigger(
                    one, exchange.ranks, exchange.units[one.source], sleeps=command.entry is not None, linked=True
                )
            )
    for order in (command.entry, *command.linked):
        if isinstance(order, c.PlaceOrder):
            is_matched = order.price_match is not PriceMatch.NONE
            priced = replace(order, price=matched(exchange, order)) if is_matched else order
            exchange.used[order.account] = max(exchange.used[order.account], order.number)
            exchange.accept(priced)
