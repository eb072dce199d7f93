"""Group commit: what was decided goes to the log in groups, in order, and whoever waits for it is told afterwards."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from events.codec import encode_body
from events.commands import ChunkId
from events.digest import chain
from events.facts import Refused
from events.log import EventLog, Head, StoredBatch, StoredChunk
from events.record import Batch
from exchange.core.state import Outcome

GROUP_BATCHES = 1000
"""A commit holds so many batches at most."""

LINGER_SECONDS = 0.010
"""A commit waits so long at most for more batches, and only while every turn of the loop brings some."""


class Acknowledgement(Outcome, frozen=True, gc=False):
    """An outcome that is in the log for good, and the batch; None where the request had been decided before."""

    batch: Batch | None = None


def acknowledgement_of(batch: Batch) -> Acknowledgement:
    """What the batch of a command says to who asked: which rule it broke, if it broke one."""
    reason = None
    for record in batch.records:
        if type(record.message) is Refused:
            reason = record.message.reason
    return Acknowledgement(batch.records[0].seq, reason, batch)


Failure = TypeVar("Failure", bound=Exception)
Answer = asyncio.Future[Acknowledgement]


class Committer:
    """The batches between decision and disk. `durable` is where the log ends, `digest` covers what is decided too.
    `on_durable`, if set, hears where the log ends whenever that moved, before anybody is answered.
    """

    def __init__(self, log: EventLog, head: Head, group: int, linger: float) -> None:
        self.durable = head
        self.digest = head.digest
        self.on_durable: Callable[[Head], None] | None = None
        self._log = log
        self._group = group
        self._linger = linger
        self._pending: list[StoredBatch] = []
        self._chunks: dict[ChunkId, StoredChunk] = {}
        self._acknowledgements: deque[Acknowledgement] = deque()
        self._answers: deque[Answer] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was decided is durable."""
        return not self._pending

    def add(self, batch: Batch) -> None:
        """Queue a batch that follows the last one."""
        body = encode_body(batch)
        self.digest = digest = chain(self.digest, body)
        records = batch.records
        self._pending.append(StoredBatch(batch.number, records[0].seq, records[-1].seq, batch.at, digest, body))

    def add_chunk(self, chunk: StoredChunk) -> None:
        """Queue a chunk: it goes with the next group, so no later than a batch that refers to it."""
        self._chunks[chunk.id] = chunk

    def answer_when_durable(self, answer: Answer, acknowledgement: Acknowledgement) -> None:
        """Resolve `answer` as soon as the record that it acknowledges is durable."""
        if acknowledgement.seq > self.durable.seq:
            self._acknowledgements.append(acknowledgement)
            self._answers.append(answer)
        elif not answer.done():
            answer.set_result(acknowledgement)

    async def gather(self) -> None:
        """Let more batches come, as long as they do, the group has room and the time is not up."""
        time = asyncio.get_running_loop().time
        until = time() + self._linger
        seen = 0
        while seen < len(self._pending) < self._group and time() < until:
            seen = len(self._pending)
            await asyncio.sleep(0)

    async def commit(self) -> None:
        """Store the next group and tell who waited for it. Raises what the log raises; then `drop` what is left."""
        group = self._pending[: self._group]
        chunks = tuple(self._chunks.values())
        self.durable = await self._log.append(group, self.durable, chunks)
        del self._pending[: len(group)]
        for chunk in chunks:
            del self._chunks[chunk.id]
        if self.on_durable:
            self.on_durable(self.durable)
        self._tell(self.durable.seq)

    def _tell(self, seq: int) -> None:
        """Resolve the answers that wait for records up to this one; a repeated request may wait behind newer ones."""
        acknowledgements, answers = self._acknowledgements, self._answers
        while acknowledgements and acknowledgements[0].seq <= seq:
            answer, acknowledgement = answers.popleft(), acknowledgements.popleft()
            if not answer.done():
                answer.set_result(acknowledgement)

    def drop(self, error: Exception) -> None:
        """Forget what was decided and not stored, and tell who waits. Chunks stay queued."""
        self._pending.clear()
        self._acknowledgements.clear()
        while self._answers:
            fail(self._answers.popleft(), error)

    def restart(self, head: Head) -> None:
        """Go on from where the log really ends."""
        assert self.is_idle, "batches that were decided on another state"
        self.durable = head
        self.digest = head.digest


def fail(answer: Answer, error: Exception) -> None:
    """Resolve an answer with an error of its own, unless its owner gave up."""
    if not answer.done():
        answer.set_exception(copy_of(error))


def copy_of(error: Failure) -> Failure:
    """The same error for one more receiver: a traceback belongs to one."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
