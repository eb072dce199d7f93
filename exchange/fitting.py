"""Which commands can be written down: their fields are of their types, a record is ASCII, and names only observations
that the log will hold; and how one is put off to a later time.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from events.asking import FIELD_TYPES, ITEM_TYPES, texts_of, values_of
from events.commands import AdvanceMarket, ChunkId, Command, SubmitBatch
from events.linked import PlaceLinked
from events.units import Nanos


def misfit(command: Command, chunks: Container[ChunkId]) -> str | None:
    """Why the command cannot be recorded, and the remedy; None where it can. `chunks` are those that were lent."""
    kind = type(command)
    values = values_of(command)
    texts = texts_of(kind, tuple(map(type, values)))
    if type(texts) is str:
        return _odd(texts, getattr(command, texts), FIELD_TYPES[kind][texts])
    for place in texts:
        if not values[place].isascii():  # type: ignore[index]
            return f"{command.__struct_fields__[place]} {values[place]!a} is not ASCII; use ASCII"  # type: ignore[index]
    if kind is AdvanceMarket:
        return _unlent(command.chunk, chunks)  # type: ignore[attr-defined]
    return next(_misfits_within(command), None) if kind in _HOLDERS else None


def moved(command: Command, at: Nanos) -> Command:
    """The command at another time, and the orders within it too, which have that of the whole."""
    if isinstance(command, SubmitBatch):
        return command.__replace__(at=at, items=tuple(item.__replace__(at=at) for item in command.items))
    if isinstance(command, PlaceLinked):
        linked = tuple(order.__replace__(at=at) for order in command.linked)
        entry = command.entry and command.entry.__replace__(at=at)
        return command.__replace__(at=at, linked=linked, entry=entry)
    return command.__replace__(at=at)


def _held_by(kind: type) -> tuple[str, ...]:
    """The fields that hold structs."""
    fields = FIELD_TYPES[kind].items()
    return tuple(name for name, types in fields if any(one is tuple or one in FIELD_TYPES for one in types))


_HOLDERS = {kind: names for kind in FIELD_TYPES if (names := _held_by(kind))}
"""Command, or struct within one -> the fields that hold others."""


def _misfits_within(struct: Any) -> Iterator[str]:
    """What is wrong with the structs that one holds."""
    kind = type(struct)
    for name in _HOLDERS.get(kind, ()):
        held = getattr(struct, name)
        for part in held if type(held) is tuple else (held,):
            if type(held) is tuple and type(part) not in ITEM_TYPES[kind][name]:
                yield _odd(f"an item of {name}", part, ITEM_TYPES[kind][name])
            elif type(part) in FIELD_TYPES and (why := misfit(part, ())):
                yield f"{type(part).__name__}: {why}"


def _odd(name: str, value: object, types: tuple[type, ...]) -> str:
    shown = type(value).__name__ if isinstance(value, Command) else ascii(value)
    wanted = " or ".join("None" if one is type(None) else one.__name__ for one in types)
    return f"{name} is {shown}, not {wanted}"


def _unlent(chunk: ChunkId, chunks: Container[ChunkId]) -> str | None:
    return None if chunk in chunks else f"chunk {chunk} is not lent; add it before its rows are applied"
