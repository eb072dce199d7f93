"""Figures over time in bounded memory: buckets of equal length that keep their lowest and highest value."""

from __future__ import annotations

from typing import NamedTuple

BUCKETS = 1024
"""A series never has more buckets than this; twice as many points at most."""

SHORTEST = 10**8
"""What a bucket lasts at first, ns."""

BEYOND = 1 << 200
"""A margin ratio without a number: maintenance margin is required and equity is at or below zero."""


class Point(NamedTuple):
    """A value at a time (ns since the epoch), and the record after which it held."""

    at: int
    value: int
    record: int


class Room:
    """How many buckets each series that shares it may have; where there is less of it, series shrink as they go on."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: int = BUCKETS) -> None:
        self.buckets = buckets


PLENTY = Room()


class Series:
    """A value that holds until the next one, or until a pause. No spike is lost: a bucket keeps its first, lowest and
    highest point.

    A bucket lasts `width` ns; where there would be more than there is room for, two become one.
    """

    __slots__ = ("_buckets", "_gaps", "_origin", "_room", "_width", "is_paused", "last")

    def __init__(self, room: Room = PLENTY) -> None:
        self._room = room
        self._buckets: dict[int, tuple[Point, Point, Point]] = {}
        self._gaps: dict[int, int] = {}
        self._origin = 0
        self._width = SHORTEST
        self.is_paused = False
        self.last: Point | None = None

    def add(self, at: int, value: int, record: int) -> None:
        """The value is this from now on; time never goes back."""
        if self.last is not None and value == self.last.value and not self.is_paused:
            return
        self.last = point = Point(at, value, record)
        self.is_paused = False
        if not self._buckets:
            self._origin = at
        key = (at - self._origin) // self._width
        bucket = self._buckets.get(key)
        if bucket is None:
            self._buckets[key] = (point, point, point)
            while len(self._buckets) > self._room.buckets:
                self._halve()
        else:
            first, low, high = bucket
            if value < low.value:
                self._buckets[key] = (first, point, high)
            elif value > high.value:
                self._buckets[key] = (first, low, point)

    def pause(self, at: int) -> None:
        """There is no value from now on, until the next one is added. Each bucket keeps its last pause."""
        if self.last is not None and not self.is_paused:
            self._gaps[(at - self._origin) // self._width] = at
            self.is_paused = True

    def _halve(self) -> None:
        self._width *= 2
        merged: dict[int, tuple[Point, Point, Point]] = {}
        for key, (first, low, high) in self._buckets.items():
            if (known := merged.get(key // 2)) is not None:
                first = known[0]
                low = low if low.value < known[1].value else known[1]
                high = high if high.value > known[2].value else known[2]
            merged[key // 2] = (first, low, high)
        self._buckets = merged
        self._gaps = {key // 2: at for key, at in self._gaps.items()}

    @property
    def lowest(self) -> Point | None:
        """The first of the lowest values."""
        return min((low for _, low, _ in self._buckets.values()), key=lambda p: (p.value, p.record), default=None)

    @property
    def highest(self) -> Point | None:
        """The first of the highest values."""
        return max((high for _, _, high in self._buckets.values()), key=lambda p: (p.value, -p.record), default=None)

    def points(self) -> list[Point]:
        """What was kept, in order: at most three points a bucket, and the last one."""
        kept = {point: None for bucket in self._buckets.values() for point in bucket}
        if self.last is not None:
            kept[self.last] = None
        return sorted(kept, key=lambda point: (point.at, point.record))

    def pauses(self) -> list[int]:
        """When there was no value any more."""
        return sorted(self._gaps.values())

    def columns(self, count: int, start: int, end: int) -> list[int | None]:
        """The highest value within each of `count` equal parts of the time from start to end, None before the first.

        What came after the end does not count.
        """
        highest: list[int | None] = [None] * count
        length = max(1, end - start + 1)
        held, at_column = None, 0
        for point in self.points():
            if point.at > end:
                break
            column = min(count - 1, max(0, (point.at - start) * count // length))
            for between in range(at_column + 1, column + 1):
                highest[between] = held
            known = highest[column]
            highest[column] = point.value if known is None else max(known, point.value)
            held, at_column = point.value, column
        for after in range(at_column + 1, count):
            highest[after] = held
        return highest
