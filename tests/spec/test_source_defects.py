"""Each defect that a file of history can have, in a file of each source that can have it: it is told with file and line
and counted, the rest is played, and a strict replay stops there.

Rows that are older than the one before, and rows that cannot be read, are in the contract of sources: each format has a
file of either.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from events.instruments import InstrumentId
from replay.sources import SourceError
from tests import archives, bitstamp, bybit, candles, databento, lobster
from tests import captures as binance
from tests import tables as tardis
from tests.playing import Played, play
from tests.tables import LAYOUTS, base

Made = Callable[[Path], Path]

BID, BETTER, ASK = "100.0", "100.5", "100.2"


def capture(folder: Path, *diffs: str) -> Path:
    return binance.write(folder / "capture", [binance.body(7, [(BID, "5")], [(ASK, "5")]), binance.mark(), *diffs])


def books(folder: Path, *deltas: str) -> Path:
    whole = bybit.line(7, [[BID, "5"]], [[ASK, "5"]], type="snapshot")
    return binance.write(folder / "books", [whole, *deltas])


def levels(folder: Path) -> Path:
    sides = [("true", "bid", BID), ("true", "ask", ASK), ("false", "bid", BETTER)]
    rows = [[*base(n // 2), whole, side, price, "5"] for n, (whole, side, price) in enumerate(sides)]
    return tardis.write(folder / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)


def whole_books(folder: Path) -> Path:
    header = f"{tardis.BASE},asks[0].price,asks[0].amount,bids[0].price,bids[0].amount"
    rows = [[*base(n), ASK, "5", bid, "5"] for n, bid in enumerate((BID, BETTER))]
    return tardis.write(folder / "books.csv", header, rows)


def orders(folder: Path) -> Path:
    asked = bitstamp.order("created", 1, "sell", ASK)
    late = [bitstamp.order("created", n, "buy", BETTER, n=500 * n) for n in (2, 5)]
    return bitstamp.write(folder / "BTCUSDT.log", [asked, *late])


def records(name: str) -> Made:
    rows = [databento.cleared(), databento.record("A"), databento.record("A", "A", 99, order=2, n=1)]
    return lambda folder: databento.write(folder / name, rows)


def day(folder: Path) -> Path:
    told = [
        lobster.Pair(lobster.message("34200.5", lobster.NEW, n, 5, price, 1), lobster.book(bids, {101: 9}))
        for n, price, bids in ((1, 100, {100: 5}), (2, 102, {102: 5, 100: 5}))
    ]
    return lobster.write(folder / lobster.NAME, told)


def bars(folder: Path) -> Path:
    return candles.write(
        folder / "BTCUSDT-1m.csv", [candles.bar(candles.START + n * candles.MINUTE) for n in (0, 1, 5)]
    )


def trades(kind: str) -> Made:
    header, row = archives.header(kind), archives.ROWS[kind][1]
    return lambda folder: tardis.write(folder / f"BTCUSDT-{kind}.csv", header, [row(n) for n in (0, 1, 5)])


GAPS: dict[str, tuple[Made, str, str]] = {
    "Binance capture": (lambda folder: capture(folder, binance.diff(47, [], [], 100)), "gap_in_update_ids", "3"),
    "Bybit": (lambda folder: books(folder, bybit.line(9, [], [])), "gap_in_update_ids", "2"),
    "Databento": (
        lambda folder: databento.write(folder / "m.csv", [databento.cleared(), databento.record("A", flags=128 + 4)]),
        "gap_in_records",
        "3",
    ),
    "bars": (bars, "gap_between_bars", "3"),
    "aggTrades": (trades("aggTrades"), "gap_in_trade_ids", "4"),
    "trades": (trades("trades"), "gap_in_trade_ids", "4"),
    "Bitstamp": (
        lambda folder: bitstamp.write(
            folder / "BTCUSDT.log", [bitstamp.order("created"), bitstamp.order("deleted", 2)]
        ),
        "unknown_order",
        "2",
    ),
    "LOBSTER": (
        lambda folder: lobster.write(folder / lobster.NAME, [pair for n, pair in enumerate(lobster.day(9)) if n != 5]),
        "book_unexplained",
        "6",
    ),
}
"""Source -> a file in which something is missing, how that is counted, and the line at which it shows. Rows of Tardis
have no ids, so that nobody can tell.
"""

CROSSED: dict[str, tuple[Made, str]] = {
    "Binance capture": (lambda folder: capture(folder, binance.diff(17, [(BETTER, "5")], [], 100)), "3"),
    "Bybit": (lambda folder: books(folder, bybit.line(8, [[BETTER, "5"]], [])), "2"),
    "Tardis, levels": (levels, "4"),
    "Tardis, books": (whole_books, "3"),
    "Databento, CSV": (records("mbo.csv"), "4"),
    "Databento, DBN": (records("mbo.dbn"), "3"),
    "Bitstamp": (orders, "3"),
    "LOBSTER": (day, "2"),
}
"""Source with a book -> a file in which best prices cross, and the line after which they do."""


def told(done: Played) -> list[str]:
    reports = [problem for source in done.player._sources for problem in source.report.problems]
    return [*reports, *done.player.problems]


@pytest.mark.parametrize("source", GAPS)
def test_what_is_missing_is_told_and_the_rest_is_played(tmp_path: Path, source: str) -> None:
    write, reason, line = GAPS[source]
    path = write(tmp_path)
    done = play(path)
    (problem,) = told(done)
    assert problem.startswith(f"{path}:{line}: ")
    (reader,) = done.player._sources
    assert {**reader.report.skipped, **done.player.defects}[reason] == 1
    with pytest.raises(SourceError) as raised:
        play(path, strict=True)
    assert str(raised.value) == problem


@pytest.mark.parametrize("source", CROSSED)
def test_best_prices_that_cross_are_told_and_nobody_trades_with_them(tmp_path: Path, source: str) -> None:
    write, line = CROSSED[source]
    path = write(tmp_path)
    done = play(path)
    what = "crossed book, and no fills until it is whole again; fetch the file again"
    assert told(done) == [f"{path}:{line}: {what}"]
    assert done.player.defects == {"crossed_book": 1}
    assert done.state.contracts[InstrumentId("BTCUSDT")].feed.book.stale
    with pytest.raises(SourceError, match=f":{line}: crossed book"):
        play(path, strict=True)


@pytest.mark.parametrize("names", [("levels",), ("levels", "trades"), ("capture",)])
def test_a_replay_that_stops_at_a_defect_lets_go_of_its_files(
    tmp_path: Path, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, row = LAYOUTS["trades"]
    paths = {"levels": levels(tmp_path), "capture": CROSSED["Binance capture"][0](tmp_path)}
    paths["trades"] = tardis.write(tmp_path / "trades.csv", header, [row(n) for n in range(9)])
    opened: list[Any] = []
    open_file = Path.open

    def watched(path: Path, *how: Any, **more: Any) -> Any:
        opened.append(open_file(path, *how, **more))
        return opened[-1]

    monkeypatch.setattr(Path, "open", watched)
    with pytest.raises(SourceError, match="crossed book") as raised:
        play(*(paths[name] for name in names), strict=True)
    assert len(opened) > len(names)
    assert all(file.closed for file in opened), raised
