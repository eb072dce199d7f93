"""A made-up session once more, as its clients live it: through the real sequencer, over a log that fails now and then.

An append fails before anything is stored, or after all of it was, which nobody can tell from outside; at times the
whole log is gone for good, as where the process dies, and the session is opened again. Clients send again what was not
acknowledged. What must hold: whatever was acknowledged is in the log, with that outcome; nothing is there twice; the
state is that of the log rebuilt, and of its commands decided once more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from structlog.testing import capture_logs

from events.chunks import encode_chunk
from events.codec import decode_body, encode_body
from events.commands import AdvanceMarket, ChunkId, Command, SubmitBatch, TradersCommand
from events.facts import AccountOpened, ItemRefused, ItemRepeated
from events.log import EventLog, Head, StoredBatch, StoredChunk, StoredSnapshot, UnwritableLog
from events.observations import Observations
from events.record import Batch
from events.refusals import Reason
from events.store.memory import MemoryLog
from events.store.sqlite import open_session
from exchange.audit import audit
from exchange.core import invariants, snapshot
from exchange.core.state import State
from exchange.core.step import step
from exchange.failures import NotAcknowledged, Stopped, Unfit
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from exchange.snapshots import taken
from tests.full_batches import batches_of
from tests.sim.world import World, lend, refusal

HOSTING = (
    "memory", "sqlite", "acknowledged", "failed before", "failed after", "lost for good", "sent again", "snapshot"
)  # fmt: skip
"""What happens to a session that is hosted."""


TRIES = 100
"""Whoever sends something more often waits for ever."""


class FailingLog:
    """A log whose appends fail by dice, before or after they are done, and which may be `lost`: nothing works then."""

    def __init__(self, log: EventLog, dice: Random, events: Counter[str]) -> None:
        self.log = log
        self.lost = False
        self._dice = dice
        self._events = events

    def _check(self) -> None:
        if self.lost:
            raise UnwritableLog("the disk is gone")

    def _fails(self, when: str, chance: float) -> None:
        if self._dice.random() < chance:
            self._events[f"failed {when}"] += 1
            raise UnwritableLog(f"the disk failed {when} it was done")

    async def append(
        self, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        """See `EventLog.append`."""
        self._check()
        self._fails("before", 0.05)
        head = await self.log.append(batches, expected_head, chunks)
        self._fails("after", 0.05)
        return head

    async def head(self) -> Head:
        """See `EventLog.head`."""
        self._check()
        return await self.log.head()

    async def read(self, after: int = 0) -> AsyncIterator[StoredBatch]:
        """See `EventLog.read`."""
        self._check()
        async for stored in self.log.read(after):
            yield stored

    def follow(self, after: int = 0) -> AsyncIterator[StoredBatch]:
        """See `EventLog.follow`."""
        return self.log.follow(after)

    async def chunk(self, id: ChunkId) -> StoredChunk:
        """See `EventLog.chunk`."""
        return await self.log.chunk(id)

    async def keep(self, snapshot: StoredSnapshot) -> None:
        """See `EventLog.keep`."""
        self._check()
        await self.log.keep(snapshot)
        self._events["snapshot"] += 1

    async def snapshot(self, version: int, until: int | None = None) -> StoredSnapshot | None:
        """See `EventLog.snapshot`."""
        return await self.log.snapshot(version, until)

    async def close(self) -> None:
        """See `EventLog.close`."""
        await self.log.close()


Opener = Callable[[], Awaitable[EventLog]]


class Host:
    """The sequencer of the moment, and what its clients were told: `acknowledged`, by account and request."""

    def __init__(self, opener: Opener, dice: Random) -> None:
        self.events: Counter[str] = Counter()
        self.acknowledged: dict[tuple[str, str], tuple[int, Reason | None]] = {}
        self._opener = opener
        self._dice = dice
        self._chunks: list[tuple[StoredChunk, Observations]] = []
        self._apart = dice.choice((50, 10**9))

    async def open(self) -> None:
        """Open the log, and the session in it."""
        self.log = FailingLog(await self._opener(), self._dice, self.events)
        snapshots = self._snapshot if self._apart < 10**9 else None
        self.sequencer = await Sequencer.open(
            self.log, group=self._dice.choice((1, 3, 1000)), linger=0, snapshots=snapshots, apart=self._apart
        )
        for chunk, observations in self._chunks:
            self.sequencer.add_chunk(chunk, observations)

    async def _snapshot(self) -> StoredSnapshot:
        return taken(*await rebuild(self.log.log))

    def lend(self, observations: Observations) -> ChunkId:
        """Have observations ready for the commands that refer to them."""
        chunk = encode_chunk(observations)
        self._chunks.append((chunk, observations))
        self.sequencer.add_chunk(chunk, observations)
        return chunk.id

    async def send(self, commands: list[Command]) -> None:
        """Send commands at once, and again as long as they are not acknowledged; at times the log is lost meanwhile."""
        for _ in range(TRIES):
            if not commands:
                return
            answers = [self._sent(command) for command in commands]
            if self._dice.random() < 0.02:
                self.log.lost = True
            results = await asyncio.gather(*answers, return_exceptions=True)
            told = [self._told(*each) for each in zip(commands, results, strict=True)]
            commands = [command for command, done in zip(commands, told, strict=True) if not done]
            self.events["sent again"] += len(commands)
            if self.log.lost:
                await self._reopen()
        raise AssertionError(f"{commands[0]} is never acknowledged")

    async def _sent(self, command: Command) -> Any:
        return await self.sequencer.submit(command)

    def _told(self, command: Command, result: Any) -> bool:
        """Whether that was an answer; what was acknowledged once is acknowledged alike for ever."""
        if isinstance(result, NotAcknowledged | Stopped):
            return False
        if isinstance(result, BaseException) and not isinstance(result, Unfit):
            raise result
        if isinstance(command, TradersCommand) and not isinstance(result, Unfit):
            self.events["acknowledged"] += 1
            name, answer = (command.account, command.request), (result.seq, result.reason)
            if command.account in self.sequencer.state.accounts:
                assert self.acknowledged.setdefault(name, answer) == answer, f"{name} has two outcomes"
        return True

    async def _reopen(self) -> None:
        """The process is gone, what it had in hand with it; another one opens what is on the disk."""
        self.events["lost for good"] += 1
        with suppress(NotAcknowledged, Stopped):
            await self.sequencer.close()
        await self.log.close()
        await self.open()


async def hosted(world: World, opener: Opener, dice: Random) -> Counter[str]:
    """Host the session of a world, all checks made; how often what happened."""
    host = Host(opener, dice)
    await host.open()
    try:
        await _live(host, world, dice)
    finally:
        with suppress(NotAcknowledged, Stopped):
            await host.sequencer.close()
        await host.log.close()
    return host.events


async def _live(host: Host, world: World, dice: Random) -> None:
    ids = {chunk: host.lend(observations) for chunk, observations in world.columns.items()}
    commands = [_readdressed(move, ids) for move in world.moves if isinstance(move, Command)]
    while commands:
        share = dice.choice((1, 2, 5, 20))
        await host.send(commands[:share])
        del commands[:share]
    state = await _closed(host)
    batches = [decode_body(stored.number, stored.body) async for stored in host.log.log.read()]
    check_log(host, batches)
    assert snapshot.digest((await rebuild(host.log.log)).state) == snapshot.digest(state), "rebuilt and live differ"
    check_decided_again(batches, {ids[chunk]: columns for chunk, columns in world.columns.items()}, state)


async def _closed(host: Host) -> State:
    """The state with which the session ended: no work is due, and everything is durable."""
    for _ in range(TRIES * TRIES):
        with suppress(NotAcknowledged):
            await host.sequencer.flush()
        state = host.sequencer.state
        if not state.due and host.sequencer.durable.batch == state.batch:
            await host.sequencer.close()
            return state
        await asyncio.sleep(0)
    raise AssertionError("the session does not come to an end")


def _readdressed(command: Command, ids: dict[ChunkId, ChunkId]) -> Command:
    """The command with the name that the log gives to its chunk."""
    if isinstance(command, AdvanceMarket):
        return msgspec.structs.replace(command, chunk=ids.get(command.chunk, command.chunk))
    return command


def answers(batch: Batch) -> dict[tuple[str, str], Any]:
    """What the log says to the requests of a batch, those of items too: why they were refused, or None."""
    command, told = batch.command, {}
    if isinstance(command, TradersCommand):
        told[command.account, command.request] = refusal(batch)
    for number, item in enumerate(command.items if isinstance(command, SubmitBatch) else ()):
        refused = (fact for fact in batch.facts if isinstance(fact, ItemRefused) and fact.item == number)
        told.setdefault((item.account, item.request), next((fact.reason for fact in refused), None))
    return told


def check_log(host: Host, batches: list[Batch]) -> None:
    """What was acknowledged is in the log, with that outcome, and once."""
    found = {batch.first_seq: batch for batch in batches}
    for (account, request), (seq, reason) in host.acknowledged.items():
        told = answers(found[seq])
        assert (account, request) in told, f"record {seq} is another command"
        assert told[account, request] == reason, f"{account} was told {reason}, the log says otherwise"
    assert [name for name, times in Counter(asked(batches)).items() if times > 1] == [], "decided twice"
    audit(batches)


def asked(batches: list[Batch]) -> Iterator[tuple[str, str]]:
    """Whose request each batch answers, where there is an account to remember it."""
    accounts: set[str] = set()
    for batch in batches:
        accounts |= {fact.account for fact in batch.facts if isinstance(fact, AccountOpened)}
        command = batch.command
        if isinstance(command, TradersCommand) and command.account in accounts:
            yield command.account, command.request
        if isinstance(command, SubmitBatch) and not refusal(batch):
            repeated = [fact.item for fact in batch.facts if isinstance(fact, ItemRepeated)]
            yield from ((item.account, item.request) for n, item in enumerate(command.items) if n not in repeated)


def check_decided_again(batches: list[Batch], columns: dict[ChunkId, Observations], state: State) -> None:
    """The commands of the log lead to its facts, and to the state."""
    again = lend(State(), columns)
    for batch in batches:
        decided = step(again, batch.command)
        assert isinstance(decided, Batch)
        assert encode_body(decided) == encode_body(batch), f"batch {batch.number} is decided in another way"
    assert snapshot.digest(again) == snapshot.digest(state), "re-decided and live differ"
    invariants.check_end_of_batch(state)


def host_again(world: World, seed: int | str) -> Counter[tuple[str, str]]:
    """Host the session of a world, in memory or in a file; what happened, as a census counts it."""
    dice = Random(f"{seed} host")
    with capture_logs(), TemporaryDirectory() as folder, batches_of(world.batch_facts):
        store = dice.choice(("memory", "sqlite"))
        opener = _in_file(Path(folder) / "session.db") if store == "sqlite" else _in_memory()
        events = asyncio.run(hosted(world, opener, dice))
    events[store] += 1
    return Counter({("hosting", name): times for name, times in events.items()})


class _KeptLog(MemoryLog):
    """A log in memory that outlives its sessions, as a disk does."""

    async def close(self) -> None:
        pass


def _in_memory() -> Opener:
    log = _KeptLog()

    async def opened() -> EventLog:
        return log

    return opened


def _in_file(path: Path) -> Opener:
    async def opened() -> EventLog:
        return await open_session(path, create=not path.exists())

    return opened
