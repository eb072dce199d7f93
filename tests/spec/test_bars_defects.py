"""Bars with defects: each is skipped, counted and told in one line; a strict reading stops at it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from replay.sources import SourceError, open_source
from tests import candles
from tests.candles import MINUTE, START, Row, bar, read, read_rows, zipped
from tests.captures import PACK

FIT = "correct it, or take a rule pack that it fits (`ringfence pack fit`)"
MEND = "correct the line or remove it"
GOOD = bar()
NEXT = bar(START + MINUTE)

AT = "2023-11-14 22:15:00"
DEFECTS: dict[str, tuple[Row, str, str]] = {
    "columns missing": (NEXT[:5], "wrong_columns", f"a bar has 6 or 12 columns and this row 5; {MEND}"),
    "an empty line": ([""], "wrong_columns", f"a bar has 6 or 12 columns and this row 1; {MEND}"),
    "a word": (bar(START + MINUTE, high="x\u00e9"), "odd_field", f"high 'x\\ufffd\\ufffd' is not a number; {MEND}"),
    "no number": (bar(START + MINUTE, low="nan"), "odd_field", f"low 'nan' is not a number; {MEND}"),
    "no time": (["-5", *NEXT[1:]], "odd_field", f"open time '-5' is not a time in s, ms, us or ns; {MEND}"),
    "a time far beyond our days": (
        ["9" * 19, *NEXT[1:6]],
        "odd_field",
        f"open time '{'9' * 19}' is not a time in s, ms, us or ns; {MEND}",
    ),
    "an end before the beginning": (
        [*NEXT[:6], str(START), *NEXT[7:]],
        "odd_field",
        f"the close time {START} is not a second after the open time; {MEND}",
    ),
    "a price off the tick": (
        bar(START + MINUTE, low="98.05"),
        "off_tick",
        f"BTCUSDT: price 98.05 is not a whole number of ticks of 0.1; {FIT}",
    ),
    "a volume off the lot": (
        bar(START + MINUTE, volume="1.0005"),
        "off_lot",
        f"BTCUSDT: volume 1.0005 is not a whole number of lots of 0.001; {FIT}",
    ),
    "a negative price": (bar(START + MINUTE, low="-98"), "negative_price", f"BTCUSDT: price -98.0 is negative; {FIT}"),
    "a price of nothing": (bar(START + MINUTE, low="0.0"), "zero_price", f"BTCUSDT: price is 0; {FIT}"),
    "a negative volume": (
        bar(START + MINUTE, volume="-1"),
        "negative_volume",
        f"BTCUSDT: volume -1.0 is negative; {FIT}",
    ),
    "a price without end": (
        bar(START + MINUTE, high="1e30"),
        "large_price",
        f"BTCUSDT: price 1e+30 is too large; {FIT}",
    ),
    "more digits than a double has": (
        bar(START + MINUTE, high="103.00000000000000000001"),
        "odd_bar",
        f"BTCUSDT: 100.0, 103.00000000000000000001, 98.0, 101.0, 1.000: more digits than can be kept; {FIT}",
    ),
    "high below low": (
        bar(START + MINUTE, high="97.0"),
        "odd_bar",
        "BTCUSDT: high 97.0 is below low 98.0; correct it or remove the line",
    ),
    "a close above the high": (
        bar(START + MINUTE, close="104.0"),
        "odd_bar",
        "BTCUSDT: open 100.0 or close 104.0 is not between low 98.0 and high 103.0; correct it or remove the line",
    ),
    "fewer lots than prices": (
        bar(START + MINUTE, volume="0.003"),
        "thin_bar",
        "BTCUSDT: 3 lots cannot have traded at the 4 prices of its path; correct it or remove the line",
    ),
    "an odd mark": (
        bar(START + MINUTE, low="98.000000001", volume="0"),
        "odd_mark",
        "BTCUSDT: marks 100.0, 103.0, 98.000000001, 101.0: not usable; correct it or remove the line",
    ),
    "an odd bar of marks": (
        bar(START + MINUTE, high="97.0", volume="0"),
        "odd_bar",
        "BTCUSDT: high 97.0 is below low 98.0; correct it or remove the line",
    ),
    "the same bar again": (
        GOOD,
        "duplicate_bar",
        "the bar of 2023-11-14 22:14:00 stands in line 1 already; remove one of them",
    ),
    "an older bar": (
        bar(START - MINUTE),
        "bar_out_of_order",
        "the bar of 2023-11-14 22:13:00 comes after that of 2023-11-14 22:14:00 in line 1; sort the file by open time",
    ),
    "a bar within another": (
        bar(START + 30_000),
        "overlapping_bar",
        f"the bar of 2023-11-14 22:14:30 begins before that of line 1 ends, at {AT}; keep bars of one length",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_skipped_counted_and_told(tmp_path: Path, defect: str) -> None:
    row, reason, what = DEFECTS[defect]
    path = candles.write(tmp_path / "BTCUSDT.csv", [GOOD, row, bar(START + 2 * MINUTE)])
    reading = read(path)
    told = [problem for problem in reading.report.problems if "no bars from" not in problem]
    assert told == [f"{path}:2: {what}"]
    assert reading.report.skipped[reason] == 1
    assert (len(reading.only), reading.report.lines) == (16, 3)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_strict_reading_stops_at_it_with_the_same_line(tmp_path: Path, defect: str) -> None:
    row, _, what = DEFECTS[defect]
    path = candles.write(tmp_path / "BTCUSDT.csv", [GOOD, row, NEXT])
    with pytest.raises(SourceError) as raised:
        read(path, strict=True)
    assert str(raised.value) == f"{path}:2: {what}"


def test_a_gap_is_told_and_the_bar_after_it_is_used(tmp_path: Path) -> None:
    path = candles.write(tmp_path / "BTCUSDT.csv", [GOOD, bar(START + 3 * MINUTE)])
    reading = read(path)
    what = f"no bars from {AT} to 2023-11-14 22:17:00; fetch them, or mind the gap"
    assert (reading.report.problems, reading.report.skipped) == ([f"{path}:2: {what}"], {"gap_between_bars": 1})
    assert len(reading.only) == 16
    with pytest.raises(SourceError, match="no bars from"):
        read(path, strict=True)


def test_a_gap_is_found_without_close_times(tmp_path: Path) -> None:
    rows = [bar(START + n * MINUTE, columns=6) for n in (0, 2, 3)]
    assert read_rows(tmp_path, *rows).report.skipped == {"gap_between_bars": 1}


def test_a_gap_that_an_unreadable_row_left_is_told_once(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, GOOD, ["oops"], bar(START + 2 * MINUTE), bar(START + 4 * MINUTE))
    assert reading.report.skipped == {"wrong_columns": 1, "gap_between_bars": 1}
    assert ":4: " in reading.report.problems[1]


def test_a_single_bar_without_close_time_has_no_end(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, bar(columns=6))
    what = "nothing says how long the bar lasts; add its close time or a second bar"
    assert reading.report.problems == [f"{tmp_path / 'BTCUSDT-1m.csv'}:1: {what}"]
    assert (reading.chunks, reading.report.skipped) == ([], {"bar_without_end": 1})


def test_a_last_line_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv"
    path.write_text(candles.text([GOOD, NEXT])[:-40])
    reading = read(path)
    assert reading.report.problems == [f"{path}:2: the last line is cut off; remove it or fetch the file again"]


def test_json_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.json"
    path.write_text(json.dumps([GOOD, NEXT])[:-9])
    reading = read(path)
    assert reading.report.problems == [f"{path}:2: the last line is cut off; remove it or fetch the file again"]
    assert len(reading.only) == 8


def test_json_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.json"
    path.write_text(json.dumps([GOOD])[:-1] + "," + "[1" * 9_000 + "]")
    reading = read(path)
    assert len(reading.only) == 8
    assert {"wrong_columns"} <= set(reading.report.skipped)


def test_a_gzip_stream_that_breaks_off_gives_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv.gz"
    path.write_bytes(gzip.compress(candles.text(candles.generated(2_000)).encode())[:-30])
    reading = read(path)
    assert reading.report.problems == [
        f"{path}:{reading.report.lines + 1}: the gzip stream ends early; fetch the file again"
    ]
    assert 1_000 < reading.report.lines < 2_000


@pytest.mark.parametrize(
    ("packed", "what"),
    [
        (zipped(b"x" * 99)[:60], "the zip archive is cut off or damaged (File is not a zip file)"),
        (zipped(b"", "a.csv", "b.csv"), "the zip archive holds 2 files, not one"),
        (zipped(b""), "the file is empty"),
        (
            zipped(b"x" * 99, "b\xe4rs").replace("\xe4".encode(), b"\xff\xff", 1),
            "the zip archive is cut off or damaged ('utf-8' codec can't decode byte 0xff in position 1: invalid start"
            " byte)",
        ),
    ],
    ids=["cut", "two files", "empty", "name"],
)
def test_an_archive_that_cannot_be_used_is_refused(tmp_path: Path, packed: bytes, what: str) -> None:
    path = tmp_path / "BTCUSDT.zip"
    path.write_bytes(packed)
    with pytest.raises(SourceError) as raised:
        open_source(path, PACK)
    assert str(raised.value).startswith(f"{path}: {what}; `ringfence sources` ")


def test_an_archive_that_is_damaged_inside_gives_what_was_whole(tmp_path: Path) -> None:
    packed = bytearray(zipped(candles.text(candles.generated(20_000)).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 99] = b"\xff" * 99
    path = tmp_path / "BTCUSDT.zip"
    path.write_bytes(packed)
    reading = read(path)
    assert reading.report.skipped["damaged_zip"] == 1
    assert reading.report.problems[-1].endswith("; fetch the file again")
    assert 1_000 < reading.report.lines < 20_000
