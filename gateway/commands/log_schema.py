"""`ringfence log schema`: the kinds of records."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.catalogue import is_command, kinds, meaning, schema
from gateway.console import OUT, say_json
from gateway.errors import UsageError


def run(kind: str, as_json: bool) -> int:
    """List the kinds, or print their schemas. Returns 0."""
    known = kinds()
    tags = [tag for tag in known if kind in ("", tag, tag.rpartition(".")[0])]
    if not tags:
        raise UsageError(f"no kind {kind!r}; `ringfence log schema` lists all {len(known)}")
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
