"""Which layout a table has, and the source that reads it."""

from __future__ import annotations

from pathlib import Path

from events.instruments import RulePack
from replay.sources.files import Lines
from replay.sources.report import SourceError
from replay.sources.tables import Layout, Tables
from replay.sources.tardis import layout_of as tardis_layout


def open_table(path: Path, pack: RulePack, strict: bool, symbol: str) -> Tables:
    """The source for a table with a header. Raises SourceError."""
    return Tables(path, pack, strict, symbol, layout_of(path))


def layout_of(path: Path) -> Layout:
    """The layout of a table. Raises SourceError where its header is that of none."""
    header = next(iter(Lines(path)), b"").decode("ascii", "replace").strip()
    columns = tuple(header.split(","))
    if layout := tardis_layout(path, columns):
        return layout
    raise SourceError(f"{path}: no layout has the columns {header!a:.200}; fetch the file again")
