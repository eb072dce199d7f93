"""What goes wrong in Tardis CSV files, and what they say without being wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from events.observations import Kind
from replay.sources import SourceError, cell_files, files, open_source
from tests import tables as vendors
from tests.captures import PACK
from tests.playing import play
from tests.tables import (
    LAYOUTS,
    START,
    base,
    book,
    derivative,
    level,
    option,
    quote,
    read,
    read_rows,
    trade,
    unfolded,
    write,
)


def levels(*rows: tuple[int, str, str, str, str]) -> list[list[object]]:
    """Rows of (message, is_snapshot, side, price, amount)."""
    return [[*base(n), is_snapshot, side, price, amount] for n, is_snapshot, side, price, amount in rows]


WHOLE = [(0, "true", "bid", "99.9", "1"), (0, "true", "ask", "100.1", "2")]


def with_cell(row: list[object], place: int, value: object) -> list[object]:
    return [*row[:place], value, *row[place + 1 :]]


@pytest.mark.parametrize(
    ("row", "reason", "what"),
    [
        (trade(3)[:5], "wrong_columns", "a row has 8 columns and this one 5"),
        (with_cell(trade(3), 3, "noon"), "odd_field", "local_timestamp 'noon' is not a time in s, ms, us or ns"),
        (with_cell(trade(3), 3, -5), "odd_field", "local_timestamp '-5' is not a time in s, ms, us or ns"),
        (with_cell(trade(3), 6, "1e4x"), "odd_field", "price '1e4x' is not a number with at most 8 decimals"),
        (with_cell(trade(3), 6, ""), "odd_field", "price '' is not a number with at most 8 decimals"),
        (with_cell(trade(3), 6, "0.123456789"), "odd_field", "price '0.123456789' is not a number with at most 8 dec"),
        (with_cell(trade(3), 6, "100.05"), "off_tick", "price 100.05 is not a whole number of ticks of 0.1"),
        (with_cell(trade(3), 6, "-100.1"), "negative_price", "price -100.1 is negative"),
        (with_cell(trade(3), 6, "1e17"), "large_price", "price is too large"),
        (with_cell(trade(3), 7, "0.0005"), "off_lot", "size 0.0005 is not a whole number of lots of 0.001"),
        (with_cell(trade(3), 5, "both"), "odd_field", "side says neither side of the taker"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_trade_that_cannot_be_used_is_told_with_its_line(
    tmp_path: Path, row: list[object], reason: str, what: str
) -> None:
    reading = read_rows(tmp_path, "trades", trade(1), trade(2), row, trade(4))
    assert reading.only.print_price == [100_001, 100_002, 100_004]
    (problem,) = reading.report.problems
    assert problem.startswith(f"{tmp_path / 'trades.csv'}:4: ")
    assert what in problem
    assert reading.report.skipped == {"header": 1, reason: 1}
    with pytest.raises(SourceError, match=r"trades.csv:4: "):
        read_rows(tmp_path, "trades", trade(1), trade(2), row, trade(4), strict=True)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (with_cell(trade(3), 7, "0"), "trade_zero"),
        (with_cell(trade(3), 5, "unknown"), "trade_of_unknown_side"),
    ],
    ids=["of nothing", "of unknown side"],
)
def test_trades_that_are_no_prints_are_counted_and_no_defect(tmp_path: Path, row: list[object], reason: str) -> None:
    reading = read_rows(tmp_path, "trades", trade(1), row, strict=True)
    assert (len(reading.only), reading.report.skipped) == (1, {"header": 1, reason: 1})


def test_an_empty_line_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], [trade(1), trade(2)])
    path.write_text(path.read_text().replace("\n", "\n\n", 2).replace("\n\n", "\n", 1))
    reading = read(path)
    assert (len(reading.only), reading.report.skipped) == (2, {"header": 1, "wrong_columns": 1})
    assert f"{path}:3: " in reading.report.problems[0]


def test_lines_may_end_like_those_of_windows(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], [trade(1), trade(2)])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read(path, strict=True).only) == 2


def test_files_that_were_put_together_may_have_their_headers_between(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], [trade(1)])
    path.write_text(path.read_text() * 2)
    reading = read(path, strict=True)
    assert (len(reading.only), reading.report.skipped) == (2, {"header": 2})


def test_a_header_alone_has_nothing(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, "trades", strict=True)
    assert (reading.chunks, reading.report.skipped) == ([], {"header": 1})


def test_a_header_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", f"{vendors.BASE},id,side,price", [trade(1)[:7]])
    with pytest.raises(SourceError, match="Tardis trades without a column amount; fetch the file again"):
        open_source(path, PACK)


@pytest.mark.parametrize("layout", ["quotes", "book_snapshot_5", "options_chain"])
def test_so_is_one_without_sizes_though_there_need_not_be_one_in_each_row(tmp_path: Path, layout: str) -> None:
    header = re.sub(r",(bid_amount|bids\[3\]\.amount)", "", LAYOUTS[layout][0])
    with pytest.raises(SourceError, match=rf"Tardis {layout} without a column \S+amount; fetch the file again"):
        open_source(write(tmp_path / f"{layout}.csv", header, []), PACK)


def test_a_ticker_need_not_have_columns_of_indices_and_funding(tmp_path: Path) -> None:
    path = write(tmp_path / "ticker.csv", f"{vendors.BASE},mark_price", [[*vendors.base(0), "10000.5"]])
    chunk = read(path, strict=True).only
    assert (chunk.mark, chunk.mark_index, chunk.mark_next_funding) == ([10000_50000000], [0], [0])


def test_a_header_of_no_layout_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", f"{vendors.BASE},colour", [])
    with pytest.raises(SourceError, match="no layout has the columns"):
        open_source(path, PACK)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINE_MAX", 2_000)
    monkeypatch.setattr(cell_files, "BLOCK", 500)
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], [trade(1), [*trade(2), "x" * 9_000], trade(3)])
    reading = read(path)
    assert reading.report.skipped == {"header": 1, "wrong_columns": 1}
    assert (
        unfolded(reading.chunks)["BTCUSDT"]
        == unfolded(read_rows(tmp_path, "trades", trade(1), trade(3)).chunks)["BTCUSDT"]
    )


def test_rows_of_one_message_make_one_diff_and_bids_come_first(tmp_path: Path) -> None:
    rows = levels(*WHOLE, (1, "false", "ask", "100.2", "3"), (1, "false", "bid", "99.8", "4"))
    snapshot, diff = unfolded(read_rows(tmp_path, "incremental_book_L2", *rows).chunks)["BTCUSDT"]
    assert (snapshot[0], *snapshot[-2:]) == (Kind.SNAPSHOT, [(999, 1_000)], [(1001, 2_000)])
    assert (diff[0], *diff[-2:]) == (Kind.DIFF, [(998, 4_000)], [(1002, 3_000)])


def test_a_message_may_go_on_in_the_next_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = levels(*((0, "true", "bid", f"{n + 1}.0", "1") for n in range(50)))
    monkeypatch.setattr(cell_files, "BLOCK", 300)
    chunk = read_rows(tmp_path, "incremental_book_L2", *rows).only
    assert (len(chunk), chunk.bids_end) == (1, [50])


def test_a_later_snapshot_begins_the_book_anew_and_its_other_messages_add_to_it(tmp_path: Path) -> None:
    rows = levels(
        *WHOLE, (1, "false", "bid", "99.8", "1"), (2, "true", "bid", "99.7", "1"), (3, "true", "ask", "101", "1")
    )
    reading = read_rows(tmp_path, "incremental_book_L2", *rows)
    kinds = [row[0] for row in unfolded(reading.chunks)["BTCUSDT"]]
    assert kinds == [Kind.SNAPSHOT, Kind.DIFF, Kind.SNAPSHOT, Kind.DIFF]


def test_what_stands_before_the_first_snapshot_is_left_out(tmp_path: Path) -> None:
    rows = levels((0, "false", "bid", "99.8", "1"), (1, "true", "bid", "99.7", "1"))
    reading = read_rows(tmp_path, "incremental_book_L2", *rows, strict=True)
    assert reading.only.kind == [Kind.SNAPSHOT]
    assert reading.report.skipped == {"header": 1, "before_snapshot": 1}


def test_levels_without_any_snapshot_give_no_book(tmp_path: Path) -> None:
    reading = read_rows(tmp_path, "incremental_book_L2", *levels((0, "false", "bid", "99.8", "1")))
    assert (reading.chunks, reading.report.skipped) == ([], {"header": 1, "before_snapshot": 1})


@pytest.mark.parametrize(("place", "value"), [(4, "perhaps"), (5, "middle")])
def test_a_level_that_says_what_nobody_knows_is_told(tmp_path: Path, place: int, value: str) -> None:
    rows = levels(*WHOLE)
    reading = read_rows(tmp_path, "incremental_book_L2", *rows, with_cell(rows[0], place, value))
    assert reading.report.skipped == {"header": 1, "odd_field": 1}
    assert reading.only.level_price == [999, 1001]


def test_a_crossed_book_is_told_with_its_line_and_stops_a_strict_replay(tmp_path: Path) -> None:
    rows = levels(*WHOLE, (1, "false", "bid", "100.5", "1"), (2, "false", "bid", "100.5", "0"))
    path = write(tmp_path / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)
    player = play(path).player
    assert player.defects == {"crossed_book": 1}
    assert player.problems[0].startswith(f"{path}:4: crossed book, and no fills until it is whole again")
    with pytest.raises(SourceError, match=r"levels.csv:4: crossed book"):
        play(path, strict=True)


def test_messages_that_are_older_take_the_time_before_and_are_counted_once_each(tmp_path: Path) -> None:
    rows = levels(*((5, *row[1:]) for row in WHOLE), (3, "false", "bid", "99.8", "1"), (3, "false", "ask", "101", "1"))
    reading = read_rows(tmp_path, "incremental_book_L2", *rows, strict=True)
    assert reading.report.time_went_back == 1
    assert [at for chunk in reading.chunks for at in chunk.at] == [(START + 5_250) * 1_000] * 2


def test_levels_of_a_book_that_are_not_there_are_none(tmp_path: Path) -> None:
    levels_of_row = ["10000.0,1,9999.0,2", "10000.1,1,,", *[",,,"] * 3]
    path = write(tmp_path / "book.csv", LAYOUTS["book_snapshot_5"][0], [[*book(1)[:4], *levels_of_row]])
    chunk = read(path, strict=True).only
    assert (chunk.level_price, chunk.level_lots) == ([99_990, 100_000, 100_001], [2_000, 1_000, 1_000])
    assert (chunk.bids_end, chunk.asks_end) == ([1], [3])


def test_a_side_that_a_quote_does_not_state_is_nothing(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "quotes", [*base(1), "", "", "100.0", "2"], strict=True).only
    assert (chunk.ticker_ask, chunk.ticker_ask_lots, chunk.ticker_bid, chunk.ticker_id) == ([0], [0], [1_000], [-1])


def test_quotes_are_never_compared_with_levels_that_have_no_ids(tmp_path: Path) -> None:
    book_file = write(tmp_path / "l.csv", LAYOUTS["incremental_book_L2"][0], [level(n) for n in range(40)])
    quotes = write(tmp_path / "q.csv", LAYOUTS["quotes"][0], [quote(n) for n in range(40)])
    feed = play(book_file, quotes).state.contracts[PACK.instruments[0].id].feed
    assert (feed.equal, feed.different) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (10_001_50000000, 10_001_12345678, 10_000)),
        ({"rate": "0.000123456789"}, (10_001_50000000, 10_001_12345678, 12_346)),
        ({"rate": "-0.000000005", "index": ""}, (10_001_50000000, 0, 0)),
    ],
    ids=["as it stands", "a rate finer than is kept", "half a unit goes to even"],
)
def test_marks_indices_and_rates_are_kept_to_eight_decimals(
    tmp_path: Path, changes: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    row = derivative(1)
    row[5], row[9] = changes.get("rate", row[5]), changes.get("index", row[9])
    reading = read_rows(tmp_path, "derivative_ticker", row, strict=True)
    chunk = reading.only
    assert (chunk.mark[0], chunk.mark_index[0], chunk.mark_rate[0]) == expected
    assert reading.report.rounded == ("rate" in changes)


def test_a_row_without_a_mark_makes_none_and_an_impossible_one_is_told(tmp_path: Path) -> None:
    reading = read_rows(
        tmp_path,
        "derivative_ticker",
        with_cell(with_cell(derivative(1), 10, ""), 9, ""),
        with_cell(derivative(2), 10, "-1"),
        derivative(3),
    )
    assert len(reading.only) == 1
    assert reading.report.skipped == {"header": 1, "mark_not_stated": 1, "odd_mark": 1}


def test_a_row_with_an_index_alone_states_that_and_no_mark(tmp_path: Path) -> None:
    chunk = read_rows(tmp_path, "derivative_ticker", with_cell(derivative(1), 10, ""), strict=True).only
    assert (chunk.mark, chunk.mark_index, chunk.mark_rate) == ([0], [10_001_12345678], [10_000])


def test_an_option_without_a_mark_still_has_its_quotes(tmp_path: Path) -> None:
    row = option(1)
    row[9] = str(row[9]).replace("22.104361", "")
    chunk = read_rows(tmp_path, "options_chain", row, option(2), strict=True).only
    assert chunk.kind == [Kind.TICKER, Kind.MARK, Kind.TICKER]


def test_liquidations_are_known_by_the_name_of_the_file_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "bybit_liquidations_2024.csv", LAYOUTS["trades"][0], [trade(1), trade(2)])
    reading = read(path, strict=True)
    assert (reading.chunks, reading.report.skipped) == ([], {"header": 1, "liquidation": 2})
