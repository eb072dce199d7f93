"""Bitstamp's orders for tests: recordings of its streams, and tables of orders."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.tables import Row
from tests.tables import write as write_table

START = 1_700_000_000_000
"""Time of the first line, ms."""

HEADER = "timestamp_millis,timestamp_iso,event_type,order_id,price,amount,side,order_datetime"
PACKED: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.compress, ".gz": gzip.compress}


def line(event: str, data: dict[str, Any], n: int = 0) -> str:
    return f"{START + n} {event} {json.dumps(data)}\n"


def order(
    event: str, id: int = 1, side: str = "buy", price: str = "100.0", amount: str = "1", n: int = 0, **more: Any
) -> str:
    """What happens to an order, n milliseconds after the first; as the venue says it."""
    data = {
        "id": id, "id_str": str(id), "order_type": int(side == "sell"), "datetime": str(START // 1000),
        "microtimestamp": str((START + n) * 1000), "amount": float(amount), "amount_str": amount,
        "price": float(price), "price_str": price,
    }  # fmt: skip
    return line(f"order_{event}", data | more, n)


def trade(
    taker: str, maker: int, price: str = "100.0", amount: str = "1", n: int = 0, by: int = 99, **more: Any
) -> str:
    """A trade; taker says which side he is on."""
    buyer, seller = (by, maker) if taker == "buy" else (maker, by)
    data = {
        "id": 7, "timestamp": str(START // 1000), "amount": float(amount), "amount_str": amount, "price": float(price),
        "price_str": price, "type": int(taker == "sell"), "microtimestamp": str((START + n) * 1000),
    }  # fmt: skip
    return line("trade", data | {"buy_order_id": buyer, "sell_order_id": seller} | more, n)


def book(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]], n: int = 0, **more: Any) -> str:
    """A whole book, levels as price and amount, or with the id of an order."""
    said = {"timestamp": str(START // 1000), "microtimestamp": str((START + n) * 1000 - 1), "bids": bids, "asks": asks}
    return line("order_book", said | more, n)


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_bytes(PACKED.get(path.suffix, bytes)("".join(lines).encode()))
    return path


def life(n: int) -> tuple[str, int, str, str, str]:
    """Orders that come, change and go: event, id, side, price, amount."""
    number, step = divmod(n, 3)
    side = "buy" if number % 2 else "sell"
    price = 10_000 + (number % 7 + 1) * (1 if side == "sell" else -1)
    return ("created", "changed", "deleted")[step], number + 1, side, f"{price}.0", f"0.{9 - step}00"


def lively(n: int) -> str:
    event, number, side, price, amount = life(n)
    return order(event, number, side, price, amount, n)


def row(n: int) -> Row:
    event, number, side, price, amount = life(n)
    return [START + n, "2023-11-14T22:13:20.000Z", f"order_{event}", number, price, amount, side, START // 1000]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    return write_table(path, HEADER, rows)
