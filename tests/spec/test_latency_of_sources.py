"""Latency is kept whatever the data is: orders one by one, levels, trades alone, or bars. An order arrives so much
later and meets the market of then.

Each market has an ask of 100.1 for two seconds, and of 100.3 from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from events.commands import MarkSource, PlaceOrder, SessionOptions, TradeFills
from events.facts import Traded
from events.instruments import InstrumentId
from events.latency import Latency
from events.units import SECOND, Nanos
from replay.latency import latency
from replay.strategy import Context, Strategy
from tests import bitstamp, bybit, candles, captures, databento, lobster
from tests import tables as tardis
from tests.playing import Played, play, trader
from tests.tables import LAYOUTS

Made = Callable[[Path], Path]
BTC = InstrumentId("BTCUSDT")
MS = 10**6
ASKS = ((0, "100.1"), (2_000, "100.3"), (4_000, "100.3"))
"""ms, and the best ask from then on; the bid is 100.0 throughout."""


def capture(folder: Path) -> Path:
    bid = [("100.0", "9")]
    books = [captures.body(n, bid, [(ask, "9")], at_ms, symbol="BTCUSDT") for n, (at_ms, ask) in enumerate(ASKS, 1)]
    return captures.write(folder / "capture", books)


def levels(folder: Path) -> Path:
    rows = []
    for at_ms, ask in ASKS:
        when = [tardis.START + at_ms * 1_000] * 2
        rows.append(["x", "BTCUSDT", *when, "true" if at_ms == 0 else "false", "bid", "100.0", "9"])
        rows += [
            ["x", "BTCUSDT", *when, rows[-1][4], "ask", price, "9" if price == ask else "0"] for _, price in ASKS[:2]
        ]
    return tardis.write(folder / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)


def bybit_books(folder: Path) -> Path:
    lines = [
        bybit.line(n, [["100.0", "9"]], [[ask, "9"]], type="snapshot", at_ms=at_ms)
        for n, (at_ms, ask) in enumerate(ASKS, 1)
    ]
    return captures.write(folder / "books", lines)


def records(folder: Path) -> Path:
    rows = [databento.cleared(), databento.record("A", size=9), databento.record("A", "A", 100.1, 9, order=2)]
    rows.append(databento.record("A", price=99, order=5, n=1_000))
    rows += [databento.record("C", "A", 100.1, 9, order=2, n=2_000), databento.record("A", "A", 100.3, 9, 3, n=2_000)]
    return databento.write(folder / "mbo.dbn", [*rows, databento.record("A", size=1, order=4, n=4_000)])


def orders(folder: Path) -> Path:
    told = [("created", 1, "buy", "100.0", 0), ("created", 2, "sell", "100.1", 0), ("created", 5, "buy", "99.0", 1_000)]
    told += [("deleted", 2, "sell", "100.1", 2_000)]
    told += [("created", 3, "sell", "100.3", 2_000), ("created", 4, "buy", "100.0", 4_000)]
    lines = [bitstamp.order(event, order, side, price, "9", n) for event, order, side, price, n in told]
    return bitstamp.write(folder / "BTCUSDT.log", lines)


def day(folder: Path) -> Path:
    told = [
        (0, lobster.NEW, 1, 1_000, 1, {1_000: 9}, {1_001: 9, 1_003: 9}),
        (2, lobster.DELETED, 2, 1_001, -1, {1_000: 9}, {1_003: 9}),
        (4, lobster.NEW, 4, 999, 1, {1_000: 9, 999: 9}, {1_003: 9}),
    ]
    pairs = [
        lobster.Pair(lobster.message(f"{34_200 + at}.0", kind, order, 9, price, side), lobster.book(bids, asks))
        for at, kind, order, price, side, bids, asks in told
    ]
    return lobster.write(folder / lobster.NAME, pairs)


def trades(folder: Path) -> Path:
    rows = [["x", "BTCUSDT", *[tardis.START + at_ms * 1_000] * 2, at_ms, "buy", ask, "9"] for at_ms, ask in ASKS]
    return tardis.write(folder / "trades.csv", LAYOUTS["trades"][0], rows)


def bars(folder: Path) -> Path:
    rows = [
        [str(candles.START + at_ms), *[ask] * 4, "9", str(candles.START + at_ms + 1_999), "9", "1", "1", "1", "0"]
        for at_ms, ask in ASKS
    ]
    return candles.write(folder / "BTCUSDT-2s.csv", rows)


BOOK, TRADES = (
    SessionOptions(mark_source=MarkSource.MID),
    SessionOptions(mark_source=MarkSource.LAST, trade_fills=TradeFills.THROUGH),
)
SOURCES: dict[str, tuple[Made, SessionOptions]] = {
    "Binance capture": (capture, BOOK),
    "Tardis, levels": (levels, BOOK),
    "Bybit": (bybit_books, BOOK),
    "Databento": (records, BOOK),
    "Bitstamp": (orders, BOOK),
    "LOBSTER": (day, BOOK),
    "trades alone": (trades, TRADES),
    "bars": (bars, BOOK),
}


class Late(Strategy):
    """Asks, once, for the ask of 1.9 s."""

    every = Nanos(SECOND // 10)

    def __init__(self, called: int = 0) -> None:
        self.called = called
        self.saw: Decimal | None = None

    def on_timer(self, context: Context) -> None:
        self.called += 1
        if self.called == 19:
            self.saw = context.quote(BTC).ask
            context.buy(BTC, "2")


def played(folder: Path, source: str, late: Late, how: Latency) -> Played:
    write, options = SOURCES[source]
    return play(write(folder), traders=[trader(late)], options=replace(options, latency=how), strict=True)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("entry", "price"), [("0", "100.1"), ("50ms", "100.1"), ("300ms", "100.3")])
def test_an_order_meets_the_market_of_its_arrival(tmp_path: Path, source: str, entry: str, price: str) -> None:
    late = Late()
    done = played(tmp_path, source, late, latency(entry))
    (arrived,) = [batch.at for batch in done.batches if isinstance(batch.command, PlaceOrder)]
    assert arrived == done.player.first_at + 19 * late.every + latency(entry).entry
    assert late.saw == Decimal("100.1")
    (fill,) = done.facts(Traded)
    assert Decimal(fill.price) / 10 == Decimal(price)


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_strategy_sees_is_of_a_moment_ago(tmp_path: Path, source: str) -> None:
    late = Late(called=-2)
    done = played(tmp_path, source, late, latency("0", feed="200ms"))
    assert late.saw == Decimal("100.1"), "of 1.9 s, at 2.1 s of its own"
    (fill,) = done.facts(Traded)
    assert Decimal(fill.price) / 10 == Decimal("100.3"), "the market of 2.1 s"
