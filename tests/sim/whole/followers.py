"""Who follows the log: each at its own pace, each everything once and in order, some from the beginning again."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

from events.log import Head, UnwritableLog, check_chain
from exchange.sequencer import Sequencer
from tests.sim.whole.witness import Witness


class Follower:
    """A reader outside of the process: it remembers how far it came."""

    def __init__(self, name: str, dice: Random, witness: Witness, told: Counter[str]) -> None:
        self.head = Head()
        self._name = name
        self._dice = dice
        self._witness = witness
        self._counts = told

    async def live(self, sequencer: Sequencer) -> None:
        """Follow until the log is closed, with pauses; at times give up and begin anew."""
        pace = self._dice.choice((0, 0.0001, 0.01))
        if self._dice.random() < 0.2:
            self.head = Head()
            self._counts["followed from the beginning"] += 1
        while True:
            try:
                await self._follow(sequencer, pace)
            except UnwritableLog:
                self._counts["a follower could not read"] += 1
            else:
                return

    async def _follow(self, sequencer: Sequencer, pace: float) -> None:
        async for stored in sequencer.follow(self.head.batch):
            self.head = check_chain(self.head, stored)
            self._witness.saw(stored.number, stored.digest, self._name)
            self._counts["followed"] += 1
            if pace:
                self._counts["a slow follower"] += 1
                await asyncio.sleep(pace * self._dice.random())
