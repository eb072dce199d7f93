"""Orders that a strategy places together: as linked ones, or in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from events.commands import AmendOrder, ClientId, Command, OrderNumber, PlaceOrder, PlaceTrigger
from events.instructions import Arming
from events.instruments import InstrumentId
from events.linked import PlaceLinked
from events.triggers import TriggerKind
from events.units import Rate, Ticks
from exchange.core.state import Account


def linked(
    orders: Sequence[PlaceOrder | PlaceTrigger], entry: PlaceOrder | None = None, arms: Arming = Arming.FIRST_FILL
) -> PlaceLinked:
    """The command that places them: with their account, time and request."""
    first = orders[0]
    return PlaceLinked(first.at, first.account, first.request, tuple(orders), entry, arms)


def clients_apart(how: dict[str, Any]) -> dict[str, Any]:
    """Refuse one client id for two orders. Raises ValueError."""
    if "client" in how:
        raise ValueError("client names one order, and these are two; give limit_client and stop_client")
    return how


class Named(NamedTuple):
    """Where an order is that an amendment names, and what it waits for as long as that does not say otherwise."""

    instrument: InstrumentId
    trigger: Ticks | str | None = None
    callback: Rate = Rate(0)


def named(own: Account, batch: Sequence[Command], number: int, client: str) -> Named | None:
    """The order of that number, else of that client id, which is open or placed earlier in the batch; else None.

    The callback stands for what a trailing stop waits for: its activation may be over.
    """
    key = OrderNumber(number or own.clients.get(ClientId(client), 0))
    if order := own.orders.get(key):
        return Named(order.instrument)
    one = own.triggers[key].placed if key in own.triggers else _placed(batch, number, client)
    if one is None:
        return None
    if isinstance(one, PlaceOrder):
        return Named(one.instrument)
    trails = one.trigger_kind is TriggerKind.TRAILING_STOP
    found = Named(one.instrument, callback=one.callback) if trails else Named(one.instrument, one.trigger)
    for item in batch:
        if isinstance(item, AmendOrder) and (item.number, item.client) == (number, client):
            found = Named(one.instrument, item.trigger or found.trigger, item.callback or found.callback)
    return found


def _placed(batch: Sequence[Command], number: int, client: str) -> PlaceOrder | PlaceTrigger | None:
    placed = (item for item in reversed(batch) if isinstance(item, PlaceOrder | PlaceTrigger))
    return next((item for item in placed if (item.number == number if number else item.client == client)), None)
