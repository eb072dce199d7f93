"""Forks on disk: what the market does goes on, whichever chunk its rows stand in."""

from __future__ import annotations

from events import commands as c
from events.chunks import encode_chunk
from events.store.memory import MemoryLog
from exchange.sequencer import Sequencer
from replay.branching import branch
from replay.compare import compare
from tests.loop import in_loop
from tests.spec.hosting import hosted, marks
from tests.spec.words import GOLD


@in_loop
async def test_chunks_of_one_instrument_may_take_turns() -> None:
    log = MemoryLog()
    sequencer = await hosted(log)
    lent = [marks(GOLD, 101, 102, 103), marks(GOLD, 99, 98, 97)]
    chunks = [encode_chunk(rows) for rows in lent]
    for chunk, rows in zip(chunks, lent, strict=True):
        sequencer.add_chunk(chunk, rows)
    first = sequencer.state.batch + 1
    for row in range(3):
        for chunk in chunks:
            sequencer.decide(c.AdvanceMarket(10 + row, GOLD, chunk.id, row, row))
    await sequencer.close()
    fork = MemoryLog()
    await branch(log, fork, first, [], lambda _: None)
    assert await fork.head() == await log.head()
    assert (await compare(log, fork)).first == (None, None)
    await (await Sequencer.open(fork)).close()
