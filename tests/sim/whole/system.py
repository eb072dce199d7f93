"""A seed: lives of one process, one after the other on one disk, that end in crashes until the last one does not.

After each life the disk is looked at as the next process will find it; after the last one all of it once more, against
a core that decided the same commands without a disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from structlog.testing import capture_logs

from events.log import EventLog
from events.record import Batch
from events.views import Views
from exchange.core.state import State
from tests.full_batches import batches_of
from tests.sim.whole.awaits import Wait, all_waits, where
from tests.sim.whole.disk import SOUND, Disk, Faults
from tests.sim.whole.life import Life, Outside
from tests.sim.whole.log import decoded, frames, open_log
from tests.sim.whole.loop import Crashed, SeededLoop
from tests.sim.whole.views import check_views, found, open_disk_views
from tests.sim.whole.witness import Witness, check_model

LIVES = 4
"""So many lives may end in a crash."""

Trace = Callable[[str], None]


class Reached(NamedTuple):
    """What happened, and where crashes fell."""

    events: Counter[str]
    waits: Counter[Wait]


class System:
    """The disk, what is outside of the process, and the dice."""

    def __init__(self, seed: int, trace: Trace | None = None, at: Wait | None = None) -> None:
        self.events: Counter[str] = Counter()
        self.waits: Counter[Wait] = Counter()
        self._dice = Random(f"{seed} world")
        self._order = Random(f"{seed} order")
        self._trace = trace
        self._at = at
        self._now = 0.0
        self.disk = Disk("log", Random(f"{seed} disk"), self._told())
        self.views = Disk("views", Random(f"{seed} views"), self._told())
        self.witness = Witness(self.disk)
        self.outside = Outside(seed, self.witness, self._told())

    def run(self) -> Reached:
        """Live to the end, all checks made."""
        with capture_logs(), batches_of(self._dice.choice((8, 64, 4096))):
            for _ in range(self._dice.randint(1, LIVES)):
                self._live(crashes=self._dice.random() < 0.8)
            state = self._live(crashes=False, faults=SOUND)
            assert state, "a sound disk is enough"
            assert all(client.is_done for client in self.outside.clients), "somebody was never answered"
            check_model(self._found(), self.outside.operator.columns, state)
        return Reached(self.events, self.waits)

    def _live(self, crashes: bool, faults: Faults | None = None) -> State | None:
        dice = self._dice
        for disk in (self.disk, self.views):
            disk.faults = self._faults() if faults is None else faults
        loop = SeededLoop(self._order, self._now, self._at_turn if self._trace else None)
        loop.at_crash = lambda tasks: self.waits.update(where(tasks))
        if crashes and dice.random() < 0.6:
            loop.watch = Target(dice, self._at).is_hit
        elif crashes and dice.random() < 0.4:
            self.disk.crash, self.disk.crash_at = loop.crash, dice.choice(("read", "write", "sync", "sync"))
            self.disk.crash_in = dice.randint(1, 60 if self.disk.crash_at == "write" else 20)
        elif crashes and dice.random() < 0.8:
            loop.crash_at(dice.randint(1, dice.choice((60, 600, 3000))))
        life = Life(self.outside, self._open, dice)
        if crashes:
            life.before_closing = lambda: loop.crash_at(loop.turns + dice.randint(1, 40))
        self._say("a process begins")
        try:
            state = loop.run(life.live(dice.randint(1, 6), not crashes or dice.random() < 0.5))
            self.events["closed" if state else "gave up"] += 1
        except Crashed:
            state = None
            self.events["crashed"] += 1
        self._now = loop.time()
        self._end(state is None and dice.random() < 0.6)
        return state

    def _end(self, power_lost: bool) -> None:
        """The process is gone. What the next one will find is looked at."""
        self._say("power is lost" if power_lost else "the process is gone")
        self.events["power lost"] += power_lost
        for disk in (self.disk, self.views):
            disk.reopen(power_lost)
        self._found()

    def _found(self) -> list[Batch]:
        payloads = [decoded(frame.payload) for frame in frames(self.disk.cache)]
        stored = [batch for written in payloads for batch in written.batches]
        check_views(found(self.views), stored)
        return self.witness.check(stored)

    async def _open(self) -> tuple[EventLog, Views]:
        return await open_log(self.disk), await open_disk_views(self.views)

    def _faults(self) -> Faults:
        """Which faults a life has: some, seldom all, at times none."""
        dice, chances = self._dice, (0.0, 0.0, 0.02, 0.1)
        return Faults(
            *(dice.choice(chances) for _ in range(2)),
            *(dice.choice((0.0, 0.0, 0.05)), dice.choice(chances), dice.choice(chances)),
            slow=dice.choice((0.0, 0.1)),
            seconds=dice.choice((0.00001, 0.001, 0.02)),
        )

    def _told(self) -> Counter[str]:
        return _Telling(self.events, self._say) if self._trace else self.events

    def _at_turn(self, what: str) -> None:
        self._say(what)

    def _say(self, what: str) -> None:
        if self._trace:
            self._trace(what)


class Target:
    """A place where the code waits, at which the process is to crash when it comes there for the n-th time."""

    def __init__(self, dice: Random, wait: Wait | None) -> None:
        self._wait = wait or dice.choice(all_waits())
        self._times = dice.choice((1, 1, 2, 5))

    def is_hit(self, task: asyncio.Task[Any]) -> bool:
        """Whether a task stands there, and it is time."""
        self._times -= self._wait in where([task])
        return self._times <= 0


class _Telling(Counter[str]):
    """Counts into another counter, and says so."""

    def __init__(self, into: Counter[str], say: Trace) -> None:
        super().__init__()
        self._into = into
        self._say = say

    def __setitem__(self, name: str, count: int) -> None:
        if count > self[name]:
            self._say(f"-- {name}")
        self._into[name] += count - self[name]
        super().__setitem__(name, count)
