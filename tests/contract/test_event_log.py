"""What every store of events does. A store joins by a subclass that says how it is opened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from events.commands import ChunkId
from events.log import ClosedLog, Head, MissingChunk, StaleHead, StoredChunk, check_chain
from events.notes import NotedLog
from events.snapshot import seal, unseal
from events.store.memory import MemoryLog
from events.store.sqlite import PAGE_BATCHES, PAGE_RECORDS, open_session
from tests.loop import in_loop, turns
from tests.sim.whole.disk import Disk, Faults
from tests.sim.whole.log import open_log
from tests.stored import collected, head_of, history, stored

FEW = 32

CHUNK = StoredChunk(ChunkId("c1"), bytes(range(256)))


def stale(head: Head) -> Head:
    return head._replace(digest=bytes(32))


class EventLogContract:
    """The suite."""

    async def open(self, folder: Path) -> NotedLog:
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[NotedLog]:
        """A log, closed in the end whatever happens."""
        log = await self.open(folder)
        try:
            yield log
        finally:
            await log.close()

    @in_loop
    async def test_a_new_log_is_empty(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            assert await log.head() == Head()
            assert await collected(log.read()) == []

    @in_loop
    async def test_notes_stand_beside_the_log_the_latest_of_each_name(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            assert await log.notes() == {}
            await log.note("b", "two")
            await log.note("a", "one \u00e9")
            await log.note("b", "three")
            assert list((await log.notes()).items()) == [("a", "one \u00e9"), ("b", "three")]
            assert await log.head() == Head()

    @in_loop
    async def test_what_was_appended_is_read_byte_for_byte(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            first, second = history(2, records=3, text=r"\" \\ ~ \u00e9"), []
            assert await log.append(first, Head()) == head_of(first[-1]) == await log.head()
            second = history(3, head_of(first[-1]))
            assert await log.append(second, head_of(first[-1])) == head_of(second[-1]) == await log.head()
            assert await collected(log.read()) == first + second

    @in_loop
    async def test_reading_begins_after_the_batch_that_is_named(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(4)
            await log.append(batches, Head())
            assert await collected(log.read(after=3)) == batches[3:]
            assert await collected(log.read(after=4)) == []
            assert await collected(log.read(after=9)) == []

    @in_loop
    async def test_a_long_log_is_read_in_order_and_follows_its_chain(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(2 * PAGE_BATCHES + 9)
            batches += history(3, head_of(batches[-1]), records=PAGE_RECORDS)
            await log.append(batches, Head())
            head = Head()
            async for batch in log.read():
                head = check_chain(head, batch)
            assert head == await log.head() == head_of(batches[-1])
            assert await collected(log.read()) == batches

    @in_loop
    async def test_reading_ends_at_the_head_of_its_beginning(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(3)
            await log.append(batches[:2], Head())
            seen = []
            async for batch in log.read():
                seen.append(batch)
                if batch.number == 1:
                    await log.append(batches[2:], head_of(batches[1]))
            assert seen == batches[:2]

    @pytest.mark.parametrize("wrong", ["batch", "seq", "digest"])
    @in_loop
    async def test_a_writer_with_a_stale_head_is_refused_and_stores_nothing(self, tmp_path: Path, wrong: str) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(2)
            await log.append(batches, Head())
            head = head_of(batches[-1])
            stale = {
                "batch": head._replace(batch=1),
                "seq": head._replace(seq=1),
                "digest": head._replace(digest=bytes(32)),
            }
            with pytest.raises(
                StaleHead, match=r"ends at batch 2, not at batch . as the writer believes; read it again$"
            ):
                await log.append([stored(stale[wrong])], stale[wrong], [CHUNK])
            assert await log.head() == head
            assert await collected(log.read()) == batches
            with pytest.raises(MissingChunk):
                await log.chunk(CHUNK.id)

    @in_loop
    async def test_of_two_writers_at_one_head_one_is_refused(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            mine, yours = stored(Head(), text="mine"), stored(Head(), records=2, text="yours")
            results = await asyncio.gather(
                log.append([mine], Head()), log.append([yours], Head()), return_exceptions=True
            )
            assert results[0] == head_of(mine)
            assert isinstance(results[1], StaleHead)
            assert await collected(log.read()) == [mine]

    @in_loop
    async def test_a_chunk_is_kept_with_the_batch_that_refers_to_it(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            await log.append([stored(Head())], Head(), [CHUNK])
            assert await log.chunk(CHUNK.id) == CHUNK

    @in_loop
    async def test_a_chunk_may_come_alone_and_its_first_bytes_stay(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            assert await log.append([], Head(), [CHUNK]) == Head()
            assert await log.append([], Head(), [CHUNK._replace(data=b"compressed otherwise")]) == Head()
            assert await log.chunk(CHUNK.id) == CHUNK

    @in_loop
    async def test_a_chunk_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            with pytest.raises(MissingChunk, match=r"does not hold chunk c1; the records are whole, the market data"):
                await log.chunk(CHUNK.id)

    @in_loop
    async def test_a_follower_sees_what_is_stored_and_what_is_appended_later(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(5)
            await log.append(batches[:2], Head())
            follower = log.follow(after=1)
            assert await anext(follower) == batches[1]
            for batch in batches[2:]:
                await log.append([batch], await log.head())
            assert [await anext(follower) for _ in batches[2:]] == batches[2:]
            last = asyncio.ensure_future(anext(follower))
            await turns()
            assert not last.done()
        with pytest.raises(StopAsyncIteration):
            await last

    @in_loop
    async def test_a_follower_that_is_still_reading_ends_when_the_log_is_closed(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            await log.append(history(2 * PAGE_BATCHES), Head())
            follower = log.follow()
            assert (await anext(follower)).number == 1
            await log.close()
            assert len(await collected(follower)) < 2 * PAGE_BATCHES - 1
            assert await collected(log.follow()) == []

    @in_loop
    async def test_the_newest_snapshot_of_a_version_up_to_a_batch_is_found(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(9)
            await log.append(batches, Head())
            assert await log.snapshot(1) is None
            kept = {n: seal(head_of(batches[n - 1]), 1, f"state {n}".encode()) for n in (7, 3, 5)}
            for snapshot in kept.values():
                await log.keep(snapshot)
            await log.keep(seal(head_of(batches[8]), 2, b"of newer code"))
            assert await log.snapshot(1) == kept[7]
            assert [await log.snapshot(1, until) for until in (9, 6, 3, 2)] == [kept[7], kept[5], kept[3], None]
            assert unseal(kept[5]) == b"state 5"

    @in_loop
    async def test_a_snapshot_that_does_not_fit_the_log_is_refused(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(3)
            await log.append(batches, Head())
            head = head_of(batches[1])
            for wrong in (head._replace(batch=4), head._replace(batch=0), head._replace(seq=1), stale(head)):
                with pytest.raises(StaleHead, match=rf"has no batch {wrong.batch} of this snapshot; read it again$"):
                    await log.keep(seal(wrong, 1, b"state"))
            assert await log.snapshot(1) is None

    @in_loop
    async def test_a_damaged_snapshot_is_passed_over(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            batches = history(3)
            await log.append(batches, Head())
            older, newer = (seal(head_of(batch), 1, b"state") for batch in batches[1:])
            await log.keep(older)
            await log.keep(newer._replace(data=newer.data[:-1] + b"?"))
            assert await log.snapshot(1) == older

    @in_loop
    async def test_of_many_snapshots_a_few_are_kept_far_from_each_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("events.snapshot.KEPT", FEW)
        async with self.opened(tmp_path) as log:
            batches = history(4 * FEW)
            await log.append(batches, Head())
            for batch in batches:
                await log.keep(seal(head_of(batch), 1, b"state"))
            kept, until = [], len(batches)
            while found := await log.snapshot(1, until):
                kept.append(found.batch)
                until = found.batch - 1
            assert len(kept) == FEW
            assert kept[0] == len(batches)
            assert max(after - before for after, before in pairwise([*kept, 0])) <= 8

    @in_loop
    async def test_a_closed_log_says_so(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as log:
            await log.close()
            await log.close()
            sealed = seal(Head(1, 1, bytes(32)), 1, b"")
            reading = (log.head(), log.chunk(CHUNK.id), anext(log.read()), log.snapshot(1), log.notes())
            for asked in (*reading, log.append([stored(Head())], Head()), log.keep(sealed), log.note("a", "b")):
                with pytest.raises(ClosedLog, match=r"the log is closed; open the session again$"):
                    await asked


class TestMemoryLog(EventLogContract):
    """The log in memory."""

    async def open(self, folder: Path) -> NotedLog:
        return MemoryLog()


class TestDiskLog(EventLogContract):
    """The log on a made-up disk, with which the whole system is simulated."""

    async def open(self, folder: Path) -> NotedLog:
        disk = Disk("log", Random("contract"), Counter())
        disk.faults = Faults(seconds=0)
        return await open_log(disk)


class TestSqliteLog(EventLogContract):
    """The log in a file."""

    async def open(self, folder: Path) -> NotedLog:
        return await open_session(folder / "session.db", create=True)
