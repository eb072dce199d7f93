"""What every source of market history keeps to, whatever its format."""

from __future__ import annotations

import gc
import re
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from events.chunks import decode_chunk, encode_chunk
from events.instruments import RulePack
from replay import sources
from replay.sources import (
    Source,
    SourceError,
    binance,
    binance_opening,
    bitstamp_log,
    bitstamp_orders,
    cell_files,
    columns,
    databento,
    files,
    lobster,
    parquet,
)
from replay.sources import bars as bars_source
from replay.sources.columns import LEVELS_MAX, ROWS_MAX
from tests import tables as vendors
from tests.captures import PACK
from tests.contract.formats import FORMATS, Format

OWN = "time=when,price=px,size=qty,side=taker"
"""What is what in tables whose name says that they have columns of their own."""


def open_source(path: Path, pack: RulePack, strict: bool = False) -> Source:
    return sources.open_source(path, pack, strict, columns=OWN if "own" in path.name else "")


@pytest.fixture(scope="module", params=FORMATS)
def kind(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


@pytest.fixture(scope="module")
def path(kind: Format, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some ten thousand rows."""
    return kind.write(tmp_path_factory.mktemp("source"), 80)


def rows(chunks: Iterable[object]) -> int:
    return sum(len(chunk) for chunk in chunks)  # type: ignore[arg-type]


def test_the_columns_belong_together(path: Path) -> None:
    for chunk in open_source(path, PACK):
        chunk.check()
        assert len(chunk)


def test_chunks_are_bounded(path: Path) -> None:
    for chunk in open_source(path, PACK):
        assert len(chunk) <= ROWS_MAX
        assert len(chunk.level_price) <= LEVELS_MAX


def test_time_never_falls_from_chunk_to_chunk(path: Path) -> None:
    ends: dict[str, int] = {}
    for chunk in open_source(path, PACK):
        assert chunk.at[0] >= ends.get(chunk.instrument, 0)
        ends[chunk.instrument] = chunk.at[-1]


def test_no_row_is_older_than_those_of_the_stretches_before(path: Path) -> None:
    source = open_source(path, PACK)
    ended = reached = 0
    seen: list[str] = []
    for chunk in source:
        assert chunk.instrument not in seen, "a stretch has one chunk of each instrument"
        assert chunk.at[0] >= ended
        reached = max(reached, chunk.at[-1])
        seen.append(chunk.instrument)
        if not source.goes_on:
            ended, seen = reached, []
    assert not source.goes_on


def test_one_symbol_can_be_picked(path: Path, kind: Format) -> None:
    whole = sources.open_source(path, PACK, columns=OWN if "own" in path.name else "", symbol="BTCUSDT")
    assert {chunk.instrument for chunk in whole} == {"BTCUSDT"}
    assert whole.names_symbols is kind.says_symbol
    assert set(whole.report.skipped) <= {"header", "not_picked", "before_snapshot"}


def test_numbers_are_what_the_core_takes(path: Path) -> None:
    for chunk in open_source(path, PACK):
        assert all(price > 0 for price in chunk.level_price + chunk.print_price)
        assert all(lots >= 0 for lots in chunk.level_lots)
        assert all(lots > 0 for lots in chunk.print_lots)
        assert set(chunk.print_side) <= {-1, 1}
        assert all(mark >= 0 for mark in chunk.mark)


def test_every_kind_of_row_that_there_is_comes_through(path: Path, kind: Format) -> None:
    kinds = {kind for chunk in open_source(path, PACK) for kind in chunk.kind}
    assert kinds >= kind.kinds


def test_every_line_makes_rows_or_is_counted(path: Path, kind: Format) -> None:
    source = open_source(path, PACK)
    assert rows(source) == kind.rows_a_line * (source.report.lines - source.report.skipped.total())


def test_opening_again_gives_equal_chunks(path: Path) -> None:
    assert list(open_source(path, PACK)) == list(open_source(path, PACK))


def test_reading_again_gives_equal_chunks_and_an_equal_report(path: Path) -> None:
    source = open_source(path, PACK)
    first, report = list(source), source.report
    assert list(source) == first
    assert (source.report.lines, source.report.skipped) == (report.lines, report.skipped)


def test_a_strict_reading_of_a_whole_file_is_the_same(path: Path) -> None:
    assert list(open_source(path, PACK, strict=True)) == list(open_source(path, PACK))


def test_chunks_survive_the_log(path: Path) -> None:
    for chunk in open_source(path, PACK):
        assert decode_chunk(encode_chunk(chunk)) == chunk


def test_rows_are_located_in_the_file(path: Path, kind: Format) -> None:
    source = open_source(path, PACK)
    lines: dict[str, list[int]] = {}
    for chunk in source:
        for row in range(len(chunk)):
            file, _, line = source.locate(row, chunk.instrument).rpartition(":")
            assert file == str(path)
            lines.setdefault(chunk.instrument, []).append(int(line))
    found = [line for of_one in lines.values() for line in of_one]
    assert len(found) == len(set(found)) * kind.rows_a_line
    assert max(found) <= source.report.lines


def test_it_streams(path: Path) -> None:
    source = open_source(path, PACK)
    assert source.position == 0
    positions = [source.position for _ in source]
    assert all(a <= b for a, b in pairwise(positions))
    assert source.position == path.stat().st_size


def test_memory_does_not_grow_with_the_file(kind: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_small_pieces(monkeypatch)
    monkeypatch.setattr(bars_source, "BARS_AHEAD", 20)
    monkeypatch.setattr(bars_source, "PIECE", 1 << 10)
    monkeypatch.setattr(files, "_BLOCK", 1 << 12)
    monkeypatch.setattr(binance_opening, "LINES_AHEAD", 200)
    short, long = (peak(open_source(kind.write(tmp_path, seconds), PACK)) for seconds in (8, 32))
    assert long < short * 1.2


def read_in_small_pieces(monkeypatch: pytest.MonkeyPatch, rows: int = 200) -> None:
    for module in (binance, bars_source, columns):
        monkeypatch.setattr(module, "ROWS_MAX", rows)
    for module in (cell_files, bitstamp_log):
        monkeypatch.setattr(module, "BLOCK", rows * 20)
    monkeypatch.setattr(parquet, "ROWS", rows)
    monkeypatch.setattr(databento, "PIECE", rows * 20)
    monkeypatch.setattr(bitstamp_orders, "REMEMBERED", rows // 4)
    monkeypatch.setattr(lobster, "BATCH", rows)


def test_the_rows_are_the_same_whatever_the_size_of_chunks(
    kind: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kind.write(tmp_path, 8)
    whole = list(open_source(path, PACK))
    read_in_small_pieces(monkeypatch, 83)
    pieces = list(open_source(path, PACK))
    assert len(pieces) > len(whole)
    assert vendors.unfolded(pieces) == vendors.unfolded(whole)


@pytest.mark.parametrize("kind", [name for name, known in FORMATS.items() if known.back], indirect=True)
def test_a_row_that_is_older_takes_the_time_of_the_one_before_and_is_counted(kind: Format, tmp_path: Path) -> None:
    """But a bar: one that is older is a defect."""
    assert kind.back is not None
    path = tmp_path / kind.damaged
    kind.back(path)
    source = open_source(path, PACK, strict=True)
    for chunk in source:
        chunk.check()
    assert source.report.time_went_back == kind.rows_a_line


def test_a_symbol_that_the_rule_pack_does_not_have_is_told(kind: Format, path: Path) -> None:
    others = tuple(instrument for instrument in PACK.instruments if instrument.id not in ("BTCUSDT", "ETHUSDT"))
    pack = msgspec.structs.replace(PACK, instruments=others)
    if not kind.says_symbol:
        with pytest.raises(SourceError, match="names no symbol of the rule pack; say with --symbol which it is"):
            open_source(path, pack)
        return
    source = open_source(path, pack)
    assert rows(source) == 0
    assert source.report.skipped["unknown_symbol"] > 1_000
    assert re.search("unknown symbol '(BTC|ETH)USDT'; the rule pack has ", source.report.problems[0])
    assert len(source.report.problems) <= 20
    with pytest.raises(SourceError, match=r"unknown symbol '\w+'; .*: take one that has it"):
        list(open_source(path, pack, strict=True))


def test_a_file_without_a_byte_is_refused(kind: Format, tmp_path: Path) -> None:
    path = tmp_path / kind.damaged
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="the file is empty; `ringfence sources` "):
        open_source(path, PACK)


def test_a_file_that_was_cut_gives_what_was_whole_and_says_so(kind: Format, path: Path, tmp_path: Path) -> None:
    cut = tmp_path / path.name
    whole = path.read_bytes()
    half = len(whole) // 2
    at = whole.find(b"\n", half) + 10 if path.suffix in ("", ".csv", ".log") else half
    cut.write_bytes(whole[:at])
    if path.suffix in (".zip", ".parquet"):
        with pytest.raises(SourceError, match=r"the (zip archive|Parquet file) is cut off or damaged"):
            list(open_source(cut, PACK))
        return
    source = open_source(cut, PACK)
    assert rows(source) > 100
    assert re.search("cut off|ends early", source.report.problems[-1])
    with pytest.raises(SourceError, match=rf"{cut}:\d+: "):
        list(open_source(cut, PACK, strict=True))


def peak(source: Source) -> int:
    """The most memory that reading the source took. What the interpreter keeps of freed objects for new ones, until a
    collection that comes when it comes, is given back after each chunk: it is not of the source."""
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    for _ in source:
        gc.collect()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gc.unfreeze()
    return most


def test_a_defect_is_told_and_the_rest_is_read_unless_strict(kind: Format, tmp_path: Path) -> None:
    path = tmp_path / kind.damaged
    line = kind.damage(path)
    source = open_source(path, PACK)
    assert rows(source) > 100
    (problem,) = source.report.problems
    assert problem.startswith(f"{path}:{line}: ")
    assert "; " in problem, "what to do about it"
    with pytest.raises(SourceError) as raised:
        list(open_source(path, PACK, strict=True))
    assert str(raised.value) == problem
