"""What SQLite and the operating system complain of, as one clear line of a `LogError`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from events.log import BeyondRepair, BusyLog, DamagedLog, LogError, NoSession, UnwritableLog

_FULL = UnwritableLog, "the disk is full; make room and try again"

_MEANINGS: dict[int, tuple[type[LogError], str]] = {
    sqlite3.SQLITE_NOTADB: (
        NoSession,
        "not a SQLite file, or its first bytes are damaged; restore it from a copy, "
        "or replay it if it is market history",
    ),
    sqlite3.SQLITE_CORRUPT: (DamagedLog, "the file is damaged or cut short; restore it from a copy"),
    sqlite3.SQLITE_ERROR: (BeyondRepair, "not what a session holds; restore it from a copy"),
    sqlite3.SQLITE_BUSY: (BusyLog, "another program holds the file; stop it and try again"),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_IOERR: (UnwritableLog, "the disk failed; check it and try again"),
    sqlite3.SQLITE_READONLY: (UnwritableLog, "opened for reading only; open it for writing, with the rights to"),
    sqlite3.SQLITE_CANTOPEN: (UnwritableLog, "cannot be opened; check the rights to the file and its folder"),
}
_UNKNOWN = (LogError, "SQLite failed")


@contextmanager
def clear_errors(path: Path, where: str = "") -> Iterator[None]:
    """Name the file, the place in it, and the remedy, where the body fails."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        kind, meaning = _MEANINGS.get(code) or _MEANINGS.get(code & 0xFF, _UNKNOWN)
        raise kind(f"{path}{_size(path)}{where}: {meaning} ({' '.join(str(error).split())})") from error
    except msgspec.ValidationError as error:
        raise DamagedLog(f"{path}{where}: holds what it cannot ({error}); restore it from a copy") from error
    except OSError as error:
        raise UnwritableLog(f"{path}: {error.strerror}; check the path, and the rights to it") from error


def _size(path: Path) -> str:
    return f" ({path.stat().st_size} bytes)" if path.exists() else ""
