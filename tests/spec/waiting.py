"""The words of conditional orders: as they are asked, and the facts of their lives as they are expected."""

from __future__ import annotations

from typing import Any

from events import commands as c
from events import facts as f
from events.commands import Side
from events.facts import Expiry
from events.refusals import Reason
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT
from tests.spec.words import GOLD, GTC, NET, NOW, Expected

MARK, LAST = PriceSource.MARK, PriceSource.LAST
STOP, TAKE_PROFIT, TRAILING_STOP = TriggerKind.STOP, TriggerKind.TAKE_PROFIT, TriggerKind.TRAILING_STOP


def waiting(
    number: int, side: Side, kind: TriggerKind = STOP, *, at: int | str | None = None, lots: int | str = 1,
    by: str = "taker", source: PriceSource = MARK, on: str = GOLD, **more: Any,
) -> c.PlaceTrigger:  # fmt: skip
    """Place a conditional order that waits for a price of so many ticks."""
    lots = 0 if more.get("closes") and lots == 1 else lots
    return c.PlaceTrigger(
        NOW, by, "", number, on, side, kind, lots, at, more.pop("price", None), more.pop("tif", GTC), source, **more
    )


def trailing(number: int, side: Side, *, percent: float = 1, at: int | None = None, **more: Any) -> c.PlaceTrigger:
    """Place a trailing stop."""
    return waiting(number, side, TRAILING_STOP, at=at, callback=int(percent * UNIT) // 100, **more)


def amend_waiting(
    number: int, *, at: int | str | None = None, percent: float = 0, lots: int | str | None = None,
    price: int | str | None = None, by: str = "taker", client: str = "",
) -> c.AmendOrder:  # fmt: skip
    """Let a conditional order wait for another price, trail by another callback, or have another size or price."""
    return c.AmendOrder(NOW, by, "", number, price, lots, client, at, int(percent * UNIT) // 100)


def amended_waiting(
    number: int, *, at: int | None = None, percent: float = 0, lots: int = 1, price: int | None = None,
    keeps: bool = False,
) -> Expected:  # fmt: skip
    """It waits as it was amended."""
    return f.TriggerAmended("", number, lots, at, price, int(percent * UNIT) // 100, keeps)


def waits(
    number: int, side: Side, kind: TriggerKind = STOP, *, at: int | None = None, lots: int = 1, by: str = "taker",
    source: PriceSource = MARK, on: str = GOLD, **more: Any,
) -> Expected:  # fmt: skip
    """It waits."""
    lots = 0 if more.get("closes") and lots == 1 else lots
    price, tif, leg = more.pop("price", None), more.pop("tif", GTC), more.pop("leg", NET)
    reduces = more.pop("reduce_only", False)
    return f.TriggerPlaced(by, number, on, side, kind, lots, at, price, tif, source, reduces, **more, leg=leg)


def reached(orders: int = 1, on: str = GOLD) -> Expected:
    """So many were reached."""
    return f.TriggersReached(on, orders)


def triggered(number: int, lots: int = 1) -> Expected:
    """It fired."""
    return f.OrderTriggered("", number, lots)


def refused_when_triggered(number: int, reason: Reason, lots: int = 1) -> Expected:
    """It fired, and a rule spoke against it."""
    return f.OrderExpired("", number, lots, Expiry.REFUSED_WHEN_TRIGGERED, reason)
