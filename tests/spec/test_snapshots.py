"""Snapshots: an opening that starts at one is the opening that reads everything, and losing one loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from events.log import Head, StoredBatch, StoredSnapshot, UnwritableLog
from events.snapshot import from_bytes, seal, to_bytes, unseal
from events.store.memory import MemoryLog
from events.store.sqlite import open_session
from exchange.core.snapshot import STATE_VERSION, encode
from exchange.failures import NotAcknowledged, Stopped
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from exchange.snapshots import SnapshotFailed, in_a_process, taken
from tests.loop import in_loop, turns
from tests.spec.hosting import HeldLog, deposit, hosted


class CountingLog(MemoryLog):
    """A log that counts the batches that are read from it, and can refuse to keep snapshots."""

    def __init__(self) -> None:
        super().__init__()
        self.batches_read = 0
        self.refusal: Exception | None = None

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        async for stored in super().read(after):
            self.batches_read += 1
            yield stored

    async def keep(self, snapshot: StoredSnapshot) -> None:
        if self.refusal:
            raise self.refusal
        await super().keep(snapshot)


async def closed(log: Any, deposits: int = 20, **options: Any) -> bytes:
    """A session is played and closed; its last state."""
    sequencer = await hosted(log, **options)
    for n in range(deposits):
        await sequencer.submit(deposit(f"deposit {n}"))
    await sequencer.close()
    return encode(sequencer.state)


@in_loop
async def test_a_session_that_closes_keeps_its_state_and_the_next_opening_starts_there() -> None:
    log = CountingLog()
    state = await closed(log, apart=100)
    log.batches_read = 0
    rebuilt, head = await rebuild(log)
    assert (encode(rebuilt), head, log.batches_read) == (state, await log.head(), 0)


@in_loop
async def test_what_came_after_the_snapshot_is_applied_to_it() -> None:
    log = CountingLog()
    await closed(log, apart=100)
    kept = await log.snapshot(STATE_VERSION)
    assert kept is not None
    sequencer = await Sequencer.open(log, apart=10_000)
    for n in range(3):
        await sequencer.submit(deposit(f"later {n}"))
    await sequencer.close()
    assert await log.snapshot(STATE_VERSION) == kept
    log.batches_read = 0
    assert encode((await rebuild(log)).state) == encode(sequencer.state)
    assert log.batches_read == 3


@in_loop
async def test_a_state_of_the_past_starts_at_the_snapshot_before_it() -> None:
    log = CountingLog()
    await closed(log, apart=10**9)
    whole = {}
    for batch in range(1, (await log.head()).batch + 1):
        state, head = await rebuild(log, until=batch)
        whole[batch] = encode(state)
        assert head.batch == batch
    for batch in (9, 18):
        await log.keep(taken(*await rebuild(log, until=batch)))
    for batch, state_then in whole.items():
        log.batches_read = 0
        assert encode((await rebuild(log, until=batch)).state) == state_then
        since = max(kept for kept in (0, 9, 18) if kept <= batch)
        assert log.batches_read <= batch - since + 1, "from the snapshot on, and one more to see the end"


@in_loop
async def test_a_short_session_is_given_no_snapshot() -> None:
    log = CountingLog()
    await closed(log)
    assert await log.snapshot(STATE_VERSION) is None


@in_loop
async def test_a_snapshot_of_another_state_version_is_not_read() -> None:
    log = CountingLog()
    state = await closed(log)
    await log.keep(seal(await log.head(), STATE_VERSION + 1, b"of newer code"))
    assert encode((await rebuild(log)).state) == state


@in_loop
async def test_a_running_session_is_given_snapshots_without_being_asked_for_its_state() -> None:
    log = CountingLog()
    made: list[Head] = []

    async def make() -> StoredSnapshot:
        state, head = await rebuild(log)
        made.append(head)
        return taken(state, head)

    sequencer = await hosted(log, snapshots=make, apart=30)
    for n in range(60):
        await sequencer.submit(deposit(f"deposit {n}"))
    assert len(made) == pytest.approx(sequencer.durable.seq // 30, abs=1)
    kept = await log.snapshot(STATE_VERSION)
    assert kept is not None
    assert kept.batch == made[-1].batch
    await sequencer.close()
    assert encode((await rebuild(log)).state) == encode(sequencer.state)


@pytest.mark.parametrize("fails", ["making", "keeping"])
@in_loop
async def test_a_snapshot_that_fails_is_told_and_costs_nothing_else(fails: str) -> None:
    log = CountingLog()

    async def make() -> StoredSnapshot:
        raise SnapshotFailed("no memory left")

    if fails == "keeping":
        log.refusal = UnwritableLog("the disk is full; make room and try again")
    with capture_logs() as logged:
        state = await closed(log, snapshots=make, apart=40)
    why = {entry["why"] for entry in logged if entry["event"] == "no snapshot"}
    assert "no memory left" in why
    assert fails == "making" or str(log.refusal) in why
    assert encode((await rebuild(log)).state) == state


@in_loop
async def test_a_bug_in_making_one_stops_the_session() -> None:
    async def make() -> StoredSnapshot:
        raise AssertionError("this cannot be")

    sequencer = await hosted(MemoryLog(), snapshots=make, apart=10)
    await asyncio.gather(*(sequencer.submit(deposit(f"deposit {n}")) for n in range(60)), return_exceptions=True)
    with pytest.raises(Stopped, match="this cannot be"):
        await sequencer.submit(deposit("one more"))
    with pytest.raises(AssertionError, match="this cannot be"):
        await sequencer.close()


@in_loop
async def test_a_bug_in_keeping_the_last_one_comes_back_from_the_closing() -> None:
    log = CountingLog()
    log.refusal = AssertionError("this cannot be")
    with pytest.raises(AssertionError, match="this cannot be"):
        await closed(log, apart=100)


def test_a_snapshot_crosses_from_process_to_process_unchanged() -> None:
    sealed = seal(Head(3, 7, bytes(range(32))), STATE_VERSION, b"state")
    assert from_bytes(to_bytes(sealed)) == sealed


@in_loop
async def test_snapshots_of_a_file_are_made_by_a_process_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    log = await open_session(path, create=True)
    sequencer = await hosted(log)
    snapshot = await in_a_process(path)()
    assert snapshot == taken(sequencer.state, sequencer.durable)
    await log.keep(snapshot)
    await sequencer.close()
    await log.close()


@in_loop
async def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    with pytest.raises(SnapshotFailed, match=f"MissingLog: {path}: there is no such session"):
        await in_a_process(path)()


@in_loop
async def test_a_session_whose_beginning_is_lost_is_not_opened_from_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    log = await open_session(path, create=True)
    await closed(log, apart=100)
    assert await log.snapshot(STATE_VERSION) is not None
    await log._db.execute("DELETE FROM batches WHERE batch < 5")
    assert await log.snapshot(STATE_VERSION) is None
    await log.close()


@in_loop
async def test_a_state_taken_as_it_is_decided_is_kept_once_it_is_durable() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    taken_at = []
    for n in range(3):
        sequencer.decide(deposit(f"deposit {n}"))
        sequencer.take_snapshot()
        taken_at.append((sequencer.state.batch, encode(sequencer.state)))
    await turns()
    assert await log.snapshot(STATE_VERSION) is None
    log.let_go()
    await sequencer.flush()
    await turns()
    assert await log.snapshot(STATE_VERSION) is not None
    await sequencer.close()
    for batch, state in taken_at:
        kept = await log.snapshot(STATE_VERSION, batch)
        assert kept is not None
        assert (kept.batch, unseal(kept)) == (batch, state)


@in_loop
async def test_a_state_that_is_lost_is_not_kept() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    sequencer.decide(deposit("lost"))
    sequencer.take_snapshot()
    with capture_logs():
        log.fail(UnwritableLog("the disk is full; make room and try again"))
        await turns()
        log.heal()
        with pytest.raises(NotAcknowledged):
            await sequencer.flush()
    await sequencer.close()
    assert await log.snapshot(STATE_VERSION) is None
