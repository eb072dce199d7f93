"""`ringfence log backup`, `pack` and `unpack`: copies of a session, each checked to its last digest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from events.log import ExistingLog, Head, check_chain
from events.store import archive
from events.store.entries import Entry, fill, head_after
from events.store.sqlite import SqliteLog, open_session
from gateway.console import OUT, progress
from gateway.errors import about

T = TypeVar("T")


def backup(session: Path, out: Path) -> int:
    """Copy a session that may be in use. Returns 0."""
    with about(session), _new(out):
        asyncio.run(_reading(session, lambda log: log.backup(out)))
        head = asyncio.run(_reading(out, _checked))
    return _said(session, out, head)


def pack(session: Path, out: Path) -> int:
    """Write an archive. Returns 0."""
    with about(session), _new(out):
        head = asyncio.run(_reading(session, lambda log: _packed(log, out)))
        assert [head_after(stored) for stored, _ in _shown("check", archive.read(out), head.batch)][-1:] in ([head], [])
    return _said(session, out, head)


def pack_quietly(session: Path, out: Path) -> None:
    """Write an archive of a session that may be in use, and say nothing. Raises LogError."""
    asyncio.run(_reading(session, lambda log: archive.write(log, out, lambda _done: None)))


def unpack(packed: Path, out: Path) -> int:
    """Write the session of an archive. Returns 0."""
    with about(packed, is_archive=True), _new(out):
        head = asyncio.run(_unpacked(packed, out))
    return _said(packed, out, head)


async def _reading(session: Path, use: Callable[[SqliteLog], Awaitable[T]]) -> T:
    log = await open_session(session, read_only=True)
    try:
        return await use(log)
    finally:
        await log.close()


async def _checked(log: SqliteLog) -> Head:
    head = Head()
    with progress("check", (await log.head()).batch, "batches") as advance:
        async for stored in log.read():
            head = check_chain(head, stored)
            advance(stored.number, stored.number, stored.at)
    return head


async def _packed(log: SqliteLog, out: Path) -> Head:
    with progress("pack", (await log.head()).batch, "batches") as advance:
        return await archive.write(log, out, lambda done: advance(done, done, 0))


async def _unpacked(packed: Path, out: Path) -> Head:
    log = await open_session(out, create=True)
    notes: dict[str, str] = {}
    try:
        head = await fill(log, _shown("unpack", archive.read(packed, notes), None))
        for name, text in notes.items():
            await log.note(name, text)
        return head
    finally:
        await log.close()


def _shown(what: str, entries: Iterator[Entry], batches: int | None) -> Iterator[Entry]:
    """The entries, with a bar that says how far they are."""
    with progress(what, batches, "batches") as advance:
        for entry in entries:
            advance(entry[0].number, entry[0].number, entry[0].at)
            yield entry


@contextmanager
def _new(out: Path) -> Iterator[None]:
    """A file that was not there before, and is not there if the body fails."""
    if out.exists():
        raise ExistingLog(f"{out}: exists already; choose another name")
    try:
        yield
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _said(source: Path, out: Path, head: Head) -> int:
    before, after = source.stat().st_size, out.stat().st_size
    OUT.print(f"written  {out}: {after:,} bytes ({source.name} has {before:,})", markup=False)
    OUT.print(f"         {head.batch:,} batches, {head.seq:,} records, every digest checked")
    OUT.print(f"head     {head.digest.hex()}")
    return 0
