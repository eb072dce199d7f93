"""Conditional orders by price against a naive scan, where every one follows its price by itself."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from events.commands import AccountId, OrderNumber, Side, TimeInForce
from events.facts import TriggerPlaced
from events.instruments import InstrumentId
from events.triggers import CALLBACK_MAX, CALLBACK_MIN, PriceSource, TriggerKind
from events.units import UNIT, Lots, Rate, Ticks
from exchange.core.triggers.index import PriceIndex
from exchange.core.triggers.trigger import Trigger

HOLDER: Any = SimpleNamespace(contract=SimpleNamespace(tick=1))
START = 10_000


class Naive:
    """The rules word by word: a stop that trails knows the highest or the lowest price since it began."""

    def __init__(self) -> None:
        self.waiting: dict[Trigger, int] = {}

    def add(self, trigger: Trigger, price: int) -> None:
        """Wait; a trailing stop without activation begins here. 0 where it has not begun."""
        self.waiting[trigger] = price if trigger.trails and not trigger.level else 0

    def move(self, price: int) -> list[Trigger]:
        """What the price reaches, in the order in which it met it."""
        met = []
        for trigger, extreme in list(self.waiting.items()):
            buys = trigger.placed.side is Side.BUY
            if not trigger.trails:
                rises = buys == (trigger.placed.trigger_kind is TriggerKind.STOP)
                if price >= trigger.level if rises else price <= trigger.level:
                    met.append((trigger.level if rises else -trigger.level, trigger.serial, trigger))
            elif extreme:
                extreme = min(extreme, price) if buys else max(extreme, price)
                self.waiting[trigger] = extreme
                part = extreme * (UNIT + trigger.placed.callback if buys else UNIT - trigger.placed.callback)
                level = -(-part // UNIT) if buys else part // UNIT
                if price >= level if buys else price <= level:
                    met.append((level if buys else -level, trigger.serial, trigger))
            elif price <= trigger.level if buys else price >= trigger.level:
                self.waiting[trigger] = price
        for *_, trigger in met:
            del self.waiting[trigger]
        return [trigger for *_, trigger in sorted(met, key=lambda one: one[:2])]


class Pair:
    """Both, asked alike; prices are ticks."""

    def __init__(self, dice: Random) -> None:
        self.dice, self.price, self.serial = dice, START, 0
        self.index, self.naive = PriceIndex({}), Naive()

    def place(self) -> None:
        """One of any kind that does not fire at once, near the price or far off."""
        kind, side = self.dice.choice(list(TriggerKind)), self.dice.choice(list(Side))
        away = self.dice.choice((1, 2, 5, 50, 500))
        rises = (side is Side.BUY) == (kind is TriggerKind.STOP)
        level: int | None = max(1, self.price + (away if rises else -away))
        callback = 0
        if kind is TriggerKind.TRAILING_STOP:
            level = level if self.dice.random() < 0.4 else None
            callback = self.dice.choice((CALLBACK_MIN, 2 * CALLBACK_MIN, UNIT // 100, CALLBACK_MAX))
        self.serial += 1
        placed = TriggerPlaced(
            AccountId("a"), OrderNumber(self.serial), InstrumentId("GOLD"), side, kind, Lots(1),
            None if level is None else Ticks(level), None, TimeInForce.GTC, PriceSource.LAST, False, Rate(callback),
        )  # fmt: skip
        trigger = Trigger(placed, HOLDER, self.serial)
        self.index.add(trigger, self.price)
        self.naive.add(trigger, self.price)

    def cancel(self) -> None:
        """One that waits is gone."""
        if self.naive.waiting:
            trigger = self.dice.choice(list(self.naive.waiting))
            self.index.remove(trigger)
            del self.naive.waiting[trigger]

    def walk(self, prices: list[int]) -> None:
        """Prices one after the other; what lies ahead is known before any of them comes."""
        ahead = self.index.ahead()
        first = next((n for n, price in enumerate(prices) if ahead.reaches(price)), None)
        for n, price in enumerate(prices):
            self.price = price
            began = [trigger for trigger, extreme in self.naive.waiting.items() if trigger.trails and not extreme]
            met = self.naive.move(price)
            begins = any(self.naive.waiting.get(trigger) for trigger in began)
            if not self.index.low < price < self.index.high:
                self.index.move(price)
            assert list(self.index.reached) == met
            self.index.reached.clear()
            assert (first == n) == bool(met or begins) or (first is not None and first < n)
        self.check()

    def check(self) -> None:
        """Both know the same, extreme by extreme."""
        self.index.check(list(self.naive.waiting))
        for trigger, extreme in self.naive.waiting.items():
            assert (trigger.extreme or 0) == extreme

    def restore(self) -> None:
        """An index that is laid anew, in any order, is the same one."""
        again, order = PriceIndex({}), list(self.naive.waiting)
        self.dice.shuffle(order)
        extremes = [trigger.extreme for trigger in order]
        for trigger, extreme in zip(order, extremes, strict=True):
            trigger.group = None
            again.restore(trigger, extreme)
        assert (again.low, again.high) == (self.index.low, self.index.high)
        self.index = again


def steps(dice: Random, price: int) -> list[int]:
    """Some prices from here on: quiet ones, trends, and a leap now and then."""
    drift, prices = dice.choice((-3, 0, 0, 3)), []
    for _ in range(dice.randint(1, 8)):
        leap = dice.choice((-2_000, 2_000)) if dice.random() < 0.01 else 0
        price = min(40_000, max(3_000, price + drift + leap + dice.choice((-20, -5, -1, 0, 1, 5, 20))))
        prices.append(price)
    return prices


@pytest.mark.parametrize("seed", range(8))
def test_prices_reach_what_a_naive_scan_says_in_its_order(seed: int) -> None:
    pair = Pair(Random(seed))
    for _ in range(150):
        for _ in range(pair.dice.choice((0, 1, 3, 30))):
            pair.place()
        for _ in range(pair.dice.choice((0, 0, 1, 10))):
            pair.cancel()
        pair.walk(steps(pair.dice, pair.price))
        if pair.dice.random() < 0.1:
            pair.restore()


def test_thousands_that_trail_merge_and_split_as_they_would_one_by_one() -> None:
    pair = Pair(Random(99))
    for price in range(START, START - 400, -1):
        pair.walk([price])
        for _ in range(10):
            pair.place()
    assert sum(len(trail.groups) for trail in pair.index.trails.values()) > 100
    pair.walk(list(range(pair.price, START, 7)))
    pair.walk(list(range(START, START - 3_000, -11)))
    pair.check()


def test_what_is_emptied_by_cancels_is_cleared_away() -> None:
    pair = Pair(Random(5))
    for price in range(START, START - 300, -1):
        pair.walk([price])
        for _ in range(5):
            pair.place()
    while pair.naive.waiting:
        pair.cancel()
    pair.check()
    assert pair.index.is_empty
    assert not any(trail.groups or trail.heap for trail in pair.index.trails.values())
