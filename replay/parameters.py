"""What programs give, as commands hold it: text becomes the enum that a parameter asks for, seconds become ns; what a
command cannot hold is a ValueError of one line that names the parameter and what may be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from operator import index
from typing import Any

from events.commands import Side, TimeInForce
from events.instructions import Arming, PriceMatch, SelfTrade
from events.instruments import Leg, MarginMode
from events.phases import TradingPhase
from events.triggers import PriceSource
from events.units import SECOND, Atoms, Nanos, Rate, units_of

KINDS: dict[str, type] = {
    "side": Side,
    "time_in_force": TimeInForce,
    "self_trade": SelfTrade,
    "price_match": PriceMatch,
    "source": PriceSource,
    "arms": Arming,
    "leg": Leg,
    "mode": MarginMode,
    "phase": TradingPhase,
    "reduce_only": bool,
    "protects": bool,
    "with_position": bool,
    "client": str,
    "good_till": int,
}
"""Parameter -> what it is."""


def given(name: str, value: Any) -> Any:
    """The value of a parameter, of the kind that the parameter is. Raises ValueError."""
    kind = KINDS[name]
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    if kind is int:
        return whole(name, value)
    if issubclass(kind, Enum):
        for one in kind:
            if one.value == value:
                return one
        raise ValueError(f"{name} is {value!r}; it may be {', '.join(map(_shown, kind))}")
    raise ValueError(f"{name} is {value!r}; it must be {'True or False' if kind is bool else 'text'}")


def all_given(how: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by name, each of its kind; others stay as they are. Raises ValueError."""
    return {name: given(name, value) if name in KINDS else value for name, value in how.items()}


def whole(name: str, value: Any) -> int:
    """A whole number. Raises ValueError."""
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise ValueError(f"{name} is {value!r}; it must be a whole number, an int")


def exact(name: str, value: Decimal | float | str) -> Decimal:
    """A number; a float is what its shortest text says: 0.1 is a tenth. Raises ValueError."""
    try:
        number = Decimal(str(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name} is {value!r}; it must be a number")
    return number


def nanos(name: str, seconds: Decimal | float | str) -> Nanos:
    """Seconds as whole ns, rounded down. Raises ValueError."""
    return Nanos(int(exact(name, seconds) * SECOND))


def rate(name: str, share: Decimal | float | str) -> Rate:
    """A share of 1 as a Rate, of 8 decimals at most. Raises ValueError."""
    return Rate(_units(name, share))


def atoms(name: str, amount: Decimal | float | str) -> Atoms:
    """An amount of money in atoms, of 8 decimals at most: what is finer is no money. Raises ValueError."""
    return Atoms(_units(name, amount))


def _units(name: str, value: Decimal | float | str) -> int:
    units = units_of(format(exact(name, value), "f"))
    if units is None:
        raise ValueError(f"{name} is {value!r}; it has 8 decimals at most")
    return units


def _shown(one: Enum) -> str:
    """Its text, with its name where that is another word."""
    return f"{one.value!r}" + ("" if one.name.lower() == one.value else f" ({one.name.lower()})")
