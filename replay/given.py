"""What a test is given, checked: accounts, and options of the session as the command line takes them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, get_type_hints

from events.commands import INSURANCE, MARKET, SessionOptions
from events.latency import NO_LATENCY, Latency
from events.units import SECOND, Nanos, Rate, exact_units
from replay.latency import latency
from replay.parameters import whole
from replay.wanted import number, one_of

DAY = 86_400
"""No auction at the opening is longer, s; so that nanoseconds are not taken for seconds."""


def session_options(options: Mapping[str, Any]) -> SessionOptions:
    """Options of a session: choices by name, shares as decimals, or as a Rate, stretches of time in seconds.

    Raises ValueError where there is no such option, or it cannot be that.
    """
    hints = get_type_hints(SessionOptions)
    for name in options:
        one_of("option", name, hints)
    made = SessionOptions(**{name: _option(name, hints[name], value) for name, value in options.items()})
    if defect := made.defect():
        raise ValueError(f"options: {defect}")
    return made


def _option(name: str, kind: Any, value: Any) -> Any:
    if kind is Rate:
        return value if type(value) is int else _share(name, value)
    if kind is Nanos:
        seconds = number(value, name)
        if not 0 <= seconds <= DAY:
            raise ValueError(f"{name} {value!r}: give seconds from 0 to {DAY}")
        return Nanos(int(seconds * SECOND))
    if issubclass(kind, Enum):
        one_of(name, getattr(value, "value", value), (member.value for member in kind))
        return kind(value)
    if name == "queue_weights":
        return weights(value)
    if kind is Latency:
        return _latency(name, value)
    if not isinstance(value, kind):
        raise ValueError(f"{name} {value!r}: give events.guards.PriceGuards")
    return value


def weights(value: Any) -> tuple[int, ...]:
    """Weights of the equal parts of a queue: whole numbers, or text as 3,2,1. Raises ValueError."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(whole("queue_weights", int(part) if isinstance(part, str) else part) for part in parts)
    except (TypeError, ValueError):
        raise ValueError(f"queue_weights {value!r}: give whole numbers, front of the queue first, as 3,2,1") from None


def _latency(name: str, value: Any) -> Latency:
    if isinstance(value, str):
        return latency(value)
    if not isinstance(value, Latency):
        raise ValueError(f"{name} {value!r}: give replay.latency.latency(...), or that of an order as text, as 5ms")
    return NO_LATENCY if value == NO_LATENCY else value


def _share(name: str, value: Any) -> Rate:
    try:
        return Rate(exact_units(f"{number(value, name):f}"))
    except ValueError:
        raise ValueError(f"{name} {value!r}: give a share from 0 to below 1, as 0.02") from None


def check_account(name: str, mode: str, leverage: int) -> None:
    """Raise ValueError where no account can be opened so."""
    if not (name and name.isascii() and name.isprintable()) or name in (MARKET, INSURANCE):
        raise ValueError(f"account {name!r}: take printable ASCII as its name, not {MARKET} or {INSURANCE}")
    one_of(f"account {name}: mode", mode, ("isolated", "cross", "multi"))
    if type(leverage) is not int or leverage < 1:
        raise ValueError(f"account {name}: leverage {leverage!r}: give a whole number from 1")
