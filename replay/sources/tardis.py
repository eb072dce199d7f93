"""Tardis CSV files: what each of their layouts has, and what a replay makes of it.

Source of the columns: docs.tardis.dev, "Downloadable CSV files: Data Types". Times are microseconds; `local_timestamp`
is when a message arrived, `timestamp` what the venue says.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from replay.sources.builders import Best, Make, Marks, MarksAndTickers, Prints, Stated, Taker, Tickers, Times, Unplayed
from replay.sources.cells import Cell, Field
from replay.sources.depth import Books, Levels
from replay.sources.tables import Layout, fields

START = ("exchange", "symbol", "timestamp", "local_timestamp")
"""How every header begins."""

_TIMES = Times("local_timestamp", "timestamp")
_BASE = (Field("symbol", Cell.WORD), *fields(Cell.TIME, *_TIMES))
_BEST = Best("bid_price", "bid_amount", "ask_price", "ask_amount")
_TAKER = Taker("side", ("buy",), ("sell",))


def layout_of(path: Path, columns: tuple[str, ...]) -> Layout | None:
    """The layout with this header; None where it is not one of Tardis'.

    Liquidations have the header of trades: a file whose name has that word holds them.
    """
    if columns[: len(START)] != START:
        return None
    names = frozenset(columns)
    if "is_snapshot" in names:
        return _layout("incremental_book_L2", columns, (*_words("is_snapshot", "side"), *_exact("price", "amount")))
    if "strike_price" in names:
        return _layout("options_chain", columns, _OPTION)
    if "mark_price" in names:
        return _layout("derivative_ticker", columns, _TICKER)
    if "asks[0].price" in names:
        return _books(columns)
    if "ask_amount" in names:
        return _layout("quotes", columns, fields(Cell.EXACT, *_BEST[:4], needed=False))
    if {"id", "side"} <= names:
        what = "liquidations" if "liquidation" in path.name.lower() else "trades"
        return _layout(what, columns, (*_words("side"), *_exact("price", "amount")))
    return None


def _words(*names: str) -> tuple[Field, ...]:
    return fields(Cell.WORD, *names)


def _exact(*names: str) -> tuple[Field, ...]:
    return fields(Cell.EXACT, *names)


_FUNDING = ("index_price", "funding_rate")
_TICKER = (
    *fields(Cell.FINE, "mark_price", needed=False),
    *fields(Cell.FINE, *_FUNDING, needed=False, may_lack=True),
    *fields(Cell.TIME, "funding_timestamp", needed=False, may_lack=True),
)
_OPTION = (
    *fields(Cell.FINE, "mark_price", "underlying_price", needed=False, may_lack=True),
    *fields(Cell.EXACT, *_BEST[:4], needed=False),
)
_MAKERS: dict[str, Make] = {
    "incremental_book_L2": partial(Levels, times=_TIMES, is_snapshot="is_snapshot", price="price", size="amount"),
    "trades": partial(Prints, times=_TIMES, price="price", size="amount", taker=_TAKER),
    "liquidations": partial(Unplayed, times=_TIMES, reason="liquidation"),
    "quotes": partial(Tickers, times=_TIMES, best=_BEST),
    "derivative_ticker": partial(
        Marks, times=_TIMES, stated=Stated("mark_price", "index_price", "funding_rate", "funding_timestamp")
    ),
    "options_chain": partial(
        MarksAndTickers, times=_TIMES, stated=Stated("mark_price", "underlying_price"), best=_BEST
    ),
}


def _layout(name: str, columns: tuple[str, ...], more: tuple[Field, ...]) -> Layout:
    return Layout(f"Tardis {name}", columns, (*_BASE, *more), _MAKERS[name], _TIMES.at, "symbol")


def _books(columns: tuple[str, ...]) -> Layout:
    """book_snapshot_5, _25, or whatever number of levels the header has."""
    depth = sum(name.startswith("asks[") and name.endswith("].price") for name in columns)
    bids, asks = ([f"{side}[{n}]" for n in range(depth)] for side in ("bids", "asks"))
    numbers = fields(Cell.EXACT, *(f"{level}.{what}" for level in (*bids, *asks) for what in ("price", "amount")))
    optional = tuple(field._replace(needed=False) for field in numbers)
    make = partial(Books, times=_TIMES, bids=bids, asks=asks)
    return Layout(f"Tardis book_snapshot_{depth}", columns, (*_BASE, *optional), make, _TIMES.at, "symbol")
