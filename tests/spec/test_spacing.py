"""Snapshots of a replay: so far apart that any moment of it is near, and no part of what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.codec import decode_body
from events.commands import AdvanceMarket
from events.snapshot import unseal
from events.store.memory import MemoryLog
from exchange.core.snapshot import STATE_VERSION, encode
from exchange.rebuild import rebuild
from replay.spacing import BYTES_A_ROW, RECORD_AS_ROWS, ROWS_APART, Spacing
from tests.loop import in_loop
from tests.playing import capture, market, play, trader
from tests.strategies import Diary

APART = 1000


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots are closer than they are by default."""
    monkeypatch.setattr("replay.player.Spacing", lambda: Spacing(APART))


@pytest.mark.parametrize(
    ("took_at", "size", "work", "over"),
    [
        (0, 0, ROWS_APART - 1, False),
        (0, 0, ROWS_APART, True),
        (ROWS_APART + 7, 20_000, 2 * ROWS_APART + 6, False),
        (ROWS_APART + 7, 20_000, 2 * ROWS_APART + 7, True),
        (ROWS_APART, BYTES_A_ROW * 3 * ROWS_APART, 4 * ROWS_APART - 1, False),
        (ROWS_APART, BYTES_A_ROW * 3 * ROWS_APART, 4 * ROWS_APART, True),
    ],
)
def test_the_next_one_is_due_after_so_much_work_or_more_where_the_state_is_large(
    took_at: int, size: int, work: int, over: bool
) -> None:
    spacing = Spacing()
    if took_at:
        spacing.begin(took_at, size)
    assert spacing.is_over(work) is over


def _kept(log: MemoryLog) -> list[int]:
    return sorted(log._snapshots)


@pytest.mark.usefixtures("near")
def test_no_moment_of_a_replay_is_further_from_a_snapshot_than_that_and_a_chunk(tmp_path: Path) -> None:
    log = MemoryLog()
    played = play(capture(tmp_path, market(90)), traders=[trader(Diary())], log=log)
    assert len(_kept(log)) >= 2
    since, last = 0, 0
    for stored in played.stored:
        batch = decode_body(stored.number, stored.body)
        command = batch.command
        rows = command.last_row - command.first_row + 1 if isinstance(command, AdvanceMarket) else 0
        since += rows + RECORD_AS_ROWS * len(batch.records)
        last = max(last, since)
        if stored.number in _kept(log):
            since = 0
    assert APART <= last < APART + 4096 * (1 + RECORD_AS_ROWS)


@pytest.mark.usefixtures("near")
def test_each_is_the_state_that_the_facts_add_up_to(tmp_path: Path) -> None:
    log = MemoryLog()
    play(capture(tmp_path, market(90)), traders=[trader(Diary())], log=log)

    @in_loop
    async def compare() -> None:
        for batch in _kept(log):
            kept = await log.snapshot(STATE_VERSION, batch)
            log._snapshots = {number: one for number, one in log._snapshots.items() if number != batch}
            state, head = await rebuild(log, until=batch)
            assert kept is not None
            assert (head.digest, encode(state)) == (kept.digest, unseal(kept))

    compare()


def test_they_change_no_byte_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = []
    for apart in (100, ROWS_APART):
        monkeypatch.setattr("replay.player.Spacing", lambda apart=apart: Spacing(apart))
        heads.append(play(capture(tmp_path), traders=[trader(Diary())]).head)
    assert heads[0] == heads[1]
