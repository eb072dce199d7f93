"""Lines of Binance captures for tests: whole ones, and what goes wrong in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from events.instruments import load_pack
from events.observations import Observations
from replay.sources import Report, open_source

START = 1_700_000_000_000_000_000
"""Capture time of the first line, in ns."""

MS = 10**6
Levels = list[tuple[str, str]]
PACK = load_pack("binance-usdm")


def stamped(message: dict[str, Any], at_ms: int = 0) -> str:
    """A line with a capture time so many milliseconds after START."""
    return f"{START + at_ms * MS} {json.dumps(message)}\n"


def stream(name: str, data: dict[str, Any] | list[Any]) -> dict[str, Any]:
    """The envelope of a combined stream."""
    return {"stream": name, "data": data}


def diff(last_id: int, bids: Levels = [], asks: Levels = [], at_ms: int = 0, **fields: Any) -> str:  # noqa: B006
    data = {"e": "depthUpdate", "E": 2_000, "T": 1_999, "s": "BTCUSDT", "U": last_id - 9, "u": last_id}
    return stamped(stream("btcusdt@depth@0ms", data | {"pu": last_id - 10, "b": bids, "a": asks} | fields), at_ms)


def body(last_id: int, bids: Levels = [], asks: Levels = [], at_ms: int = 0, **fields: Any) -> str:  # noqa: B006
    return stamped({"lastUpdateId": last_id, "E": 2_000, "T": 1_999, "bids": bids, "asks": asks} | fields, at_ms)


def trade(price: str = "100.1", size: str = "0.5", at_ms: int = 0, **fields: Any) -> str:
    data = {
        "e": "trade",
        "E": 2_000,
        "T": 1_999,
        "s": "BTCUSDT",
        "t": 1,
        "p": price,
        "q": size,
        "X": "MARKET",
        "m": True,
    }
    return stamped(stream("btcusdt@trade", data | fields), at_ms)


def ticker(last_id: int = 7, at_ms: int = 0, **fields: Any) -> str:
    data = {"e": "bookTicker", "u": last_id, "s": "BTCUSDT", "b": "100.0", "B": "1.5", "a": "100.1", "A": "2"}
    return stamped(stream("btcusdt@bookTicker", data | {"T": 1_999, "E": 2_000} | fields), at_ms)


def mark(at_ms: int = 0, **fields: Any) -> str:
    data = {"e": "markPriceUpdate", "E": 2_000, "s": "BTCUSDT", "p": "100.00000001", "P": "100", "i": "99.5"}
    return stamped(stream("btcusdt@markPrice@1s", data | {"r": "-0.0001", "T": 28_800_000} | fields), at_ms)


def write(path: Path, lines: Iterable[str]) -> Path:
    """Write the lines, packed if the name says so."""
    text = "".join(lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


class Reading(NamedTuple):
    """What came of a file."""

    chunks: list[Observations]
    report: Report

    @property
    def only(self) -> Observations:
        (chunk,) = self.chunks
        return chunk


def read(path: Path, strict: bool = False) -> Reading:
    source = open_source(path, PACK, strict)
    chunks = list(source)
    for chunk in chunks:
        chunk.check()
    return Reading(chunks, source.report)


def read_lines(folder: Path, *lines: str) -> Reading:
    return read(write(folder / "capture", lines))


def gap(lines: Iterable[str], after: int) -> Iterator[str]:
    """Without the first diff after so many lines."""
    gone = False
    for number, line in enumerate(lines, 1):
        if not gone and number > after and '"depthUpdate"' in line:
            gone = True
        else:
            yield line


def malformed(lines: Iterable[str], after: int) -> Iterator[str]:
    """With the line after so many cut in half."""
    for number, line in enumerate(lines, 1):
        yield f"{line[: len(line) // 2]}\n" if number == after + 1 else line


def back_in_time(lines: Iterable[str], after: int, seconds: int = 1) -> Iterator[str]:
    """With the line after so many captured earlier than the ones before it."""
    for number, line in enumerate(lines, 1):
        stamp, _, message = line.partition(" ")
        yield f"{int(stamp) - seconds * 10**9} {message}" if number == after + 1 else line


def crossed(lines: Iterable[str], after: int) -> Iterator[str]:
    """With a bid far above every ask in the first diff after so many lines."""
    done = False
    for number, line in enumerate(lines, 1):
        if not done and number > after and '"b":[["' in line and '"depthUpdate"' in line:
            done = True
            yield line.replace('"b":[["', '"b":[["999999.00","1.000"],["', 1)
        else:
            yield line
