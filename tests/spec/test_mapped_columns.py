"""Tables in columns of anybody's own: trades and bars, CSV and Parquet, with `--columns`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from replay.sources import SourceError, open_source, parquet
from tests import candles
from tests.captures import PACK, Reading
from tests.command_line import ringfence
from tests.tables import Row, unfolded, write

START = 1_700_000_000
TRADES = "time=when,price=px,size=qty,side=s"
HEADER = "when,px,qty,s,note"


def row(n: int) -> Row:
    return [START + n, f"100.{n % 10}", f"0.{n + 1:03d}", "SELL" if n % 2 else "Buy", "x"]


def read(path: Path, columns: str, strict: bool = False, symbol: str = "BTCUSDT") -> Reading:
    source = open_source(path, PACK, strict, symbol, columns)
    chunks = list(source)
    for chunk in chunks:
        chunk.check()
    assert source.position == path.stat().st_size
    return Reading(chunks, source.report)


def packed(path: Path, **columns: list[Any]) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_trades_are_read_from_the_columns_that_are_named(tmp_path: Path) -> None:
    chunk = read(write(tmp_path / "t.csv", HEADER, [row(0), row(1)]), TRADES, strict=True).only
    assert (chunk.print_price, chunk.print_lots, chunk.print_side) == ([1_000, 1_001], [1, 2], [1, -1])
    assert chunk.at == [START * 10**9, (START + 1) * 10**9]


def test_without_a_side_a_trade_at_or_above_the_one_before_was_bought(tmp_path: Path) -> None:
    rows: list[Row] = [[START, price, "1"] for price in ("100", "100", "99.9", "100.1")]
    chunk = read(write(tmp_path / "t.csv", "t,p,q", rows), "time=t,price=p,size=q", strict=True).only
    assert chunk.print_side == [1, 1, -1, 1]


def test_times_may_be_dates(tmp_path: Path) -> None:
    rows: list[Row] = [["2023-11-14T22:13:20.5Z", "100", "1"], ["2023-11-14T22:13:21Z", "100", "1"]]
    chunk = read(write(tmp_path / "t.csv", "t,p,q", rows), "time=t,price=p,size=q", strict=True).only
    assert chunk.at == [START * 10**9 + 500_000_000, (START + 1) * 10**9]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{START}", f"{START}.25"),
        (f"{START}.0000", f"{START}.2500"),
        ("2023-11-14 22:13:20+00:00", "2023-11-14 22:13:20.25+00:00"),
        ("2023-11-14T22:13:20", "2023-11-14T22:13:20.250-0000"),
    ],
    ids=["decimals later", "decimals", "with a zone", "another zone"],
)
@pytest.mark.parametrize("bad", ["soon", "-1.5", "2023-11-14 22:13:20+02:00", "99999999999999.5"])
def test_times_may_have_parts_of_a_second_and_say_their_zone(tmp_path: Path, first: str, second: str, bad: str) -> None:
    path = write(tmp_path / "t.csv", "t,p,q", [[when, "100", "1"] for when in (first, second, bad)])
    reading = read(path, "time=t,price=p,size=q")
    assert reading.only.at == [START * 10**9, START * 10**9 + 250_000_000]
    assert reading.report.skipped == {"header": 1, "odd_field": 1}
    assert reading.report.problems[0].startswith(f"{path}:4: t '{bad}' is not a ")


def test_a_day_is_its_beginning(tmp_path: Path) -> None:
    rows: list[Row] = [[when, "100", "101", "99", "100", "9"] for when in ("2023-11-14", "2023-11-15", "2023-11-X")]
    reading = read(write(tmp_path / "t.csv", "t,o,h,l,c,v", rows), "time=t,open=o,high=h,low=l,close=c,volume=v")
    assert reading.only.at[0] == int(datetime(2023, 11, 14, tzinfo=UTC).timestamp()) * 10**9
    assert reading.report.skipped == {"header": 1, "odd_field": 1}


@pytest.mark.parametrize(
    ("times", "parts"), [([START + n / 4 for n in range(3)], 250), ([START * 1_000.0 + n for n in range(3)], 1)]
)
def test_parquet_may_have_doubles_as_times(tmp_path: Path, times: list[float], parts: int) -> None:
    path = packed(tmp_path / "t", t=[*times, float("nan"), 1e30], p=["100"] * 5, q=["1"] * 5)
    reading = read(path, "time=t,price=p,size=q")
    assert reading.only.at == [START * 10**9 + n * parts * 10**6 for n in range(3)]
    assert [problem.partition(": t ")[0] for problem in reading.report.problems] == [f"{path}:4", f"{path}:5"]


def test_a_word_of_parquet_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = packed(tmp_path / "t", t=[START] * 2, p=["100", None], q=["1"] * 2, s=["wellbought"] * 2)
    path.write_bytes(path.read_bytes().replace(b"wellbought", b"\xff" * 10))
    with pytest.raises(SourceError, match="the Parquet file is cut off or damaged"):
        read(path, "time=t,price=p,size=q,side=s")


@pytest.mark.parametrize("rows", [1, 3])
def test_a_table_without_a_header_has_its_columns_by_number(tmp_path: Path, rows: int) -> None:
    lines: list[Row] = [[f"{START + n}.5000", "100.1", f"0.00{n + 1}", "s"] for n in range(rows)]
    reading = read(write(tmp_path / "t.csv", "", lines), "time=1,price=2,size=3,side=4", strict=True)
    assert (reading.only.print_lots, reading.report.lines) == ([1, 2, 3][:rows], rows)
    assert reading.only.at[0] == START * 10**9 + 500_000_000
    with pytest.raises(SourceError, match="has no column '5'; it has 1, 2, 3, 4"):
        open_source(tmp_path / "t.csv", PACK, symbol="BTCUSDT", columns="time=1,price=2,size=5")


def test_numbers_of_columns_do_not_make_a_known_format_another(tmp_path: Path) -> None:
    bars = candles.generated(5)
    path = candles.write(tmp_path / "BTCUSDT.csv", bars)
    assert read(path, "time=1,price=2,size=3").chunks == candles.read(path).chunks


def test_rows_may_name_their_symbol_and_their_id(tmp_path: Path) -> None:
    rows: list[Row] = [["ETHUSDT", 7, START, "100.01", "1"], ["BTCUSDT", 3, START, "100", "1"]]
    path = write(tmp_path / "t.csv", "c,i,t,p,q", [*rows, ["BTCUSDT", 5, START, "100", "1"]])
    reading = read(path, "time=t,price=p,size=q,symbol=c,id=i", symbol="")
    assert list(unfolded(reading.chunks)) == ["ETHUSDT", "BTCUSDT"]


def test_bars_are_read_from_the_columns_that_are_named(tmp_path: Path) -> None:
    bars = candles.generated(5)
    rows: list[Row] = [[bar[5], *bar[1:5], bar[0]] for bar in bars]
    mapped = write(tmp_path / "t.csv", "v,o,h,l,c,t", rows)
    plain = candles.write(tmp_path / "BTCUSDT.csv", bars)
    named = read(mapped, "time=t,open=o,high=h,low=l,close=c,volume=v", strict=True)
    shorter = candles.read(candles.write(tmp_path / "BTCUSDT-6.csv", [bar[:6] for bar in bars]))
    assert unfolded(named.chunks) == unfolded(shorter.chunks)
    assert plain.exists()


def test_bars_without_a_volume_are_bars_of_marks(tmp_path: Path) -> None:
    rows: list[Row] = [bar[:5] for bar in candles.generated(3)]
    chunk = read(write(tmp_path / "t.csv", "t,o,h,l,c", rows), "time=t,open=o,high=h,low=l,close=c").only
    assert len(chunk.mark) == len(chunk) > 3


def test_a_bar_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    rows: list[Row] = [bar[:6] for bar in candles.generated(6)]
    rows[2][1] = "dear"
    path = write(tmp_path / "t.csv", "t,o,h,l,c,v", rows)
    reading = read(path, "time=t,open=o,high=h,low=l,close=c,volume=v")
    assert reading.report.skipped == {"header": 1, "odd_field": 1}
    assert reading.report.problems[0].startswith(f"{path}:4: o 'dear' is not a number")


@pytest.mark.parametrize("kind", ["doubles", "text", "whole", "stamps"])
def test_parquet_reads_like_csv(tmp_path: Path, kind: str) -> None:
    rows = [row(n) for n in range(50)]
    when: list[Any] = [r[0] for r in rows]
    price: list[Any] = [str(r[1]) for r in rows]
    if kind == "doubles":
        price = [float(text) for text in price]
    if kind == "whole":
        price = [100] * 50
        rows = [[r[0], "100", *r[2:]] for r in rows]
    if kind == "stamps":
        when = [datetime.fromtimestamp(r[0], UTC) for r in rows]  # type: ignore[arg-type]
    path = packed(tmp_path / "t", when=when, px=price, qty=[str(r[2]) for r in rows], s=[r[3] for r in rows])
    expected = read(write(tmp_path / "t.csv", HEADER, rows), TRADES).chunks
    assert unfolded(read(path, TRADES, strict=True).chunks) == unfolded(expected)


def test_parquet_is_read_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 7)
    path = packed(tmp_path / "t", t=[START + n for n in range(40)], p=[100.5] * 40, q=[1.0] * 40)
    source = open_source(path, PACK, symbol="BTCUSDT", columns="time=t,price=p,size=q")
    positions = [source.position for _ in source]
    assert positions == sorted(positions)
    assert positions[2] < path.stat().st_size
    assert source.report.lines == 40


@pytest.mark.parametrize(
    ("prices", "what"),
    [
        ([100.5, None, 100.5], "p '' is not a number with at most 8 decimals"),
        (["100.5", "dear", "100.5"], "p 'dear' is not a number with at most 8 decimals"),
        ([100.5, 0.1 + 0.2, 100.5], "p '0.30000000000000004' is not a number with at most 8 decimals"),
    ],
    ids=["nothing", "a word", "a double that is no decimal"],
)
def test_a_row_of_parquet_that_cannot_be_used_is_told(tmp_path: Path, prices: list[Any], what: str) -> None:
    path = packed(tmp_path / "t", t=[START] * 3, p=prices, q=["1"] * 3)
    reading = read(path, "time=t,price=p,size=q")
    assert len(reading.only) == 2
    assert reading.report.problems == [f"{path}:2: {what}; correct the line or remove it"]
    with pytest.raises(SourceError, match=":2: p "):
        read(path, "time=t,price=p,size=q", strict=True)


def test_a_parquet_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "t", t=[START], p=["1"], q=["1"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="the Parquet file is cut off or damaged"):
        open_source(path, PACK, columns="time=t,price=p,size=q")


@pytest.mark.parametrize(
    "columns", ["time=t", "price=p,size=q", "time=t,price=p,size", "when=t,price=p,size=q", "time=t,time=u,price=p"]
)
def test_columns_that_are_not_enough_or_make_no_sense_are_refused(tmp_path: Path, columns: str) -> None:
    path = write(tmp_path / "t.csv", "t,p,q", [[START, "1", "1"]])
    with pytest.raises(SourceError, match="write NAME=COLUMN with commas: time, price, size"):
        open_source(path, PACK, columns=columns)


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "t,p,q", [[START, "1", "1"]])
    with pytest.raises(SourceError, match="has no column 'x'; it has t, p, q"):
        open_source(path, PACK, columns="time=x,price=p,size=q")


def test_a_file_that_says_itself_what_it_is_needs_no_columns(tmp_path: Path) -> None:
    bars = candles.write(tmp_path / "BTCUSDT-1m.csv", candles.generated(3))
    assert open_source(bars, PACK, columns="time=t,price=p,size=q").name == "bars"


def test_a_table_without_rows_has_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "t,p,q", [])
    assert read(path, "time=t,price=p,size=q").chunks == []


def test_the_command_line_takes_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", HEADER, [row(n) for n in range(20)])
    said = json.loads(ringfence("probe", path, "--columns", TRADES, "--symbol", "BTCUSDT", "--json").out)
    assert (said["format"], said["symbols"][0]["trades"]) == ("trades in columns as said", 20)
    replayed = ringfence("replay", path, "--columns", TRADES, "--symbol", "BTCUSDT", "--mark", "last", "--json").out
    assert json.loads(replayed)["trades"] == 20
    assert "--columns what=ever" in ringfence("probe", path, "--columns", "what=ever", status=2).complaint
