"""The names of market streams, and what they stand for. Source: Binance USD-M, "Websocket Market Streams"."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.binance.desk import Desk
from gateway.binance.market_asking import contract_types, of_pairs
from gateway.binance.streams_figures import AllTickers, ForcedOrders, Klines, Mark, Marks, Tickers
from gateway.binance.streams_kinds import Aggregates, BookTicker, Diffs, Partial, Stream, Trades
from gateway.serving.tape.candles import INTERVALS

MARK_MS, FAST_MARK_MS, DEPTH_MS = 3_000, 1_000, 250
"""How often marks and the book come where the name does not say; and marks where it does."""


def _depth_ms(pace: str | None) -> int:
    return DEPTH_MS if pace is None else int(pace)


def _mark_ms(fast: str | None) -> int:
    return FAST_MARK_MS if fast else MARK_MS


_KINDS: tuple[tuple[re.Pattern[str], Callable[..., Stream]], ...] = (
    (re.compile(r"trade"), lambda desk, symbol: Trades(desk, symbol)),
    (re.compile(r"aggTrade"), lambda desk, symbol: Aggregates(desk, symbol)),
    (re.compile(r"bookTicker"), lambda desk, symbol: BookTicker(desk, symbol)),
    (
        re.compile(r"depth(?:@(0|100|250|500)ms)?"),
        lambda desk, symbol, pace: Diffs(desk, symbol, _depth_ms(pace)),
    ),
    (
        re.compile(r"depth(5|10|20)(?:@(0|100|250|500)ms)?"),
        lambda desk, symbol, levels, pace: Partial(desk, symbol, _depth_ms(pace), int(levels)),
    ),
    (re.compile(r"markPrice(@1s)?"), lambda desk, symbol, fast: Mark(desk, symbol, _mark_ms(fast))),
    (re.compile(r"kline_(\w+)"), lambda desk, symbol, name: Klines(desk, symbol, INTERVALS[name])),
    (re.compile(r"miniTicker"), lambda desk, symbol: Tickers(desk, symbol, True)),
    (re.compile(r"ticker"), lambda desk, symbol: Tickers(desk, symbol, False)),
    (re.compile(r"forceOrder"), lambda desk, symbol: ForcedOrders(desk, symbol)),
)

_ALL: tuple[tuple[re.Pattern[str], Callable[..., Stream]], ...] = (
    (re.compile(r"!bookTicker"), lambda desk: BookTicker(desk, "")),
    (re.compile(r"!markPrice@arr(@1s)?"), lambda desk, fast: Marks(desk, "", _mark_ms(fast))),
    (re.compile(r"!miniTicker@arr"), lambda desk: AllTickers(desk, "", True)),
    (re.compile(r"!ticker@arr"), lambda desk: AllTickers(desk, "", False)),
    (re.compile(r"!forceOrder@arr"), lambda desk: ForcedOrders(desk, "")),
)

_CONTINUOUS = re.compile(r"(\w+)_(perpetual|current_quarter|next_quarter)@continuousKline_(\w+)", re.IGNORECASE)


def stream_of(desk: Desk, name: str) -> Stream:
    """The stream of that name. Raises LookupError where there is none."""
    if (found := _CONTINUOUS.fullmatch(name)) is not None:
        pair, kind, interval = found.groups()
        of_it = of_pairs(desk, pair.upper(), kind.upper())
        if of_it is None:
            raise LookupError(name)
        return Klines(desk, of_it, INTERVALS[interval], contract_types(desk)[of_it])
    for pattern, make in _ALL:
        if (found := pattern.fullmatch(name)) is not None:
            return make(desk, *found.groups())
    symbol, _, rest = name.partition("@")
    if symbol.upper() not in desk.tape.instruments:
        raise LookupError(name)
    for pattern, make in _KINDS:
        if (found := pattern.fullmatch(rest)) is not None:
            return make(desk, symbol.upper(), *found.groups())
    raise LookupError(name)
