"""The published facts of two real captures, and every column of them against the plainest reader there is."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from events.instruments import load_pack
from events.observations import Kind, Observations
from replay.sources import Report, open_source
from tests.simple_book import SimpleBook

NAMES = {"20230405": "binance_usdm_ws/btcusdt_20230405.dat.gz", "20240808": "binance_usdm_ws/btcusdt_20240808.gz"}
LOCAL_NS = {"20230405": 1_000, "20240808": 1}
STREAMS = {
    Kind.DIFF: "depth@0ms",
    Kind.PRINT: "trade",
    Kind.TICKER: "bookTicker",
    Kind.MARK: "markPrice@1s",
    Kind.SNAPSHOT: "REST",
}


class Capture(NamedTuple):
    """A file, what is known of it, and what the source made of it."""

    path: Path
    facts: dict[str, Any]
    local_ns: int
    chunks: tuple[Observations, ...]
    report: Report

    def column(self, name: str) -> list[int]:
        return [number for chunk in self.chunks for number in getattr(chunk, name)]


@cache
def load(folder: Path, day: str) -> Capture:
    entries = {entry["path"]: entry["facts"] for entry in json.loads((folder / "manifest.json").read_text())}
    path = folder / NAMES[day]
    source = open_source(path, load_pack("binance-usdm"), strict=True)
    return Capture(path, entries[NAMES[day]], LOCAL_NS[day], tuple(source), source.report)


@pytest.fixture(params=NAMES)
def capture(request: pytest.FixtureRequest, data: Path) -> Capture:
    return load(data, request.param)


def thousandths(text: str) -> int:
    """A size in lots of 0.001."""
    return int(text.replace(".", ""))


def tenths(text: str) -> int:
    """A price in ticks of 0.1, where the text has two decimals."""
    ticks, rest = divmod(int(text.replace(".", "")), 10)
    assert not rest
    return ticks


def test_no_line_is_lost_and_none_is_refused(capture: Capture) -> None:
    facts = capture.facts
    before = facts["depth_msgs"] - facts["applied"] if facts["rest_snapshot"] else 0
    left_out = {"before_snapshot": before, "trade_insurance_fund": facts["trade_types"].get("INSURANCE_FUND", 0)}
    assert capture.report.lines == facts["lines"]
    assert capture.report.skipped == Counter({reason: n for reason, n in left_out.items() if n})
    assert (capture.report.problems, capture.report.time_went_back) == ([], 0)
    assert sum(map(len, capture.chunks)) + sum(left_out.values()) == facts["lines"]


def test_every_stream_has_its_rows(capture: Capture) -> None:
    facts = capture.facts
    expected = Counter({kind: facts["streams"].get(name, 0) for kind, name in STREAMS.items()})
    expected[Kind.PRINT] = facts["trades"]
    expected[Kind.DIFF] = facts["applied"] or facts["depth_msgs"]
    assert Counter(capture.column("kind")) == +expected


def test_the_first_snapshot_drops_exactly_four_diffs(data: Path) -> None:
    capture = load(data, "20240808")
    assert capture.report.skipped == {"before_snapshot": 4}
    assert Counter(capture.column("kind"))[Kind.DIFF] == 6_547


def test_times_are_those_of_the_capture_clock(capture: Capture) -> None:
    at, facts = capture.column("at"), capture.facts
    assert at == sorted(at)
    assert at[-1] == facts["last_local"] * capture.local_ns
    held_back = 10**9 if facts["rest_snapshot"] else 0
    assert 0 <= at[0] - facts["first_local"] * capture.local_ns <= held_back


def test_prints_add_up(capture: Capture) -> None:
    facts = capture.facts
    lots, prices, sides = (capture.column(f"print_{name}") for name in ("lots", "price", "side"))
    assert sum(lots) == thousandths(facts["volume"])
    assert sum(n for n, side in zip(lots, sides, strict=True) if side > 0) == thousandths(facts["buy_taker_volume"])
    assert sum(n * p for n, p in zip(lots, prices, strict=True)) * 10 == thousandths(facts["sum_px_qty"])
    assert (min(prices), max(prices)) == (tenths(facts["pmin"]), tenths(facts["pmax"]))
    times = [
        t for kind, t in zip(capture.column("kind"), capture.column("transacted"), strict=True) if kind == Kind.PRINT
    ]
    assert (times[0], times[-1]) == (facts["first_T"] * 10**6, facts["last_T"] * 10**6)


def test_the_book_is_whole_and_agrees_with_the_book_ticker(capture: Capture) -> None:
    facts, book = capture.facts, SimpleBook().follow(capture.chunks)
    assert book.gaps == facts["depth_chain_breaks"] == 0
    if facts["rest_snapshot"]:
        assert (book.equal, book.different) == tuple(facts["book_top_equals_bookTicker"])
        assert book.crossed == facts["crossed_after_apply"] == 0
        assert [len(book.bids), len(book.asks)] == facts["final_levels"]
        assert [book.top[0], book.top[2]] == [tenths(price) for price in facts["final_best"]]


def test_marks_are_whole(capture: Capture) -> None:
    marks, known = capture.column("mark"), capture.facts.get("mark")
    assert len(marks) == (known["n"] if known else 0)
    if known:
        assert (min(marks), max(marks)) == tuple(int(known[name].replace(".", "")) for name in ("min", "max"))
        assert capture.column("mark_rate")[-1] == round(float(known["last_funding_rate"]) * 10**8)
        assert capture.column("mark_next_funding")[-1] == known["next_funding_T"] * 10**6


def test_every_column_is_what_the_plainest_reader_makes_of_the_file(capture: Capture) -> None:
    plain = read_plainly(capture)
    for name in ("kind", "at", "transacted", "first_id", "last_id", "previous_id", "level_price", "level_lots"):
        assert capture.column(name) == getattr(plain, name), name
    for name in ("print_price", "print_lots", "print_side", "ticker_id", "ticker_bid", "ticker_bid_lots"):
        assert capture.column(name) == getattr(plain, name), name
    for name in ("ticker_ask", "ticker_ask_lots", "mark", "mark_index", "mark_rate", "mark_next_funding"):
        assert capture.column(name) == getattr(plain, name), name
    sizes = [b - a for chunk in capture.chunks for a, b in zip([0, *chunk.asks_end], chunk.asks_end, strict=False)]
    assert sizes == plain.asks_end


def read_plainly(capture: Capture) -> Observations:
    """All rows in one chunk, by the standard library; `asks_end` holds how many levels each depth row has."""
    rows = Observations(capture.chunks[0].instrument)
    held: list[Any] = []
    snapshot = capture.facts["rest_snapshot"]
    for line in gzip.decompress(capture.path.read_bytes()).decode().splitlines():
        stamp, _, text = line.partition(" ")
        at, message = int(stamp) * capture.local_ns, json.loads(text)
        data = message.get("data", message)
        if "lastUpdateId" in data:
            add_depth(rows, Kind.SNAPSHOT, at, data, data["bids"], data["asks"])
            for early in held:
                add_depth(rows, Kind.DIFF, at, early, early["b"], early["a"])
            snapshot = None
        elif data["e"] == "depthUpdate" and snapshot:
            held += [data] if data["u"] >= snapshot else []
        elif data["e"] == "depthUpdate":
            add_depth(rows, Kind.DIFF, at, data, data["b"], data["a"])
        else:
            ADD[data["e"]](rows, at, data)
    return rows


def add_row(rows: Observations, kind: Kind, at: int, transacted: int) -> None:
    rows.kind.append(kind)
    rows.at.append(at)
    rows.transacted.append(transacted * 10**6)


def add_depth(rows: Observations, kind: Kind, at: int, data: Any, bids: Any, asks: Any) -> None:
    add_row(rows, kind, at, data["T"])
    rows.first_id.append(data.get("U", data.get("lastUpdateId")))
    rows.last_id.append(data.get("u", data.get("lastUpdateId")))
    rows.previous_id.append(data.get("pu", 0))
    rows.asks_end.append(len(bids) + len(asks))
    rows.level_price += [tenths(price) for price, _ in bids + asks]
    rows.level_lots += [thousandths(size) for _, size in bids + asks]


def add_print(rows: Observations, at: int, data: Any) -> None:
    if data["X"] == "MARKET":
        add_row(rows, Kind.PRINT, at, data["T"])
        rows.print_price.append(tenths(data["p"]))
        rows.print_lots.append(thousandths(data["q"]))
        rows.print_side.append(-1 if data["m"] else 1)


def add_ticker(rows: Observations, at: int, data: Any) -> None:
    add_row(rows, Kind.TICKER, at, data["T"])
    rows.ticker_id.append(data["u"])
    rows.ticker_bid.append(tenths(data["b"]))
    rows.ticker_bid_lots.append(thousandths(data["B"]))
    rows.ticker_ask.append(tenths(data["a"]))
    rows.ticker_ask_lots.append(thousandths(data["A"]))


def add_mark(rows: Observations, at: int, data: Any) -> None:
    add_row(rows, Kind.MARK, at, data["E"])
    rows.mark.append(int(data["p"].replace(".", "")))
    rows.mark_index.append(int(data["i"].replace(".", "")))
    rows.mark_rate.append(int(data["r"].replace(".", "")))
    rows.mark_next_funding.append(data["T"] * 10**6)


ADD = {"trade": add_print, "bookTicker": add_ticker, "markPriceUpdate": add_mark}
