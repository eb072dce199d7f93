"""Snapshots of a running session, made beside it: the next opening, and every look back, starts at one of them.

Where clients wait, a snapshot is made from the log, not from the state that decides, so that deciding never waits for
it: for a session in a file by a process of its own (`python -m exchange.snapshots FILE` prints one). A replay, where
nobody waits, takes them of the state that it has.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog

from events.log import EventLog, Head, StoredSnapshot
from events.snapshot import from_bytes, seal, to_bytes
from events.store.sqlite import open_session
from exchange.core.snapshot import STATE_VERSION, encode
from exchange.core.state import State
from exchange.rebuild import rebuild

RECORDS_APART = 100_000
"""A running session is given a snapshot after so many records; a session that closes, after a tenth of them."""

Maker = Callable[[], Awaitable[StoredSnapshot]]
"""Makes a snapshot of what the log holds by now."""

_LOGGER = structlog.get_logger()


class SnapshotFailed(Exception):
    """The process that makes a snapshot ended without one; the message is what it complained of."""


class Keeper:
    """Sees to it that a log gets its snapshots. A snapshot that fails is reported and missed by nobody; an assertion
    is a bug, which comes back from whatever is asked next.
    """

    def __init__(self, log: EventLog, maker: Maker | None, apart: int, last: int) -> None:
        self._log = log
        self._maker = maker
        self._apart = apart
        self._last = last
        self._held: deque[StoredSnapshot] = deque()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def of(cls, log: EventLog, maker: Maker | None, apart: int) -> Keeper:
        """The keeper of a log that may have snapshots already."""
        kept = await log.snapshot(STATE_VERSION)
        return cls(log, maker, apart, kept.seq if kept else 0)

    def hold(self, snapshot: StoredSnapshot) -> None:
        """Keep this one as soon as the log reaches so far."""
        self._held.append(snapshot)
        self._last = snapshot.seq

    def let_go(self) -> None:
        """What the log does not reach yet, it never will."""
        self._held.clear()

    def grown(self, durable: Head) -> None:
        """The log reaches so far now: keep what waited for that, or start a snapshot if one is wanted."""
        if self._task and self._task.done():
            self._task.result()
        if self._held and self._held[0].batch <= durable.batch and self._task is None:
            held = partial(_given, self._held.popleft())
            self._task = asyncio.get_running_loop().create_task(self._make(held))
        elif self._maker and durable.seq - self._last >= self._apart and self._task is None:
            self._last = durable.seq
            self._task = asyncio.get_running_loop().create_task(self._make(self._maker))

    async def finish(self, state: State, durable: Head) -> None:
        """The session closes: wait for what is begun, and keep its last state if it grew enough since."""
        if self._task:
            await self._task
        while self._held and self._held[0].batch <= durable.batch:
            await self._make(partial(_given, self._held.popleft()))
        if state.seq == durable.seq and durable.seq - self._last >= self._apart // 10:
            self._last = durable.seq
            await self._make(partial(_given, taken(state, durable)))

    async def _make(self, maker: Maker) -> None:
        try:
            await self._log.keep(await maker())
        except AssertionError:
            raise
        except Exception as error:
            _LOGGER.warning("no snapshot", why=str(error))
        self._task = None


async def _given(snapshot: StoredSnapshot) -> StoredSnapshot:
    return snapshot


def taken(state: State, head: Head) -> StoredSnapshot:
    """The snapshot of a state that is all of the log up to this head."""
    return seal(head, STATE_VERSION, encode(state))


def in_a_process(session: Path) -> Maker:
    """Makes snapshots of the session in a file, each in a process of its own."""

    async def make() -> StoredSnapshot:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exchange.snapshots", str(session),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, complaint = await process.communicate()
        if process.returncode:
            raise SnapshotFailed(complaint.decode(errors="replace").strip().rpartition("\n")[2])
        return from_bytes(out)

    return make


async def _of_file(session: Path) -> StoredSnapshot:
    log = await open_session(session, read_only=True)
    try:
        return taken(*await rebuild(log))
    finally:
        await log.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(to_bytes(asyncio.run(_of_file(Path(sys.argv[1])))))
