"""`ringfence fork --set NAME:order:N...`: one order left out or placed otherwise, wherever a command holds it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from events import commands as c
from events.instruments import Instrument
from events.linked import PlaceLinked
from events.units import UNIT
from exchange.core.state import State
from gateway.errors import UsageError
from replay.editing import Edit

Placed = c.PlaceOrder | c.PlaceTrigger

FIELDS = {"size": "lots", "price": "price", "trigger": "trigger"}
"""What may be another one -> how commands call it."""


def order_edit(text: str, account: c.AccountId, number: int, field: str, wanted: Decimal | None, value: str) -> Edit:
    """The edit of the order (account, number); none is wanted where it is left out. What is no whole number of lots or
    ticks is refused in the fork.
    """

    def of(state: State, order: Placed) -> Placed | None:
        if (order.account, order.number) != (account, number):
            return order
        if wanted is None:
            return None
        contract = state.contracts.get(order.instrument)
        return order if contract is None else _otherwise(text, order, contract.terms, field, wanted, value)

    def change(state: State, command: c.Command) -> c.Command | None:
        return placing(command, lambda order: of(state, order))

    return Edit(text, change, account=account, order=c.OrderNumber(number))


def _otherwise(text: str, order: Placed, terms: Instrument, field: str, wanted: Decimal, value: str) -> Placed:
    if field == "trigger" and isinstance(order, c.PlaceOrder):
        raise UsageError(f"--set {text!r}: order {order.number} of {order.account} waits for no price")
    if field == "size" and not order.lots:
        raise UsageError(f"--set {text!r}: order {order.number} of {order.account} has no size of its own")
    units = wanted * UNIT / (terms.lot if field == "size" else terms.tick)
    change: dict[str, Any] = {FIELDS[field]: int(units) if units == int(units) else value}
    return order.__replace__(**change)


def placing(command: c.Command, change: Callable[[Placed], Placed | None]) -> c.Command | None:
    """The command with its orders changed: itself where none is, None where none is left."""
    if isinstance(command, c.PlaceOrder | c.PlaceTrigger):
        return change(command)
    if isinstance(command, c.SubmitBatch):
        return _batch(command, change)
    return _linked(command, change) if isinstance(command, PlaceLinked) else command


def _batch(command: c.SubmitBatch, change: Callable[[Placed], Placed | None]) -> c.Command | None:
    made = [change(one) if isinstance(one, c.PlaceOrder | c.PlaceTrigger) else one for one in command.items]
    items = tuple(one for one in made if one is not None)
    return _kept(command, items=items) if items else None


def _linked(command: PlaceLinked, change: Callable[[Placed], Placed | None]) -> c.Command | None:
    """Without its entry a bracket is nothing; what loses what it was linked to is placed by itself. Both of a pair have
    one size.
    """
    linked = tuple(made for one in command.linked if (made := change(one)) is not None)
    if command.entry is None:
        return _kept(command, linked=_alike(command.linked, linked)) if len(linked) > 1 else next(iter(linked), None)
    entry = change(command.entry)
    if isinstance(entry, c.PlaceOrder) and linked:
        return _kept(command, entry=entry, linked=linked)
    return entry


def _alike(before: tuple[Placed, ...], after: tuple[Placed, ...]) -> tuple[Placed, ...]:
    """Both with the size that one of them was given."""
    given = [now.lots for was, now in zip(before, after, strict=True) if now.lots != was.lots]
    return tuple(one.__replace__(lots=given[0]) for one in after) if given else after


def _kept(command: Any, **parts: Any) -> c.Command:
    """The command with these parts, itself where they are its own."""
    is_changed = any(getattr(command, name) != part for name, part in parts.items())
    changed: c.Command = command.__replace__(**parts) if is_changed else command
    return changed
