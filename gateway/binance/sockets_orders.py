"""Events of orders on the user stream: ORDER_TRADE_UPDATE, and ALGO_UPDATE of conditional ones.

Source: Binance USD-M, "Event: Order Update" and "Event: Algo Order Update".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events.commands import Side
from events.facts import Expiry
from events.instructions import SelfTrade
from events.instruments import Leg
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT
from gateway.binance.texts import Digits, fixed, money
from gateway.serving.blotter_rows import Fill, OrderRow

Shown = Callable[[int], int]
"""Session time, ns, as it is shown, ms."""

NEW, PARTLY, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"

SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
LEGS = {Leg.NET: "BOTH", Leg.LONG: "LONG", Leg.SHORT: "SHORT"}
SOURCES = {PriceSource.MARK: "MARK_PRICE", PriceSource.LAST: "CONTRACT_PRICE"}
KINDS = {
    TriggerKind.STOP: ("STOP_MARKET", "STOP"),
    TriggerKind.TAKE_PROFIT: ("TAKE_PROFIT_MARKET", "TAKE_PROFIT"),
    TriggerKind.TRAILING_STOP: ("TRAILING_STOP_MARKET", "TRAILING_STOP_MARKET"),
}


def plain_type(row: OrderRow) -> str:
    """What it is in the book."""
    return "MARKET" if row.price is None else "LIMIT"


def asked_type(row: OrderRow) -> str:
    """As what it was placed."""
    if row.kind is None:
        return plain_type(row)
    has_price = row.price is not None or row.price_match.value != "none"
    return KINDS[row.kind][has_price]


def ended_status(row: OrderRow) -> str:
    """What an order that expired is called."""
    by_self = row.why is Expiry.SELF_TRADE and row.self_trade is not SelfTrade.NONE
    return "EXPIRED_IN_MATCH" if by_self else "EXPIRED"


def order_update(
    row: OrderRow, digits: Digits, shown: Shown, at: int, execution: str, status: str, executed: int, value: int,
    fill: Fill | None = None, asset: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What happened to an order; executed lots and value, atoms, are those up to there. asset is that of the fee."""
    order: dict[str, Any] = {
        "s": row.instrument, "c": row.client, "S": SIDES[row.side], "o": plain_type(row),
        "f": row.time_in_force.value.upper(), "q": digits.size(row.lots), "p": digits.price(row.price),
        "ap": average(digits, value, executed), "sp": digits.price(row.trigger),
        "x": execution, "X": status, "i": row.number, "l": digits.size(fill.lots if fill else 0),
        "z": digits.size(executed), "L": digits.price(fill.price if fill else 0),
    }  # fmt: skip
    if fill is not None:
        order["N"], order["n"] = asset, money(fill.fee)
    order |= {
        "T": shown(at), "t": fill.id if fill else 0, "b": "0", "a": "0", "m": fill is not None and fill.is_maker,
        "R": row.reduce_only, "wt": SOURCES[row.source], "ot": asked_type(row), "ps": LEGS[row.leg], "cp": row.closes,
        "rp": money(fill.realized) if fill else "0", "pP": row.protects, "si": 0, "ss": 0,
        "V": row.self_trade.value.upper(), "pm": row.price_match.value.upper(),
        "gtd": shown(row.good_till) if row.good_till else 0,
    }  # fmt: skip
    if row.kind is TriggerKind.TRAILING_STOP:
        order |= {"AP": digits.price(row.trigger), "cr": percent(row.callback)}
    return {"e": "ORDER_TRADE_UPDATE", "E": shown(at), "T": shown(at), "o": order}


def algo_update(
    row: OrderRow, digits: Digits, shown: Shown, at: int, status: str, is_placed: bool, reason: str = ""
) -> dict[str, Any]:
    """What happened to a conditional order; is_placed says that it became one of the book."""
    order: dict[str, Any] = {
        "caid": row.client, "aid": row.number, "at": "CONDITIONAL", "o": asked_type(row), "s": row.instrument,
        "S": SIDES[row.side], "ps": LEGS[row.leg], "f": row.time_in_force.value.upper(),
        "q": digits.size(row.lots), "X": status, "ai": str(row.number) if is_placed else "",
        "ap": average(digits, row.value, row.executed), "aq": digits.size(row.executed),
        "act": plain_type(row) if is_placed else "0", "tp": digits.price(row.trigger),
        "p": digits.price(row.price), "V": row.self_trade.value.upper(), "wt": SOURCES[row.source],
        "pm": row.price_match.value.upper(), "cp": row.closes, "pP": row.protects, "R": row.reduce_only,
        "tt": shown(row.fired_at) if row.fired_at else 0, "gtd": shown(row.good_till) if row.good_till else 0,
        "rm": reason,
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "E": shown(at), "T": shown(at), "o": order}


def average(digits: Digits, value: int, lots: int) -> str:
    """The average price of so many lots for a value, atoms, of a linear contract; 0 of none; rounded down."""
    return fixed(abs(value) * UNIT // (abs(lots) * digits.lot) if lots else 0)


def percent(rate: int) -> str:
    """A share of 1 in percent, with one decimal at least: 0.5 % is 0.5."""
    whole, _, part = fixed(rate * 100).partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


def by_rule(row: OrderRow) -> str:
    """Why a conditional order ended, in words."""
    reason = row.reason or row.why
    return reason.value if reason else ""
