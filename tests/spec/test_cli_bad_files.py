"""Bad files, a line each: what a user gives, the one line that follows, and the exit status.

Files are named as they were on the command line. A line says what is wrong, where, and what to do about it.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests import captures
from tests.captures import write
from tests.command_line import ringfence
from tests.playing import market
from tests.tampering import Row, altered, forged, recorded

LINES = market()
DIFFS = [n for n, line in enumerate(LINES, 1) if n > 500 and '"depthUpdate"' in line and '"b":[["' in line]
FORMATS = "`ringfence sources` lists what is read"
BOOK = "and no fills until it is whole again; fetch the file again"
AGAIN = "remove the line or fetch the file again"
SYMBOLS = ", ".join(instrument.id for instrument in captures.PACK.instruments)
UNKNOWN = f"unknown symbol 'PEPEUSDT'; the rule pack has {SYMBOLS}: take one that has it"
COPY = "restore the session from a copy"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is; what the table names is there once a test makes it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Files that are no market history


def _folder(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("dear diary\n")


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE a(b)")


def _nothing(path: Path) -> None:
    pass


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_gzip(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b and no more")


def _unknown_symbol(path: Path) -> None:
    write(path, [line.replace("BTCUSDT", "PEPEUSDT") for line in LINES])


def _only_malformed(path: Path) -> None:
    write(path, ["1700000000000000000 {\n"] * 3)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_nothing, "it: No such file or directory; name a file that can be read"),
        (_folder, "it: Is a directory; name a file that can be read"),
        (_empty, f"it: the file is empty; {FORMATS}"),
        (_text, f"it: starts with 'dear diary\\n', which is of no known format; {FORMATS}"),
        (_database, f"it: starts with 'SQLite format 3\\x00.*', which is of no known format; {FORMATS}"),
        (_no_gzip, f"it: the gzip stream is damaged .*; {FORMATS}"),
        (_unknown_symbol, f"nothing to replay: it:1: {UNKNOWN}"),
        (_only_malformed, f"nothing to replay: it:1: .*; {AGAIN}"),
    ],
)
def test_a_source_that_cannot_be_read(folder: Path, make: Callable[[Path], None], complaint: str) -> None:
    make(folder / "it")
    said = ringfence("replay", "it", "--out", "kept.db", status=2).complaint
    assert re.fullmatch(_pattern(complaint), said), said
    assert not (folder / "kept.db").exists()


def _pattern(complaint: str) -> str:
    """The words as they stand, `.*` for any others."""
    return ".*".join(map(re.escape, complaint.split(".*")))


# History with defects: told and counted, or, if asked for, the end


def _cut_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("".join(LINES).encode(), mtime=0)[:40_000])


def _cut_line(path: Path) -> None:
    write(path, [*LINES[:600], LINES[600][:50]])


def _spoilt(how: Callable[..., object]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write(path, how(LINES, 500))  # type: ignore[arg-type]

    return make


def _strange(path: Path) -> None:
    lines = [line for line in LINES if "lastUpdateId" not in line]
    write(path, [*lines, captures.trade(s="PEPEUSDT", at_ms=10**9)])


def _off_tick(path: Path) -> None:
    write(path, [*LINES, captures.trade("60000.05", at_ms=10**9)])


@pytest.mark.parametrize(
    ("make", "complaint", "reason"),
    [
        (_cut_gzip, r"it:\d+: the gzip stream ends early; fetch the file again", "damaged_gzip"),
        (_cut_line, r"it:601: the last line is cut off; remove it or fetch the file again", "truncated_line"),
        (_spoilt(captures.malformed), rf"it:501: JSON is malformed: .*; {AGAIN}", "malformed_json"),
        (_spoilt(captures.gap), rf"it:{DIFFS[1] - 1}: gap in update ids, {BOOK}", "gap_in_update_ids"),
        (_spoilt(captures.crossed), rf"it:{DIFFS[0]}: crossed book, {BOOK}", "crossed_book"),
        (
            _strange,
            f"it:{len(LINES)}: {UNKNOWN}",
            "unknown_symbol",
        ),
        (
            _off_tick,
            rf"it:{len(LINES) + 1}: BTCUSDT: price 60000\.05 is not a whole number of ticks of 0\.1; "
            "correct it, or take a rule pack that it fits \\(`ringfence pack fit`\\)",
            "off_tick",
        ),
    ],
)
def test_a_defect_is_told_with_its_line_and_counted_and_a_strict_replay_ends_there(
    folder: Path, make: Callable[[Path], None], complaint: str, reason: str
) -> None:
    make(folder / "it")
    patient = ringfence("replay", "it", "--json")
    assert patient.json["skipped"][reason] >= 1
    first = patient.err.splitlines()[0].removeprefix("ringfence: ")
    assert re.fullmatch(complaint, first), first
    assert ringfence("replay", "it", "--strict", status=2).complaint == first


def test_rows_that_go_back_in_time_are_applied_and_are_no_defect(folder: Path) -> None:
    write(folder / "it", captures.back_in_time(LINES, 500))
    write(folder / "whole", LINES)
    said, whole = (ringfence("replay", name, "--strict", "--json").json for name in ("it", "whole"))
    assert {name: said[name] for name in ("trades", "volume", "skipped")} == {
        name: whole[name] for name in ("trades", "volume", "skipped")
    }


def test_many_defects_are_told_by_the_first_ones_and_their_number(folder: Path) -> None:
    write(folder / "it", [LINES[0], *["nonsense\n"] * 50, *LINES[1:]])
    said = ringfence("replay", "it", "--json")
    assert said.json["skipped"]["malformed_line"] == 50
    first, *_, last = said.err.splitlines()
    assert first == "ringfence: it:2: does not start with a capture time and a space; remove the line"
    assert last == "ringfence: ... and 40 more; --strict stops at the first"
    assert len(said.err.splitlines()) < 20


# Files that are no session, and sessions that are damaged


def _cut_session(size: int) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(recorded(path.parent).read_bytes()[:size]) and None


def _changed(sql: str) -> Callable[[Path], None]:
    return lambda path: altered(recorded(path.parent), sql).rename(path) and None


def _newer_kind(path: Path) -> None:
    def newer(rows: list[Row]) -> None:
        row = next(row for row in rows if "market_advanced.1" in row.body)
        row.body = row.body.replace("market_advanced.1", "market_advanced.9")

    forged(recorded(path.parent), newer).rename(path)


def _flipped(path: Path) -> None:
    def flip(rows: list[Row]) -> None:
        rows[4].body = rows[4].body.replace("1", "2", 1)

    forged(recorded(path.parent), flip, digests=False).rename(path)


MEND = ", or keep what is good of it: ringfence log repair it"


@pytest.mark.parametrize("verb", ["verify", "log", "why"])
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_nothing, "it: there is no such session; check the name, or create it"),
        (_folder, "it: there is no such session; check the name, or create it"),
        (_empty, "it: a SQLite file, but not a session of Ringfence; choose another file"),
        (_database, "it: a SQLite file, but not a session of Ringfence; choose another file"),
        (
            _text,
            "it (11 bytes): not a SQLite file, or its first bytes are damaged; restore it from a copy, "
            "or replay it if it is market history (.*)",
        ),
        (
            _cut_session(50_000),
            f"it (50000 bytes): the file is damaged or cut short; restore it from a copy (.*){MEND}",
        ),
        (_changed("PRAGMA user_version = 3"), "it: has schema 3, this program knows 2; use a newer Ringfence"),
        (
            _changed("DROP TABLE batches"),
            "it (.* bytes).*: not what a session holds; restore it from a copy (.*)",
        ),
        (_changed("DELETE FROM batches WHERE batch = 3"), f"it: batch 3 is missing; {COPY}{MEND}"),
        (_flipped, f"it: batch 5: the digest is not that of its body and of what came before; {COPY}{MEND}"),
        (_newer_kind, "it: batch .*: .*market_advanced.9.*; read it with the version of Ringfence that wrote it"),
    ],
)
def test_a_session_that_cannot_be_used(folder: Path, verb: str, make: Callable[[Path], None], complaint: str) -> None:
    make(folder / "it")
    said = ringfence(verb, "it", status=2)
    assert said.err.count("\n") == 1
    line = said.err.removeprefix("ringfence: ").rstrip("\n")
    assert re.fullmatch(_pattern(complaint), line), line
    assert verb == "log" or said.out == ""


def test_a_damaged_session_keeps_what_it_has(folder: Path) -> None:
    _flipped(folder / "it")
    before = (folder / "it").read_bytes()
    for verb in ("verify", "log", "why"):
        ringfence(verb, "it", status=2)
    assert (folder / "it").read_bytes() == before
