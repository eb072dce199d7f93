"""Trailing stops of one instrument, price source and side, in groups that share the extreme of their price.

Prices are counted so that the stops fire as they rise: as they are for buys, negated for sells. A price below the
extreme of groups becomes theirs, and they merge, the smaller into the larger; as each group is as old as its extreme,
those are always the last ones. Of a group the stop with the least callback is nearest, and of the groups a heap says
which is. Source: Binance USD-M, TRAILING_STOP_MARKET: a buy fires at or above the lowest price x (1 + callback rate), a
sell at or below the highest price x (1 - callback rate).
"""

from __future__ import annotations

from bisect import bisect_left
from heapq import heapify, heappop, heappush

from events.units import UNIT
from exchange.core.history import SPARSE
from exchange.core.triggers.trigger import Trigger

FAR = 1 << 100
"""A price that is never reached."""

Found = list[tuple[int, int, Trigger]]
"""Triggers that a price reached: the level of each, its serial, itself."""


def level_at(extreme: int, callback: int, sign: int) -> int:
    """The first price, counted by the side's sign, at which a stop with this callback (a Rate) fires; rounded up."""
    return -(-extreme * (UNIT + sign * callback) // UNIT)


class Group:
    """The stops that share an extreme, in a heap by callback and age; level is where the nearest fires, FAR if none."""

    __slots__ = ("extreme", "heap", "level", "size")

    def __init__(self, extreme: int) -> None:
        self.extreme = extreme
        self.heap: Found = []
        self.level = FAR
        self.size = 0

    def add(self, trigger: Trigger) -> None:
        """A stop joins."""
        trigger.group = self
        self.size += 1
        heappush(self.heap, (trigger.placed.callback, trigger.serial, trigger))

    def swallow(self, other: Group) -> None:
        """All stops of another group join."""
        for entry in other.heap:
            if entry[2].group is other:
                self.size += 1
                entry[2].group = self
                heappush(self.heap, entry)
        other.size, other.level = 0, FAR

    def nearest(self) -> Trigger | None:
        """The stop with the least callback, the oldest of those; what left the group is dropped on the way."""
        heap = self.heap
        if len(heap) > 2 * self.size + SPARSE:
            heap[:] = [entry for entry in heap if entry[2].group is self]
            heapify(heap)
        while heap and heap[0][2].group is not self:
            heappop(heap)
        return heap[0][2] if heap else None


class Trail:
    """The trailing stops of one side (sign +1: buys), the groups by extreme, the last one the highest."""

    __slots__ = ("groups", "heap", "made", "sign", "size")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.groups: list[Group] = []
        self.heap: list[tuple[int, int, Group]] = []
        self.made = 0
        self.size = 0

    @property
    def level(self) -> int:
        """Where the nearest stop of all fires; FAR where there is none."""
        heap = self.heap
        while heap and heap[0][0] != heap[0][2].level:
            heappop(heap)
        return heap[0][0] if heap else FAR

    @property
    def extreme(self) -> int:
        """Below which price extremes move; minus FAR where there is nobody whose could."""
        return self.groups[-1].extreme if self.groups else -FAR

    def join(self, trigger: Trigger, price: int) -> None:
        """A stop follows its price from here on; the price is no lower than any extreme."""
        groups, price = self.groups, price * self.sign
        if not groups or groups[-1].extreme != price:
            groups.append(Group(price))
        groups[-1].add(trigger)
        self.size += 1
        self._set_level(groups[-1])

    def restore(self, trigger: Trigger, extreme: int) -> None:
        """A stop is back in the group of its extreme."""
        extreme *= self.sign
        place = bisect_left(self.groups, extreme, key=lambda group: group.extreme)
        if place == len(self.groups) or self.groups[place].extreme != extreme:
            self.groups.insert(place, Group(extreme))
        self.groups[place].add(trigger)
        self.size += 1
        self._set_level(self.groups[place])

    def leave(self, trigger: Trigger) -> None:
        """A stop is gone."""
        group = trigger.group
        assert group is not None
        trigger.group = None
        group.size -= 1
        self.size -= 1
        self._set_level(group)
        self._tidy()

    def move(self, price: int, found: Found) -> None:
        """The price moved: extremes follow, or stops are reached, which are added to what was found."""
        price *= self.sign
        if price < self.extreme:
            self._follow(price)
        while (level := self.level) <= price:
            self._take(self.heap[0][2], level, found)
        self._tidy()

    def _follow(self, price: int) -> None:
        groups, overtaken = self.groups, []
        while groups and groups[-1].extreme >= price:
            overtaken.append(groups.pop())
        merged = max(overtaken, key=lambda group: group.size)
        for group in overtaken:
            if group is not merged:
                merged.swallow(group)
        merged.extreme = price
        groups.append(merged)
        self._set_level(merged)

    def _take(self, group: Group, level: int, found: Found) -> None:
        """All stops of a group that fire at its level are reached."""
        while (trigger := group.nearest()) is not None:
            if level_at(group.extreme, trigger.placed.callback, self.sign) > level:
                break
            trigger.group = None
            group.size -= 1
            self.size -= 1
            found.append((level, trigger.serial, trigger))
        self._set_level(group)

    def _set_level(self, group: Group) -> None:
        """Say where the nearest stop of a group fires now."""
        nearest = group.nearest()
        level = FAR if nearest is None else level_at(group.extreme, nearest.placed.callback, self.sign)
        if level != group.level:
            group.level = level
            if nearest is not None:
                self.made += 1
                heappush(self.heap, (level, self.made, group))

    def _tidy(self) -> None:
        """Keep what is empty or out of date in proportion to what is not."""
        if self.groups and not self.groups[-1].size:
            while self.groups and not self.groups[-1].size:
                self.groups.pop()
        if len(self.groups) > 2 * self.size + SPARSE:
            self.groups = [group for group in self.groups if group.size]
        if len(self.heap) > 2 * len(self.groups) + SPARSE:
            self.heap = [(group.level, n, group) for n, group in enumerate(self.groups) if group.size]
            self.made = len(self.groups)
            heapify(self.heap)

    def check(self) -> None:
        """Assert that groups, extremes and levels agree."""
        assert self.size == sum(group.size for group in self.groups)
        extremes = [group.extreme for group in self.groups]
        assert extremes == sorted(set(extremes))
        for group in self.groups:
            inside = [entry[2] for entry in group.heap if entry[2].group is group]
            assert len(inside) == group.size
            levels = [level_at(group.extreme, trigger.placed.callback, self.sign) for trigger in inside]
            assert group.level == min(levels, default=FAR)
        assert self.level == min((group.level for group in self.groups), default=FAR)


class Ahead:
    """Which of the prices to come is the first to reach a trailing stop, without moving anything."""

    __slots__ = ("_callback", "_extreme", "_groups", "_left", "_level", "_sign")

    def __init__(self, trail: Trail) -> None:
        self._groups = trail.groups
        self._left = len(trail.groups)
        self._sign = trail.sign
        self._level = trail.level
        self._extreme = trail.extreme
        self._callback = FAR

    def reaches(self, price: int) -> bool:
        """Whether this price, after all that were asked for before, reaches a stop."""
        price *= self._sign
        if price >= self._level:
            return True
        if price < self._extreme:
            self._extreme = price
            while self._left and self._groups[self._left - 1].extreme >= price:
                self._left -= 1
                if (nearest := self._groups[self._left].nearest()) is not None:
                    self._callback = min(self._callback, nearest.placed.callback)
            self._level = min(self._level, level_at(price, self._callback, self._sign))
        return False
