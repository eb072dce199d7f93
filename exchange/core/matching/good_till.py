"""Orders that live until a time: which times they may state, and their end.

An order past its time never trades. As many as a batch has room for expire before anything else is decided; the rest
are due work for a `Proceed`, and whoever meets one of them first says that it expired.
Source: Binance USD-M, New Order: `goodTillDate` is more than 600 s ahead, and before the end of the year 9999.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import PlaceOrder, PlaceTrigger, TimeInForce
from events.facts import Expiry, Fact, OrderExpired
from events.refusals import Reason
from events.units import SECOND, Lots, Nanos
from exchange.core.contract import Contract
from exchange.core.state import State

DAY_NS = 86_400 * SECOND
GTD, DAY = TimeInForce.GTD, TimeInForce.DAY

LAST = 253_402_300_799 * SECOND
"""The last second of the year 9999."""

AT_ONCE = 1024
"""So many orders expire before a command is decided; what waits beyond is left to a `Proceed`."""


def time_refusal(contract: Contract, command: PlaceOrder | PlaceTrigger) -> Reason | None:
    """The rule about its time that an order breaks, or None."""
    tif, until = command.time_in_force, command.good_till
    if (tif is GTD) != (until != 0):
        return Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE
    if tif is GTD and not command.at + contract.good_till_ahead < until < LAST:
        return Reason.GOOD_TILL_OUT_OF_RANGE
    return Reason.DAY_ORDER_IN_PERPETUAL if tif is DAY and not contract.terms.expiry else None


def until_of(command: PlaceOrder | PlaceTrigger) -> Nanos:
    """When the order expires, ns: a day order with its day, UTC; 0 where it does not."""
    return Nanos((command.at // DAY_NS + 1) * DAY_NS) if command.time_in_force is DAY else command.good_till


def expire_good_till(state: State, most: int) -> Iterator[Fact]:
    """Let so many orders expire whose time is over, the earliest first; those that end with them count."""
    while most > len(state.pending) and state.good_till and state.good_till[0][0] <= state.now:
        _, name, number = state.good_till[0]
        account = state.accounts[name]
        open_one = account.orders.get(number) or account.triggers[number].placed
        yield OrderExpired(name, number, Lots(open_one.lots), Expiry.GOOD_TILL)
        most -= 1
