"""How the tables of Binance's public archives are known: by their header, or without one by what their rows look like.

Source of the columns: github.com/binance/binance-public-data, and the headers that the archives of USD-M futures have.
Those of the spot market have one column more, `is_best_match`; older ones have no header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

AGGREGATED = ("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker")
SPOT_AGGREGATED = (*AGGREGATED, "is_best_match")
TRADES = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker")
COIN_TRADES = ("id", "price", "qty", "base_qty", "time", "is_buyer_maker")
SPOT_TRADES = (*TRADES, "is_best_match")
BOOK_TICKER = (
    *("update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty"),
    *("transaction_time", "event_time"),
)
BOOK_DEPTH = ("timestamp", "percentage", "depth", "notional")
METRICS = (
    *("create_time", "symbol", "sum_open_interest", "sum_open_interest_value", "count_toptrader_long_short_ratio"),
    *("sum_toptrader_long_short_ratio", "count_long_short_ratio", "sum_taker_long_short_vol_ratio"),
)
FUNDING_RATE = ("calc_time", "funding_interval_hours", "last_funding_rate")
PAID = ("funding_time", "funding_rate")
LIQUIDATIONS = (
    *("time", "symbol", "side", "order_type", "time_in_force", "original_quantity", "price", "average_price"),
    *("order_status", "last_fill_quantity", "accumulated_fill_quantity"),
)
PLAIN_LIQUIDATIONS = ("timestamp", "symbol", "side", "price", "amount", "id")

_ID, _NUMBER, _TIME = r"\d+", r"-?\d[\d.]*([eE]-?\d+)?", r"(\d{13}|\d{16})"
_FLAG, _DATE, _WORD = r"([Tt]rue|[Ff]alse)", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\w+"
_HEADERLESS = {
    AGGREGATED: (_ID, _NUMBER, _NUMBER, _ID, _ID, _TIME, _FLAG),
    SPOT_AGGREGATED: (_ID, _NUMBER, _NUMBER, _ID, _ID, _TIME, _FLAG, _FLAG),
    TRADES: (_ID, _NUMBER, _NUMBER, _NUMBER, _TIME, _FLAG),
    SPOT_TRADES: (_ID, _NUMBER, _NUMBER, _NUMBER, _TIME, _FLAG, _FLAG),
    BOOK_TICKER: (_ID, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _TIME, _TIME),
    BOOK_DEPTH: (_DATE, _NUMBER, _NUMBER, _NUMBER),
    METRICS: (_DATE, _WORD, *[f"({_NUMBER})?"] * 6),
    FUNDING_RATE: (_TIME, r"\d{1,3}", _NUMBER),
}
_ROWS = {columns: re.compile(",".join(cells).encode()) for columns, cells in _HEADERLESS.items()}
_HEADERS = {
    ",".join(columns).encode(): columns
    for columns in (*_HEADERLESS, COIN_TRADES, PAID, LIQUIDATIONS, PLAIN_LIQUIDATIONS)
}


def columns_of(lines: Sequence[bytes]) -> tuple[str, ...] | None:
    """The columns of a table that begins with these lines; None where it is none of the archives'."""
    first = lines[0].strip()
    if columns := _HEADERS.get(first):
        return columns
    found = [columns for columns, row in _ROWS.items() if any(row.fullmatch(line.strip()) for line in lines)]
    return found[0] if found else None


def is_archive(lines: list[bytes]) -> bool:
    """Whether these lines from the start of a file look like one of the archives' tables."""
    return columns_of(lines) is not None
