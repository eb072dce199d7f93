"""Sessions in files, and what a forger would do to them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from events.digest import GENESIS, chain
from tests.command_line import ringfence
from tests.playing import capture, market

ACCOUNTS = ("--strategy", "tests.strategies:Gambler", "--account", "ann:isolated:20:10000")


@dataclass
class Row:
    """A batch as the file keeps it."""

    batch: int
    first_seq: int
    last_seq: int
    at: int
    digest: bytes
    body: str

    @property
    def records(self) -> list[Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]

    @records.setter
    def records(self, records: list[Any]) -> None:
        self.body = json.dumps(records, separators=(",", ":"))
        self.first_seq, self.last_seq = records[0][0], records[-1][0]


def recorded(folder: Path) -> Path:
    """A session in which a gambler is liquidated, in a file of this folder; its source is gone."""
    path = folder / "session.db"
    path.write_bytes(_recorded())
    return path


@cache
def _recorded() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "session.db"
        ringfence("replay", capture(folder, market()), *ACCOUNTS, "--insurance", 100_000, "--out", path)
        return path.read_bytes()


def rows_of(session: Path) -> list[Row]:
    """All batches of a session."""
    with closing(sqlite3.connect(session)) as db:
        return [Row(*row) for row in db.execute("SELECT * FROM batches ORDER BY batch")]


def forged(session: Path, change: Callable[[list[Row]], list[Row] | None], *, digests: bool = True) -> Path:
    """A copy with changed batches; every digest is computed anew, unless told not to be."""
    copy = session.with_name("forged.db")
    shutil.copy(session, copy)
    rows = rows_of(copy)
    rows = change(rows) or rows
    digest = GENESIS
    for row in rows if digests else ():
        digest = row.digest = chain(digest, row.body.encode())
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("DELETE FROM batches")
        db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", map(astuple, rows))
    return copy


def altered(session: Path, sql: str, *values: object) -> Path:
    """A copy on which this was run."""
    copy = session.with_name("altered.db")
    shutil.copy(session, copy)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute(sql, values)
    return copy


def renumbered(rows: list[Row]) -> None:
    """Number batches and records anew, causes too, as if nothing had ever been taken out or put in."""
    names: dict[int, int] = {0: 0}
    seq = 0
    for number, row in enumerate(rows, 1):
        records = row.records
        for record in records:
            seq += 1
            names[record[0]] = seq
        row.records = [[names[old], names.get(cause, cause), message] for old, cause, message in records]
        row.batch = number
