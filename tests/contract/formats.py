"""The formats of market history that the contract of sources is held against, and how a file of each is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from events.observations import Kind
from replay.synth import generated
from tests import archives, bitstamp, candles, databento, lobster
from tests import bybit as books
from tests import tables as vendors
from tests.captures import back_in_time, malformed, write


class Format(NamedTuple):
    """A format under test: how a file of so many seconds is written, and how one row of a file is damaged; `back`
    writes one in which a row is older than the one before, where that is no defect.
    """

    write: Callable[[Path, int], Path]
    damage: Callable[[Path], int]
    kinds: frozenset[Kind] = frozenset({Kind.DIFF, Kind.PRINT, Kind.TICKER, Kind.MARK})
    rows_a_line: int = 1
    damaged: str = "damaged"
    back: Callable[[Path], object] | None = None
    says_symbol: bool = True


def capture(name: str, **options: object) -> Format:
    """Binance raw captures."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return write(folder / name, generated(11, seconds=seconds, **options))

    def damage(path: Path) -> int:
        lines = list(generated(11, seconds=4, **options))
        write(path, malformed(lines, after=50))
        return 51

    def back(path: Path) -> object:
        return write(path, back_in_time(list(generated(11, seconds=4, **options)), after=50))

    return Format(write_whole, damage, back=back)


def two_symbols(folder: Path, seconds: int) -> Path:
    lines = (
        *generated(11, seconds=seconds, snapshot=False),
        *generated(12, seconds=seconds, snapshot=False, symbol="ETHUSDT", price="3000"),
    )
    return write(folder / "capture", sorted(lines))


def trades_of_two(folder: Path, seconds: int) -> Path:
    """Trades of two symbols that take turns unevenly."""
    rows = [vendors.trade(n) for n in range(seconds * 64)]
    for row in rows[::3]:
        row[1] = "ETHUSDT"
    return vendors.write(folder / "trades.csv", vendors.LAYOUTS["trades"][0], rows)


def bars(name: str, **options: Any) -> Format:
    """Bars of trades, or of marks."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return candles.write(folder / name, candles.generated(seconds * 16, **options), **options)

    def damage(path: Path) -> int:
        rows = candles.generated(60, **options)
        rows[49] = rows[49][:3]
        candles.write(path, rows, **options)
        return 50 + bool(options.get("header"))

    kinds, rows_a_line = ({Kind.MARK}, 4) if options.get("marks") else ({Kind.SNAPSHOT, Kind.PRINT}, 8)
    return Format(write_whole, damage, frozenset(kinds), rows_a_line, f"damaged-{name}", says_symbol=False)


def own(n: int) -> list[object]:
    return [vendors.START + n * 1_000, f"10000.{n % 10}", f"0.{n % 999 + 1:03d}", "sell" if n % 3 else "buy"]


def bybit(name: str) -> Format:
    """Bybit order books."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return write(folder / name, (books.message(n) for n in range(seconds * 64)))

    def damage(path: Path) -> int:
        lines = [books.message(n) for n in range(200)]
        lines[49] = lines[49][:60] + "\n"
        write(path, lines)
        return 50

    def back(path: Path) -> object:
        return write(path, (books.message(n, at_ms=-10 * (n == 100)) for n in range(200)))

    return Format(write_whole, damage, frozenset({Kind.DIFF, Kind.SNAPSHOT}), back=back)


def lobster_day(name: str) -> Format:
    """A day of a share by LOBSTER."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return lobster.write(folder / name, lobster.day(seconds * 64))

    def damage(path: Path) -> int:
        pairs = lobster.day(200)
        pairs[49] = pairs[49]._replace(message="34200.5,4\n")
        lobster.write(path, pairs)
        return 50

    def back(path: Path) -> object:
        pairs = lobster.day(200)
        pairs[100] = pairs[100]._replace(message="34200.5," + pairs[100].message.partition(",")[2])
        return lobster.write(path, pairs)

    return Format(
        write_whole, damage, frozenset({Kind.ORDERS, Kind.PRINT}), 1, f"damaged-{name}", back, says_symbol=False
    )


CLOCKS = ("when", "local_timestamp", "time", "transact_time", "transaction_time", "calc_time")


def table(name: str, header: str, row: Callable[[int], list[object]], kinds: set[Kind], rows_a_line: int = 1) -> Format:
    """Tables of vendors and venues."""
    clock = next(n for n, column in enumerate(header.split(",")) if column in CLOCKS)
    header = "" if "headerless" in name else header

    def write_whole(folder: Path, seconds: int) -> Path:
        return vendors.write(folder / name, header, [row(n) for n in range(seconds * 64)])

    def damage(path: Path) -> int:
        rows = [row(n) for n in range(200)]
        rows[49] = rows[49][:2]
        vendors.write(path, header, rows)
        return 50 + (bool(header) and path.suffix != ".parquet")

    def back(path: Path) -> object:
        rows = [row(n) for n in range(200)]
        rows[100][clock] = rows[90][clock]
        return vendors.write(path, header, rows)

    return Format(write_whole, damage, frozenset(kinds), rows_a_line, f"damaged-{name}", back, "BTCUSDT" not in name)


def tardis(layout: str, name: str, kinds: set[Kind], rows_a_line: int = 1) -> Format:
    """Tardis CSV."""
    return table(name, *vendors.LAYOUTS[layout], kinds, rows_a_line)


def mbo(name: str) -> Format:
    """Databento's MBO schema."""
    has_header = ".csv" in name

    def write_whole(folder: Path, seconds: int) -> Path:
        return databento.write(folder / name, [databento.order_row(n) for n in range(seconds * 64)])

    def damage(path: Path) -> int:
        rows = [databento.order_row(n) for n in range(200)]
        rows[49][6] = "X"
        databento.write(path, rows)
        return 50 + has_header

    def back(path: Path) -> object:
        rows = [databento.order_row(n) for n in range(200)]
        rows[100][0] = rows[90][0]
        return databento.write(path, rows)

    return Format(write_whole, damage, frozenset({Kind.ORDERS}), damaged=f"damaged-{name}", back=back)


def bitstamp_log(name: str) -> Format:
    """Recordings of Bitstamp's streams."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return bitstamp.write(folder / name, [bitstamp.lively(n) for n in range(seconds * 64)])

    def damage(path: Path) -> int:
        lines = [bitstamp.lively(n) for n in range(200)]
        lines[47] = lines[47][:70] + "\n"
        bitstamp.write(path, lines)
        return 48

    def back(path: Path) -> object:
        lines = [bitstamp.lively(n) for n in range(200)]
        lines[100] = lines[100].replace(str(bitstamp.START + 100), str(bitstamp.START + 90), 1)
        return bitstamp.write(path, lines)

    return Format(
        write_whole, damage, frozenset({Kind.ORDERS}), damaged=f"damaged-{name}", back=back, says_symbol=False
    )


def bitstamp_table(name: str) -> Format:
    """Tables of Bitstamp's orders."""

    def write_whole(folder: Path, seconds: int) -> Path:
        return bitstamp.write_rows(folder / name, [bitstamp.row(n) for n in range(seconds * 64)])

    def damage(path: Path) -> int:
        rows = [bitstamp.row(n) for n in range(200)]
        rows[47] = rows[47][:2]
        bitstamp.write_rows(path, rows)
        return 49

    def back(path: Path) -> object:
        rows = [bitstamp.row(n) for n in range(200)]
        rows[100][0] = rows[90][0]
        return bitstamp.write_rows(path, rows)

    return Format(
        write_whole, damage, frozenset({Kind.ORDERS}), damaged=f"damaged-{name}", back=back, says_symbol=False
    )


def archive(what: str, name: str, kinds: set[Kind], rows_a_line: int = 1) -> Format:
    """Binance's public archives."""
    return table(name, archives.header(what), archives.ROWS[what][1], kinds, rows_a_line)


FORMATS = {
    "binance": capture("capture"),
    "binance, packed": capture("capture.gz"),
    "binance, no depth body": capture("capture.gz", snapshot=False),
    "binance, two symbols": Format(two_symbols, capture("capture").damage),
    "bybit": bybit("books"),
    "bars": bars("BTCUSDT-1m.csv"),
    "bars, six columns, packed": bars("BTCUSDT-1m.csv.gz", columns=6, header=True),
    "bars, zip": bars("BTCUSDT-1m.zip", header=True),
    "bars, JSON": bars("BTCUSDT-1m.json"),
    "bars of marks": bars("BTCUSDT-1m.csv", marks=True),
    "tardis, levels": tardis("incremental_book_L2", "levels.csv", {Kind.DIFF, Kind.SNAPSHOT}),
    "tardis, levels, gzip": tardis("incremental_book_L2", "levels.csv.gz", {Kind.DIFF, Kind.SNAPSHOT}),
    "tardis, trades, zstd": tardis("trades", "trades.csv.zst", {Kind.PRINT}),
    "tardis, quotes, zip": tardis("quotes", "quotes.zip", {Kind.TICKER}),
    "tardis, trades, two symbols": tardis("trades", "trades.csv", {Kind.PRINT})._replace(write=trades_of_two),
    "tardis, derivative ticker": tardis("derivative_ticker", "ticker.csv", {Kind.MARK}),
    "tardis, books": tardis("book_snapshot_5", "books.csv", {Kind.SNAPSHOT}),
    "tardis, options": tardis("options_chain", "options.csv", {Kind.MARK, Kind.TICKER}, 2),
    "archive, aggTrades, zip": archive("aggTrades", "BTCUSDT-aggTrades.zip", {Kind.PRINT}),
    "archive, trades": archive("trades", "BTCUSDT-trades-headerless.csv", {Kind.PRINT}),
    "archive, bookTicker, gzip": archive("bookTicker", "BTCUSDT-bookTicker.csv.gz", {Kind.TICKER}),
    "databento": mbo("mbo.dbn"),
    "databento, zstd": mbo("mbo.dbn.zst"),
    "databento, CSV, gzip": mbo("mbo.csv.gz"),
    "bitstamp, recording": bitstamp_log("BTCUSDT.log"),
    "bitstamp, recording, xz": bitstamp_log("BTCUSDT-log.xz"),
    "bitstamp, CSV": bitstamp_table("BTCUSDT-orders.csv"),
    "lobster": lobster_day(lobster.NAME),
    "own columns": table("BTCUSDT-own.csv", "when,px,qty,taker", own, {Kind.PRINT}),
    "own columns, Parquet": table("BTCUSDT-own.parquet", "when,px,qty,taker", own, {Kind.PRINT}),
    "archive, fundingRate": archive("fundingRate", "BTCUSDT-fundingRate.csv", {Kind.MARK}, 2),
}
