"""Any number of projections of one log, each by itself: one that is slow, fails or is rebuilt holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from events.log import BusyLog, ClosedLog, EventLog, StaleHead, UnwritableLog
from events.store.follow import Growth
from events.views import Views
from exchange.projections.kept import Projection, Projector, Rows

RETRY_SECONDS = 1.0
"""A projection that could not read or save waits so long before it begins again at what was saved last."""

_LOGGER = structlog.get_logger()


class Projections:
    """Runs projections over a log and a store of views, which stay their opener's."""

    def __init__(self, log: EventLog, views: Views, projections: Iterable[Projection]) -> None:
        self._log = log
        self._views = views
        self._projections = {projection.name: projection for projection in projections}
        self._projectors: dict[str, Projector] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._moved = Growth()
        for name in self._projections:
            self._start(name, anew=False)

    def rows(self, name: str) -> Rows:
        """What a projection says by now; it may lag behind the log."""
        return self._projectors[name].rows

    def place(self, name: str) -> int:
        """The batch up to which a projection is saved."""
        return self._projectors[name].place.batch

    async def reached(self, name: str, batch: int) -> None:
        """Wait until a projection is saved up to a batch. Raises what stopped it: ClosedLog, if nothing else."""
        while self.place(name) < batch:
            moved, task = self._moved.next, self._tasks[name]
            has_ended = task.done() and not task.cancelled()
            if has_ended:
                task.result()
            if has_ended or self._moved.is_closed:
                raise ClosedLog(f"projection {name}: it was closed, or its log; open them again")
            await moved.wait()

    async def rebuild(self, name: str) -> None:
        """Fold one projection from the beginning. Until that is done its view says what it said; the others go on."""
        await self._end(name)
        self._start(name, anew=True)

    async def close(self) -> None:
        """Stop all. Raises what stopped one of them for good: a log that is damaged, or newer than this program."""
        self._moved.close()
        for name in self._tasks:
            await self._end(name)

    def _start(self, name: str, anew: bool) -> None:
        self._projectors[name] = self._projector(name)
        self._tasks[name] = asyncio.create_task(self._run(name, anew))
        self._tasks[name].add_done_callback(lambda _: self._moved.announce())

    async def _end(self, name: str) -> None:
        self._tasks[name].cancel()
        results = await asyncio.gather(self._tasks[name], return_exceptions=True)
        if results[0] is not None and not isinstance(results[0], asyncio.CancelledError):
            raise results[0]

    async def _run(self, name: str, anew: bool) -> None:
        while True:
            try:
                return await self._projectors[name].run(anew)
            except (UnwritableLog, BusyLog, StaleHead) as error:
                _LOGGER.warning("projection interrupted", projection=name, why=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            self._projectors[name] = self._projector(name)

    def _projector(self, name: str) -> Projector:
        return Projector(self._log, self._views, self._projections[name], self._moved.announce)
