"""A disk that is made up: what was written, what of it would survive a loss of power, and how both fail.

Bytes are written sector by sector into a cache; a sync brings them to the platter. Where power is lost, a sector that
was not synced is there, is not there, or is torn: its beginning is there. Where the process is killed, the cache stays.
A sync that fails has brought some sectors to the platter; the rest stays to be synced, or is thrown away.
"""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple

SECTOR = 128
"""Bytes that a disk writes at once, if not torn."""


class Faults(NamedTuple):
    """How probable each fault is: of a write, a sync, a read, and how slow the disk is, seconds at most."""

    write_fails: float = 0.0
    sync_fails: float = 0.0
    read_fails: float = 0.0
    full: float = 0.0
    raises_after: float = 0.0
    slow: float = 0.0
    seconds: float = 0.001


SOUND = Faults()
"""A disk that works."""


class Disk:
    """One file on a disk, which outlives the processes that open it.

    `told` counts what went wrong; `changed_from` is the first byte of the platter that changed since somebody set it to
    infinity; `crash`, if set, is called at the `crash_in`-th operation of the kind `crash_at`.
    """

    def __init__(self, name: str, dice: Random, told: Counter[str]) -> None:
        self.name = name
        self.faults = SOUND
        self.told = told
        self.cache = bytearray()
        self.platter = bytearray()
        self.changed_from: float = 0
        self.crash: Callable[[], None] | None = None
        self.crash_at, self.crash_in = "", 0
        self._dice = dice
        self._dirty: dict[int, None] = {}
        self._full_until = 0.0

    async def write(self, at: int, data: bytes) -> None:
        """Write from a byte on, sector by sector. Raises OSError, with some sectors written."""
        end = at + len(data)
        while at < end:
            until = min(end, at - at % SECTOR + SECTOR)
            await self._takes_time("write")
            if until > len(self.cache):
                self._check_room()
            self._maybe("write_fails", errno.EIO)
            self._put(at, data[len(data) - (end - at) : len(data) - (end - until)])
            at = until

    async def sync(self) -> None:
        """Bring what was written to the platter. Raises OSError."""
        await self._takes_time("sync")
        try:
            self._maybe("sync_fails", errno.EIO)
        except OSError:
            self._lose(arrived=0.5)
            raise
        for sector in self._dirty:
            self._store(sector, SECTOR)
        self._dirty.clear()

    async def read(self) -> bytes:
        """All that was written. Raises OSError."""
        await self.seek()
        return bytes(self.cache)

    async def seek(self) -> None:
        """Take the time of a read. Raises OSError."""
        await self._takes_time("read")
        self._maybe("read_fails", errno.EIO)

    async def idle(self) -> None:
        """Take the time of a read that the cache answers."""
        if self._dice.random() < 0.5:
            await asyncio.sleep(0)

    def maybe_raise_after(self) -> None:
        """Something fails once all was done."""
        self._maybe("raises_after", errno.EIO)

    def reopen(self, power_lost: bool) -> None:
        """The process is gone; with the power goes what was not synced."""
        self.crash, self._full_until = None, 0.0
        if power_lost:
            if self._dirty:
                self.told["unsynced lost"] += 1
            self._lose(arrived=0.3, torn=0.3)
            self.cache = bytearray(self.platter)
            self._dirty.clear()

    def _lose(self, arrived: float, torn: float = 0.0) -> None:
        """Of what is not synced some arrives, some arrives torn; a failed sync at times throws the rest away."""
        forget = self._dice.random() < 0.5
        for sector in list(self._dirty):
            luck = self._dice.random()
            if luck < arrived:
                self._store(sector, SECTOR)
                del self._dirty[sector]
            elif luck < arrived + torn:
                self.told["torn"] += 1
                self._store(sector, self._dice.randrange(1, SECTOR))
            elif forget:
                self._restore(sector)
        if forget:
            self._dirty.clear()

    def _put(self, at: int, data: bytes) -> None:
        self.cache.extend(bytes(max(0, at + len(data) - len(self.cache))))
        self.cache[at : at + len(data)] = data
        self._dirty[at // SECTOR] = None

    def _store(self, sector: int, size: int) -> None:
        """A sector's first bytes reach the platter."""
        at = sector * SECTOR
        data = self.cache[at : at + size]
        self.changed_from = min(self.changed_from, at)
        self.platter.extend(bytes(max(0, at + len(data) - len(self.platter))))
        self.platter[at : at + len(data)] = data

    def _restore(self, sector: int) -> None:
        """The cache forgets a sector: it is again what the platter holds."""
        at = sector * SECTOR
        end = min(at + SECTOR, len(self.cache))
        kept = bytes(self.platter[at:end])
        self.cache[at:end] = kept + bytes(end - at - len(kept))

    async def _takes_time(self, what: str) -> None:
        if self.crash and what == self.crash_at:
            self.crash_in -= 1
            if not self.crash_in:
                self.told[f"crash at a {what}"] += 1
                self.crash()
        if self.faults.slow and self._dice.random() < self.faults.slow:
            self.told["slow"] += 1
            await asyncio.sleep(self._dice.random() * 1000 * self.faults.seconds)
        else:
            await asyncio.sleep(self._dice.random() * self.faults.seconds)

    def _check_room(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._full_until and self.faults.full and self._dice.random() < self.faults.full:
            self._full_until = now + self._dice.random() / 4
        if now < self._full_until:
            self.told["full"] += 1
            raise OSError(errno.ENOSPC, "no space left on device")

    def _maybe(self, fault: str, number: int) -> None:
        if (chance := getattr(self.faults, fault)) and self._dice.random() < chance:
            self.told[fault.replace("_", " ")] += 1
            raise OSError(number, fault.replace("_", " "))
