"""Binance's public archives: what each of their tables has, and what a replay makes of it.

Bars (klines, markPriceKlines) are read by `replay/sources/bars.py`. Times are the venue's; nobody captured these rows.
"""

from __future__ import annotations

from functools import partial

from replay.sources import archives_text as text
from replay.sources.builders import Best, Funding, Make, Prints, Taker, Tickers, Times, Unplayed
from replay.sources.cells import Cell, Field
from replay.sources.tables import Layout, fields

_MAKER = Taker("is_buyer_maker", ("false",), ("true",))
_BEST = Best("best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty", "update_id")


def _once(time: str) -> Times:
    """The only time that a row has."""
    return Times(time, time)


def _prints(name: str, columns: tuple[str, ...], size: str, time: str) -> Layout:
    make = partial(Prints, times=_once(time), price="price", size=size, taker=_MAKER, ids=columns[0])
    return _layout(name, columns, make, (*_at(time), *_exact("price", size), *_ids(columns[0]), _WHO))


def _layout(name: str, columns: tuple[str, ...], make: Make, read: tuple[Field, ...]) -> Layout:
    symbol = "symbol" if "symbol" in columns else ""
    named = fields(Cell.WORD, symbol) if symbol else ()
    return Layout(f"Binance {name}", columns, (*read, *named), make, read[0].name, symbol)


def _at(*names: str) -> tuple[Field, ...]:
    return fields(Cell.TIME, *names)


def _exact(*names: str) -> tuple[Field, ...]:
    return fields(Cell.EXACT, *names)


def _ids(name: str) -> tuple[Field, ...]:
    return fields(Cell.WHOLE, name)


_WHO = Field("is_buyer_maker", Cell.WORD)


def _uncounted(name: str, columns: tuple[str, ...], reason: str, cell: Cell, *numbers: str) -> Layout:
    """A table that is no part of a market's course."""
    time = columns[0]
    read = (*fields(cell, time), *fields(Cell.FINE, *numbers, needed=False))
    return _layout(name, columns, partial(Unplayed, times=_once(time), reason=reason), read)


_TICKERS = _layout(
    "bookTicker",
    text.BOOK_TICKER,
    partial(Tickers, times=Times("transaction_time", "transaction_time"), best=_BEST),
    (*_at("transaction_time"), *_ids("update_id"), *_exact(*_BEST[:4])),
)
_FUNDING = _layout(
    "fundingRate",
    text.FUNDING_RATE,
    partial(Funding, times=_once("calc_time"), rate="last_funding_rate", hours="funding_interval_hours"),
    (*_at("calc_time"), *_ids("funding_interval_hours"), *fields(Cell.FINE, "last_funding_rate")),
)
_PAID = Layout(
    "funding rates",
    text.PAID,
    (*_at("funding_time"), *fields(Cell.FINE, "funding_rate")),
    partial(Funding, times=_once("funding_time"), rate="funding_rate", hours=""),
    "funding_time",
)

LAYOUTS: dict[tuple[str, ...], Layout] = {
    layout.columns: layout
    for layout in (
        _prints("aggTrades", text.AGGREGATED, "quantity", "transact_time"),
        _prints("aggTrades", text.SPOT_AGGREGATED, "quantity", "transact_time"),
        _prints("trades", text.TRADES, "qty", "time"),
        _prints("trades", text.COIN_TRADES, "qty", "time"),
        _prints("trades", text.SPOT_TRADES, "qty", "time"),
        _TICKERS,
        _FUNDING,
        _PAID,
        _uncounted("bookDepth", text.BOOK_DEPTH, "depth_within_percent", Cell.DATE, *text.BOOK_DEPTH[1:]),
        _uncounted("metrics", text.METRICS, "open_interest", Cell.DATE, *text.METRICS[2:]),
        _uncounted("liquidationSnapshot", text.LIQUIDATIONS, "liquidation", Cell.TIME, "price", "average_price"),
        _uncounted("liquidations", text.PLAIN_LIQUIDATIONS, "liquidation", Cell.TIME, "price", "amount"),
    )
}
"""Columns -> the table that has them."""
