"""A fork that refers to the file of its parent for the past that both share, instead of holding a copy of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

import msgspec

from events.log import BeyondRepair, Head, MissingLog

LINKED_VERSION = 2
"""The user_version of such a file: programs that know no links refuse it."""

_SCHEMA = "CREATE TABLE parent(path TEXT NOT NULL, batch INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL)"
_LINK = "SELECT path, batch, seq, digest FROM parent"
_HAS = "SELECT count(*) FROM batches WHERE batch = ? AND last_seq = ? AND digest = ?"


class Link(NamedTuple):
    """Where the past is, and the head up to which it is shared."""

    parent: Path
    head: Head


def statements(link: Link, path: Path) -> list[tuple[str, tuple[object, ...]]]:
    """What makes the file at `path` a fork that refers to its parent."""
    return [
        (f"PRAGMA user_version = {LINKED_VERSION}", ()),
        (_SCHEMA, ()),
        ("INSERT INTO parent VALUES (?, ?, ?, ?)", (_relative(link.parent, path), *link.head)),
    ]


def moved(copy: sqlite3.Connection, link: Link, path: Path) -> None:
    """Let a copy at `path` refer to the same parent."""
    with copy:
        copy.execute("UPDATE parent SET path = ?", (_relative(link.parent, path),))


def link_of(db: sqlite3.Connection, path: Path) -> Link | None:
    """What a session file refers to, None where it holds all of its past."""
    if db.execute("PRAGMA user_version").fetchone()[0] != LINKED_VERSION:
        return None
    ((where, batch, seq, digest),) = msgspec.convert(db.execute(_LINK).fetchall(), list[tuple[str, int, int, bytes]])
    return Link(Path(os.path.normpath(path.resolve().parent / where)), Head(batch, seq, digest))


def check_parent(db: sqlite3.Connection, link: Link, path: Path) -> None:
    """Refuse a parent that is not what the fork's past was: its digest there covers all of it."""
    if not db.execute(_HAS, link.head).fetchone()[0]:
        raise BeyondRepair(
            f"{path}: a fork of {link.parent}, whose first {link.head.batch} batches are not what they were when it "
            "was made; restore that file from a copy"
        )


def missing_parent(link: Link, path: Path) -> MissingLog:
    """The fork is there, the file of its past is not."""
    return MissingLog(f"{path}: a fork of {link.parent}, which is not there; put it back, or make the fork again")


def _relative(parent: Path, path: Path) -> str:
    """The parent as seen from the folder of the fork, so that both can be moved together."""
    return os.path.relpath(parent.resolve(), path.resolve().parent)
