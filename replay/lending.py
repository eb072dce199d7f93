"""Lends the core the rows that a recorded session names: one chunk of an instrument at a time, hashed anew."""

from __future__ import annotations

from collections.abc import Sequence

from events.chunks import decode_chunk
from events.commands import AdvanceMarket, ChunkId
from events.facts import MarketAdvanced
from events.instruments import InstrumentId
from events.log import EventLog
from events.record import Batch
from exchange.core.state import State


class Lender:
    """Finds the chunks of a log for one or more states that go through its commands in order."""

    def __init__(self, log: EventLog, states: Sequence[State]) -> None:
        self._log = log
        self._states = states
        self._lent: dict[InstrumentId, ChunkId] = {}
        self.chunks = 0

    async def lend(self, batch: Batch) -> None:
        """Have the rows at hand that the batch applied. Raises MissingChunk, DamagedLog."""
        command = batch.command
        if not isinstance(command, AdvanceMarket) or self._lent.get(command.instrument) == command.chunk:
            return
        if not any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
            return
        columns = decode_chunk(await self._log.chunk(command.chunk))
        self.chunks += 1
        old = self._lent.get(command.instrument)
        for state in self._states:
            if old is not None:
                state.columns.pop(old, None)
            state.columns[command.chunk] = columns
        self._lent[command.instrument] = command.chunk
