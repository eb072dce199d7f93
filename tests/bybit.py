"""Lines of Bybit order books for tests."""

from __future__ import annotations

import json

START = 1_700_000_000_000
Levels = list[list[str]]


def line(u: int, bids: Levels, asks: Levels, *, type: str = "delta", at_ms: int = 0, symbol: str = "BTCUSDT") -> str:
    """A message of this id."""
    data = {"s": symbol, "b": bids, "a": asks, "u": u, "seq": 10 * u}
    told = {"topic": f"orderbook.500.{symbol}", "type": type, "ts": START + at_ms, "data": data}
    return json.dumps(told | {"cts": START + at_ms - 2}) + "\n"


def message(n: int, at_ms: int = 0) -> str:
    """The n-th message: a snapshot, then deltas of one level a side."""
    kind, u, at = "delta" if n else "snapshot", 500 + n, n + at_ms
    bid, ask = [f"{10_000 - n % 9}.5", f"{n % 5}.5"], [f"{10_001 + n % 7}.0", f"{n % 6}.25"]
    return line(u, [bid], [ask], type=kind, at_ms=at)
