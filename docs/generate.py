"""Writes docs/reference/ from the code: what may be asked, what happens, why something is refused; and into
docs/orders.md the life of an order.

`python -m docs.generate` writes the pages; with `--check` it writes nothing and fails where one is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from docs.life import diagram, stages
from docs.native_api import native_page
from events import refusals, units
from events.asking import AnyCommand
from events.facts import AnyFact
from events.refusals import Reason

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
NOTE = "*Generated from the code by `make docs`; edit the docstrings instead.*"

COMMANDS: tuple[type[msgspec.Struct], ...] = get_args(AnyCommand)
FACTS: tuple[type[msgspec.Struct], ...] = get_args(AnyFact)


PARTS = {"life": diagram, "stages": stages}
"""What stands in pages written by hand between `<!-- generated: NAME -->` and `<!-- end -->`, and who writes it."""

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[str, str]:
    """Path below docs/ -> text of every page that is, or has in it, what the code says."""
    return {
        "reference/commands.md": commands_page(),
        "reference/facts.md": facts_page(),
        "reference/refusals.md": refusals_page(),
        "reference/native-api.md": native_page(page, field_table),
        "orders.md": filled_in((DOCS / "orders.md").read_text(encoding="utf-8")),
    }


def filled_in(text: str) -> str:
    """A page with its generated parts as they have to be."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part[2]]()}\n{part[3]}", text)


def commands_page() -> str:
    """What may be asked, and the values and units that commands are made of."""
    return page(
        "Commands",
        module_text(COMMANDS[0]),
        "## The commands",
        *(message(command) for command in COMMANDS),
        "## Values",
        *(value(kind) for kind in values_of(COMMANDS)),
        "## Units",
        f"```\n{inspect.cleandoc(units.__doc__ or '')}\n```",
    )


def facts_page() -> str:
    """What happens, by theme, and the values that only facts hold."""
    themes = groupby(FACTS, inspect.getmodule)
    known = set(values_of(COMMANDS)) | {Reason}
    return page(
        "Facts",
        *(part for _, theme in themes for part in theme_parts(list(theme))),
        "## Values",
        "Values that commands hold too are in [commands](commands.md), reasons in [refusals](refusals.md).",
        *(value(kind) for kind in values_of(FACTS) if kind not in known),
    )


def refusals_page() -> str:
    """Why a command was refused, in order of precedence."""
    rows = (f"| {n} | `{reason.value}` |" for n, reason in enumerate(Reason, 1))
    return page(
        "Refusals", inspect.cleandoc(refusals.__doc__ or ""), "\n".join(["| precedence | reason |", "|---|---|", *rows])
    )


def page(title: str, *parts: str) -> str:
    """A page of Markdown."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def theme_parts(facts: list[type[msgspec.Struct]]) -> Iterator[str]:
    """The facts of one module under its docstring."""
    yield f"## {facts[0].__module__.rpartition('.')[2].capitalize()}"
    yield module_text(facts[0])
    yield from map(message, facts)


def message(kind: type[msgspec.Struct]) -> str:
    """A command or a fact: its name, its stable tag, its meaning and its fields."""
    tag = f"Kind `{kind.__struct_config__.tag}`."
    return "\n\n".join([f"### {kind.__name__}", tag, text_of(kind), *field_table(kind)])


def value(kind: type) -> str:
    """A struct or an enum that fields hold."""
    if issubclass(kind, Enum):
        rows = ", ".join(f"`{member.value}`" for member in kind)
        return f"### {kind.__name__}\n\n{text_of(kind)} One of {rows}."
    assert issubclass(kind, msgspec.Struct)
    return "\n\n".join([f"### {kind.__name__}", text_of(kind), *field_table(kind)])


def field_table(kind: type[msgspec.Struct]) -> Iterator[str]:
    """The table of fields, or nothing where there are none."""
    rows = [f"| `{field.name}` | {type_text(kind, field.name)}{default_text(field)} |" for field in fields(kind)]
    if rows:
        yield "\n".join(["| field | type |", "|---|---|", *rows])


def fields(kind: type[msgspec.Struct]) -> tuple[Any, ...]:
    """The fields of a struct, in order."""
    return msgspec.structs.fields(kind)


def type_text(kind: type, name: str) -> str:
    """The annotation of a field as it was written."""
    written = next(own[name] for c in kind.__mro__ if name in (own := inspect.get_annotations(c)))
    return str(written).replace(" | ", " or ")


def default_text(field: Any) -> str:
    """What the field is where it is left out, empty where it may not be."""
    if field.required:
        return ""
    if field.default_factory is not msgspec.NODEFAULT:
        return f" = {field.default_factory().__class__.__name__}()"
    default = field.default.value if isinstance(field.default, Enum) else field.default
    return f" = {str(default).lower()}"


def values_of(kinds: Iterable[type]) -> list[type]:
    """The structs and enums that fields of these kinds hold, each once, in order of appearance."""
    found: dict[type, None] = {}
    for kind in kinds:
        for hint in get_type_hints(kind).values():
            for part in parts_of(hint):
                if isinstance(part, type) and issubclass(part, (Enum, msgspec.Struct)) and part not in found:
                    found |= dict.fromkeys([part, *values_of([part])])
    return list(found)


def parts_of(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of: tuple[A | B, ...] holds A and B."""
    yield hint
    for argument in get_args(hint):
        yield from parts_of(argument)


def text_of(kind: type) -> str:
    """The docstring of a class."""
    assert kind.__doc__, f"{kind.__name__} has no docstring"
    return inspect.cleandoc(kind.__doc__)


def module_text(kind: type) -> str:
    """The docstring of the module of a class."""
    return inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "")


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; the exit code."""
    stale = [name for name, text in pages().items() if not is_current(name, text)]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`\n")
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (DOCS / name).write_text(pages()[name], encoding="utf-8")
    sys.stdout.write(f"docs: {len(stale)} of {len(pages())} pages written, the rest were up to date\n")
    return 0


def is_current(name: str, text: str) -> bool:
    """Whether the page on disk is this text."""
    path = DOCS / name
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
