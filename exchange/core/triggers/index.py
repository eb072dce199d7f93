"""Conditional orders by price: one index for each instrument and price source.

Those that wait for a level lie in one ladder for each direction, sorted by (level, serial) as the price meets them:
trailing stops that are to be activated among them. Those that trail lie in groups. `low` and `high` are the nearest
prices at which anything happens, so that any price between them costs one comparison.
"""

from __future__ import annotations

from sortedcontainers import SortedDict

from exchange.core.triggers.trailing import FAR, Ahead, Found, Trail
from exchange.core.triggers.trigger import Trigger


class PriceIndex:
    """The conditional orders of an instrument that wait for one of its prices; `reached` takes what it has met."""

    __slots__ = ("high", "low", "reached", "rising", "sinking", "trails")

    def __init__(self, reached: dict[Trigger, None]) -> None:
        self.reached = reached
        self.rising: SortedDict[tuple[int, int], Trigger] = SortedDict()
        self.sinking: SortedDict[tuple[int, int], Trigger] = SortedDict()
        self.trails = {1: Trail(1), -1: Trail(-1)}
        self.low, self.high = -1, FAR

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for this price."""
        return self.low < 0 and self.high >= FAR

    def add(self, trigger: Trigger, price: int) -> None:
        """A conditional order waits from now on; a trailing stop that needs no activation follows this price."""
        if trigger.trails and not trigger.level:
            self.trails[trigger.sign].join(trigger, price)
        else:
            self._ladder(trigger.direction)[trigger.level * trigger.direction, trigger.serial] = trigger
        self._bound()

    def restore(self, trigger: Trigger, extreme: int | None) -> None:
        """Put back what waited here before; extreme is that of its price so far where it trailed."""
        if extreme is None:
            self.add(trigger, 0)
        else:
            self.trails[trigger.sign].restore(trigger, extreme)
            self._bound()

    def remove(self, trigger: Trigger) -> None:
        """A conditional order waits no more."""
        if trigger.group is not None:
            self.trails[trigger.sign].leave(trigger)
        else:
            del self._ladder(trigger.direction)[trigger.level * trigger.direction, trigger.serial]
        self._bound()

    def move(self, price: int) -> None:
        """The price moved, at or beyond `low` or `high`: what it reached is taken out, in the order in which it met it,
        and of what it met at once the older first.
        """
        found: Found = []
        activated: list[Trigger] = []
        for direction in (1, -1):
            ladder = self._ladder(direction)
            while ladder and ladder.keys()[0][0] <= price * direction:
                (level, serial), trigger = ladder.popitem(0)
                if trigger.trails:
                    activated.append(trigger)
                else:
                    found.append((level, serial, trigger))
        for trail in self.trails.values():
            trail.move(price, found)
        for trigger in activated:
            self.trails[trigger.sign].join(trigger, price)
        for _, _, trigger in sorted(found, key=lambda entry: entry[:2]):
            self.reached[trigger] = None
        self._bound()

    def _ladder(self, direction: int) -> SortedDict[tuple[int, int], Trigger]:
        """Who waits for a price from one side, by (level x direction, serial): what it meets first comes first."""
        return self.rising if direction > 0 else self.sinking

    def _bound(self) -> None:
        """Say between which prices nothing happens."""
        buys, sells = self.trails[1], self.trails[-1]
        highs = self.rising.keys()[0][0] if self.rising else FAR
        lows = -self.sinking.keys()[0][0] if self.sinking else -1
        self.high = min(highs, buys.level, 1 - sells.extreme)
        self.low = max(lows, -sells.level, buys.extreme - 1)

    def ahead(self) -> AheadOfPrices:
        """What prices to come would reach, without moving anything."""
        return AheadOfPrices(self)

    def check(self, waiting: list[Trigger]) -> None:
        """Assert that exactly these wait here, each where it belongs, and that the bounds are right."""
        if waiting or self.rising or self.sinking or any(trail.groups for trail in self.trails.values()):
            self._check_places(waiting)
        low, high = self.low, self.high
        self._bound()
        assert (low, high) == (self.low, self.high)

    def _check_places(self, waiting: list[Trigger]) -> None:
        trailing = [trigger for trigger in waiting if trigger.group is not None]
        for direction in (1, -1):
            laid = {
                (trigger.level * direction, trigger.serial): trigger
                for trigger in waiting
                if trigger.group is None and trigger.direction == direction
            }
            assert dict(self._ladder(direction)) == laid
        for sign, trail in self.trails.items():
            trail.check()
            own = [trigger for trigger in trailing if trigger.sign == sign]
            assert trail.size == len(own)
            assert all(trigger.group in trail.groups for trigger in own)


class AheadOfPrices:
    """Which of the prices to come is the first that takes an order out of the index, or lets one trail."""

    __slots__ = ("_high", "_low", "_trails")

    def __init__(self, index: PriceIndex) -> None:
        self._high = index.rising.keys()[0][0] if index.rising else FAR
        self._low = -index.sinking.keys()[0][0] if index.sinking else -1
        self._trails = [Ahead(trail) for trail in index.trails.values() if trail.size]

    def reaches(self, price: int) -> bool:
        """Whether this price, after all that were asked for before, does."""
        if not self._low < price < self._high:
            return True
        return any(trail.reaches(price) for trail in self._trails)


class Triggers:
    """The conditional orders of an instrument: by mark, by last price, and those reached in this batch, in order."""

    __slots__ = ("lasts", "marks", "reached")

    def __init__(self) -> None:
        self.reached: dict[Trigger, None] = {}
        self.marks = PriceIndex(self.reached)
        self.lasts = PriceIndex(self.reached)
