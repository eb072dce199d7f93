"""From parameters to commands: what an order is, conditional or not, and what does not go together.

Prices and sizes that are no whole number of ticks and lots go to the core as they were written, which refuses them.
Source: Binance USD-M, "New Order", "New Algo Order".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events.commands import AccountId, ClientId, OrderNumber, PlaceOrder, PlaceTrigger, RequestId, Side, TimeInForce
from events.instructions import PriceMatch, SelfTrade
from events.instruments import Leg
from events.triggers import PriceSource, TriggerKind
from events.units import Nanos, Rate, units_of
from exchange.core.contract import Contract
from gateway.binance.desk import Desk
from gateway.binance.errors import BinanceError, illegal, invalid, missing, not_required
from gateway.binance.params import Params

LEGACY = ".order"
"""How the requests end of conditional orders that were placed as ordinary ones, and are shown as such."""

DATE_MAX_MS = 253_402_300_799_000
"""The end of the year 9999: no order lives longer."""

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
LEGS = {"BOTH": Leg.NET, "LONG": Leg.LONG, "SHORT": Leg.SHORT}
TIMES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.POST_ONLY,
    "GTD": TimeInForce.GTD,
    "GTE_GTC": TimeInForce.GTC,
}
SELF_TRADES = {rule.name: rule for rule in SelfTrade}
PRICE_MATCHES = {match.name: match for match in PriceMatch}
SOURCES = {"MARK_PRICE": PriceSource.MARK, "CONTRACT_PRICE": PriceSource.LAST}
ALGO_TYPES = {
    "STOP": (TriggerKind.STOP, True),
    "STOP_MARKET": (TriggerKind.STOP, False),
    "TAKE_PROFIT": (TriggerKind.TAKE_PROFIT, True),
    "TAKE_PROFIT_MARKET": (TriggerKind.TAKE_PROFIT, False),
    "TRAILING_STOP_MARKET": (TriggerKind.TRAILING_STOP, False),
}
"""Type -> what it waits for, and whether it becomes a limit order."""


@dataclass(frozen=True, slots=True)
class Names:
    """What parameters are called at an endpoint."""

    client: str = "newClientOrderId"
    trigger: str = "stopPrice"
    activation: str = "activationPrice"


ORDER_NAMES = Names()
ALGO_NAMES = Names("clientAlgoId", "triggerPrice", "activatePrice")


def side_of(params: Params) -> Side:
    """The side. Raises BinanceError."""
    if (side := SIDES.get(params.need("side"))) is None:
        raise BinanceError(-1117, "Invalid side.")
    return side


def leg_of(params: Params) -> Leg:
    """The leg of the position, the net one where none is named. Raises BinanceError."""
    value = params.get("positionSide")
    if value is None:
        return Leg.NET
    if (leg := LEGS.get(value)) is None:
        raise BinanceError(-4060, "Invalid position side.")
    return leg


def time_of(params: Params, default: TimeInForce | None = None) -> TimeInForce:
    """The time in force. Raises BinanceError."""
    value = params.get("timeInForce")
    if value is None:
        if default is None:
            raise missing("timeInForce")
        return default
    if (time := TIMES.get(value)) is None:
        raise BinanceError(-1115, "Invalid timeInForce.")
    return time


def lots_of(contract: Contract, params: Params, name: str = "quantity") -> Any:
    """A size in lots, or its text; None where there is none. Raises BinanceError."""
    return _whole_or_text(params.number(name, below_0=True), contract.lot)


def ticks_of(contract: Contract, params: Params, *names: str) -> Any:
    """A price in ticks, or its text; None where there is none. Raises BinanceError."""
    return _whole_or_text(params.number(*names, below_0=True), contract.tick)


def _whole_or_text(text: str | None, unit: int) -> int | str | None:
    if text is None:
        return None
    units = units_of(text, unit)
    return text if units is None else units


def client_of(params: Params, name: str, number: int) -> ClientId:
    """The client's id of an order, one of ours where there is none. Raises BinanceError."""
    value = params.get(name)
    if value is None:
        return ClientId(f"auto-{number}")
    if not value.isascii() or len(value) > 36:
        raise BinanceError(-4015, "Client order id length should not be more than 36 chars")
    return ClientId(value)


def order_of(desk: Desk, account: AccountId, params: Params) -> PlaceOrder | PlaceTrigger:
    """The order that POST /fapi/v1/order asks for. Raises BinanceError."""
    contract = desk.contract(params.need("symbol"))
    side, kind = side_of(params), params.need("type")
    if kind in ALGO_TYPES:
        if desk.strict_algo:
            text = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
            raise BinanceError(-4120, text)
        return _trigger(desk, account, params, contract, side, kind, ORDER_NAMES)
    if kind not in ("LIMIT", "MARKET"):
        raise BinanceError(-1116, "Invalid orderType.")
    return _order(desk, account, params, contract, side, kind == "MARKET")


def _order(
    desk: Desk, account: AccountId, params: Params, contract: Contract, side: Side, is_market: bool
) -> PlaceOrder:
    price = ticks_of(contract, params, "price")
    match = match_of(params)
    if is_market:
        _refuse(params, "price", "timeInForce")
        time = TimeInForce.GTC
    else:
        time = time_of(params)
        if price is None and match is PriceMatch.NONE:
            raise missing("price")
    lots = lots_of(contract, params)
    if lots is None:
        raise missing("quantity")
    venue = desk.venue
    if params.flag("closePosition"):
        raise BinanceError(-4136, f"Target strategy invalid for orderType '{params.get('type')}',closePosition 'true'")
    reduces, leg, rule, until = (
        _reduces(desk, account, params),
        leg_of(params),
        _self_trade(params),
        _until(desk, params, time),
    )
    response_of(params)
    number = venue.number(account)
    client = client_of(params, ORDER_NAMES.client, number)
    return PlaceOrder(
        venue.now, account, venue.request(), number, contract.id, side, lots, price, time, reduces, leg, client, rule,
        until, match,
    )  # fmt: skip


def algo_of(desk: Desk, account: AccountId, params: Params) -> PlaceTrigger:
    """The conditional order that POST /fapi/v1/algoOrder asks for. Raises BinanceError."""
    if params.need("algoType") != "CONDITIONAL":
        raise invalid("algoType")
    contract = desk.contract(params.need("symbol"))
    side, kind = side_of(params), params.need("type")
    if kind not in ALGO_TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    return _trigger(desk, account, params, contract, side, kind, ALGO_NAMES)


def _trigger(
    desk: Desk, account: AccountId, params: Params, contract: Contract, side: Side, kind: str, names: Names
) -> PlaceTrigger:
    what, is_limit = ALGO_TYPES[kind]
    closes = params.flag("closePosition")
    trigger, callback = _waits_for(params, contract, what, names)
    price, match = _limit(params, contract, is_limit)
    time, until = TimeInForce.GTC, Nanos(0)
    if is_limit:
        time = time_of(params, TimeInForce.GTC)
        until = _until(desk, params, time)
    elif (asked := params.get("timeInForce")) is not None and asked not in TIMES:
        raise BinanceError(-1115, "Invalid timeInForce.")
    lots = _lots_to_wait(params, contract, closes)
    reduces, leg = _reduces(desk, account, params), leg_of(params)
    if closes and reduces:
        raise not_required("reduceOnly")
    source, protects, rule = _source(params), params.flag("priceProtect"), _self_trade(params)
    with_position = params.get("timeInForce") == "GTE_GTC" and (closes or reduces)
    response_of(params)
    venue = desk.venue
    number, request = venue.number(account), venue.request()
    if names is ORDER_NAMES:
        request = RequestId(f"{request}{LEGACY}")
    return PlaceTrigger(
        venue.now, account, request, OrderNumber(number), contract.id, side, what, lots, trigger, price, time, source,
        reduces, callback, closes, protects, leg, client_of(params, names.client, number), rule, until, match,
        with_position,
    )  # fmt: skip


def _waits_for(params: Params, contract: Contract, what: TriggerKind, names: Names) -> tuple[Any, Rate]:
    """The trigger price, or a trailing stop's activation, and its callback."""
    if what is not TriggerKind.TRAILING_STOP:
        trigger = ticks_of(contract, params, names.trigger, ORDER_NAMES.trigger)
        if trigger is None:
            raise missing(names.trigger)
        return trigger, Rate(0)
    percent = params.number("callbackRate")
    if percent is None:
        raise missing("callbackRate")
    units = units_of(percent)
    if units is None or units % 100:
        raise BinanceError(-2007, "Invalid callBack rate")
    return ticks_of(contract, params, names.activation, ORDER_NAMES.activation), Rate(units // 100)


def _limit(params: Params, contract: Contract, is_limit: bool) -> tuple[Any, PriceMatch]:
    """The price of what it becomes, and which one of the book it takes instead."""
    match = match_of(params)
    if not is_limit:
        return None, PriceMatch.NONE
    price = ticks_of(contract, params, "price")
    if price is None and match is PriceMatch.NONE:
        raise missing("price")
    return price, match


def _lots_to_wait(params: Params, contract: Contract, closes: bool) -> Any:
    lots = lots_of(contract, params)
    if not closes:
        if lots is None:
            raise missing("quantity")
        return lots
    if lots:
        raise BinanceError(-4137, "Quantity must be zero with closePosition equals true")
    return 0


def _reduces(desk: Desk, account: AccountId, params: Params) -> bool:
    """Whether it only reduces; in hedge mode its leg says that."""
    reduces = params.flag("reduceOnly")
    if reduces and desk.account(account).hedges:
        raise not_required("reduceOnly")
    return reduces


def _until(desk: Desk, params: Params, time: TimeInForce) -> Nanos:
    """Until when a GTD order lives."""
    if time is not TimeInForce.GTD:
        return Nanos(0)
    date = params.need_whole("goodTillDate")
    if not 0 < date < DATE_MAX_MS:
        date = 1
    return Nanos(max(1, desk.venue.calendar.session(date * 1_000_000)))


def _self_trade(params: Params) -> SelfTrade:
    value = params.get("selfTradePreventionMode")
    if value is None:
        return SelfTrade.NONE
    if (rule := SELF_TRADES.get(value)) is None:
        raise BinanceError(-5039, "Invalid self trade prevention mode")
    return rule


def match_of(params: Params) -> PriceMatch:
    """Which price of the book is taken. Raises BinanceError."""
    value = params.get("priceMatch")
    if value is None:
        return PriceMatch.NONE
    if (match := PRICE_MATCHES.get(value)) is None:
        raise BinanceError(-5037, "Invalid price match")
    return match


def _source(params: Params) -> PriceSource:
    return params.choice("workingType", SOURCES, PriceSource.LAST)


def response_of(params: Params) -> bool:
    """Whether the order's result is to be answered, not only that it was taken. Raises BinanceError."""
    value = params.get("newOrderRespType")
    if value not in (None, "ACK", "RESULT"):
        raise invalid("newOrderRespType")
    return value == "RESULT"


def _refuse(params: Params, *names: str) -> None:
    """These do not go with the type of the order."""
    for name in names:
        if params.get(name) is not None:
            raise not_required(name)


def positive(params: Params, name: str) -> str:
    """A decimal number that must be there. Raises BinanceError."""
    if (value := params.number(name, below_0=True)) is None:
        raise missing(name)
    return value


def atoms_of(params: Params, name: str) -> int:
    """Money in atoms. Raises BinanceError."""
    units = units_of(positive(params, name))
    if units is None:
        raise illegal(name)
    return units
