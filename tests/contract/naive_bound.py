"""Conditional orders of the naive exchange that end with their position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.facts import Expiry

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange


def lose_bound(exchange: NaiveExchange, account: str) -> None:
    """An account traded: what ends with a position that is not there any more is lost to prices and queues."""
    waiting = (*exchange.triggers, *exchange.reached, *exchange.firing)
    for trigger in sorted(waiting, key=lambda trigger: trigger.name):
        own = trigger.name[0] == account and trigger.placed.with_position
        if own and not exchange.reducible(account, trigger.sign):
            exchange.drop(trigger)
            exchange.lost.append(trigger)
            trigger.lost = True


def end_lost(exchange: NaiveExchange) -> None:
    """What is lost expires, in the order in which that happened."""
    for trigger in list(exchange.lost):
        exchange.expire(trigger, Expiry.POSITION_CLOSED)
