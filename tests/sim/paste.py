"""A list of moves as the text of a specification: given, when, to be pasted into a test as it is."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

from events.commands import AdvanceMarket
from tests.full_batches import USUAL
from tests.sim.shrink import Shrunk
from tests.sim.world import Columns, Move

WIDTH = 100


class Text:
    """Values as Python text, and the names that it takes to read them."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = defaultdict(set)

    def of(self, value: Any, indent: int = 0) -> str:
        """A value; on lines of its own for each part where it is long."""
        if isinstance(value, Enum):
            self.names[type(value).__module__].add(type(value).__name__)
            return f"{type(value).__name__}.{value.name}"
        if isinstance(value, tuple | list) and value and not isinstance(value[0], int):
            parts, ends = [self.of(one, indent + 4) for one in value], "()" if isinstance(value, tuple) else "[]"
            return _joined(ends[0], [*parts, *([""] if len(parts) == 1 else [])], ends[1], indent)
        if isinstance(value, msgspec.Struct):
            return self._struct(value, indent)
        return json.dumps(value) if isinstance(value, str) else repr(value)

    def _struct(self, value: msgspec.Struct, indent: int) -> str:
        kind = type(value)
        self.names[kind.__module__].add(kind.__name__)
        parts = [
            f"{field.name}={self.of(getattr(value, field.name), indent + 4)}"
            for field in msgspec.structs.fields(value)
            if getattr(value, field.name) != (field.default_factory() if _is_made(field) else field.default)
        ]
        return _joined(f"{kind.__name__}(", parts, ")", indent)

    @property
    def imports(self) -> str:
        """The lines that import the names."""
        return "\n".join(_import(module, sorted(names)) for module, names in sorted(self.names.items()))


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= WIDTH else _joined(f"from {module} import (", names, ")", 0)


def _is_made(field: Any) -> bool:
    return field.default_factory is not msgspec.NODEFAULT


def _joined(before: str, parts: list[str], after: str, indent: int) -> str:
    line = f"{before}{', '.join(parts)}{after}".replace(", )", ",)")
    if indent + len(line) <= WIDTH and "\n" not in line:
        return line
    inside = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts if part)
    return f"{before}\n{inside}{' ' * indent}{after}"


def specification(name: int | str, shrunk: Shrunk, columns: Columns) -> str:
    """The text of a test in which these moves fail as they do."""
    text, moves = Text(), shrunk.moves
    used = dict.fromkeys(move.chunk for move in moves if isinstance(move, AdvanceMarket) and move.chunk in columns)
    text.names["tests.sim.world"].add("World")
    lent = "".join(f"        {chunk!r}: {text.of(columns[chunk], 8)},\n" for chunk in used)
    told = _told(text, moves[:-1], "given") + _told(text, moves[-1:], "when")
    what = shrunk.failure.message.splitlines()[0].replace('"', "'")
    few = f"batch_facts={shrunk.batch_facts}" if shrunk.batch_facts != USUAL else ""
    world = f"World({{\n{lent}    }}{', ' * bool(few)}{few})" if lent else f"World({few})"
    body = f'    """Found by simulation: {what}"""\n    world = {world}\n{told}    world.finish()\n'
    return f"{text.imports}\n\n\ndef test_{_named(name)}() -> None:\n{body}"


def _named(name: int | str) -> str:
    return f"made_up_session_{name}" if isinstance(name, int) else re.sub(r"\W+", "_", name)


def _told(text: Text, moves: Sequence[Move], how: str) -> str:
    lines = "".join(f"        {text.of(move, 8)},\n" for move in moves)
    return f"    world.{how}(\n{lines}    )\n" if moves else ""
