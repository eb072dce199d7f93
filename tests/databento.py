"""Files of Databento's MBO schema for tests: rows of the CSV, and the same as DBN."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import databento_dbn as dbn

from tests.tables import PACKED, Row
from tests.tables import write as write_table

START = 1_700_000_000_000_000_000
HEADER = (
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,"
    "sequence,symbol"
)
COLUMNS = HEADER.split(",")
LAST, TOP, SNAPSHOT, AGGREGATED = 128, 64, 32, 16
NO_PRICE = 2**63 - 1
NUMBERS = {"BTCUSDT": 7, "ETHUSDT": 8, "NOTHING": 9}


def record(
    action: str,
    side: str = "B",
    price: float = 100,
    size: int = 1,
    order: int = 1,
    flags: int = LAST,
    n: int = 0,
    symbol: str = "BTCUSDT",
) -> Row:
    """A row of the CSV; n milliseconds after the first."""
    at = START + n * 10**6
    nanos = NO_PRICE if price == NO_PRICE else round(price * 1000) * 10**6
    return [at + 250, at, 160, 1, NUMBERS[symbol], action, side, nanos, size, 0, order, flags, 0, n, symbol]


def cleared(**fields: Any) -> Row:
    return record("R", "N", NO_PRICE, 0, 0, **fields)


def order_row(n: int) -> Row:
    """Orders that come, change and go, ten at a time; the first row is an empty snapshot."""
    if n == 0:
        return cleared(flags=LAST | SNAPSHOT)
    order, step = divmod(n - 1, 3)
    side = "B" if order % 2 else "A"
    price = 10_000 + (order % 7 + 1) * (1 if side == "A" else -1) * 0.1
    if step < 2:
        return record("AM"[step], side, price, n % 9 + 1, order + 1, n=n)
    return record("C", side, price, 10, order + 1, n=n)


def write(path: Path, rows: Sequence[Row], **metadata: Any) -> Path:
    """Write the rows as the end of the name says: CSV or DBN, packed or not."""
    if ".dbn" not in path.name:
        return write_table(path, HEADER, rows)
    plain = encoded_metadata(**metadata) + b"".join(map(encoded, rows))
    path.write_bytes(PACKED.get(path.suffix, bytes)(plain))
    return path


def encoded_metadata(schema: Any = dbn.Schema.MBO, version: int = 3, symbols: Sequence[str] = ("BTCUSDT",)) -> bytes:
    day = SimpleNamespace(start_date=date(2023, 11, 14), end_date=date(2024, 1, 1))
    return bytes(
        dbn.Metadata(
            dataset="GLBX.MDP3", start=START, stype_in=dbn.SType.RAW_SYMBOL, stype_out=dbn.SType.INSTRUMENT_ID,
            schema=schema, version=version, symbols=list(symbols),
            mappings=[
                SimpleNamespace(
                    raw_symbol=name, intervals=[SimpleNamespace(**vars(day), symbol=str(NUMBERS[name]))]
                )
                for name in symbols
            ],
        ).encode()
    )  # fmt: skip


def encoded(row: Row) -> bytes:
    """A row as a record of DBN."""
    said: dict[str, Any] = dict(zip(COLUMNS, row, strict=False))
    made = dbn.MBOMsg(
        publisher_id=said["publisher_id"], instrument_id=said["instrument_id"], ts_event=said["ts_event"],
        order_id=said["order_id"], price=said["price"], size=said["size"], action=dbn.Action.NONE,
        side=dbn.Side.NONE, ts_recv=said["ts_recv"], flags=said["flags"], channel_id=said["channel_id"],
        ts_in_delta=said["ts_in_delta"], sequence=said["sequence"],
    )  # fmt: skip
    plain = bytearray(bytes(made)[:56])
    plain[38:40] = f"{said['action']}{said['side']}".encode()
    return bytes(plain)
