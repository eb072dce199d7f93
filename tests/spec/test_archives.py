"""Binance's public archives: how their tables are known, what comes of them, and what goes wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.facts import FundingDue
from events.observations import Kind
from events.units import SECOND
from replay.sources import SourceError, format_of, open_source
from tests import candles
from tests.archives import ROWS, START, Row, aggregated, funding, header, ticker, trade
from tests.captures import PACK, Reading
from tests.playing import play
from tests.tables import read, write

HOUR = 3_600 * SECOND


def archive(folder: Path, what: str, *rows: Row, bare: bool = False) -> Path:
    return write(folder / f"BTCUSDT-{what}-2023-11-14.csv", "" if bare else header(what), rows)


def read_rows(folder: Path, what: str, *rows: Row, strict: bool = False) -> Reading:
    return read(archive(folder, what, *rows), strict)


@pytest.mark.parametrize("what", ROWS)
def test_a_table_reads_the_same_with_a_header_and_without(tmp_path: Path, what: str) -> None:
    rows = [ROWS[what][1](n) for n in range(20)]
    named, bare = read(archive(tmp_path, what, *rows)), read(archive(tmp_path, what, *rows, bare=True))
    assert bare.chunks == named.chunks
    assert named.report.skipped == {"header": 1, **bare.report.skipped}


@pytest.mark.parametrize("what", ["aggTrades", "trades"])
def test_the_spot_market_has_one_column_more(tmp_path: Path, what: str) -> None:
    rows = [[*ROWS[what][1](n), "True"] for n in range(5)]
    path = write(tmp_path / f"BTCUSDT-{what}.csv", "", rows)
    assert [len(chunk) for chunk in read(path, strict=True).chunks] == [5]


def test_bars_are_still_known_as_bars(tmp_path: Path) -> None:
    path = candles.write(tmp_path / "BTCUSDT-1m.csv", candles.generated(5), header=True)
    assert format_of(path).name.startswith("bars")


def test_the_buyer_being_maker_means_that_the_taker_sold(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "aggTrades", aggregated(0), aggregated(1), strict=True).only
    assert (chunk.print_side, chunk.print_price, chunk.print_lots) == ([1, -1], [100_000, 100_001], [1, 2])
    assert chunk.at == chunk.transacted == [START * 10**6, (START + 1) * 10**6]


def test_a_book_ticker_keeps_its_update_id(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "bookTicker", ticker(3), strict=True).only
    best = chunk.ticker_bid, chunk.ticker_bid_lots, chunk.ticker_ask, chunk.ticker_ask_lots
    assert (chunk.ticker_id, *best) == ([103], [100_000], [3_500], [100_004], [1_000])


def test_a_step_in_the_ids_of_trades_is_told_and_the_trade_is_used(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, "trades", trade(1), trade(2), trade(5), trade(6))
    assert len(reading.only) == 4
    (problem,) = reading.report.problems
    assert problem.endswith(".csv:4: BTCUSDT: trade 105 follows trade 102; fetch the file again")
    assert reading.report.skipped == {"header": 1, "gap_in_trade_ids": 1}
    with pytest.raises(SourceError, match=r":4: BTCUSDT: trade 105 follows trade 102"):
        read_rows(tmp_path, "trades", trade(1), trade(2), trade(5), strict=True)


@pytest.mark.parametrize(("what", "reason"), [("bookDepth", "depth_within_percent"), ("metrics", "open_interest")])
def test_what_is_no_part_of_a_market_is_counted(tmp_path: Path, what: str, reason: str) -> None:
    rows = [ROWS[what][1](n) for n in range(5)]
    reading = read_rows(tmp_path, what, *rows, strict=True)
    assert (reading.chunks, reading.report.skipped) == ([], {"header": 1, reason: 5})
    first, last = reading.report.span
    assert last - first == 4 * SECOND


def test_a_date_that_is_none_is_told(tmp_path: Path) -> None:
    rows = [ROWS["bookDepth"][1](n) for n in range(3)]
    rows[1][0] = "2023-11-14 25:99"
    reading = read_rows(tmp_path, "bookDepth", *rows)
    assert "timestamp '2023-11-14 25:99' is not a date and time" in reading.report.problems[0]


@pytest.mark.parametrize(
    "columns",
    [
        "time,symbol,side,order_type,time_in_force,original_quantity,price,average_price,order_status,"
        "last_fill_quantity,accumulated_fill_quantity",
        "timestamp,symbol,side,price,amount,id",
    ],
)
def test_liquidations_are_counted(tmp_path: Path, columns: str) -> None:
    stated = {"time": START, "timestamp": START, "symbol": "BTCUSDT", "side": "SELL"}
    rows = [[stated.get(column, "1.5") for column in columns.split(",")]] * 3
    reading = read(write(tmp_path / "liquidations.csv", columns, rows), strict=True)
    assert reading.report.skipped == {"header": 1, "liquidation": 3}


def test_a_funding_rate_is_stated_and_then_its_time_is_passed(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "fundingRate", funding(0), funding(1), strict=True).only
    due = START // 60_000 * 60 * SECOND
    assert chunk.kind == [Kind.MARK] * 4
    assert chunk.mark == [0] * 4
    assert chunk.mark_rate == [10_000, 10_000, 11_000, 11_000]
    assert [at - due for at in chunk.mark_next_funding] == [0, 8 * HOUR, 8 * HOUR, 16 * HOUR]


def test_a_funding_rate_that_is_missing_is_not_paid_by_another(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "fundingRate", funding(0), funding(2), funding(2), strict=True).only
    due = START // 60_000 * 60 * SECOND
    assert [at - due for at in chunk.mark_next_funding] == [0, *[8 * HOUR] * 2, *[24 * HOUR] * 3]


def test_rates_without_an_interval_are_paid_too(tmp_path: Path) -> None:
    rows: list[Row] = [[START, "0.0001234567"], [START + 28_800_000, "-1e-4"]]
    path = write(tmp_path / "BTCUSDT.csv", "funding_time,funding_rate", rows)
    reading = read(path, strict=True)
    assert (reading.only.mark_rate, reading.report.rounded) == ([12_346, 12_346, -10_000, -10_000], 1)
    stated = reading.only.mark_next_funding
    assert stated[1] - stated[0] == HOUR


def test_an_interval_that_is_none_is_told(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, "fundingRate", [START, 0, "0.0001"])
    assert (reading.chunks, reading.report.skipped) == ([], {"header": 1, "odd_field": 1})


def test_every_rate_of_a_file_is_paid_once_on_the_mark_of_another_file(tmp_path: Path) -> None:
    rows = candles.generated(60 * 24, marks=True)
    marks = candles.write(tmp_path / "BTCUSDT-mark.csv", rows, header=True)
    first = candles.START + 3_600_000
    rates = [[first + 8 * 3_600_000 * n + 5 * n, 8, f"0.000{n + 1}"] for n in range(3)]
    path = archive(tmp_path, "fundingRate", *rates)
    due = play(marks, path).facts(FundingDue)
    assert [fact.rate for fact in due] == [10_000, 20_000, 30_000]


def test_a_file_that_does_not_say_its_symbol_takes_it_from_the_user(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", header("trades"), [trade(1)])
    with pytest.raises(SourceError, match="say with --symbol which it is"):
        open_source(path, PACK)
    assert read(path, symbol="ETHUSDT").only.instrument == "ETHUSDT"
