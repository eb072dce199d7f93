"""Every kind of record: its tag, what it is, and its JSON Schema."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from events.asking import AnyCommand
from events.commands import Command
from events.facts import AnyFact

REF = "#/$defs/{name}"


def kinds() -> dict[str, type[msgspec.Struct]]:
    """The commands, then the facts, each by its stable tag."""
    return {kind.__struct_config__.tag: kind for union in (AnyCommand, AnyFact) for kind in get_args(union)}


def is_command(kind: type[msgspec.Struct]) -> bool:
    """Whether it is asked, not something that happened."""
    return issubclass(kind, Command)


def meaning(kind: type[msgspec.Struct]) -> str:
    """What the kind says, in one sentence."""
    first = (kind.__doc__ or "").strip().split("\n\n")[0]
    sentence, dot, _ = " ".join(first.split()).partition(". ")
    return sentence + dot.strip()


def schema(tags: list[str]) -> dict[str, Any]:
    """The JSON Schema of these kinds by tag, and the definitions that they refer to."""
    known = kinds()
    schemas, definitions = msgspec.json.schema_components([known[tag] for tag in tags], ref_template=REF)
    return {"kinds": dict(zip(tags, schemas, strict=True)), "$defs": definitions}
