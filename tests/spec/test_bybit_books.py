"""Bybit order books: what comes of a message, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.observations import Kind
from replay.sources import SourceError
from tests.bybit import START, line, message
from tests.captures import Reading, read, write
from tests.playing import play

BOOK = line(7, [["99.9", "1"]], [["100.1", "2"]], type="snapshot")


def read_lines(folder: Path, *lines: str, strict: bool = False) -> Reading:
    return read(write(folder / "books", lines), strict)


def test_a_snapshot_and_a_delta(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, BOOK, line(8, [["99.9", "0"]], [], at_ms=5), strict=True).only
    assert chunk.kind == [Kind.SNAPSHOT, Kind.DIFF]
    assert (chunk.first_id, chunk.last_id, chunk.previous_id) == ([7, 8], [7, 8], [0, 7])
    assert (chunk.level_price, chunk.level_lots) == ([999, 1_001, 999], [1_000, 2_000, 0])
    assert chunk.at == [START * 10**6, (START + 5) * 10**6]
    assert chunk.transacted == [(START - 2) * 10**6, (START + 3) * 10**6]


def test_a_delta_that_is_missing_makes_the_book_stale_until_the_next_snapshot(tmp_path: Path) -> None:
    path = write(tmp_path / "books", [BOOK, line(8, [["99.8", "1"]], []), line(10, [["99.7", "1"]], [])])
    player = play(path).player
    assert player.defects == {"gap_in_update_ids": 1}
    assert player.problems[0].startswith(f"{path}:3: gap in update ids")
    with pytest.raises(SourceError, match="books:3: gap in update ids"):
        play(path, strict=True)


def test_a_service_that_begins_anew_begins_with_a_snapshot(tmp_path: Path) -> None:
    again = line(1, [["99.0", "1"]], [["99.5", "1"]], type="snapshot")
    player = play(write(tmp_path / "books", [BOOK, again, line(2, [["99.1", "1"]], [])]), strict=True).player
    assert player.defects == {}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (message(3)[:50] + "\n", "malformed_json"),
        (message(3).replace('"delta"', '"rumour"'), "odd_field"),
        (message(3).replace("10001", "dear"), "odd_field"),
        (message(3).replace("BTCUSDT", "PEPE"), "unknown_symbol"),
        (line(9, [["99.95", "1"]], []), "off_tick"),
    ],
    ids=["cut", "type", "price", "symbol", "tick"],
)
def test_a_line_that_cannot_be_used_is_told(tmp_path: Path, bad: str, reason: str) -> None:
    reading = read_lines(tmp_path, BOOK, bad.replace("10004", "dear") if reason == "odd_field" else bad)
    assert len(reading.only) == 1
    assert reading.report.skipped == {reason: 1}
    assert f"{tmp_path / 'books'}:2: " in reading.report.problems[0]
