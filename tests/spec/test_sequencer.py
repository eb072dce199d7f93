"""The sequencer: what it acknowledges and when, in which order it decides, and what it stores together."""

from __future__ import annotations

import asyncio

import pytest

from events import commands as c
from events.chunks import encode_chunk
from events.log import MissingChunk, StoredChunk
from events.observations import Observations
from events.record import Batch
from events.refusals import Reason
from events.store.memory import MemoryLog
from exchange.core.state import Outcome
from exchange.failures import Stopped, Unfit
from exchange.sequencer import Sequencer
from tests.loop import in_loop, turns
from tests.spec.hosting import (
    HeldLog,
    commands,
    deposit,
    history,
    hosted,
    is_what_the_log_says,
    marks,
    one_fact_a_batch,
)
from tests.spec.words import GOLD, TIN

HOURS = 9999
"""No time limit: a group is gathered until a turn of the loop brings nothing more."""


@in_loop
async def test_a_command_is_acknowledged_once_it_is_durable() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    before = sequencer.durable
    log.hold()
    answer = sequencer.submit_soon(deposit("one"))
    await turns()
    assert not answer.done()
    assert (sequencer.durable, sequencer.state.batch) == (before, before.batch + 1)
    log.let_go()
    acknowledged = await answer
    assert acknowledged.seq == before.seq + 1
    assert acknowledged.reason is None
    assert sequencer.durable == await log.head()
    assert acknowledged.batch == (await history(log))[-1]
    await sequencer.close()


@in_loop
async def test_a_refusal_is_acknowledged_with_its_reason() -> None:
    sequencer = await hosted(MemoryLog())
    acknowledged = await sequencer.submit(deposit("one", amount=-5))
    assert acknowledged.reason is Reason.AMOUNT_NOT_POSITIVE
    await sequencer.close()


@in_loop
async def test_commands_are_stored_in_groups_and_decided_while_the_store_is_busy() -> None:
    log = HeldLog()
    sequencer = await hosted(log, group=10, linger=HOURS)
    log.groups.clear()
    log.hold()
    first = [sequencer.submit_soon(deposit(f"first {n}")) for n in range(3)]
    await turns()
    later = [sequencer.submit_soon(deposit(f"later {n}")) for n in range(25)]
    await turns()
    assert log.groups == [3]
    assert sequencer.state.batch == sequencer.durable.batch + 28
    log.let_go()
    await asyncio.gather(*first, *later)
    assert log.groups == [3, 10, 10, 5]
    await sequencer.close()


@in_loop
async def test_a_group_is_gathered_while_commands_keep_coming() -> None:
    log = HeldLog()
    sequencer = await hosted(log, group=7, linger=HOURS)
    log.groups.clear()

    async def client(name: int) -> None:
        await turns(name)
        await sequencer.submit(deposit(f"from {name}"))

    await asyncio.gather(*(client(n) for n in range(9)))
    assert log.groups[0] == 7
    await sequencer.close()


@in_loop
async def test_without_lingering_what_is_there_is_stored_at_once() -> None:
    log = HeldLog()
    sequencer = await Sequencer.open(log, linger=0)
    sequencer.submit_soon(c.AdvanceTime(1))
    await turns(1)
    sequencer.submit_soon(c.AdvanceTime(2))
    await sequencer.flush()
    assert log.groups == [1, 1]
    await sequencer.close()


@in_loop
async def test_a_repeated_request_gets_the_first_outcome_and_only_once_that_is_durable() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    first, again = (sequencer.submit_soon(deposit("one", amount=-5)) for _ in range(2))
    await turns()
    assert not first.done()
    assert not again.done()
    log.let_go()
    original, repeated = await first, await again
    assert (repeated.seq, repeated.reason, repeated.batch) == (original.seq, original.reason, None)
    head = sequencer.durable
    assert await sequencer.submit(deposit("one", amount=7)) == repeated
    assert sequencer.decide(deposit("one")) == Outcome(original.seq, original.reason)
    await sequencer.flush()
    assert sequencer.durable == head
    await sequencer.close()


@in_loop
async def test_time_never_goes_back() -> None:
    log = MemoryLog()
    sequencer = await hosted(log)
    for at in (100, 90, 110):
        await sequencer.submit(deposit(f"at {at}", at=at))
    assert [batch.at for batch in (await history(log))[-3:]] == [100, 100, 110]
    assert [command.at for command in (await commands(log))[-3:]] == [100, 100, 110]
    await sequencer.close()


@in_loop
async def test_clients_and_due_work_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log)
    before = sequencer.durable.batch
    answers = [sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))]
    answers += [sequencer.submit_soon(c.AdvanceTime(6)) for _ in range(6)]
    await asyncio.gather(*answers)
    names = [type(command).__name__ for command in await commands(log, before)]
    assert names == ["ApplyFunding"] + ["Proceed", "AdvanceTime"] * 4 + ["AdvanceTime"] * 2
    assert not sequencer.state.due
    await sequencer.close()


@in_loop
async def test_due_work_is_done_though_nobody_asks_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log)
    await sequencer.submit(c.ApplyFunding(5, GOLD, 10_000))
    await turns()
    assert not sequencer.state.due
    await sequencer.flush()
    assert [type(command).__name__ for command in await commands(log)][-4:] == ["Proceed"] * 4
    await sequencer.close()


@in_loop
async def test_the_player_has_all_due_work_done_at_once_and_is_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log)
    before = sequencer.state.batch
    seen: list[Batch] = []
    sequencer.on_batch = seen.append
    batch = sequencer.decide(c.ApplyFunding(5, GOLD, 10_000))
    assert batch == seen[0]
    assert not sequencer.state.due
    await sequencer.flush()
    assert [batch.number for batch in seen] == list(range(before + 1, before + 6))
    assert seen == (await history(log))[before:]
    await sequencer.close()


@in_loop
async def test_the_player_lets_due_work_go_first_where_a_client_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log)
    before = sequencer.state.batch
    answers = [sequencer.submit_soon(command) for command in (c.ApplyFunding(5, GOLD, 10_000), c.AdvanceTime(6))]
    sequencer.decide(c.AdvanceTime(7))
    await asyncio.gather(*answers)
    names = [type(command).__name__ for command in await commands(log, before)]
    assert names == ["ApplyFunding", "Proceed", "AdvanceTime", *["Proceed"] * 3, "AdvanceTime"]
    await sequencer.close()


@in_loop
async def test_due_work_waits_in_the_log_for_the_next_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log)
    sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))
    await sequencer.close()
    await turns()
    assert sequencer.state.due
    assert await is_what_the_log_says(sequencer.state, log)
    again = await Sequencer.open(log)
    await turns()
    assert not again.state.due
    await again.close()
    assert await is_what_the_log_says(again.state, log)
    assert isinstance((await commands(log))[-1], c.Proceed)


@in_loop
async def test_who_decides_faster_than_the_disk_is_made_to_wait() -> None:
    log = HeldLog()
    sequencer = await hosted(log, limit=4)
    log.hold()
    for at in range(4):
        await sequencer.ready()
        sequencer.decide(c.AdvanceTime(10 + at))
    player = asyncio.create_task(sequencer.ready())
    client = asyncio.create_task(sequencer.submit(deposit("one")))
    await turns()
    assert not player.done()
    assert not client.done()
    assert sequencer.state.batch == sequencer.durable.batch + 4
    log.let_go()
    await player
    assert (await client).seq == sequencer.durable.seq - 1
    await sequencer.close()


@in_loop
async def test_the_player_lets_the_log_be_written_meanwhile() -> None:
    sequencer = await hosted(MemoryLog(), linger=0)
    for at in range(500):
        sequencer.decide(c.AdvanceTime(10 + at))
        await sequencer.ready()
    assert sequencer.durable.batch > 400
    await sequencer.close()


@in_loop
async def test_a_client_that_gives_up_changes_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    funding = sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))
    gone, other = (asyncio.create_task(sequencer.submit(deposit(name))) for name in ("gone", "other"))
    waiting = sequencer.submit_soon(deposit("other"))
    await turns()
    gone.cancel()
    funding.cancel()
    log.let_go()
    assert (await other).reason is None
    assert (await waiting).seq == (await other).seq
    await turns()
    sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))
    gone_again = sequencer.submit_soon(deposit("other"))
    gone_again.cancel()
    await sequencer.flush()
    assert await is_what_the_log_says(sequencer.state, log)
    await sequencer.close()


@in_loop
async def test_what_is_durable_is_read_and_followed() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    last = sequencer.durable.batch
    log.hold()
    sequencer.decide(c.AdvanceTime(9))
    await turns()
    assert [stored.number async for stored in sequencer.read(after=last - 1)] == [last]
    follower = sequencer.follow(after=last)
    new = asyncio.ensure_future(anext(follower))
    await turns()
    assert not new.done()
    log.let_go()
    assert (await new).number == last + 1
    await sequencer.close()
    await log.close()


@in_loop
async def test_a_closed_sequencer_has_stored_everything_and_takes_no_more() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    answer = sequencer.submit_soon(deposit("one"))
    closing = asyncio.create_task(sequencer.close())
    await turns()
    assert not closing.done()
    with pytest.raises(Stopped, match=r"the sequencer is closed; open the session again$"):
        sequencer.submit_soon(deposit("two"))
    log.let_go()
    await closing
    assert (await answer).batch == (await history(log))[-1]
    for asked in (sequencer.submit(deposit("two")), sequencer.ready()):
        with pytest.raises(Stopped):
            await asked
    with pytest.raises(Stopped):
        sequencer.decide(deposit("two"))
    await sequencer.close()
    assert await log.head() == sequencer.durable


@in_loop
async def test_a_chunk_is_stored_no_later_than_what_refers_to_it() -> None:
    log = MemoryLog()
    sequencer = await hosted(log)
    chunk = marks(GOLD, 101, 102)
    stored = encode_chunk(chunk)
    sequencer.add_chunk(stored, chunk)
    with pytest.raises(MissingChunk):
        await log.chunk(stored.id)
    sequencer.decide(c.AdvanceMarket(10, GOLD, stored.id, 0, 0))
    sequencer.decide(c.AdvanceMarket(11, GOLD, stored.id, 1, 1))
    sequencer.release_chunk(stored.id)
    with pytest.raises(Unfit, match="is not lent; add it before its rows are applied"):
        sequencer.decide(c.AdvanceMarket(12, GOLD, stored.id, 0, 1))
    await sequencer.flush()
    assert await log.chunk(stored.id) == stored
    await sequencer.close()
    assert await is_what_the_log_says(sequencer.state, log)


@in_loop
async def test_text_that_is_not_ascii_is_turned_away_before_it_is_decided() -> None:
    log = MemoryLog()
    sequencer = await hosted(log)
    before = sequencer.state.seq
    for command in (c.OpenAccount(10, "éve", "r1"), c.CancelOrder(10, "ann", "\ud800", 1)):
        with pytest.raises(Unfit, match="is not ASCII; use ASCII"):
            sequencer.decide(command)
        with pytest.raises(Unfit):
            sequencer.submit_soon(command)
    assert sequencer.state.seq == before
    await sequencer.close()


async def with_chunks(log: MemoryLog, *chunks: Observations) -> dict[str, StoredChunk]:
    """A session that applied these chunks."""
    sequencer = await hosted(log)
    kept = {}
    for chunk in chunks:
        stored = encode_chunk(chunk)
        kept[stored.id] = stored
        sequencer.add_chunk(stored, chunk)
        sequencer.decide(c.AdvanceMarket(chunk.at[0], chunk.instrument, stored.id, 0, len(chunk) - 1))
    await sequencer.close()
    assert await is_what_the_log_says(sequencer.state, log)
    return kept


@in_loop
async def test_a_session_is_opened_with_the_chunks_of_its_log() -> None:
    log = MemoryLog()
    await with_chunks(log, marks(GOLD, 101), marks(TIN, 90, at=11), marks(GOLD, 103, at=12), marks(TIN, 91, at=13))
    again = await Sequencer.open(log)
    assert again.state.contracts[GOLD].mark == marks(GOLD, 103).mark[0]
    assert again.state.columns == {}
    await again.close()


@in_loop
async def test_a_session_is_opened_with_chunks_from_elsewhere() -> None:
    log = MemoryLog()
    chunk = marks(GOLD, 101)
    await with_chunks(log, chunk)
    log._chunks.clear()
    with pytest.raises(MissingChunk):
        await Sequencer.open(log)

    async def find(id: c.ChunkId) -> Observations:
        assert id == encode_chunk(chunk).id
        return chunk

    again = await Sequencer.open(log, find_chunk=find)
    assert again.state.contracts[GOLD].mark == chunk.mark[0]
    await again.close()
