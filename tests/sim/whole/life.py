"""One life of the process: it opens what the disk holds, serves whoever asks, and ends by itself or in a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from random import Random
from typing import Any

from events.log import EventLog, LogError, StoredSnapshot
from events.views import Views
from exchange.core import snapshot
from exchange.core.state import State
from exchange.failures import NotAcknowledged, Stopped
from exchange.projections.running import RETRY_SECONDS, Projections
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from exchange.snapshots import taken
from tests.sim.whole.clients import Client, Operator
from tests.sim.whole.followers import Follower
from tests.sim.whole.views import PROJECTIONS
from tests.sim.whole.witness import Witness

SETTLE_TRIES = 50
"""Whoever tries to come to an end more often waits for ever."""

Opener = Callable[[], Awaitable[tuple[EventLog, Views]]]


class Outside:
    """All that is outside of the process and outlives it, the disk aside."""

    def __init__(self, seed: int, witness: Witness, told: Counter[str]) -> None:
        self.dice = Random(f"{seed} outside")
        self.told = told
        self.witness = witness
        self.clients = [Client(name, self._dice(name), witness, told) for name in ("ann", "bob", "cat")]
        self.followers = [Follower(f"follower {n}", self._dice(f"follower {n}"), witness, told) for n in range(2)]
        self.operator = Operator(self._dice("operator"), told)

    def _dice(self, name: str) -> Random:
        return Random(f"{self.dice.random()} {name}")


class Life:
    """A process that serves the outside from one disk. `before_closing`, if set, is called when all were served."""

    def __init__(self, outside: Outside, opener: Opener, dice: Random) -> None:
        self._outside = outside
        self._opener = opener
        self._dice = dice
        self._readers: list[asyncio.Task[None]] = []
        self.before_closing: Callable[[], None] | None = None

    async def live(self, commands: int, settles: bool = True) -> State | None:
        """Serve so many new commands of each client; the state with which the session was closed, None where the
        process had to give up, or is not to wait until everything came to rest.
        """
        try:
            self._log, views = await self._opener()
        except (OSError, LogError):
            self._outside.told["not opened"] += 1
            return None
        try:
            self._projections = Projections(self._log, views, PROJECTIONS)
            return await self._serve(commands, settles)
        except (Stopped, LogError):
            self._outside.told["stopped"] += 1
            return None
        finally:
            await self._projections.close()
            await self._log.close()
            if self._readers:
                await asyncio.gather(*self._readers)

    async def _serve(self, commands: int, settles: bool) -> State | None:
        dice, told = self._dice, self._outside.told
        apart = dice.choice((60, 10**9))
        sequencer = await Sequencer.open(
            self._log,
            group=dice.choice((1, 3, 1000)),
            linger=dice.choice((0, 0.01)),
            limit=dice.choice((2, 5, 4096)),
            snapshots=self._snapshot if apart < 10**9 else None,
            apart=apart,
        )
        told["opened"] += 1
        self._outside.witness.saw(sequencer.durable.batch, sequencer.durable.digest, "the sequencer")
        try:
            await self._outside.operator.open(sequencer)
            self._start(one.live(sequencer) for one in self._outside.followers)
            if dice.random() < 0.3:
                self._start([self._rebuild(dice.choice(PROJECTIONS).name, dice.random() / 10)])
            await self._asked(sequencer, commands, 1000 if settles else self._dice.random() / 4)
            if apart == 10**9 and not settles:
                await self._kept(sequencer)
            state = await self._settled(sequencer) if settles else None
            if self.before_closing:
                self.before_closing()
            return state
        finally:
            with suppress(NotAcknowledged, Stopped):
                await sequencer.close()

    async def _rebuild(self, name: str, seconds: float) -> None:
        """Have a projection folded anew, after a while; the others go on."""
        await asyncio.sleep(seconds)
        await self._projections.rebuild(name)
        self._outside.told["a projection rebuilt"] += 1

    def _start(self, readers: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Let somebody read, until the log is closed."""
        self._readers += [asyncio.create_task(reader) for reader in readers]

    async def _asked(self, sequencer: Sequencer, commands: int, seconds: float) -> None:
        """Let everybody ask, until they were told or the time is up."""
        asking = [one.live(sequencer, commands) for one in (*self._outside.clients, self._outside.operator)]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for failed in await asyncio.gather(*asking, return_exceptions=True):
                    if isinstance(failed, BaseException):
                        raise failed

    async def _kept(self, sequencer: Sequencer) -> None:
        """Have the state kept as a replay does on its way, twice: the second waits until the first one is stored."""
        with suppress(NotAcknowledged):
            for _ in range(2):
                await sequencer.ready()
                sequencer.take_snapshot()
                self._outside.told["state kept"] += 1

    async def _settled(self, sequencer: Sequencer) -> State:
        """The state once no work is due and everything is durable; it is that of the log."""
        for _ in range(SETTLE_TRIES):
            try:
                while sequencer.state.has_work:
                    await asyncio.sleep(0.001)
                await sequencer.flush()
            except NotAcknowledged:
                await asyncio.sleep(0.05)
                continue
            state, durable = sequencer.state, sequencer.durable
            if not state.has_work and state.batch == durable.batch:
                self._outside.witness.saw(durable.batch, durable.digest, "the sequencer")
                rebuilt = await rebuild(self._log)
                assert snapshot.digest(rebuilt.state) == snapshot.digest(state), "rebuilt and live state differ"
                await self._projected(durable.batch)
                self._outside.told["settled"] += 1
                return state
        raise AssertionError("the session does not come to rest")

    async def _projected(self, batch: int) -> None:
        """Every projection comes as far as the log, however often it has to begin again."""
        try:
            async with asyncio.timeout(1000 * RETRY_SECONDS):
                for projection in PROJECTIONS:
                    await self._projections.reached(projection.name, batch)
        except TimeoutError:
            raise AssertionError("the projections do not come to rest") from None

    async def _snapshot(self) -> StoredSnapshot:
        made = taken(*await rebuild(self._log))
        self._outside.told["snapshot"] += 1
        return made
