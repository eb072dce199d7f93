"""Tables of market history for tests, as vendors and venues write them, and how they are packed."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from events.observations import Action, Kind, Observations
from replay.sources import open_source
from tests.candles import zipped
from tests.captures import PACK, Reading

START = 1_700_000_000_000_000
"""Time of the first row, microseconds."""

BASE = "exchange,symbol,timestamp,local_timestamp"
Row = list[object]


def zstd(plain: bytes) -> bytes:
    return pyarrow.compress(plain, codec="zstd", asbytes=True)


PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zip": zipped, ".zst": zstd}


def write(path: Path, header: str, rows: Sequence[Row]) -> Path:
    """Write the rows as the end of the name says; without a header where that is empty."""
    if path.suffix == ".parquet":
        names = header.split(",")
        padded = ([*row, *[None] * (len(names) - len(row))] for row in rows)
        columns = zip(*padded, strict=True)
        pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, map(list, columns), strict=True))), path)
        return path
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    plain = "".join(f"{line}\n" for line in lines if line).encode()
    path.write_bytes(PACKED.get(path.suffix, bytes)(plain))
    return path


def base(n: int, symbol: str = "BTCUSDT") -> Row:
    """The columns that every Tardis row begins with; rows are a millisecond apart."""
    return ["binance-futures", symbol, START + n * 1_000, START + n * 1_000 + 250]


def level(n: int) -> Row:
    """A change of one level; the first ten rows are a snapshot."""
    side = "bid" if n % 2 else "ask"
    price = 10_000 + (n % 9) * (1 if n % 2 == 0 else -1) + (1 if n % 2 == 0 else 0)
    return [*base(n), "true" if n < 10 else "false", side, f"{price}.{n % 10}0", f"{n % 7}.{n % 1000:03d}"]


def trade(n: int) -> Row:
    return [*base(n), 5_000 + n, "sell" if n % 3 else "buy", f"10000.{n % 10}", f"0.{n % 999 + 1:03d}"]


def quote(n: int) -> Row:
    return [*base(n), f"{n % 5}.5", f"10000.{n % 9 + 1}", "10000", n % 4 + 1]


def derivative(n: int) -> Row:
    funding = START // 10**6 * 10**6 + (n // 500 + 1) * 500_000
    return [*base(n), funding, "0.0001", "", "12.5", "10000.1", f"{10_000 + n % 7}.12345678", f"{10_000 + n % 7}.5"]


def book(n: int) -> Row:
    sides = [f"{10_000 + k}.{n % 9},{k + 1}.{n % 999:03d},{9_999 - k}.{n % 9},{k + 2}" for k in range(5)]
    return [*base(n), *sides]


def option(n: int) -> Row:
    middle = f"20.5,{n % 9 + 1}.5,55.9,23.5,15.2,68.9,22.10436{n % 10},62.8,SYN.BTC,9756.36"
    return [*base(n), "put", "9875", START + 10**12, "0.1", "", middle, "-0.6,0.001,2.2,-53.0,-0.2"]


BOOK_LEVELS = ",".join(f"asks[{n}].price,asks[{n}].amount,bids[{n}].price,bids[{n}].amount" for n in range(5))
GREEKS = "delta,gamma,vega,theta,rho"
QUOTED = "bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price"

LAYOUTS: dict[str, tuple[str, Callable[[int], Row]]] = {
    "incremental_book_L2": (f"{BASE},is_snapshot,side,price,amount", level),
    "trades": (f"{BASE},id,side,price,amount", trade),
    "quotes": (f"{BASE},ask_amount,ask_price,bid_price,bid_amount", quote),
    "derivative_ticker": (
        f"{BASE},funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price",
        derivative,
    ),
    "book_snapshot_5": (f"{BASE},{BOOK_LEVELS}", book),
    "options_chain": (
        f"{BASE},type,strike_price,expiration,open_interest,last_price,{QUOTED},{GREEKS}",
        option,
    ),
}
"""Tardis layout -> its header, and its n-th row."""


def read(path: Path, strict: bool = False, symbol: str = "") -> Reading:
    source = open_source(path, PACK, strict, symbol)
    chunks = list(source)
    for chunk in chunks:
        chunk.check()
    return Reading(chunks, source.report)


def read_rows(folder: Path, layout: str, *rows: Row, strict: bool = False) -> Reading:
    return read(write(folder / f"{layout}.csv", LAYOUTS[layout][0], rows), strict)


def unfolded(chunks: Sequence[Observations]) -> dict[str, list[tuple[object, ...]]]:
    """What each row of each instrument says, whatever chunk it is in."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for chunk in chunks:
        for row in range(len(chunk)):
            said = (chunk.kind[row], chunk.at[row], chunk.transacted[row], *_of(chunk, row))
            found.setdefault(chunk.instrument, []).append(said)
    return found


def orders_of(chunk: Observations, row: int) -> list[tuple[Action, int, int, int, int]]:
    """The messages of a row of orders."""
    i = chunk.index[row]
    here = slice(chunk.orders_end[i - 1] if i else 0, chunk.orders_end[i])
    actions = map(Action, chunk.order_action[here])
    columns = (chunk.order_id, chunk.order_side, chunk.order_price, chunk.order_lots)
    return list(zip(actions, *(column[here] for column in columns), strict=True))


def _of(chunk: Observations, row: int) -> tuple[object, ...]:
    i, kind = chunk.index[row], chunk.kind[row]
    if kind in (Kind.DIFF, Kind.SNAPSHOT):
        start, middle, end = chunk.asks_end[i - 1] if i else 0, chunk.bids_end[i], chunk.asks_end[i]
        sides = [
            list(zip(chunk.level_price[a:b], chunk.level_lots[a:b], strict=True))
            for a, b in ((start, middle), (middle, end))
        ]
        return (chunk.first_id[i], chunk.last_id[i], chunk.previous_id[i], *sides)
    if kind == Kind.PRINT:
        return chunk.print_price[i], chunk.print_lots[i], chunk.print_side[i], *chunk.print_order[i : i + 1]
    if kind == Kind.ORDERS:
        return tuple(orders_of(chunk, row))
    if kind == Kind.TICKER:
        best = chunk.ticker_bid[i], chunk.ticker_bid_lots[i], chunk.ticker_ask[i], chunk.ticker_ask_lots[i]
        return (chunk.ticker_id[i], *best)
    return chunk.mark[i], chunk.mark_index[i], chunk.mark_rate[i], chunk.mark_next_funding[i]
