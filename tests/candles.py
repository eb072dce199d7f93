"""Files of bars for tests: what a bar says, and the formats that it comes in."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from replay.sources import open_source
from tests.captures import PACK, Reading

START = 1_700_000_040_000
"""Open time of the first bar, ms: a whole minute."""

MINUTE = 60_000
NS = 10**6
"""ns in a ms."""

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)

Row = list[str]


def bar(
    opened: int = START,
    open: str = "100.0",
    high: str = "103.0",
    low: str = "98.0",
    close: str = "101.0",
    volume: str = "1.000",
    count: int = 7,
    *,
    columns: int = 12,
) -> Row:
    """One minute; times in ms."""
    row = [str(opened), open, high, low, close, volume, str(opened + MINUTE - 1), "100", str(count), "0.5", "50", "0"]
    return row[:columns]


def generated(bars: int, *, marks: bool = False, columns: int = 12, **_: object) -> list[Row]:
    """Bars in a row, each with four prices that differ from their neighbours."""
    rows = []
    for n in range(bars):
        base, up = 1_000 + n * n % 37, n % 3
        low, high = f"{base - 5}.0", f"{base + 5}.0"
        opened, closed = f"{base + (1 - up)}.5", f"{base - (1 - up)}.2"
        volume = "0" if marks else f"{n * n % 91 + 1}.{n % 1000:03d}"
        rows.append(bar(START + n * MINUTE, opened, high, low, closed, volume, columns=columns))
    return rows


def text(rows: Sequence[Row], *, header: bool = False) -> str:
    """CSV."""
    names = [",".join(HEADER.split(",")[: len(rows[0])])] if header and rows else []
    return "".join(f"{line}\n" for line in (*names, *(",".join(row) for row in rows)))


def write(path: Path, rows: Sequence[Row], *, header: bool = False, **_: object) -> Path:
    """Write the bars as the end of the name says."""
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
        return path
    plain = text(rows, header=header).encode()
    path.write_bytes({".gz": gzip.compress, ".zip": zipped}.get(path.suffix, bytes)(plain))
    return path


def zipped(plain: bytes, *names: str) -> bytes:
    """An archive that holds the text under each of the names, or under one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("bars.csv",):
            archive.writestr(name, plain)
    return file.getvalue()


def read(path: Path, strict: bool = False, symbol: str = "") -> Reading:
    source = open_source(path, PACK, strict, symbol)
    chunks = list(source)
    for chunk in chunks:
        chunk.check()
    return Reading(chunks, source.report)


def read_rows(folder: Path, *rows: Row, name: str = "BTCUSDT-1m.csv") -> Reading:
    return read(write(folder / name, rows))
