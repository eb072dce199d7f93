"""Tables of Binance's public archives for tests."""

from __future__ import annotations

from collections.abc import Callable

from replay.sources import archives_text as text

START = 1_700_000_000_000
"""Time of the first row, ms."""

Row = list[object]


def aggregated(n: int) -> Row:
    return [100 + n, f"10000.{n % 10}", f"0.{n % 999 + 1:03d}", 200 + 2 * n, 201 + 2 * n, START + n, flag(n)]


def trade(n: int) -> Row:
    return [100 + n, f"10000.{n % 10}", f"0.{n % 999 + 1:03d}", "12.5", START + n, flag(n)]


def ticker(n: int) -> Row:
    return [100 + n, "10000.0", f"{n % 7}.5", f"10000.{n % 9 + 1}", "1", START + n, START + n + 2]


def depth(n: int) -> Row:
    return [f"2023-11-14 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}", n % 5 + 1, "12.5", "125000.123456789"]


def metrics(n: int) -> Row:
    return [f"2023-11-14 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}", "BTCUSDT", "80000.5", "9e9", *["1.5"] * 4]


def funding(n: int) -> Row:
    return [START // 60_000 * 60_000 + 8 * 3_600_000 * n + n % 3, 8, f"0.0001{n % 10}"]


def flag(n: int) -> str:
    return "true" if n % 3 else "false"


ROWS: dict[str, tuple[tuple[str, ...], Callable[[int], Row]]] = {
    "aggTrades": (text.AGGREGATED, aggregated),
    "trades": (text.TRADES, trade),
    "bookTicker": (text.BOOK_TICKER, ticker),
    "bookDepth": (text.BOOK_DEPTH, depth),
    "metrics": (text.METRICS, metrics),
    "fundingRate": (text.FUNDING_RATE, funding),
}
"""Archive -> its columns, and its n-th row."""


def header(name: str) -> str:
    return ",".join(ROWS[name][0])
