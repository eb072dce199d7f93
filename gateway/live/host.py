"""A session that is served: its file, its market, which goes on at the wall's speed, and what is read of it.

The market is played by a task of its own, in the same order as any replay, so that the session can be decided again
from its log. Where that task fails, the session is closed: nobody is to trade in a market that stands still unknown to
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import count
from pathlib import Path
from time import time_ns
from typing import Any

import structlog

from events.log import LogError
from exchange.failures import SequencerError
from gateway.live.market import LiveMarket
from gateway.live.opening import Parts, parts_of
from gateway.serving.calendar import NOTE
from replay.clock import Clock
from replay.control import Control
from replay.sources import SourceError
from replay.traders import SetupError

INSURANCE = Decimal(10_000_000)
"""What the insurance fund of a new session begins with."""

LOOK_SECONDS, SAVE_SECONDS = 1, 180
"""The pace is looked at so often, and read models are kept as they are."""

TOLD = (LogError, SequencerError, SetupError, SourceError)
"""What says by itself what is the matter."""

_LOGGER = structlog.get_logger()


class LiveSession:
    """The session in a file while it is served; `open` makes one.

    stopped is set as soon as it does not go on, and failure says why, unless it was closed.
    """

    def __init__(self, parts: Parts, closing: AsyncExitStack) -> None:
        self.market = parts.market
        self.calendar = parts.calendar
        self.control = parts.control
        self.sequencer = parts.sequencer
        self.player = parts.player
        self.venue = parts.venue
        self.blotter = parts.blotter
        self.tape = parts.tape
        self.log = parts.log
        self.stopped = asyncio.Event()
        self.failure: BaseException | None = None
        self._parts = parts
        self._closing = closing
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, path: Path, market: LiveMarket, *, pack: str = "binance-usdm", speed: str = "1",
        wall: Callable[[], int] = time_ns, clock: Clock | None = None,
        on_progress: Callable[[int], None] = lambda _batch: None,
    ) -> LiveSession:  # fmt: skip
        """Begin a session in a new file, or go on with the one that is there; once it is up to now, return it.

        pack names the rules of a new one. wall tells the time, ns since the epoch; on_progress hears of each batch that
        read models catch up with. Raises LogError, SourceError, SetupError.
        """
        async with AsyncExitStack() as closing:
            parts = await parts_of(path, market, pack, Control(speed, clock=clock), wall, on_progress, closing)
            session = cls(parts, closing)
            closing.push_async_callback(session._end)
            await session._begin()
            session._closing = closing.pop_all()
        return session

    @property
    def is_ready(self) -> bool:
        """Whether the market goes on and clients may trade."""
        return not self.stopped.is_set()

    @property
    def is_on_time(self) -> bool:
        """Whether session time is shown as the wall's: not while it is paused or plays at another speed, nor
        afterwards, until somebody seeks the present.
        """
        return self._parts.pace.is_on_time

    @property
    def is_over(self) -> bool:
        """Whether the market's rows have come to their end: trading goes on with the last book."""
        return self.player.is_over

    async def save(self) -> None:
        """Keep the read models as they are, so that the next start is quick. Raises LogError."""
        await self._parts.shelf.save(self.sequencer.durable)

    async def close(self) -> None:
        """Stop the market, make everything durable, and close the file. The session can be opened again."""
        await self._closing.aclose()

    async def _begin(self) -> None:
        """Let the market go on, and catch up with the wall. Raises what the market raises."""
        parts = self._parts
        indices = parts.market.indices(parts.pack)
        if parts.is_new:
            playing = self.player.run(parts.pack, parts.market.options(parts.pack), INSURANCE, indices)
        else:
            playing = self.player.resume(parts.ends, INSURANCE, indices)
        played = self._task(playing)
        played.add_done_callback(self._market_ended)
        await parts.pace.catch_up(lambda: played.done() or self.is_over)
        if played.done():
            await played
        self._task(self._look_after())
        _LOGGER.info("session served", record=self.sequencer.durable.seq, at=self.venue.shown_ms)

    def _task(self, doing: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.append(task)
        return task

    def _market_ended(self, market: asyncio.Task[Any]) -> None:
        """The market goes no further: it was stopped, or it failed, and then nobody trades any more."""
        if not market.cancelled() and (error := market.exception()) is not None:
            self.failure = error
            _LOGGER.error("market failed", why=repr(error), exc_info=None if isinstance(error, TOLD) else error)
            self._stopping = asyncio.get_running_loop().create_task(self.sequencer.close())
        self.stopped.set()

    async def _end(self) -> None:
        """Stop all that runs, then keep what was read."""
        self.control.stop()
        for task in self._tasks[1:]:
            task.cancel()
        stopping = [self._stopping] if self._stopping else []
        await asyncio.gather(*self._tasks, *stopping, return_exceptions=True)
        if not self.failure:
            await self.sequencer.flush()
            await self.save()

    async def _look_after(self) -> None:
        """Again and again: the pace, the end of the market, and read models, of which those that cannot be kept now are
        folded again at the next start.
        """
        was_over = False
        for second in count(1):
            await asyncio.sleep(LOOK_SECONDS)
            if self._parts.pace.look(self.venue.state.now):
                _LOGGER.warning("held up for long", what="what was missed is left out, as after a stop")
                await self.log.note(NOTE, self.calendar.text())
            if self.is_over and not was_over:
                was_over = True
                _LOGGER.warning("market over", what="its rows have ended; trading goes on with the last book")
            if second % SAVE_SECONDS == 0:
                try:
                    await self.save()
                except LogError as error:
                    _LOGGER.warning("read models not kept", why=str(error))
