"""What the tests of the sequencer share: a log that can be held, and a session with two traders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from events import commands as c
from events.codec import decode_body
from events.log import EventLog, Head, StoredBatch, StoredChunk
from events.observations import Kind, Observations
from events.record import Batch
from events.store.memory import MemoryLog
from exchange.core import snapshot
from exchange.core.state import RULES_VERSION, State
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from tests.spec.words import BUY, EASY, GOLD, SELL, TICK, TIN, USD


def one_fact_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Due work is done fact by fact."""
    for name in ("PROCEED_FACTS", "TURN_FACTS"):
        monkeypatch.setattr(f"exchange.sequencer.{name}", 1)


TRADERS = ("ann", "bob", "cat", "dan")


class HeldLog(MemoryLog):
    """A log whose appends wait while it is held, and fail where a failure is set. groups: how large they were.

    A failure holds reading as well, until `heal`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []
        self._failure: Exception | None = None
        self._open = asyncio.Event()
        self._readable = asyncio.Event()
        self.let_go()
        self.heal()

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    def fail(self, failure: Exception) -> None:
        self._failure = failure
        self._readable.clear()
        self.let_go()

    def heal(self) -> None:
        self._failure = None
        self._readable.set()

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        await self._readable.wait()
        async for stored in super().read(after):
            yield stored

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        self.groups.append(len(batches))
        await self._open.wait()
        if self._failure is not None:
            raise self._failure
        return await super().append(batches, expected_head, chunks)


def opening() -> list[c.Command]:
    """A session with four traders, of whom two hold what the others owe; mark 100."""
    asked: list[c.Command] = [c.OpenSession(1, RULES_VERSION, EASY, c.SessionOptions())]
    for name in TRADERS:
        asked += [c.OpenAccount(1, name, "open"), c.Deposit(1, name, "deposit", USD, 10_000)]
    asked += [c.SetMarkPrice(1, instrument, 100 * TICK) for instrument in (GOLD, TIN)]
    asked += [c.PlaceOrder(2, name, "order", 1, GOLD, SELL, 5, 100) for name in TRADERS[::2]]
    asked += [c.PlaceOrder(2, name, "order", 1, GOLD, BUY, 5, 100) for name in TRADERS[1::2]]
    return asked


def deposit(request: str, name: str = "ann", amount: int = 1, at: int = 5) -> c.Deposit:
    return c.Deposit(at, name, request, USD, amount)


async def hosted(log: EventLog, **options: int) -> Sequencer:
    """A sequencer whose session is open."""
    sequencer = await Sequencer.open(log, **options)
    for command in opening():
        sequencer.decide(command)
    await sequencer.flush()
    return sequencer


async def history(log: EventLog) -> list[Batch]:
    return [decode_body(stored.number, stored.body) async for stored in log.read()]


async def commands(log: EventLog, after: int = 0) -> list[c.Command]:
    """The commands of the log, in order."""
    return [batch.command for batch in await history(log) if batch.number > after]


async def is_what_the_log_says(state: State, log: EventLog) -> bool:
    """Whether a fresh rebuild gives the same state."""
    return snapshot.digest((await rebuild(log)).state) == snapshot.digest(state)


def marks(instrument: str, *ticks: int, at: int = 10) -> Observations:
    """A chunk of marks, a nanosecond apart."""
    count = len(ticks)
    times = list(range(at, at + count))
    chunk = Observations(instrument, [Kind.MARK] * count, times, times, list(range(count)))
    chunk.mark = [tick * TICK for tick in ticks]
    chunk.mark_index = chunk.mark_rate = chunk.mark_next_funding = [0] * count
    chunk.check()
    return chunk
