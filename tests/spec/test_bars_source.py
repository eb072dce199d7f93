"""Bars: what becomes of each, in which order and at what time, and in which forms they come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.observations import Kind, Observations
from replay.sources import SourceError, open_source
from tests import candles
from tests.candles import HEADER, MINUTE, NS, START, Row, bar, read, read_rows
from tests.captures import PACK

THIRD = MINUTE // 3
GOOD = bar()
NEXT = bar(START + MINUTE)
SYMBOLS = ", ".join(instrument.id for instrument in PACK.instruments)


def prints(chunk: Observations) -> list[tuple[int, int, int]]:
    """Price in ticks, lots, side."""
    return list(zip(chunk.print_price, chunk.print_lots, chunk.print_side, strict=True))


def times(chunk: Observations, kind: Kind) -> list[int]:
    """Times of the rows of a kind, in ms after START."""
    return [(at - START * NS) // NS for is_kind, at in zip(chunk.kind, chunk.at, strict=True) if is_kind == kind]


# What a bar becomes


def test_a_bar_that_rises_comes_through_its_low_first(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, bar(open="100.0", high="103.0", low="98.0", close="101.0")).only
    assert chunk.print_price == [1000, 980, 1030, 1010]


def test_a_bar_that_falls_comes_through_its_high_first(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, bar(open="101.0", high="103.0", low="98.0", close="100.0")).only
    assert chunk.print_price == [1010, 1030, 980, 1000]


def test_a_bar_that_ends_where_it_began_comes_through_its_low_first(tmp_path: Path) -> None:
    assert read_rows(tmp_path, bar(close="100.0")).only.print_price == [1000, 980, 1030, 1000]


def test_the_points_are_spread_over_the_time_of_the_bar(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, GOOD).only
    assert times(chunk, Kind.PRINT) == times(chunk, Kind.SNAPSHOT) == [0, THIRD, 2 * THIRD, MINUTE - 1]
    assert chunk.transacted == chunk.at


@pytest.mark.parametrize(
    ("prices", "points"),
    [
        (("100.0", "100.0", "100.0", "100.0"), [(0, 1000)]),
        (("100.0", "101.0", "100.0", "101.0"), [(0, 1000), (2 * THIRD, 1010)]),
        (("101.0", "101.0", "100.0", "100.0"), [(0, 1010), (2 * THIRD, 1000)]),
        (("100.0", "101.0", "99.0", "101.0"), [(0, 1000), (THIRD, 990), (2 * THIRD, 1010)]),
        (("100.0", "101.0", "100.0", "100.5"), [(0, 1000), (2 * THIRD, 1010), (MINUTE - 1, 1005)]),
        (("100.0", "100.0", "99.0", "100.0"), [(0, 1000), (THIRD, 990), (2 * THIRD, 1000)]),
    ],
)
def test_a_price_that_is_there_already_makes_no_point(
    tmp_path: Path, prices: tuple[str, str, str, str], points: list[tuple[int, int]]
) -> None:
    chunk = read_rows(tmp_path, bar(START, *prices)).only
    assert list(zip(times(chunk, Kind.PRINT), chunk.print_price, strict=True)) == points


def test_prints_share_the_volume_to_the_lot_and_the_last_one_has_the_rest(tmp_path: Path) -> None:
    assert read_rows(tmp_path, bar(volume="1.003")).only.print_lots == [250, 250, 250, 253]


def test_a_print_above_the_one_before_is_bought_and_one_below_is_sold(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, GOOD, bar(START + MINUTE, open="100.9", high="100.9", low="99.0", close="99.0")).only
    assert [side for _, _, side in prints(chunk)] == [1, -1, 1, -1, -1, -1]


def test_a_book_of_a_level_a_side_stands_ahead_of_each_print_and_is_as_deep(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, bar(volume="1.003")).only
    assert chunk.kind == [Kind.SNAPSHOT, Kind.PRINT] * 4
    assert (chunk.bids_end, chunk.asks_end) == ([1, 3, 5, 7], [2, 4, 6, 8])
    assert chunk.level_price == [999, 1000, 980, 981, 1029, 1030, 1010, 1011]
    assert chunk.level_lots == [250] * 6 + [253] * 2


def test_below_the_first_tick_nobody_bids(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, bar(START, "0.1", "0.1", "0.1", "0.1")).only
    assert (chunk.bids_end, chunk.asks_end, chunk.level_price) == ([0], [1], [1])


def test_bars_of_a_mark_price_become_marks(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, bar(open="100.12345678", volume="0"), bar(START + MINUTE, volume="0.0")).only
    assert chunk.kind == [Kind.MARK] * 8
    assert chunk.mark[:4] == [10_012_345_678, 9_800_000_000, 10_300_000_000, 10_100_000_000]
    assert times(chunk, Kind.MARK)[:4] == [0, THIRD, 2 * THIRD, MINUTE - 1]
    assert {*chunk.mark_index, *chunk.mark_rate, *chunk.mark_next_funding} == {0}


@pytest.mark.parametrize("still", [bar(volume="0", count=0), bar(volume="0", columns=6)])
def test_a_bar_without_trades_makes_no_row_and_is_no_defect(tmp_path: Path, still: Row) -> None:
    after = bar(START + MINUTE, columns=len(still))
    reading = read(candles.write(tmp_path / "BTCUSDT.csv", [still, after]), strict=True)
    assert (len(reading.only), reading.report.skipped) == (8, {"bar_without_trades": 1})


# Which forms it comes in


@pytest.mark.parametrize("columns", [6, 12])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("name", ["BTCUSDT-1m.csv", "BTCUSDT-1m.csv.gz", "BTCUSDT-1m.zip"])
def test_every_form_says_the_same(tmp_path: Path, name: str, header: bool, columns: int) -> None:
    rows = [GOOD, NEXT]
    reading = read(candles.write(tmp_path / name, [row[:columns] for row in rows], header=header), strict=True)
    assert reading.chunks == read_rows(tmp_path, *rows, name="BTCUSDT.csv").chunks
    assert (reading.report.lines, reading.report.skipped) == (2 + header, {"header": 1} if header else {})


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("bare", [False, True], ids=["text", "numbers"])
def test_json_says_the_same_in_one_line_or_in_many(tmp_path: Path, indent: int | None, bare: bool) -> None:
    rows: list[list[object]] = [[float(cell) if bare and n else cell for n, cell in enumerate(r)] for r in (GOOD, NEXT)]
    for row in rows:
        row[0], row[6] = int(str(row[0])), int(float(str(row[6])))
    path = tmp_path / "BTCUSDT-1m.json"
    path.write_text(json.dumps(rows, indent=indent))
    assert read(path, strict=True).chunks == read_rows(tmp_path, GOOD, NEXT).chunks


@pytest.mark.parametrize(
    "times",
    [
        ("2023-11-14 22:14:00", "2023-11-14 22:15:00"),
        ("2023-11-14T22:14Z", "2023-11-14T22:15Z"),
        ("2023-11-14 17:14:00-05:00", "2023-11-14 17:15:00-05:00"),
    ],
    ids=["UTC unsaid", "UTC said", "New York"],
)
def test_an_open_time_may_be_a_date(tmp_path: Path, times: tuple[str, str]) -> None:
    rows = [bar(START + n * MINUTE, columns=6) for n in range(2)]
    dated = [[time, *row[1:]] for time, row in zip(times, rows, strict=True)]
    written = [candles.write(tmp_path / f"BTCUSDT-{n}", made, header=True) for n, made in enumerate((rows, dated))]
    numbers, dates = (read(path) for path in written)
    assert (dates.only, dates.report.skipped) == (numbers.only, {"header": 1})


@pytest.mark.parametrize("text", ["2023-11-31", "1970-01-01", "2023-11-14 22", "9999-01-01"])
def test_what_is_no_date_of_history_is_told(tmp_path: Path, text: str) -> None:
    good = [bar(START + n * MINUTE, columns=6) for n in range(2)]
    rows = [*good, [text, *good[0][1:]]]
    (problem,) = read(candles.write(tmp_path / "BTCUSDT", rows, header=True)).report.problems
    assert f"open time '{text}' is not a number" in problem


@pytest.mark.parametrize("unit", [1_000, 1_000_000], ids=["us", "ns"])
def test_the_unit_of_a_time_follows_from_its_size(tmp_path: Path, unit: int) -> None:
    row = [str(int(cell) * unit) if n in (0, 6) else cell for n, cell in enumerate(GOOD)]
    row[6] = str((START + MINUTE) * unit - 1)
    assert read_rows(tmp_path, row).chunks == read_rows(tmp_path, GOOD).chunks


def test_times_may_be_seconds(tmp_path: Path) -> None:
    rows = [[str(START // 1_000 + n * 60), *GOOD[1:6]] for n in range(2)]
    assert read_rows(tmp_path, *rows).chunks == read_rows(tmp_path, GOOD, NEXT).chunks


def test_lines_may_end_like_those_of_windows_and_the_last_one_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv"
    path.write_bytes("\r\n".join(map(",".join, (HEADER.split(","), GOOD, NEXT))).encode())
    assert read(path, strict=True).chunks == read_rows(tmp_path, GOOD, NEXT).chunks


def test_a_row_can_be_found_in_the_file(tmp_path: Path) -> None:
    path = candles.write(tmp_path / "BTCUSDT.csv", [GOOD, bar(START + MINUTE, *["100.0"] * 4)], header=True)
    source = open_source(path, PACK)
    (chunk,) = source
    assert [source.locate(row, chunk.instrument) for row in range(len(chunk))] == [f"{path}:2"] * 8 + [f"{path}:3"] * 2


def test_the_first_column_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv"
    path.write_text("\ufefftimestamp" + candles.text([GOOD, NEXT], header=True).removeprefix("open_time"))
    assert read(path, strict=True).chunks == read_rows(tmp_path, GOOD, NEXT).chunks


# Whose bars they are


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2021-05-19.zip", "BTCUSDT"),
        ("btcusdt_1m.csv", "BTCUSDT"),
        ("spot.ETHUSDT.csv", "ETHUSDT"),
        ("BTCUSDT_241227-1m-2024-12-01.csv", "BTCUSDT_241227"),
    ],
)
def test_the_name_of_the_file_says_the_symbol(tmp_path: Path, name: str, symbol: str) -> None:
    path = candles.write(tmp_path / name, [GOOD])
    assert next(iter(open_source(path, PACK, symbol="XRPUSDT"))).instrument == symbol


@pytest.mark.parametrize("name", ["bars.csv", "1000BTCUSDTX.csv", "BTCUSDT_210924-1m.csv", "BTCUSDT-ETHUSDT.csv"])
def test_where_it_does_not_the_user_says_it(tmp_path: Path, name: str) -> None:
    path = candles.write(tmp_path / name, [GOOD])
    assert read(path, symbol="BTCUSDT").only.instrument == "BTCUSDT"


@pytest.mark.parametrize(
    ("name", "symbol", "what"),
    [
        ("bars.csv", "", f"the file's name names no symbol of the rule pack; say with --symbol which it is: {SYMBOLS}"),
        (
            "BTCUSDT-ETHUSDT.csv",
            "",
            f"the file's name names BTCUSDT and ETHUSDT; say with --symbol which it is: {SYMBOLS}",
        ),
        ("bars.csv", "PEPE", f"unknown symbol 'PEPE'; the rule pack has {SYMBOLS}: take one that has it"),
    ],
)
def test_a_symbol_that_cannot_be_told_is_an_error(tmp_path: Path, name: str, symbol: str, what: str) -> None:
    path = candles.write(tmp_path / name, [GOOD])
    with pytest.raises(SourceError) as raised:
        open_source(path, PACK, symbol=symbol)
    assert str(raised.value) == f"{path}: {what}"
