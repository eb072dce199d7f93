"""Which orders a request is about, and which part of a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from gateway.binance.desk import Desk, Request
from gateway.binance.errors import BinanceError, invalid
from gateway.binance.params import Params
from gateway.serving.blotter_rows import OrderRow

LIMIT, LIMIT_MAX = 500, 1000


def row_of(desk: Desk, request: Request, id: str = "orderId", client: str = "origClientOrderId") -> OrderRow | None:
    """The order that is named by its id or by its client's, of the symbol if there is one. Raises BinanceError."""
    params = request.params
    symbol = params.get("symbol")
    if symbol is not None:
        desk.contract(symbol)
    number, name = params.whole(id), params.get(client)
    if number is None and name is None:
        raise BinanceError(-1102, f"Param '{client}' or '{id}' must be sent, but both were empty/null!")
    blotter, account = desk.blotter, request.account
    row = blotter.order(account, number) if number is not None else blotter.by_client(account, name or "")
    return row if row is not None and symbol in (None, row.instrument) else None


def symbol_of(desk: Desk, params: Params) -> str | None:
    """The symbol, if one is named. Raises BinanceError."""
    symbol = params.get("symbol")
    return None if symbol is None else str(desk.contract(symbol).id)


Row = TypeVar("Row")


def window(
    desk: Desk, params: Params, rows: Iterable[Row], at: Callable[[Row], int], number: Callable[[Row], int],
    since: str = "", default: int = LIMIT,
) -> list[Row]:  # fmt: skip
    """The part of a history between startTime and endTime: its newest rows, or from a number (`since`) on the oldest.

    Raises BinanceError.
    """
    first, last, most = params.whole("startTime"), params.whole("endTime"), limit_of(params, default)
    if first is not None and last is not None and first > last:
        raise BinanceError(-1023, "Start time is greater than end time.")
    from_number = params.whole(since) if since else None
    found = [
        row
        for row in rows
        if (first is None or desk.ms(at(row)) >= first)
        and (last is None or desk.ms(at(row)) <= last)
        and (from_number is None or number(row) >= from_number)
    ]
    return found[:most] if from_number is not None or first is not None else found[-most:]


def limit_of(params: Params, default: int = LIMIT) -> int:
    """How many rows are asked for. Raises BinanceError."""
    most = params.whole("limit")
    if most is None:
        return default
    if most < 1:
        raise invalid("limit")
    return min(most, LIMIT_MAX)


def names_of(params: Params, *names: str) -> list[Any] | None:
    """A list of ids or names, None where there is none. Raises BinanceError."""
    if params.get(*names) is None:
        return None
    found = params.json(*names)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise invalid(names[0])
    return found
