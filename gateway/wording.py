"""Records as people read them: every field by its unit, instruments' ticks and lots as prices and sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from events import commands as c
from events.instruments import Instrument, Linear, RulePack
from events.record import Message, kind_of
from events.units import Atoms, Lots, MarkUnits, Nanos, Rate, Ticks, decimal_text
from replay.travel import utc

CHUNK_DIGITS = 12
"""So much of a chunk's name is enough for reading."""

TIMES = ("until", "good_till")
"""Fields in ns that are moments; others in ns are how long something lasts."""

TIMES_END = 2**63
"""What is later, in ns, is only a number: it was refused."""


def places_of(pack: RulePack, asset: str) -> int:
    """Decimals at which amounts of an asset are read: eight of a coin, two of money, which is what contracts are priced
    in, what linear ones settle in, and what collateral is valued in.
    """
    money: set[str] = {pack.valuation, *(terms.quote for terms in pack.instruments)}
    money |= {terms.settle for terms in pack.instruments if isinstance(terms, Linear)}
    return 2 if asset in money else 8


def words(message: Message, instruments: Mapping[str, Instrument], on: str = "") -> str:
    """The fields of a record as `name=value`, without those that are left at their default, as in the log.

    on names the instrument of a record that does not.
    """
    terms = instruments.get(getattr(message, "instrument", on))
    units, defaults = _units(type(message)), _defaults(type(message))
    parts = []
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if name != "at" and value is not None and not (name in defaults and defaults[name] == value):
            is_time = name in TIMES and Nanos in units[name] and 0 < value < TIMES_END
            text = utc(value) if is_time else _text(value, units[name], terms, instruments)
            parts.append(f"{name}={text}")
    return " ".join(parts)


@cache
def _defaults(kind: type) -> dict[str, Any]:
    """What fields are where they are left out, by name."""
    fields = msgspec.structs.fields(kind)
    return {field.name: field.default for field in fields if field.default is not msgspec.NODEFAULT}


@cache
def _units(kind: type) -> dict[str, frozenset[Any]]:
    """What each field is measured in: its NewType, or the types of a union."""
    return {name: frozenset(get_args(hint) or (hint,)) for name, hint in get_type_hints(kind).items()}


def _text(value: Any, units: frozenset[Any], terms: Instrument | None, instruments: Mapping[str, Instrument]) -> str:
    """A value by its unit; the items of a batch one after the other."""
    for unit, text in _BY_UNIT.items():
        if unit in units and isinstance(value, int):
            return text(value, terms)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, RulePack):
        return f"{value.id}@{value.version}"
    if isinstance(value, tuple):
        return f"[{'; '.join(_nested(one, instruments) for one in value)}]"
    if isinstance(value, c.Command):
        return f"[{_nested(value, instruments)}]"
    if isinstance(value, msgspec.Struct):
        return ",".join(f"{k}:{v}" for k, v in msgspec.to_builtins(value).items()) or "default"
    return value[:CHUNK_DIGITS] if c.ChunkId in units else str(value)


def _nested(message: Any, instruments: Mapping[str, Instrument]) -> str:
    return f"{kind_of(message)} {words(message, instruments)}"


def _decimal(value: int, _: Instrument | None) -> str:
    return decimal_text(value)


_BY_UNIT: dict[Any, Callable[[int, Instrument | None], str]] = {
    Ticks: lambda value, terms: terms.price_text(value) if terms else str(value),
    Lots: lambda value, terms: terms.size_text(value) if terms else str(value),
    Atoms: _decimal,
    MarkUnits: _decimal,
    Rate: lambda value, _: f"{decimal_text(value * 100)}%",
}
