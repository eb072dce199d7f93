"""Files of market history: packed or plain, cut off or damaged, and of formats that nobody knows."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from replay.sources import SourceError, files, open_source
from tests.captures import (
    PACK,
    diff,
    read,
    read_lines,
    trade,
    write,
)
from tests.contract.formats import FORMATS

GOOD = trade()


def test_a_last_line_that_is_cut_off_is_told(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, GOOD[:-20])
    told = "the last line is cut off; remove it or fetch the file again"
    assert reading.report.problems == [f"{tmp_path / 'capture'}:2: {told}"]
    assert reading.report.skipped == {"truncated_line": 1}


def test_a_last_line_may_lack_its_newline(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, GOOD[:-1])
    assert (len(reading.only), reading.report.skipped) == (2, {})


def test_lines_may_end_like_those_of_windows(tmp_path: Path) -> None:
    assert len(read_lines(tmp_path, GOOD[:-1] + "\r\n", GOOD[:-1] + "\r\n").only) == 2


def test_a_reading_that_is_given_up_may_be_collected_after_its_file(tmp_path: Path) -> None:
    lines = files.Lines(write(tmp_path / "capture", [GOOD, GOOD]))
    reading = iter(lines)
    next(reading)
    reading.gi_frame.f_locals["file"].close()
    reading.close()
    assert lines.position == 0


@pytest.mark.parametrize(
    ("lost", "end", "what"),
    [(30, b"", "the gzip stream ends early"), (8, bytes(8), "the gzip stream is damaged (")],
    ids=["cut", "wrong checksum"],
)
def test_a_gzip_stream_that_breaks_off_gives_what_was_whole(tmp_path: Path, lost: int, end: bytes, what: str) -> None:
    text = "".join(trade(f"{n * n % 7919}.1", at_ms=n, t=n * n) for n in range(20_000))
    path = tmp_path / "capture"
    path.write_bytes(gzip.compress(text.encode())[:-lost] + end)
    reading = read(path)
    (problem,) = reading.report.problems
    assert problem.startswith(f"{path}:{reading.report.lines + 1}: {what}")
    assert problem.endswith("; fetch the file again")
    assert reading.report.skipped == {"damaged_gzip": 1}
    assert 5_000 < sum(len(chunk) for chunk in reading.chunks) == reading.report.lines < 20_000
    with pytest.raises(SourceError, match="gzip"):
        read(path, strict=True)


def test_gzip_members_follow_each_other_and_padding_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    half = len(GOOD) // 2
    path.write_bytes(gzip.compress((GOOD + GOOD[:half]).encode()) + gzip.compress(GOOD[half:].encode()) + bytes(512))
    reading = read(path, strict=True)
    assert (len(reading.only), reading.report.lines) == (2, 2)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINE_MAX", 1_000)
    reading = read_lines(
        tmp_path, GOOD, diff(20, [("100.0", "1")] * 1_000), GOOD, diff(30, [("100.0", "1")] * 500)[:-1]
    )
    assert (len(reading.only), reading.report.lines) == (2, 4)
    assert reading.report.skipped == {"malformed_json": 2}


@pytest.mark.parametrize("name", ["binance", "bybit", "bitstamp, recording"])
@pytest.mark.parametrize("line", [1, 50])
def test_a_byte_that_is_no_text_is_told_wherever_it_stands_but_in_what_nobody_reads(
    tmp_path: Path, name: str, line: int
) -> None:
    path = FORMATS[name].write(tmp_path, 8)
    lines = path.read_bytes().splitlines(keepends=True)[:60]
    whole, told = lines[line], 0
    for place in range(len(whole)):
        lines[line] = whole[:place] + b"\xff" + whole[place + 1 :]
        path.write_bytes(b"".join(lines))
        source = open_source(path, PACK, symbol="BTCUSDT")
        assert sum(len(chunk) for chunk in source) > 20
        told += any(f":{line + 1}: " in problem for problem in source.report.problems)
    assert told > len(whole) / 3


def test_the_format_is_seen_in_the_file_and_not_in_its_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "capture.gz", tmp_path / "capture.csv"
    plain.write_bytes(GOOD.encode())
    packed.write_bytes(gzip.compress(GOOD.encode()))
    assert read(plain).only == read(packed).only


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["binance", "bybit", "bars", "bars, JSON", "tardis, levels", "bitstamp, CSV"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    path = FORMATS[name].write(tmp_path, 4)
    whole = list(open_source(path, PACK, symbol="BTCUSDT"))
    path.write_bytes(pack(files.BOM + path.read_bytes()))
    source = open_source(path, PACK, symbol="BTCUSDT")
    assert list(source) == whole
    assert not source.report.problems


KNOWN = "`ringfence sources` lists what is read"
OWN = ", and --columns says what is what in a table of your own"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", f"the file is empty; {KNOWN}"),
        (b"time,price,size\n1,2,3\n", f"starts with 'time,price,size\\n', which is of no known format; {KNOWN}{OWN}"),
        (b"PAR1\n", f"starts with 'PAR1\\n', which is of no known format; {KNOWN}{OWN}"),
        (b"time,price\n1,2\n", f"starts with 'time,price\\n', which is of no known format; {KNOWN}"),
        (b"\x28\xb5\x2f\xfd\0", f"the zstd stream is cut off or damaged (Truncated compressed stream); {KNOWN}"),
        (gzip.compress(b"hello")[:-9], f"the gzip stream ends early; {KNOWN}"),
    ],
    ids=["empty", "csv", "parquet", "two columns", "zstd", "cut"],
)
def test_a_file_of_no_known_format_is_refused_with_what_was_seen(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        open_source(path, PACK)
    assert str(raised.value) == f"{path}: {what}"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: No such file or directory; name a file that can be read"):
        open_source(tmp_path / "nowhere", PACK)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Is a directory; name a file that can be read"):
        open_source(tmp_path, PACK)
