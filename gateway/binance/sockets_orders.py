"""Events of orders on the user stream: ORDER_TRADE_UPDATE, and ALGO_UPDATE of conditional ones.

Source: Binance USD-M, "Event: Order Update" and "Event: Algo Order Update".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events.triggers import TriggerKind
from events.units import UNIT
from gateway.binance.shapes import LEGS, SIDES, SOURCES, TIMES, algo_type_of, percent, type_of
from gateway.binance.texts import Digits, fixed, money
from gateway.serving.blotter_rows import Fill, OrderRow
from gateway.serving.tape.trades import trade_id

Shown = Callable[[int], int]
"""Session time, ns, as it is shown, ms."""

NEW, PARTLY, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
FINISHED = "FINISHED"


def shown_type(row: OrderRow) -> str:
    """What it is now: a conditional order that waits is what it was placed as."""
    return type_of(row) if row.kind is None or row.fired_at else algo_type_of(row)


def first_type(row: OrderRow) -> str:
    """As what it was placed."""
    return type_of(row) if row.kind is None else algo_type_of(row)


def order_update(
    row: OrderRow, digits: Digits, shown: Shown, at: int, execution: str, status: str, executed: int, value: int,
    fill: Fill | None = None, asset: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What happened to an order; executed lots and value, atoms, are those up to there. asset is that of the fee."""
    order: dict[str, Any] = {
        "s": row.instrument, "c": row.client, "S": SIDES[row.side], "o": shown_type(row),
        "f": TIMES[row.time_in_force], "q": digits.size(row.lots), "p": _price(digits, row.price),
        "ap": average(digits, value, executed), "sp": _price(digits, row.trigger),
        "x": execution, "X": status, "i": row.number, "l": digits.size(fill.lots if fill else 0),
        "z": digits.size(executed), "L": _price(digits, fill.price if fill else None),
    }  # fmt: skip
    if fill is not None:
        order["N"], order["n"] = asset, money(fill.fee)
    order |= {
        "T": shown(at), "t": trade_id(fill.id) if fill else 0, "b": "0", "a": "0",
        "m": fill is not None and fill.is_maker,
        "R": row.reduce_only, "wt": SOURCES[row.source], "ot": first_type(row), "ps": LEGS[row.leg], "cp": row.closes,
        "rp": money(fill.realized) if fill else "0", "pP": row.protects, "si": 0, "ss": 0,
        "V": row.self_trade.name, "pm": row.price_match.name,
        "gtd": shown(row.good_till) if row.good_till else 0,
    }  # fmt: skip
    if row.kind is TriggerKind.TRAILING_STOP:
        order |= {"AP": _price(digits, row.trigger), "cr": percent(row.callback)}
    return {"e": "ORDER_TRADE_UPDATE", "E": shown(at), "T": shown(at), "o": order}


def algo_update(
    row: OrderRow, digits: Digits, shown: Shown, at: int, status: str, is_placed: bool, reason: str = ""
) -> dict[str, Any]:
    """What happened to a conditional order; is_placed says that it became one of the book."""
    executed = row.executed if status == FINISHED else 0
    order: dict[str, Any] = {
        "caid": row.client, "aid": row.number, "at": "CONDITIONAL", "o": first_type(row), "s": row.instrument,
        "S": SIDES[row.side], "ps": LEGS[row.leg], "f": TIMES[row.time_in_force],
        "q": digits.size(row.lots), "X": status, "ai": str(row.number) if is_placed else "",
        "ap": average(digits, row.value, executed), "aq": digits.size(executed),
        "act": type_of(row) if is_placed else "0", "tp": _price(digits, row.trigger),
        "p": _price(digits, row.price), "V": row.self_trade.name, "wt": SOURCES[row.source],
        "pm": row.price_match.name, "cp": row.closes, "pP": row.protects, "R": row.reduce_only,
        "tt": shown(row.fired_at) if row.fired_at else 0, "gtd": shown(row.good_till) if row.good_till else 0,
        "rm": reason,
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "E": shown(at), "T": shown(at), "o": order}


def _price(digits: Digits, ticks: int | None) -> str:
    """A price, 0 where there is none."""
    return digits.price(ticks) if ticks else "0"


def average(digits: Digits, value: int, lots: int) -> str:
    """The average price of so many lots for a value, atoms, of a linear contract; 0 of none; rounded down."""
    return fixed(abs(value) * UNIT // (abs(lots) * digits.lot) if lots else 0)


def by_rule(row: OrderRow) -> str:
    """Why a conditional order ended, in words."""
    reason = row.reason or row.why
    return reason.value if reason else ""
