"""What was run already, in a file that survives whoever writes it: an outcome a task, and what it took."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType

import msgspec

from replay.sweep.task import Done, SweepError

NAME = "runs.db"

_TABLE = "create table if not exists runs (task text primary key, done text not null) without rowid"


class Ledger:
    """The runs of one folder; one sweep at a time writes there. Raises SweepError where that is not so."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._database = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            self._database.execute("pragma locking_mode = exclusive")
            self._database.execute("begin exclusive")
            self._database.execute(_TABLE)
            self._database.execute("commit")
        except sqlite3.DatabaseError as error:
            self._database.close()
            is_busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            what = "another sweep writes here" if is_busy else f"is not what a sweep wrote ({error})"
            raise SweepError(f"{self._path}: {what}; wait for it, or give another folder with --into") from None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.close()

    def done(self) -> Mapping[str, Done]:
        """Everything that was run, by task."""
        with closing(self._database.execute("select task, done from runs")) as rows:
            return {task: msgspec.json.decode(text, type=Done) for task, text in rows}

    def add(self, done: Done) -> None:
        """Keep an outcome, for good when this returns."""
        text = msgspec.json.encode(done).decode()
        self._database.execute("insert or replace into runs values (?, ?)", (done.outcome.id, text))
