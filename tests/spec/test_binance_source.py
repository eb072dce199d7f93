"""Binance captures: what becomes of every kind of line, in which order, and at what time."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.instruments import InstrumentId, load_pack
from events.observations import Kind, Observations
from replay.sources import binance_opening, open_source
from replay.sources.report import REASONS_MAX
from tests.captures import (
    MS,
    PACK,
    START,
    body,
    diff,
    mark,
    read,
    read_lines,
    stamped,
    stream,
    ticker,
    trade,
    write,
)
from tests.playing import play

GOOD = trade()
BTC = InstrumentId("BTCUSDT")


def kinds(chunk: Observations) -> list[Kind]:
    return [Kind(kind) for kind in chunk.kind]


def test_a_diff_becomes_its_levels_bids_first(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, diff(20, [("100.0", "1.5"), ("99.9", "0")], [("100.1", "0.001")])).only
    assert kinds(chunk) == [Kind.DIFF]
    assert (chunk.at, chunk.transacted) == ([START], [1_999 * MS])
    assert (chunk.first_id, chunk.last_id, chunk.previous_id) == ([11], [20], [10])
    assert (chunk.bids_end, chunk.asks_end) == ([2], [3])
    assert (chunk.level_price, chunk.level_lots) == ([1000, 999, 1001], [1500, 0, 1])


def test_a_depth_body_becomes_a_snapshot(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, GOOD, body(20, [("100.0", "1.5")], [("100.1", "2"), ("100.2", "3")])).only
    assert kinds(chunk) == [Kind.PRINT, Kind.SNAPSHOT]
    assert (chunk.first_id, chunk.last_id, chunk.previous_id) == ([20], [20], [0])
    assert (chunk.bids_end, chunk.asks_end) == ([1], [3])


@pytest.mark.parametrize(("maker", "side"), [(True, -1), (False, 1)])
def test_a_trade_becomes_a_print_on_the_takers_side(tmp_path: Path, maker: bool, side: int) -> None:
    chunk = read_lines(tmp_path, trade("100.1", "0.005", m=maker)).only
    assert (chunk.print_price, chunk.print_lots, chunk.print_side) == ([1001], [5], [side])


def test_a_book_ticker_becomes_a_ticker(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, ticker(7)).only
    assert (chunk.ticker_id, chunk.ticker_bid, chunk.ticker_bid_lots) == ([7], [1000], [1500])
    assert (chunk.ticker_ask, chunk.ticker_ask_lots) == ([1001], [2000])


def test_a_mark_is_finer_than_a_tick_and_its_time_is_that_of_the_event(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, mark()).only
    assert (chunk.mark, chunk.mark_index, chunk.mark_rate) == ([100_00000001], [99_50000000], [-10_000])
    assert (chunk.mark_next_funding, chunk.transacted) == ([28_800_000 * MS], [2_000 * MS])


def test_what_a_mark_does_not_state_is_zero(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, mark(i="", r="", T=0)).only
    assert (chunk.mark_index, chunk.mark_rate, chunk.mark_next_funding) == ([0], [0], [0])


def test_without_a_transaction_time_the_event_time_counts(tmp_path: Path) -> None:
    assert read_lines(tmp_path, trade(T=0)).only.transacted == [2_000 * MS]


class TestSpot:
    """The spot market's streams have fewer fields."""

    BODY = stamped({"lastUpdateId": 10, "bids": [["100.0", "5"]], "asks": [["100.2", "5"]]})
    BEST = {"s": "BTCUSDT", "b": "100.0", "B": "4", "a": "100.2", "A": "5"}

    @staticmethod
    def changed(first: int, last: int, bid: str, at_ms: int) -> str:
        data = {"e": "depthUpdate", "E": 2_000, "s": "BTCUSDT", "U": first, "u": last, "b": [["100.0", bid]], "a": []}
        return stamped(stream("btcusdt@depth@100ms", data), at_ms)

    def best(self, last_id: int, at_ms: int, **fields: object) -> str:
        return stamped(stream("btcusdt@bookTicker", {"u": last_id} | self.BEST | fields), at_ms)

    def test_a_ticker_and_a_body_that_state_no_time_have_that_of_their_capture(self, tmp_path: Path) -> None:
        chunk = read_lines(tmp_path, self.BODY, self.best(15, 3), self.changed(9, 15, "4", 5)).only
        assert kinds(chunk) == [Kind.SNAPSHOT, Kind.TICKER, Kind.DIFF]
        assert chunk.transacted == [START, START + 3 * MS, 2_000 * MS]
        assert (chunk.ticker_id, chunk.ticker_bid, chunk.ticker_ask_lots) == ([15], [1000], [5000])

    def test_a_ticker_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        reading = read_lines(tmp_path, self.BODY, self.best(15, 3, b="dear"), self.changed(9, 15, "4", 5))
        assert reading.report.defective == {"unknown_stream": None}

    def test_its_diffs_follow_each_other_and_one_that_does_not_is_a_gap(self, tmp_path: Path) -> None:
        lines = [self.BODY, self.best(15, 3), self.changed(9, 15, "4", 5), self.changed(16, 17, "3", 6)]
        whole = play(write(tmp_path / "capture", lines), strict=True).state.contracts[BTC].feed
        assert (whole.equal, whole.gaps, whole.book.stale) == (1, 0, False)
        path = write(tmp_path / "capture", [*lines, self.changed(19, 21, "2", 7)])
        assert play(path).player.problems[0].startswith(f"{path}:5: gap in update ids")


def test_contracts_that_are_settled_in_coin_are_read_likewise(tmp_path: Path) -> None:
    of = {"s": "BTCUSD_PERP", "ps": "BTCUSD"}
    lines = [
        body(7, [("67000.0", "1200")], [("67000.1", "300")], symbol="BTCUSD_PERP", pair="BTCUSD"),
        ticker(17, b="67000.0", B="1100", a="67000.1", A="300", **of),
        diff(17, [("67000.0", "1100")], **of),
        trade("67000.0", "100", **of),
        mark(p="67000.05432100", **of),
        mark(p="67001.5", r="", T=0, **of),
    ]
    source = open_source(write(tmp_path / "capture", lines), load_pack("binance-coinm"), strict=True)
    (chunk,) = source
    assert chunk.instrument == "BTCUSD_PERP"
    assert kinds(chunk) == [Kind.SNAPSHOT, Kind.TICKER, Kind.DIFF, Kind.PRINT, Kind.MARK, Kind.MARK]
    assert (chunk.print_lots, chunk.level_lots) == ([100], [1200, 300, 1100])
    assert (chunk.mark_rate[1], chunk.mark_next_funding[1]) == (0, 0)


def test_rows_keep_the_order_of_the_file(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, ticker(), trade(), mark(), diff(20), trade(), ticker()).only
    assert kinds(chunk) == [Kind.TICKER, Kind.PRINT, Kind.MARK, Kind.DIFF, Kind.PRINT, Kind.TICKER]
    assert chunk.index == [0, 0, 0, 0, 1, 1]


def test_a_diff_that_crosses_is_for_the_book_to_judge(tmp_path: Path) -> None:
    assert len(read_lines(tmp_path, diff(20, [("200", "1")], [("100", "1")])).only) == 1


def test_numbers_may_be_json_numbers(tmp_path: Path) -> None:
    line = GOOD.replace('"100.1"', "100.1")
    assert read_lines(tmp_path, line).only.print_price == [1001]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9], ids=["ns", "us", "ms", "s"])
def test_the_unit_of_a_capture_time_follows_from_its_size(tmp_path: Path, unit: int) -> None:
    line = GOOD.replace(str(START), str(START // unit))
    assert read_lines(tmp_path, line).only.at == [START]


def test_time_that_goes_back_is_clamped_and_counted_and_no_row_is_lost(tmp_path: Path) -> None:
    lines = [trade(at_ms=5), trade(at_ms=3), trade(at_ms=4), trade(at_ms=5), trade(at_ms=6)]
    source = open_source(write(tmp_path / "capture", lines), PACK, strict=True)
    (chunk,) = source
    assert chunk.at == [START + ms * MS for ms in (5, 5, 5, 5, 6)]
    assert (source.report.time_went_back, source.report.skipped) == (2, {})


def test_diffs_from_before_the_body_follow_it_and_older_ones_are_dropped(tmp_path: Path) -> None:
    early = [diff(10, at_ms=0), ticker(at_ms=1), diff(20, at_ms=2), trade(at_ms=3), diff(30, at_ms=4)]
    reading = read_lines(tmp_path, *early, body(20, at_ms=5), diff(40, at_ms=6))
    chunk = reading.only
    assert kinds(chunk) == [Kind.TICKER, Kind.PRINT, Kind.SNAPSHOT, Kind.DIFF, Kind.DIFF, Kind.DIFF]
    assert chunk.last_id == [20, 20, 30, 40]
    assert chunk.at == [START + ms * MS for ms in (1, 3, 5, 5, 5, 6)]
    assert (reading.report.skipped, reading.report.problems) == ({"before_snapshot": 1}, [])
    assert reading.report.time_went_back == 0


def test_older_diffs_that_come_after_the_body_are_dropped_too(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, body(30), diff(10), diff(20), diff(30), diff(40))
    assert reading.only.last_id == [30, 30, 40]
    assert reading.report.skipped == {"before_snapshot": 2}


def test_a_later_body_holds_nothing_back(tmp_path: Path) -> None:
    chunk = read_lines(tmp_path, diff(10), body(10), diff(20), body(25), diff(30)).only
    assert chunk.last_id == [10, 10, 20, 25, 30]


def test_a_body_beyond_the_look_ahead_holds_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_opening, "LINES_AHEAD", 2)
    assert read_lines(tmp_path, diff(10), diff(20), body(20), diff(30)).only.last_id == [10, 20, 20, 30]


def test_the_look_ahead_is_bounded_in_bytes_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_opening, "BYTES_AHEAD", 100)
    assert read_lines(tmp_path, diff(10), diff(20), body(20), diff(30)).only.last_id == [10, 20, 20, 30]


def test_a_body_that_cannot_be_used_holds_nothing_back(tmp_path: Path) -> None:
    broken = body(20).replace(str(START), "yesterday")
    reading = read_lines(tmp_path, diff(10), broken, diff(30))
    assert reading.only.last_id == [10, 30]
    assert reading.report.skipped == {"malformed_line": 1}


def test_a_body_may_name_its_symbol(tmp_path: Path) -> None:
    chunks = read_lines(tmp_path, GOOD, ticker(s="ETHUSDT"), body(20, symbol="ETHUSDT")).chunks
    assert [(chunk.instrument, kinds(chunk)) for chunk in chunks] == [
        ("BTCUSDT", [Kind.PRINT]),
        ("ETHUSDT", [Kind.TICKER, Kind.SNAPSHOT]),
    ]


def test_each_symbol_has_its_own_chunks_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = [trade("1.0", s="ETHUSDT"), trade("2.0"), trade("3.0", s="ETHUSDT", at_ms=1), trade("4.0", at_ms=2)]
    eth, btc = read_lines(tmp_path, *lines).chunks
    assert (eth.instrument, eth.print_price) == ("ETHUSDT", [100, 300])
    assert (btc.instrument, btc.print_price) == ("BTCUSDT", [20, 40])
    assert btc.at == [START, START + 2 * MS]


def test_a_symbol_without_a_usable_row_has_no_chunk(tmp_path: Path) -> None:
    assert read_lines(tmp_path, trade("0.001", s="ETHUSDT"), GOOD).only.instrument == "BTCUSDT"


def test_a_row_can_be_found_in_the_file(tmp_path: Path) -> None:
    lines = [diff(10), trade("0.05"), GOOD, ticker(s="ETHUSDT"), body(20, symbol="BTCUSDT"), diff(20), ticker()]
    path = write(tmp_path / "capture", lines)
    source = open_source(path, PACK)
    located = {
        chunk.instrument: [source.locate(row, chunk.instrument) for row in range(len(chunk))] for chunk in source
    }
    assert located == {"BTCUSDT": [f"{path}:{n}" for n in (3, 5, 6, 7)], "ETHUSDT": [f"{path}:4"]}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (trade(X="INSURANCE_FUND"), "trade_insurance_fund"),
        (trade(X="ADL"), "trade_adl"),
        (trade(X="\n" + "x" * 99), "trade_?" + "x" * 31),
        (trade(X="INSURANCE_FUND", p="0", q="0"), "trade_insurance_fund"),
        (trade(p="0.00"), "trade_zero"),
        (trade(q="0.000"), "trade_zero"),
        (stamped(stream("btcusdt@aggTrade", {"e": "aggTrade", "s": "BTCUSDT"})), "stream_aggTrade"),
        (stamped(stream("btcusdt@kline_1m", {"e": "kline", "s": "BTCUSDT"})), "stream_kline"),
        (stamped(stream("!markPrice@arr", [{"e": "markPriceUpdate"}])), "stream_markPrice@arr"),
        (diff(20).replace("@depth@0ms", "@depth20@100ms"), "stream_depth20@100ms"),
        (diff(20).replace("@depth@0ms", "@rpiDepth@500ms"), "stream_rpiDepth@500ms"),
        (stamped({"result": None, "id": 1}), "stream_reply"),
    ],
)
def test_what_is_no_observation_is_counted_by_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path / "capture", [GOOD, line, GOOD])
    reading = read(path, strict=True)
    assert reading.report.skipped == {reason.replace("_markPrice@arr", "_arr"): 1}
    assert (len(reading.only), reading.report.lines, reading.report.problems) == (2, 3, [])


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@depth@500ms", ""])
def test_diffs_come_on_any_depth_stream(tmp_path: Path, name: str) -> None:
    assert len(read_lines(tmp_path, diff(20).replace("btcusdt@depth@0ms", name)).only) == 1


def test_reasons_made_of_names_in_the_file_are_bounded(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, *(trade(X=f"X{n}") for n in range(2 * REASONS_MAX)))
    assert len(reading.report.skipped) == REASONS_MAX + 1
    assert reading.report.skipped["other"] == REASONS_MAX
