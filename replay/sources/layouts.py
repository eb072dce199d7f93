"""Which layout a table has, and the source that reads it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from events.instruments import RulePack
from replay.sources.archives import LAYOUTS
from replay.sources.archives_text import columns_of
from replay.sources.files import LINES_SEEN, Lines
from replay.sources.report import SourceError
from replay.sources.tables import Layout, Tables
from replay.sources.tardis import layout_of as tardis_layout


def open_table(path: Path, pack: RulePack, strict: bool, symbol: str) -> Tables:
    """The source for a table. Raises SourceError."""
    return Tables(path, pack, strict, symbol, layout_of(path))


def layout_of(path: Path) -> Layout:
    """The layout of a table. Raises SourceError where its header is that of none."""
    lines = list(islice(Lines(path), LINES_SEEN))
    if columns := columns_of(lines):
        return LAYOUTS[columns]
    header = lines[0].decode("ascii", "replace").strip()
    if layout := tardis_layout(path, tuple(header.split(","))):
        return layout
    raise SourceError(f"{path}: no layout has the columns {header!a:.200}; fetch the file again")
