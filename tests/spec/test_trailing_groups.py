"""Groups of trailing stops: what leaves them is cleared away, and what is put back finds its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from events.commands import AccountId, OrderNumber, Side, TimeInForce
from events.facts import TriggerPlaced
from events.instruments import InstrumentId
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT, Lots, Rate
from exchange.core.history import SPARSE
from exchange.core.triggers.trailing import FAR, Ahead, Trail
from exchange.core.triggers.trigger import Trigger

HOLDER: Any = SimpleNamespace(contract=SimpleNamespace(tick=1))


def stop(serial: int, percent: int = 1) -> Trigger:
    """A trailing stop that sells."""
    placed = TriggerPlaced(
        AccountId("a"), OrderNumber(serial), InstrumentId("GOLD"), Side.SELL, TriggerKind.TRAILING_STOP, Lots(1), None,
        None, TimeInForce.GTC, PriceSource.LAST, False, Rate(percent * UNIT // 100),
    )  # fmt: skip
    return Trigger(placed, HOLDER, serial)


def joined(*prices: int) -> tuple[Trail, list[Trigger]]:
    """One that joined at each of these falling prices."""
    trail, stops = Trail(-1), [stop(serial) for serial in range(len(prices))]
    for trigger, price in zip(stops, prices, strict=True):
        trail.join(trigger, price)
    return trail, stops


def test_groups_in_the_middle_that_are_empty_are_cleared_away_once_they_are_most() -> None:
    many = 3 * SPARSE
    trail, stops = joined(*range(10_000, 10_000 - many, -1))
    for trigger in stops[1:-1]:
        trail.leave(trigger)
    trail.check()
    assert len(trail.groups) <= 2 * trail.size + SPARSE
    assert len(trail.heap) <= 2 * len(trail.groups) + SPARSE


def test_levels_that_are_out_of_date_are_cleared_away() -> None:
    trail, _ = joined(10_000, 9_999)
    for price in range(10_000, 10_000 + 3 * SPARSE):
        trail.move(price, [])
    trail.check()
    assert len(trail.groups) == 1
    assert len(trail.heap) <= 2 + SPARSE


def test_a_group_forgets_those_who_left_it() -> None:
    trail, stops = joined(*[10_000] * (3 * SPARSE))
    for trigger in reversed(stops[1:]):
        trail.leave(trigger)
    trail.check()
    assert len(trail.groups[0].heap) <= 2 + SPARSE
    assert trail.level == -9_900


def test_those_who_left_a_group_do_not_merge_with_it() -> None:
    trail, stops = joined(10_000, 10_000, 9_999, 9_999, 9_999)
    trail.leave(stops[1])
    trail.move(10_100, [])
    trail.check()
    assert [trigger.extreme for trigger in stops] == [10_100, None, 10_100, 10_100, 10_100]


def test_what_is_put_back_joins_the_group_of_its_extreme() -> None:
    trail = Trail(-1)
    for serial, extreme in enumerate((9_999, 10_000, 9_999, 9_998)):
        trail.restore(stop(serial), extreme)
    trail.check()
    assert [(group.extreme, group.size) for group in trail.groups] == [(-10_000, 1), (-9_999, 2), (-9_998, 1)]


def test_prices_ahead_pass_by_groups_that_are_empty() -> None:
    trail, stops = joined(10_000, 9_999, 9_998)
    trail.leave(stops[1])
    ahead = Ahead(trail)
    assert not ahead.reaches(9_999)
    assert not ahead.reaches(10_001)
    assert ahead.reaches(9_900)
    nobody = Ahead(Trail(-1))
    assert not nobody.reaches(1)
    assert Trail(-1).level == FAR
