"""A store of views on a made-up disk, and what must hold: each is what a fold of the log up to its place is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from events.log import Head, StoredBatch, UnwritableLog
from events.store.entries import checked
from events.store.memory_views import MemoryViews
from events.views import KeptView, Views, check_place, encode_row
from exchange.projections.candles import Candles
from exchange.projections.kept import Projection, Rows
from exchange.projections.turnover import Turnover
from tests.sim.whole.disk import Disk
from tests.sim.whole.log import Journal, frames

PROJECTIONS: tuple[Projection, ...] = (Turnover(), Candles())
"""What is projected."""


class Change(msgspec.Struct, array_like=True):
    """What a frame of views holds: a view that is replaced, or where it stood, and what changed of it."""

    name: str
    place: Head
    rows: dict[str, bytes | None]
    expected: Head | None = None
    version: int = 0


class DiskViews(MemoryViews):
    """`Views` whose memory is that of a disk; `open_disk_views` makes one."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._turn = asyncio.Lock()

    async def load(self, name: str) -> KeptView | None:
        """See `Views.load`."""
        await self._journal.disk.idle()
        return await super().load(name)

    async def save(self, name: str, expected: Head, place: Head, changes: Mapping[str, bytes | None]) -> None:
        """See `Views.save`."""
        async with self._turn:
            self._check_open()
            view = self._views.get(name)
            check_place(name, view and view.place, expected)
            await self._write(Change(name, place, dict(changes), expected))
            await super().save(name, expected, place, changes)

    async def replace(self, name: str, view: KeptView) -> None:
        """See `Views.replace`."""
        async with self._turn:
            self._check_open()
            await self._write(Change(name, view.place, dict(view.rows), None, view.version))
            await super().replace(name, view)

    async def restore(self, payloads: Iterable[bytes]) -> DiskViews:
        """Take up what the disk holds."""
        for payload in payloads:
            change = msgspec.msgpack.decode(payload, type=Change)
            if change.expected is None:
                rows = {key: row for key, row in change.rows.items() if row is not None}
                await super().replace(change.name, KeptView(change.version, change.place, rows))
            else:
                await super().save(change.name, change.expected, change.place, change.rows)
        return self

    async def _write(self, what: Change) -> None:
        try:
            await self._journal.write(what)
        except OSError as error:
            raise UnwritableLog(f"the disk refused ({error.strerror})") from error


async def open_disk_views(disk: Disk) -> Views:
    """The views on a disk. Raises OSError."""
    journal = Journal(disk)
    return await DiskViews(journal).restore(await journal.open())


def found(disk: Disk) -> dict[str, KeptView]:
    """The views that the next process will find."""
    views = DiskViews(Journal(disk))
    restoring = views.restore([frame.payload for frame in frames(disk.cache)])
    try:
        restoring.send(None)
    except StopIteration:
        return views._views
    raise AssertionError("nothing here waits")


def check_views(views: Mapping[str, KeptView], stored: Sequence[StoredBatch]) -> None:
    """Each view is a fold of the log up to where it says that it stands: nothing left out, nothing folded twice."""
    for projection in PROJECTIONS:
        if view := views.get(projection.name):
            head, rows = Head(), Rows({})
            for one in stored[: view.place.batch]:
                projection.fold(rows, checked(head, one))
                head = Head(one.number, one.last_seq, one.digest)
            assert view.place == head, f"view {projection.name} stands at {view.place.batch}, where the log never was"
            assert view.rows == {key: encode_row(row) for key, row in rows.items()}, f"view {projection.name} is wrong"
