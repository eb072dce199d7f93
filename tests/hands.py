"""A session by keys for tests: no terminal, and no clock but one that is set by hand."""

from __future__ import annotations

import asyncio

from events.store.memory import MemoryLog
from gateway.playing.deck import Deck
from gateway.playing.keys import Keys
from replay.clock import ManualClock
from replay.control import Control
from replay.visit import Visit
from tests.loop import turns

WIDTH, HEIGHT = 100, 40


class Hands:
    """A session in somebody's hands: keys go in, the screen comes out."""

    def __init__(self, log: MemoryLog) -> None:
        self.visit = Visit(log)
        self.control = Control(is_playing=False, clock=ManualClock())
        self.deck = Deck(self.control, lambda: self.visit.state, "session.db", fork=self._fork)
        self.visit.on_batch = self.deck.note
        self.keys = Keys(self.deck)
        self.forks: list[tuple[int, list[str]]] = []

    async def __aenter__(self) -> Hands:
        await self.visit.seek_batch(1)
        self._playing = asyncio.create_task(self.visit.play(self.control))
        self._working = asyncio.create_task(self.keys.work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.keys.press("q")
        await self._playing
        self._working.cancel()
        await self.visit.close()

    async def press(self, *keys: str) -> list[str]:
        """Press keys and let come of it what may; the screen."""
        for key in keys:
            self.keys.press(key)
            await turns(60)
        return self.keys.shown(WIDTH, HEIGHT)

    async def type(self, key: str, line: str) -> list[str]:
        """Begin a line with a key, type it and enter it; the screen."""
        return await self.press(key, *line, "enter")

    async def _fork(self, record: int, _: object, words: list[str]) -> str:
        self.forks.append((record, words))
        return "written"
