"""`ringfence log schema`: the kinds of records."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.catalogue import is_command, kinds, meaning, schema
from gateway.console import OUT, say_json
from gateway.errors import UsageError
from gateway.naming import there_are


def is_kind(tag: str, kind: str) -> bool:
    """Whether a tag is of the kind asked for, with or without its version; of any kind where none was."""
    return kind in ("", tag, tag.rpartition(".")[0])


def unknown(kind: str) -> str:
    """What is wrong with a kind that there is not."""
    names = [tag.rpartition(".")[0] for tag in kinds()]
    return f"no kind {kind!r}; {there_are(names, kind)}; `ringfence log schema` lists them"


def run(kind: str, as_json: bool) -> int:
    """List the kinds, or print their schemas. Returns 0."""
    known = kinds()
    tags = [tag for tag in known if is_kind(tag, kind)]
    if not tags:
        raise UsageError(unknown(kind))
    if as_json:
        say_json(schema(tags))
        return 0
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("kind", "", "meaning"):
        table.add_column(column, overflow="fold")
    for tag in tags:
        table.add_row(tag, "command" if is_command(known[tag]) else "fact", meaning(known[tag]))
    OUT.print(table)
    return 0
