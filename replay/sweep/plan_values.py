"""Values as a plan states them, and where it does; what will not do is told with the file, the key and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from events.units import UNIT
from replay.arguments import nearest
from replay.sweep.task import Scalar, SweepError
from replay.wanted import listed

VALUES_MAX = 1_000_000
"""No key has more values."""


class Where:
    """A place of a plan: its file and the keys that lead there."""

    def __init__(self, path: Path, *keys: str) -> None:
        self.path = path
        self._keys = keys

    def __truediv__(self, key: str) -> Where:
        return Where(self.path, *self._keys, key)

    def __str__(self) -> str:
        return f"{self.path}: {'.'.join(self._keys)}" if self._keys else str(self.path)

    def wrong(self, value: object, remedy: str) -> SweepError:
        """What to raise where a value will not do."""
        shown = str(value) if isinstance(value, Decimal) else repr(value)
        return SweepError(f"{self}: {shown} will not do; {remedy}")

    def known(self, table: Mapping[str, Any], names: Collection[str]) -> None:
        """Raise SweepError where the table has another key than these."""
        for key in table:
            if key not in names:
                raise SweepError(
                    f"{self / key}: there is no such key; {nearest(key, dict.fromkeys(names), 'leave it out')}"
                )

    def table(self, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """The table of that key, empty where there is none. Raises SweepError."""
        found = table.get(key, {})
        if not isinstance(found, dict):
            raise (self / key).wrong(found, f"make it a table, [{key}]")
        return found


def axis(where: Where, value: Any) -> list[Scalar]:
    """The values of a key: one, a list, or whole numbers as { from = 1, to = 10 }. Raises SweepError."""
    if isinstance(value, dict):
        return list(_range(where, value))
    values = value if isinstance(value, list) else [value]
    if not values:
        raise where.wrong(value, "give a value at least, or leave the key out")
    return [scalar(where, one) for one in values]


def _range(where: Where, table: Mapping[str, Any]) -> Iterable[int]:
    where.known(table, ("from", "to", "step"))
    first, last, step = (table.get(name, default) for name, default in (("from", None), ("to", None), ("step", 1)))
    if not all(type(number) is int for number in (first, last, step)) or step < 1 or last < first:
        raise SweepError(f"{where}: give whole numbers as {{ from = 1, to = 10 }}, and step = 2 for every second one")
    if (last - first) // step >= VALUES_MAX:
        raise SweepError(f"{where}: there are more than {VALUES_MAX:,} of them; give fewer")
    return range(first, last + 1, step)


def scalar(where: Where, value: Any) -> Scalar:
    """A value by itself; a decimal as its text. Raises SweepError."""
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, bool | int | str):
        return value
    raise where.wrong(value, "give a number, text, true or false, or a list of them")


def text(value: Scalar) -> str:
    """As it would be typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def one_of(where: Where, value: Scalar, choices: Iterable[str]) -> str:
    """A choice by its name. Raises SweepError."""
    names = list(choices)
    if not isinstance(value, str) or value not in names:
        raise where.wrong(value, f"give {listed(names)}")
    return value


def amount(where: Where, value: Scalar) -> str:
    """A decimal from 0 with no more than 8 places, as text. Raises SweepError."""
    try:
        number = Decimal("NaN") if isinstance(value, bool) else Decimal(value)
        if number.is_finite() and number >= 0 and number * UNIT == int(number * UNIT):
            return f"{number:f}"
    except InvalidOperation:
        pass
    raise where.wrong(value, "give a number from 0 with at most 8 decimals")


def whole(where: Where, value: Scalar, low: int) -> int:
    """A whole number from there on. Raises SweepError."""
    if type(value) is not int or value < low:
        raise where.wrong(value, f"give a whole number from {low}")
    return value
