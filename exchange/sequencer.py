"""The host of the core: one command in, one batch of records out, acknowledged once durable.

    submit ──> inbox ──┐
                       ├──> step ──> committer ──> log ──> acknowledgement
    decide ────────────┘

Clients `submit`; what they ask waits in the inbox only while due work does, and takes turns with it. The player calls
`decide`, which does all due work at once, and awaits `ready` now and then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import structlog

from events.commands import AdvanceTime, ChunkId, Command, Proceed
from events.log import EventLog, Head, StoredBatch, StoredChunk
from events.observations import Observations
from events.record import Batch
from events.units import Nanos
from exchange.committer import (
    GROUP_BATCHES,
    LINGER_SECONDS,
    Acknowledgement,
    Answer,
    Committer,
    acknowledgement_of,
    copy_of,
    fail,
)
from exchange.core.state import Outcome, State
from exchange.core.step import step
from exchange.failures import NotAcknowledged, Stopped, Unfit
from exchange.fitting import misfit, moved
from exchange.rebuild import FindChunk, rebuild
from exchange.snapshots import RECORDS_APART, Keeper, Maker, taken

PROCEED_FACTS = 4096
"""The player has due work done in batches of so many facts at most."""

TURN_FACTS = 128
"""Where clients wait for their turn between two of them, batches of due work hold so many facts at most."""

PENDING_BATCHES = 4096
"""So many batches may be decided and not yet durable, before `ready` and `submit` wait."""

COMMANDS_A_TURN = 32
"""For so many commands `ready` gives the event loop one turn, so that the log is written meanwhile."""

_LOGGER = structlog.get_logger()


class Sequencer:
    """Decides commands in the order in which they come, and keeps the log and the state in step.

    Where deciding or storing fails, all that was not yet durable is answered with NotAcknowledged, and the state is
    built anew from the log before the next command is taken. An assertion is a bug: it stops the sequencer, goes to who
    asked and comes back from `close`. The log stays its opener's, who closes it afterwards.
    `on_batch`, if set, is shown every batch as it is decided, durable or not.
    """

    def __init__(
        self, log: EventLog, state: State, committer: Committer, find_chunk: FindChunk | None, limit: int,
        keeper: Keeper,
    ) -> None:  # fmt: skip
        self.on_batch: Callable[[Batch], None] | None = None
        self._log = log
        self._state = state
        self._columns = state.columns
        self._committer = committer
        self._find_chunk = find_chunk
        self._limit = limit
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[tuple[Command, Answer]] = deque()
        self._turn: asyncio.Handle | None = None
        self._work = asyncio.Event()
        self._moved = asyncio.Event()
        self._commands_since_turn = 0
        self._played = 0
        self._broken: NotAcknowledged | None = None
        self._lost: NotAcknowledged | None = None
        self._stopped: Stopped | None = None
        self._bug: Exception | None = None
        self._task = self._loop.create_task(self._run())
        self._schedule()

    @classmethod
    async def open(
        cls,
        log: EventLog,
        *,
        find_chunk: FindChunk | None = None,
        group: int = GROUP_BATCHES,
        linger: float = LINGER_SECONDS,
        limit: int = PENDING_BATCHES,
        snapshots: Maker | None = None,
        apart: int = RECORDS_APART,
    ) -> Sequencer:
        """Go on with the session in a log. Raises LogError.

        A commit takes `group` batches at most and gathers them for `linger` seconds at most; `limit` bounds what is
        decided and not yet durable. `find_chunk` finds the observations that the log refers to, if not the log.
        `snapshots` makes one every `apart` records while the session runs.
        """
        state, head = await rebuild(log, find_chunk)
        keeper = await Keeper.of(log, snapshots, apart)
        return cls(log, state, Committer(log, head, group, linger), find_chunk, limit, keeper)

    @property
    def state(self) -> State:
        """The state as decided, which may be ahead of what is durable. Another object after a failure."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether commands are taken."""
        return self._stopped is None

    @property
    def durable(self) -> Head:
        """Where the log ends for good."""
        return self._committer.durable

    def when_durable(self, tell: Callable[[Head], None]) -> None:
        """Have `tell` called with where the log ends whenever that moved, before anybody is answered."""
        self._committer.on_durable = tell

    def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """The durable batches after that number."""
        return self._log.read(after)

    def follow(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        """The durable batches after that number, and those to come as they become durable."""
        return self._log.follow(after)

    def add_chunk(self, chunk: StoredChunk, observations: Observations) -> None:
        """Lend observations to the core; they are stored no later than the first batch that refers to them."""
        self._columns[chunk.id] = observations
        self._committer.add_chunk(chunk)

    def release_chunk(self, id: ChunkId) -> None:
        """Take back observations that no further command will refer to."""
        del self._columns[id]

    def decide(self, command: Command) -> Batch | Outcome:
        """Decide a command now, and all work that is due after it: its batch, not yet durable, or its first outcome.

        What falls due by time up to then is done before it, each at its own time. Raises Unfit, NotAcknowledged where
        deciding failed (then await `ready`), and Stopped.
        """
        if self._stopped:
            self._check_running()
        self._check_fit(command)
        if self._state.has_work:
            self._proceed(PROCEED_FACTS)
        while self._state.next_timer <= command.at and not self._broken:
            self._record_wholly(AdvanceTime(Nanos(max(self._state.now, self._state.next_timer))))
        result = self._record_wholly(command)
        if broken := self._broken:
            raise copy_of(broken)
        assert not isinstance(result, NotAcknowledged)
        self._played = self._state.batch
        return result

    async def ready(self) -> None:
        """Wait until there is room for more. Raises Stopped, and NotAcknowledged, once, where `decide`d batches were
        lost.
        """
        turns, self._commands_since_turn = divmod(self._commands_since_turn, COMMANDS_A_TURN)
        for _ in range(turns):
            await asyncio.sleep(0)
        while self._broken or self._is_full():
            await self._next_move()
        self._check_running()
        self._raise_lost()

    def take_snapshot(self) -> int:
        """Keep the state as decided once it is durable, and say how many bytes that takes. Deciding waits meanwhile."""
        snapshot = taken(self._state, Head(self._state.batch, self._state.seq, self._committer.digest))
        self._keeper.hold(snapshot)
        return len(snapshot.data)

    async def submit(self, command: Command) -> Acknowledgement:
        """Have a command decided and wait until that is durable. Raises NotAcknowledged and Stopped."""
        while self._is_full():
            await self._next_move()
        return await self.submit_soon(command)

    def submit_soon(self, command: Command) -> Answer:
        """As `submit`, with a future in place of the wait, and whatever is pending. Raises Stopped."""
        self._check_running()
        self._check_fit(command)
        answer: Answer = self._loop.create_future()
        if self._inbox or self._state.has_work or self._broken:
            self._inbox.append((command, answer))
        else:
            self._answer(command, answer)
        if self._state.has_work:
            self._schedule()
        return answer

    async def flush(self) -> None:
        """Wait until everything submitted or decided so far is durable. Raises NotAcknowledged where it will not be."""
        while self._inbox or self._broken:
            await self._next_move()
        self._raise_lost()
        if self._bug:
            self._check_running()
        if not self._committer.is_idle:
            answer: Answer = self._loop.create_future()
            self._committer.answer_when_durable(answer, Acknowledgement(self._state.seq, None))
            try:
                await answer
            except NotAcknowledged:
                self._lost = None
                raise

    async def close(self) -> None:
        """Make durable what was submitted, and take no more. Due work waits in the log for the next opening."""
        self._stopped = self._stopped or Stopped("the sequencer is closed; open the session again")
        try:
            await self.flush()
            await self._keeper.finish(self._state, self.durable)
        finally:
            self._work.set()
            await self._task

    def _answer(self, command: Command, answer: Answer) -> None:
        result = self._record(command)
        if isinstance(result, Batch):
            self._committer.answer_when_durable(answer, acknowledgement_of(result))
        elif isinstance(result, Outcome):
            self._committer.answer_when_durable(answer, Acknowledgement(result.seq, result.reason))
        else:
            fail(answer, result)

    def _record(self, command: Command) -> Batch | Outcome | NotAcknowledged:
        """Decide a command and queue its batch, unless the session is broken: the state is not that of the log."""
        state = self._state
        if self._broken:
            return self._broken
        if command.at < state.now:
            command = moved(command, state.now)
        if state.next_timer <= command.at and type(command) is not AdvanceTime:
            self._record(AdvanceTime(command.at))
            if self._broken:
                return self._broken
        try:
            result = step(state, command)
            if not isinstance(result, Batch):
                return result
            self._committer.add(result)
        except AssertionError as bug:
            self._halt(bug)
            raise
        except Exception as error:
            _LOGGER.exception("the core failed", command=type(command).__name__)
            return self._break(f"{type(command).__name__} could not be decided ({error!r})", error)
        self._commands_since_turn += 1
        self._work.set()
        if self.on_batch:
            self.on_batch(result)
        return result

    def _record_wholly(self, command: Command) -> Batch | Outcome | NotAcknowledged:
        result = self._record(command)
        while self._state.has_work and self._proceed(PROCEED_FACTS):
            pass
        return result

    def _proceed(self, facts: int, room: int = 0) -> bool:
        """Do one batch of due work, and say whether there was any to do."""
        if self._broken or not self._state.has_work:
            return False
        self._record(Proceed(self._state.now, facts, room))
        return True

    def _schedule(self) -> None:
        if self._turn is None and self._wants_turn():
            self._turn = self._loop.call_soon(self._take_turn)

    def _wants_turn(self) -> bool:
        return not self._broken and bool(self._inbox or (self._state.has_work and not self._stopped))

    def _take_turn(self) -> None:
        """One batch of due work, then what is in the inbox, but only one command of it while more work is due."""
        self._turn = None
        if not self._wants_turn():
            return
        self._proceed(TURN_FACTS, TURN_FACTS)
        while self._inbox and not self._broken:
            self._answer(*self._inbox[0])
            self._inbox.popleft()
            if self._state.has_work:
                break
        self._moved.set()
        self._schedule()

    async def _run(self) -> None:
        """As `_store`. A bug, or whatever else nobody reckoned with, ends it, once nobody waits any more."""
        try:
            await self._store()
        except Exception as bug:
            stopped = self._stopped if bug is self._bug and self._stopped else self._halt(bug)
            self._committer.drop(stopped)
            raise
        finally:
            self._moved.set()

    async def _store(self) -> None:
        """Store what is decided, group after group, and build the state anew where anything fails."""
        while self._bug or self._broken or self._inbox or not self._committer.is_idle or not self._stopped:
            await self._work.wait()
            if self._bug:
                raise self._bug
            if self._broken:
                await self._recover(self._broken)
            elif self._committer.is_idle:
                self._work.clear()
            else:
                await self._committer.gather()
                await self._commit()
            self._moved.set()

    async def _commit(self) -> None:
        try:
            await self._committer.commit()
        except AssertionError:
            raise
        except Exception as error:
            self._break(f"the log could not be written ({error})", error)
        else:
            self._keeper.grown(self.durable)

    def _break(self, what: str, cause: Exception) -> NotAcknowledged:
        _LOGGER.error("session broken", what=what)
        self._broken = NotAcknowledged(f"{what}; what was asked may be lost: send it again, with the same request")
        self._broken.__cause__ = cause
        self._work.set()
        return self._broken

    async def _recover(self, broken: NotAcknowledged) -> None:
        if self._played > self.durable.batch:
            self._lost = broken
        self._played = 0
        self._committer.drop(broken)
        self._keeper.let_go()
        try:
            state, head = await rebuild(self._log, self._find_chunk)
        except AssertionError:
            raise
        except Exception as error:
            self._stop(f"the session could not be rebuilt from its log ({error}); mend it and open it again", error)
        else:
            _LOGGER.info("session rebuilt", batch=head.batch, seq=head.seq)
            state.columns = self._columns
            self._state = state
            self._committer.restart(head)
        self._broken = None
        self._schedule()

    def _halt(self, bug: Exception) -> Stopped:
        """Go no further: what the state is now, nobody knows."""
        self._broken, self._bug = None, bug
        self._work.set()
        return self._stop(f"the session met a bug ({bug!r}); report it, and open the session again", bug)

    def _stop(self, why: str, cause: Exception) -> Stopped:
        """Nothing further can be decided."""
        _LOGGER.error("sequencer stopped", why=why)
        self._stopped = Stopped(why)
        self._stopped.__cause__ = cause
        while self._inbox:
            fail(self._inbox.popleft()[1], self._stopped)
        return self._stopped

    def _is_full(self) -> bool:
        return not self._stopped and self._state.batch - self.durable.batch + len(self._inbox) >= self._limit

    async def _next_move(self) -> None:
        """Wait until something was stored, or the state was built anew."""
        self._moved.clear()
        await self._moved.wait()

    def _check_running(self) -> None:
        if self._stopped:
            raise copy_of(self._stopped)

    def _check_fit(self, command: Command) -> None:
        if why := misfit(command, self._columns):
            raise Unfit(f"{type(command).__name__}: {why}")

    def _raise_lost(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, None
            raise lost
