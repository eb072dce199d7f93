"""Orders, conditional orders, trades and income as the venue writes them: names and JSON types are its own.

Source: Binance USD-M, "Query Order", "Query Algo Order", "Account Trade List", "Get Income History".
"""

from __future__ import annotations

from typing import Any

from events.commands import Side, TimeInForce
from events.facts import Expiry
from events.instructions import PriceMatch
from events.instruments import Leg
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT
from exchange.core.contract import Contract
from gateway.binance.asking import LEGACY
from gateway.binance.desk import Desk
from gateway.binance.texts import fixed, money
from gateway.serving.blotter_rows import Amendment, Fill, Income, IncomeKind, Move, OrderRow, Status
from gateway.serving.tape.trades import trade_id

STATUSES = {
    Status.WAITING: "NEW",
    Status.OPEN: "NEW",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
LEGS = {Leg.NET: "BOTH", Leg.LONG: "LONG", Leg.SHORT: "SHORT"}
TIMES = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "GTX",
    TimeInForce.GTD: "GTD",
    TimeInForce.DAY: "GTC",
}
SOURCES = {PriceSource.MARK: "MARK_PRICE", PriceSource.LAST: "CONTRACT_PRICE"}
INCOMES = {
    IncomeKind.TRANSFER: "TRANSFER",
    IncomeKind.REALIZED_PNL: "REALIZED_PNL",
    IncomeKind.COMMISSION: "COMMISSION",
    IncomeKind.FUNDING: "FUNDING_FEE",
    IncomeKind.INSURANCE: "INSURANCE_CLEAR",
    IncomeKind.EXCHANGE: "AUTO_EXCHANGE",
    IncomeKind.INTEREST: "INTEREST",
    IncomeKind.SETTLEMENT: "DELIVERED_SETTELMENT",
}
"""The last one is spelt so by the venue."""

_KINDS = list(IncomeKind)


def is_order(row: OrderRow) -> bool:
    """Whether the endpoints of orders show it: not before a conditional one fired, unless it was placed there; nor
    what was rejected at once.
    """
    if row.kind is None:
        return not is_rejected(row)
    return row.request.endswith(LEGACY) or became_order(row)


def is_rejected(row: OrderRow) -> bool:
    """Whether the venue would have rejected it: what could not be filled at once, or not near enough to the mark."""
    if row.kind is not None or row.executed:
        return False
    return row.why is Expiry.FILL_OR_KILL or (row.why is Expiry.PRICE_PROTECTION and row.price is None)


def is_algo(row: OrderRow) -> bool:
    """Whether the endpoints of conditional orders show it."""
    return row.kind is not None and not row.request.endswith(LEGACY)


def became_order(row: OrderRow) -> bool:
    """Whether a conditional order fired, and was taken as an order then."""
    return row.fired_at > 0 and row.why is not Expiry.REFUSED_WHEN_TRIGGERED


def status_of(row: OrderRow) -> str:
    """An order's status."""
    if row.status is Status.OPEN and row.executed:
        return "PARTIALLY_FILLED"
    return "EXPIRED_IN_MATCH" if row.why is Expiry.SELF_TRADE else STATUSES[row.status]


def algo_status_of(row: OrderRow) -> str:
    """A conditional order's status."""
    if row.why is Expiry.REFUSED_WHEN_TRIGGERED:
        return "REJECTED"
    if row.fired_at:
        return "TRIGGERED" if row.status is Status.OPEN else "FINISHED"
    return STATUSES[row.status]


def type_of(row: OrderRow) -> str:
    """The type of the order that it is, or becomes."""
    return "LIMIT" if row.price is not None or row.price_match is not PriceMatch.NONE else "MARKET"


def algo_type_of(row: OrderRow) -> str:
    """The type of a conditional order."""
    if row.kind is TriggerKind.TRAILING_STOP:
        return "TRAILING_STOP_MARKET"
    name = "STOP" if row.kind is TriggerKind.STOP else "TAKE_PROFIT"
    return name if type_of(row) == "LIMIT" else f"{name}_MARKET"


def average(contract: Contract, lots: int, value: int) -> int:
    """The average price of so many lots that cost so many atoms, 10^-8, rounded down."""
    if not lots or not value:
        return 0
    return lots * contract.face // (value * UNIT) if contract.is_inverse else value * UNIT // (lots * contract.lot)


def order(desk: Desk, row: OrderRow, with_time: bool = True) -> dict[str, Any]:
    """An order."""
    digits, contract = desk.texts[row.instrument], desk.contract(row.instrument)
    kind = type_of(row)
    shown = kind
    original = algo_type_of(row) if row.kind is not None and row.request.endswith(LEGACY) else kind
    if row.kind is not None and not row.fired_at:
        shown = original
    updated = desk.ms(row.updated_at)
    found = {
        "orderId": row.number,
        "symbol": row.instrument,
        "status": status_of(row),
        "clientOrderId": row.client,
        "price": digits.price(row.price),
        "avgPrice": fixed(average(contract, row.executed, row.value)),
        "origQty": digits.size(row.lots),
        "executedQty": digits.size(row.executed),
        "cumQty": digits.size(row.executed),
        "cumQuote": money(row.value),
        "timeInForce": TIMES[row.time_in_force],
        "type": shown,
        "reduceOnly": row.reduce_only,
        "closePosition": row.closes,
        "side": SIDES[row.side],
        "positionSide": LEGS[row.leg],
        "stopPrice": digits.price(row.trigger if row.request.endswith(LEGACY) else None),
        "workingType": SOURCES[row.source],
        "priceProtect": row.protects,
        "origType": original,
        "priceMatch": row.price_match.name,
        "selfTradePreventionMode": row.self_trade.name,
        "goodTillDate": desk.ms(row.good_till) if row.good_till else 0,
        "updateTime": updated,
    }
    if with_time:
        found["time"] = desk.ms(row.placed_at)
    if row.callback:
        found["priceRate"] = percent(row.callback)
        found["activatePrice"] = digits.price(row.trigger)
    return found


def taken(desk: Desk, row: OrderRow) -> dict[str, Any]:
    """An order as it was taken, before it met anybody: what is answered where its result is not asked for."""
    found = order(desk, row, with_time=False)
    digits = desk.texts[row.instrument]
    found.update(
        status="NEW", avgPrice=fixed(0), executedQty=digits.size(0), cumQty=digits.size(0), cumQuote=money(0),
        updateTime=desk.ms(row.placed_at),
    )  # fmt: skip
    return found


def percent(rate: int) -> str:
    """A rate in percent, as callbacks are."""
    return fixed(rate * 100, 1 if rate % 100_000 == 0 else 8)


def algo(desk: Desk, row: OrderRow) -> dict[str, Any]:
    """A conditional order."""
    digits, contract = desk.texts[row.instrument], desk.contract(row.instrument)
    became = became_order(row)
    return {
        "algoId": row.number,
        "clientAlgoId": row.client,
        "algoType": "CONDITIONAL",
        "orderType": algo_type_of(row),
        "symbol": row.instrument,
        "side": SIDES[row.side],
        "positionSide": LEGS[row.leg],
        "timeInForce": TIMES[row.time_in_force],
        "quantity": digits.size(row.lots),
        "algoStatus": algo_status_of(row),
        "actualOrderId": str(row.number) if became else "",
        "actualPrice": fixed(average(contract, row.executed, row.value)),
        "triggerPrice": digits.price(row.trigger),
        "price": digits.price(row.price),
        "icebergQuantity": None,
        "tpTriggerPrice": digits.price(None),
        "tpPrice": digits.price(None),
        "slTriggerPrice": digits.price(None),
        "slPrice": digits.price(None),
        "tpOrderType": "",
        "selfTradePreventionMode": row.self_trade.name,
        "workingType": SOURCES[row.source],
        "priceMatch": row.price_match.name,
        "closePosition": row.closes,
        "priceProtect": row.protects,
        "reduceOnly": row.reduce_only,
        "activatePrice": digits.price(row.trigger) if row.callback else "",
        "callbackRate": percent(row.callback) if row.callback else "",
        "createTime": desk.ms(row.placed_at),
        "updateTime": desk.ms(row.updated_at),
        "triggerTime": desk.ms(row.fired_at) if row.fired_at else 0,
        "goodTillDate": desk.ms(row.good_till) if row.good_till else 0,
    }


def trade(desk: Desk, fill: Fill) -> dict[str, Any]:
    """A trade of an account."""
    digits, contract = desk.texts[fill.instrument], desk.contract(fill.instrument)
    return {
        "id": trade_id(fill.id),
        "orderId": fill.number,
        "symbol": fill.instrument,
        "side": SIDES[fill.side],
        "price": digits.price(fill.price),
        "qty": digits.size(fill.lots),
        "quoteQty": money(fill.value),
        "realizedPnl": money(fill.realized),
        "commission": money(fill.fee),
        "commissionAsset": contract.settle,
        "marginAsset": contract.settle,
        "time": desk.ms(fill.at),
        "positionSide": LEGS[fill.leg],
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
    }


def income(desk: Desk, entry: Income) -> dict[str, Any]:
    """An entry of income. Transaction ids are of the record and the kind: unique among all."""
    kind, trade_name = INCOMES[entry.kind], str(trade_id(entry.fill)) if entry.fill else ""
    return {
        "symbol": entry.instrument,
        "incomeType": kind,
        "income": money(entry.amount),
        "asset": entry.asset,
        "info": trade_name or kind,
        "time": desk.ms(entry.at),
        "tranId": entry.id * len(_KINDS) + _KINDS.index(entry.kind),
        "tradeId": trade_name,
    }


def move(desk: Desk, moved: Move) -> dict[str, Any]:
    """A move of margin: type 1 added it, 2 took it away."""
    return {
        "symbol": moved.instrument,
        "type": 1 if moved.amount > 0 else 2,
        "deltaType": "USER_ADJUST" if moved.asked else "TRADE",
        "amount": money(abs(moved.amount)),
        "asset": moved.asset,
        "time": desk.ms(moved.at),
        "positionSide": LEGS[moved.leg],
    }


def amendment(desk: Desk, amended: Amendment) -> dict[str, Any]:
    """An order's amendment."""
    digits = desk.texts[amended.instrument]
    return {
        "amendmentId": amended.id,
        "symbol": amended.instrument,
        "pair": amended.instrument,
        "orderId": amended.number,
        "clientOrderId": amended.client,
        "time": desk.ms(amended.at),
        "amendment": {
            "price": {"before": digits.price(amended.price_before), "after": digits.price(amended.price)},
            "origQty": {"before": digits.size(amended.lots_before), "after": digits.size(amended.lots)},
            "count": amended.count,
        },
        "priceMatch": "NONE",
    }
