"""The words of linked orders: as they are asked, and the facts of their lives as they are expected."""

from __future__ import annotations

from typing import Any

from events import facts as f
from events.commands import PlaceOrder, Side
from events.facts import Expiry
from events.instructions import Arming
from events.linked import PlaceLinked
from events.triggers import TriggerKind
from tests.spec.waiting import STOP, TAKE_PROFIT, waiting, waits
from tests.spec.words import NOW, Expected

FIRST_FILL, FULL_FILL = Arming.FIRST_FILL, Arming.FULL_FILL


def pair(*linked: Any, by: str = "taker", **more: Any) -> PlaceLinked:
    """Place two orders of which one ends the other."""
    return PlaceLinked(NOW, by, "", linked, **more)


def bracket(entry: PlaceOrder, *linked: Any, by: str = "taker", arms: Arming = FIRST_FILL) -> PlaceLinked:
    """Place an entry with what is attached to it."""
    return PlaceLinked(NOW, by, "", linked, entry, arms)


def attached(number: int, side: Side, kind: TriggerKind = STOP, *, at: int | None = None, **more: Any) -> Any:
    """A take-profit or a stop for whatever an entry trades."""
    return waiting(number, side, kind, at=at, lots=more.pop("lots", 0), **more)


def profit(number: int, side: Side, *, at: int, **more: Any) -> Any:
    """An attached take-profit."""
    return attached(number, side, TAKE_PROFIT, at=at, **more)


def sleeps(
    number: int, side: Side, kind: TriggerKind = STOP, *, at: int | None = None, entry: int, **more: Any
) -> Expected:
    """It is attached to an entry, and waits for nothing yet."""
    return waits(number, side, kind, at=at, lots=0, reduce_only=True, entry=entry, **more)


def armed(number: int, lots: int) -> Expected:
    """It waits for its price now, for so many lots."""
    return f.TriggerArmed("", number, lots)


def unlinked(number: int, lots: int) -> Expected:
    """It ended as another one did, or traded, or fired."""
    return f.OrderExpired("", number, lots, Expiry.LINKED)
