"""The whole system under faults: it holds, a seed means the same every time, everything occurs, and bugs are found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from events.log import Head, StoredBatch, StoredChunk, UnwritableLog
from events.store.memory import MemoryLog
from exchange.committer import Committer
from exchange.projections.kept import Projector
from tests.sim.whole.log import DiskLog, Journal, Written, frames
from tests.sim.whole.many import Done, main, portion, run, waits_missed
from tests.sim.whole.views import DiskViews

SEEDS = range(150)
"""So many are run here; `make sim WORLDS=2000` runs more."""

BUGGY = range(40)
"""A bug is found by one of so many seeds at the latest."""

EVENTS = {
    *("acknowledged", "not acknowledged", "vanished", "asked again", "played", "lost to the operator"),
    *("followed", "a slow follower", "followed from the beginning", "a follower could not read"),
    *("crash at a read", "crash at a write", "crash at a sync", "crashed", "power lost", "unsynced lost", "torn"),
    *("write fails", "sync fails", "read fails", "raises after", "full", "slow"),
    *("opened", "not opened", "stopped", "gave up", "settled", "closed", "snapshot", "state kept"),
    "a projection rebuilt",
}
"""All that can happen."""


@pytest.fixture(scope="module")
def done() -> Done:
    return portion(SEEDS)


def test_nothing_acknowledged_is_lost_and_nothing_happens_twice_whatever_fails(done: Done) -> None:
    assert done.failed == []


def test_every_fault_and_every_event_occurs(done: Done) -> None:
    assert set(done.reached.events) == EVENTS


def test_a_crash_falls_at_every_place_where_the_code_waits(done: Done) -> None:
    """Where chance does not bring one, crashes are told to fall there."""
    assert len(waits_missed(done.reached.waits)) < 6
    for wait in waits_missed(done.reached.waits):
        for seed in SEEDS:
            reached, what = run(seed, at=wait)
            assert not what, f"seed {seed}, crashes {wait}: {what}"
            if wait in reached.waits:
                break
        else:
            pytest.fail(f"no crash fell at {wait}")


def test_a_seed_means_the_same_order_of_events_every_time() -> None:
    orders: list[list[str]] = [[], []]
    reached = [run(3, order) for order in orders]
    assert reached[0] == reached[1]
    assert orders[0] == orders[1]
    assert len(orders[0]) > 300


def found() -> str:
    """What the first seed that fails says; the same alone and with its order of events."""
    for seed in BUGGY:
        _, what = run(seed)
        if what:
            order: list[str] = []
            assert what.partition("\n")[0] in run(seed, order)[1]
            assert order
            return what
    return "nothing"


def found_as(*messages: str) -> bool:
    """Whether what is found says one of these."""
    what = found()
    assert any(message in what for message in messages), what
    return True


def test_an_acknowledgement_before_the_disk_has_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = Committer.answer_when_durable

    def early(committer: Committer, answer: Any, acknowledgement: Any) -> None:
        answer.set_result(acknowledgement) if acknowledgement.batch else wait(committer, answer, acknowledgement)

    monkeypatch.setattr(Committer, "answer_when_durable", early)
    assert found_as("not on the platter", "is lost")


def test_a_commit_that_is_not_synced_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_journal: Journal) -> None:
        pass

    monkeypatch.setattr(Journal, "sync", nothing)
    assert "not on the platter" in found()


def test_a_log_that_is_opened_as_a_killed_process_left_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache only is not durable, though it can be read."""

    async def trusting(journal: Journal) -> list[bytes]:
        held = list(frames(await journal.disk.read()))
        if held:
            journal._end, journal._seal = held[-1].end, held[-1].seal
        return [frame.payload for frame in held]

    monkeypatch.setattr(Journal, "open", trusting)
    assert "the sequencer was shown batch" in found()


def test_a_request_that_is_applied_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetting(*_: Any) -> None:
        pass

    monkeypatch.setattr("exchange.core.step._remember", forgetting)
    assert found_as("has two outcomes", "applied twice")


def test_a_follower_that_is_shown_what_is_not_durable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def eager(
        log: DiskLog, batches: Sequence[StoredBatch], expected_head: Head, chunks: Sequence[StoredChunk] = ()
    ) -> Head:
        async with log._turn:
            head = await MemoryLog.append(log, batches, expected_head, chunks)
            await log._write(Written(list(batches), list(chunks)))
        return head

    monkeypatch.setattr(DiskLog, "append", eager)
    assert "not on the platter" in found()


def test_a_torn_write_that_passes_for_a_whole_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(_before: bytes, payload: bytes) -> tuple[bytes, bytes]:
        seal = bytes(15) + b"!"
        return seal, seal + len(payload).to_bytes(4, "big") + payload

    monkeypatch.setattr("tests.sim.whole.log.framed", careless)
    assert found() != "nothing"


def test_a_view_whose_place_is_saved_apart_from_its_rows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    save = DiskViews.save

    async def apart(views: DiskViews, name: str, expected: Head, place: Head, changes: dict[str, Any]) -> None:
        await save(views, name, expected, place, {})
        await save(views, name, place, place, changes)

    monkeypatch.setattr(DiskViews, "save", apart)
    assert "is wrong" in found()


def test_a_projection_that_goes_on_with_what_it_could_not_save_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever folds on after a save that failed leaves out what was in it."""
    save = Projector._save

    async def careless(projector: Projector) -> None:
        with suppress(UnwritableLog):
            await save(projector)

    monkeypatch.setattr(Projector, "_save", careless)
    assert found_as("is wrong", "come to rest")


def test_a_state_that_is_not_that_of_the_log_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild = __import__("exchange.rebuild", fromlist=["rebuild"]).rebuild

    async def careless(*args: Any) -> Any:
        rebuilt = await rebuild(*args)
        for account in rebuilt.state.accounts.values():
            account.last_number += 1
        return rebuilt

    monkeypatch.setattr("exchange.sequencer.rebuild", careless)
    assert found() != "nothing"


def test_a_process_that_waits_for_ever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf(_committer: Committer, _seq: int) -> None:
        pass

    monkeypatch.setattr(Committer, "_tell", deaf)
    assert found_as("Stuck", "TimeoutError")


def test_one_seed_prints_its_order_and_many_print_what_they_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "3", "--last", "2"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("seed 3 holds")
    assert main(["--seeds", "2", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "acknowledged" in out
    assert "2 worlds, 0 failed" in out


def test_a_seed_that_fails_is_named_and_fails_alike_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def nothing(_journal: Journal) -> None:
        pass

    monkeypatch.setattr(Journal, "sync", nothing)
    assert main(["--seeds", "1", "--first", "3", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert "FAILED: make sim WORLD=3" in out
    assert main(["--seed", "3"]) == 1
    out = capsys.readouterr().out
    assert "turn 1 of" in out
    assert "FAILED: seed 3" in out
