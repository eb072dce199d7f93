"""Real files in the layouts of Tardis: what was published of them holds of the columns and after a replay."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from events.facts import FundingDue, MarkPriceMoved
from events.instruments import load_pack
from events.observations import Kind
from replay.sources import open_source
from tests.truth.vendors import CENT, TENTH, THOUSANDTH, Told, facts_of, pack_of, units

DERIVED = "tardis_layout_derived/binance-futures"
PERPETUAL = load_pack("binance-usdm")
COARSE = pack_of(("BTCUSDT",), CENT, THOUSANDTH)

TRADES = {
    f"{DERIVED}_trades_btcusdt_20230405.csv.gz": PERPETUAL,
    f"{DERIVED}_trades_btcusdt_20240808.csv.gz": PERPETUAL,
    "tardis/binance-futures_trades_2020-02-22_BTCUSDT_first10k.csv.gz": COARSE,
}


@pytest.mark.parametrize("name", TRADES)
def test_trades_are_whole(data: Path, name: str) -> None:
    facts, told = facts_of(data, name), Told(data / name, TRADES[name])
    tick = told.pack.instruments[0].tick
    lots, sides, prices = (told.column(f"print_{column}") for column in ("lots", "side", "price"))
    assert told.report.lines == facts["rows"] + 1
    assert (told.report.skipped, told.report.time_went_back) == ({"header": 1}, facts.get("local_backsteps", 0))
    assert sum(lots) == units(facts["volume"], THOUSANDTH)
    bought = sum(n for n, side in zip(lots, sides, strict=True) if side > 0)
    assert bought == units(facts["buy_volume"], THOUSANDTH)
    assert (min(prices), max(prices)) == (units(facts["pmin"], tick), units(facts["pmax"], tick))
    times = told.column("transacted")
    assert (times[0], times[-1]) == (facts["first_timestamp"] * 1_000, facts["last_timestamp"] * 1_000)
    feed = told.played().state.contracts[told.pack.instruments[0].id].feed
    assert (feed.prints, feed.volume, feed.last_price) == (facts["rows"], sum(lots), prices[-1])


def test_the_levels_of_a_capture_are_those_of_the_capture(data: Path) -> None:
    name = f"{DERIVED}_incremental_book_L2_btcusdt_20240808.csv.gz"
    facts, told = facts_of(data, name), Told(data / name, PERPETUAL)
    kinds, lots = told.column("kind"), told.column("level_lots")
    assert len(lots) == facts["rows"]
    assert sum(not n for n in lots) == facts["removals"]
    assert kinds[0] == Kind.SNAPSHOT
    assert told.chunks[0].asks_end[0] == facts["snapshot_rows"]
    assert set(kinds[1:]) == {Kind.DIFF}


def test_the_book_at_the_end_is_that_of_the_capture_at_that_time(data: Path) -> None:
    name = f"{DERIVED}_incremental_book_L2_btcusdt_20240808.csv.gz"
    told = Told(data / name, PERPETUAL)
    end = told.column("at")[-1]
    feed = told.played().state.contracts[PERPETUAL.instruments[0].id].feed
    assert (feed.gaps, feed.crossed, feed.book.stale) == (0, 0, False)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for chunk in open_source(data / "binance_usdm_ws/btcusdt_20240808.gz", PERPETUAL):
        for kind, at, i in zip(chunk.kind, chunk.at, chunk.index, strict=True):
            if kind in (Kind.DIFF, Kind.SNAPSHOT) and at // 1_000 * 1_000 <= end:
                start, middle, stop = chunk.asks_end[i - 1] if i else 0, chunk.bids_end[i], chunk.asks_end[i]
                bids |= zip(chunk.level_price[start:middle], chunk.level_lots[start:middle], strict=True)
                asks |= zip(chunk.level_price[middle:stop], chunk.level_lots[middle:stop], strict=True)
    for side, stated in ((feed.book.bids, bids), (feed.book.asks, asks)):
        assert dict(side.history.stated) == {price: lots for price, lots in stated.items() if lots}


def test_quotes_are_whole(data: Path) -> None:
    name = "tardis/binance-futures_quotes_2020-02-22_BTCUSDT_first10k.csv.gz"
    facts, told = facts_of(data, name), Told(data / name, COARSE)
    bids, asks, times = (told.column(column) for column in ("ticker_bid", "ticker_ask", "transacted"))
    assert len(bids) == facts["rows"]
    assert sum(bid >= ask for bid, ask in zip(bids, asks, strict=True)) == facts["crossed"]
    assert (times[0], times[-1]) == (facts["first_timestamp"] * 1_000, facts["last_timestamp"] * 1_000)
    feed = told.played().state.contracts[COARSE.instruments[0].id].feed
    assert (feed.quote[1], feed.quote[3]) == (bids[-1], asks[-1])


def test_the_derivative_ticker_has_the_marks_of_its_capture(data: Path) -> None:
    name = f"{DERIVED}_derivative_ticker_btcusdt_20230405.csv.gz"
    facts, told = facts_of(data, name), Told(data / name, PERPETUAL)
    capture = list(open_source(data / "binance_usdm_ws/btcusdt_20230405.dat.gz", PERPETUAL))
    for column in ("mark", "mark_index", "mark_rate", "mark_next_funding"):
        assert told.column(column) == [number for chunk in capture for number in getattr(chunk, column)], column
    assert len(told.column("mark")) == facts["rows"]
    played = told.played()
    assert len(played.facts(FundingDue)) == 1
    assert len(played.facts(MarkPriceMoved)) > 200
    assert played.state.contracts[PERPETUAL.instruments[0].id].mark == told.column("mark")[-1]


def test_whole_books_are_whole(data: Path) -> None:
    name = "tardis/binance-futures_book_snapshot_25_BTCUSDT.csv"
    facts, told = facts_of(data, name), Told(data / name, COARSE)
    assert told.column("kind") == [Kind.SNAPSHOT] * facts["rows"]
    assert len(told.column("level_price")) == facts["rows"] * 50
    book = told.played().state.contracts[COARSE.instruments[0].id].feed.book
    last = (data / name).read_text().splitlines()[-1].split(",")[4:]
    asks = {units(last[4 * n], CENT): units(last[4 * n + 1], THOUSANDTH) for n in range(25)}
    bids = {units(last[4 * n + 2], CENT): units(last[4 * n + 3], THOUSANDTH) for n in range(25)}
    assert (dict(book.asks.history.stated), dict(book.bids.history.stated)) == (asks, bids)


def test_a_snapshot_of_another_venue_makes_its_book(data: Path) -> None:
    name = "tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv"
    facts, told = facts_of(data, name), Told(data / name, pack_of(("BTC-PERPETUAL",), TENTH * 5, 10**9))
    assert (told.column("kind"), len(told.column("level_lots"))) == ([Kind.SNAPSHOT], facts["rows"])
    (contract,) = told.played().state.contracts.values()
    assert len(contract.book.asks.history.stated) + len(contract.book.bids.history.stated) == facts["rows"]


def test_an_option_row_gives_a_mark_and_a_ticker(data: Path) -> None:
    name = "tardis/options_chain.csv"
    lines = (data / name).read_text().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    symbols = tuple(dict.fromkeys(row["symbol"] for row in rows))
    told = Told(data / name, pack_of(symbols, 10**3, 100))
    assert len(rows) == facts_of(data, name)["rows"]
    marks = {symbol: [units(r["mark_price"], 1) for r in rows if r["symbol"] == symbol] for symbol in symbols}
    found: dict[str, list[int]] = {}
    for chunk in told.chunks:
        found[chunk.instrument] = found.get(chunk.instrument, []) + chunk.mark
    assert found == marks
    assert told.column("kind") == [Kind.MARK, Kind.TICKER] * len(rows)
    assert sorted(told.column("ticker_bid")) == sorted(units(row["bid_price"] or "0", 10**3) for row in rows)


def test_the_plain_text_reads_like_the_packed(data: Path, tmp_path: Path) -> None:
    name = f"{DERIVED}_trades_btcusdt_20240808.csv.gz"
    plain = tmp_path / "trades.csv"
    plain.write_bytes(gzip.decompress((data / name).read_bytes()))
    assert Told(plain, PERPETUAL).chunks == Told(data / name, PERPETUAL).chunks
