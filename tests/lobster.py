"""Days as LOBSTER writes them, for tests: messages, and the book of some levels after each."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

DAY = "BTCUSDT_2012-06-21_34200000_57600000"
NAME = f"LOBSTER_{DAY}_5.zip"
MESSAGES, BOOKS = f"{DAY}_message_5.csv", f"{DAY}_orderbook_5.csv"
NEW, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)
LEVELS = 5
DIME = 1_000
"""Ten cents: the tick of the contract whose name these days bear."""

Prices = dict[int, int]
"""Price in dimes -> shares."""


class Pair(NamedTuple):
    """A line of each file."""

    message: str
    book: str


def message(at: str, type: int, order: int, size: int, price: int, side: int) -> str:
    """A line of messages; the price in dimes."""
    return f"{at},{type},{order},{size},{price * DIME},{side}\n"


def book(bids: Prices, asks: Prices, levels: int = LEVELS) -> str:
    """A line of books: the best of these, and the signs for none."""
    best = [sorted(asks.items())[:levels], sorted(bids.items(), reverse=True)[:levels]]
    cells = []
    for n in range(levels):
        for side, nobody in zip(best, (9_999_999_999, -9_999_999_999), strict=True):
            cells += [side[n][0] * DIME, side[n][1]] if n < len(side) else [nobody, 0]
    return ",".join(map(str, cells)) + "\n"


def day(lines: int) -> list[Pair]:
    """So many lines: orders join five levels a side one after the other, shrink, trade and leave."""
    sides = {1: {100 - n: 100 for n in range(5)}, -1: {101 + n: 100 for n in range(5)}}
    told = []
    for n in range(lines):
        turn, step = divmod(n, 5)
        side = 1 if turn % 2 else -1
        price = (101 - turn % 5 - 1) if side > 0 else 101 + turn % 5
        kind, size = ((NEW, 10), (REDUCED, 4), (EXECUTED, 3), (HIDDEN, 7), (DELETED, 3))[step]
        sides[side][price] += {NEW: size, HIDDEN: 0}.get(kind, -size)
        at = f"{34_200 + n // 64}.{n % 64 * 15_625_000:09d}"
        order = 0 if kind == HIDDEN else 1_000 + turn
        told.append(Pair(message(at, kind, order, size, price, side), book(sides[1], sides[-1])))
    return told


def write(path: Path, pairs: Iterable[Pair]) -> Path:
    """Both files: in a zip, or side by side where the path is that of the messages."""
    messages, books = ("".join(lines) for lines in zip(*pairs, strict=True))
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MESSAGES, messages)
            archive.writestr(BOOKS, books)
            archive.writestr("LOBSTER_ReadMe.txt", "read me\n")
        return path
    pack = gzip.compress if path.suffix == ".gz" else bytes
    path.write_bytes(pack(messages.encode()))
    path.with_name(path.name.replace("_message_", "_orderbook_")).write_bytes(pack(books.encode()))
    return path
