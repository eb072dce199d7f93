"""Orders that a strategy places together as linked ones."""

from __future__ import annotations

from collections.abc import Sequence

from events.commands import PlaceOrder, PlaceTrigger
from events.instructions import Arming
from events.linked import PlaceLinked


def linked(
    orders: Sequence[PlaceOrder | PlaceTrigger], entry: PlaceOrder | None = None, arms: Arming = Arming.FIRST_FILL
) -> PlaceLinked:
    """The command that places them: with their account, time and request."""
    first = orders[0]
    return PlaceLinked(first.at, first.account, first.request, tuple(orders), entry, arms)
