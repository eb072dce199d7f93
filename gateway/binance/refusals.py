"""What the venue answers where a command broke a rule: code and text of every reason there is.

Sources: Binance USD-M Futures, "Error Codes"; the precedence is that of the core. The venue has no code for rules that
it does not have, such as those of icebergs; they are answered by -1130, what was sent is not valid.
"""

from __future__ import annotations

from typing import Any

from events import commands as c
from events.refusals import Reason
from events.units import UNIT, decimal_text
from exchange.core.contract import Contract
from gateway.binance.errors import BinanceError
from gateway.binance.texts import fixed, places_of

Answer = tuple[int, str]

BAD_PRECISION: Answer = (-1111, "Precision is over the maximum defined for this asset.")
_ORDERS_OPEN: Answer = (-4047, "Margin type cannot be changed if there exists open orders.")
_HISTORY = "The order will not be recorded in the order history"

REFUSALS: dict[Reason, Answer] = {
    Reason.SESSION_ALREADY_OPEN: (-1000, "An unknown error occured while processing the request."),
    Reason.SESSION_NOT_OPEN: (-1016, "This service is no longer available."),
    Reason.BAD_RULE_PACK: (-1000, "An unknown error occured while processing the request."),
    Reason.BAD_SESSION_OPTIONS: (-1000, "An unknown error occured while processing the request."),
    Reason.RULES_VERSION_UNKNOWN: (-1000, "An unknown error occured while processing the request."),
    Reason.RESERVED_ACCOUNT_NAME: (-2015, "Invalid API-key, IP, or permissions for action."),
    Reason.UNKNOWN_ACCOUNT: (-2015, "Invalid API-key, IP, or permissions for action."),
    Reason.TEXT_NOT_PRINTABLE_ASCII: (-1100, "Illegal characters found in a parameter."),
    Reason.BATCH_IS_EMPTY: (-4082, "Invalid number of batch place orders."),
    Reason.BATCH_TOO_LARGE: (-4082, "Invalid number of batch place orders."),
    Reason.ITEM_UNLIKE_BATCH: (-4083, "Fail to place batch orders."),
    Reason.REQUEST_TWICE_IN_BATCH: (-4083, "Fail to place batch orders."),
    Reason.LINKED_UNLIKE_COMMAND: (-1014, "Unsupported order combination."),
    Reason.NOT_A_PAIR: (-1014, "Unsupported order combination."),
    Reason.NOT_FOR_THE_ENTRY: (-1014, "Unsupported order combination."),
    Reason.ACCOUNT_EXISTS: (-1130, "Data sent for parameter 'account' is not valid."),
    Reason.UNKNOWN_ASSET: (-1130, "Data sent for parameter 'asset' is not valid."),
    Reason.UNKNOWN_INSTRUMENT: (-1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.ORDER_NUMBER_USED: (-4116, "clientOrderId is duplicated"),
    Reason.CLIENT_ID_MALFORMED: (-4015, "Client order id is not valid."),
    Reason.CLIENT_ID_IN_USE: (-4116, "clientOrderId is duplicated"),
    Reason.PRICE_MATCH_WITH_PRICE: (-1106, "Parameter 'price' sent when not required."),
    Reason.NO_PRICE_TO_MATCH: (-5041, "No depth matches this BBO order"),
    Reason.PRICE_NOT_POSITIVE: (-4001, "Price less than 0."),
    Reason.PRICE_OFF_TICK: (-4014, "Price not increased by tick size."),
    Reason.SIZE_NOT_POSITIVE: (-4003, "Quantity less than or equal to zero."),
    Reason.SIZE_OFF_LOT: (-4023, "Qty not increased by step size."),
    Reason.SIZE_BELOW_MINIMUM: (-4004, "Quantity less than min quantity."),
    Reason.SIZE_ABOVE_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.MARKET_SIZE_ABOVE_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.AMOUNT_NOT_POSITIVE: (-4055, "Amount must be positive."),
    Reason.COUNTDOWN_NEGATIVE: (-1130, "Data sent for parameter 'countdownTime' is not valid."),
    Reason.MARKET_ORDER_CANNOT_REST: (-1106, "Parameter 'timeInForce' sent when not required."),
    Reason.ICEBERG_CANNOT_REST: (-1130, "Data sent for parameter 'icebergQty' is not valid."),
    Reason.VISIBLE_OFF_LOT: (-1130, "Data sent for parameter 'icebergQty' is not valid."),
    Reason.VISIBLE_BELOW_MINIMUM: (-1130, "Data sent for parameter 'icebergQty' is not valid."),
    Reason.VISIBLE_ABOVE_SIZE: (-1130, "Data sent for parameter 'icebergQty' is not valid."),
    Reason.TOO_MANY_PARTS: (-1130, "Data sent for parameter 'icebergQty' is not valid."),
    Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE: (-1106, "Parameter 'goodTillDate' sent when not required."),
    Reason.GOOD_TILL_OUT_OF_RANGE: (
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
        " 253402300799000 (UTC 9999-12-31 23:59:59)",
    ),
    Reason.DAY_ORDER_IN_PERPETUAL: (-1115, "Invalid timeInForce."),
    Reason.NO_TRIGGER_PRICE: (-1102, "Mandatory parameter 'triggerPrice' was not sent, was empty/null, or malformed."),
    Reason.CALLBACK_OUT_OF_RANGE: (-2007, "Invalid callBack rate"),
    Reason.NOT_FOR_TRAILING_STOPS: (-4136, "Target strategy invalid for orderType 'TRAILING_STOP_MARKET'"),
    Reason.CLOSES_WHOLE_POSITION: (-4136, "Target strategy invalid for this orderType with closePosition 'true'"),
    Reason.WITH_POSITION_ONLY_REDUCES: (-4138, "Reduce only must be true with closePosition equals true"),
    Reason.LEG_UNLIKE_POSITION_MODE: (-4061, "Order's position side does not match user's setting."),
    Reason.NOT_AMENDABLE: (-5025, "Only limit order is supported."),
    Reason.SIZE_IS_LINKED: (-5025, "Only limit order is supported."),
    Reason.NOTHING_TO_AMEND: (-5027, "No need to modify the order."),
    Reason.TOO_MANY_AMENDMENTS: (-5026, "Exceed maximum modify order limit."),
    Reason.LEVERAGE_OUT_OF_RANGE: (-4028, "Leverage is not valid"),
    Reason.NOT_COLLATERAL: (-4044, "Balance Type is invalid."),
    Reason.SAME_ON_BOTH_SIDES: (-1130, "Data sent for parameter 'asset' is not valid."),
    Reason.LIQUIDATION_IN_PROGRESS: (-2023, "User in liquidation mode now."),
    Reason.WITHDRAWALS_ARE_CLOSED: (-1020, "This operation is not supported."),
    Reason.INSTRUMENT_HAS_NO_FUNDING: (-1121, "Invalid symbol."),
    Reason.INSTRUMENT_EXPIRED: (-4141, "Symbol is closed"),
    Reason.AUCTION_UNCROSSES: (-4117, "stop order is triggering"),
    Reason.TRADING_HALTED: (-4140, "Invalid symbol status for opening position"),
    Reason.CANCEL_ONLY: (-4140, "Invalid symbol status for opening position"),
    Reason.AUCTION_TAKES_LIMITS: (-4140, "Invalid symbol status for opening position"),
    Reason.PHASE_END_NOT_AHEAD: (-1130, "Data sent for parameter 'until' is not valid."),
    Reason.NO_MARK_PRICE: (-4140, "Invalid symbol status for opening position"),
    Reason.MULTI_ASSET_IS_CROSS: (-4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode."),
    Reason.NO_INDEX_PRICE: (
        -4169,
        "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures.",
    ),
    Reason.PRICE_ABOVE_BAND: (-4016, "Limit price can't be higher than the mark price multiplier cap."),
    Reason.PRICE_BELOW_BAND: (-4024, "Limit price can't be lower than the mark price multiplier floor."),
    Reason.NOTIONAL_BELOW_MINIMUM: (-4164, "Order's notional must be no smaller than the minimum"),
    Reason.TOO_MANY_OPEN_ORDERS: (-2025, "Reach max open order limit."),
    Reason.NO_LAST_PRICE: (-4140, "Invalid symbol status for opening position"),
    Reason.TOO_MANY_TRIGGERS: (-4045, "Reach max stop order limit."),
    Reason.CLOSING_TRIGGER_EXISTS: (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    ),
    Reason.WOULD_TRIGGER_AT_ONCE: (-2021, "Order would immediately trigger."),
    Reason.REDUCE_ONLY_WOULD_INCREASE: (-2022, "ReduceOnly Order is rejected."),
    Reason.POST_ONLY_WOULD_TAKE: (
        -5022,
        f"Due to the order could not be executed as maker, the Post Only order will be rejected. {_HISTORY}",
    ),
    Reason.POSITION_LIMIT_AT_LEVERAGE: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.OPEN_ORDERS_OR_POSITION: _ORDERS_OPEN,
    Reason.POSITION_NOT_ISOLATED: (-4049, "Add margin only support for isolated position."),
    Reason.NO_POSITION: (-4509, "Time in Force (TIF) GTE can only be used with open positions."),
    Reason.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Reason.INSUFFICIENT_BALANCE: (-2018, "Balance is insufficient."),
    Reason.ROWS_OUT_OF_RANGE: (-1130, "Data sent for parameter 'rows' is not valid."),
    Reason.NOTHING_DUE: (-1000, "An unknown error occured while processing the request."),
}
"""Reason -> code and text, whatever was asked."""

OF_COMMAND: dict[type, dict[Reason, Answer]] = {
    c.AmendOrder: {Reason.UNKNOWN_ORDER: (-2013, "Order does not exist.")},
    c.SetLeverage: {
        Reason.INSUFFICIENT_MARGIN: (-2028, "Leverage is smaller than permitted: insufficient margin balance."),
        Reason.OPEN_ORDERS_OR_POSITION: (
            -4161,
            "Leverage reduction is not supported in Isolated Margin Mode with open positions",
        ),
    },
    c.SetPositionMode: {
        Reason.OPEN_ORDERS_OR_POSITION: (-4067, "Position side cannot be changed if there exists open orders."),
    },
    c.SetCollateralMode: {
        Reason.OPEN_ORDERS_OR_POSITION: (
            -4170,
            "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.",
        ),
        Reason.INSUFFICIENT_MARGIN: (
            -4169,
            "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures.",
        ),
        Reason.MULTI_ASSET_IS_CROSS: (
            -4167,
            "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.",
        ),
    },
    c.AddMargin: {
        Reason.INSUFFICIENT_BALANCE: (-4050, "Cross balance insufficient."),
        Reason.NO_POSITION: (-4054, "Cannot add position margin: position is 0."),
    },
    c.RemoveMargin: {
        Reason.INSUFFICIENT_MARGIN: (-4051, "Isolated balance insufficient."),
        Reason.NO_POSITION: (-4054, "Cannot add position margin: position is 0."),
    },
}
"""What the venue says otherwise where it is another command that broke the rule."""

FILL_OR_KILL: Answer = (
    -5021,
    f"Due to the order could not be filled immediately, the FOK order has been rejected. {_HISTORY}",
)


NOT_WITHIN_BOUND: Answer = (
    -4131,
    "The counterparty's best price does not meet the PERCENT_PRICE filter limit",
)


def error_of(reason: Reason, command: Any, contract: Contract | None = None) -> BinanceError:
    """The answer to a command that was refused; contract is that of its instrument, if it names one."""
    answer = OF_COMMAND.get(type(command), {}).get(reason) or REFUSALS[reason]
    if contract is not None:
        answer = _in_detail(reason, command, contract, answer)
    return BinanceError(*answer)


def _in_detail(reason: Reason, command: Any, contract: Contract, answer: Answer) -> Answer:
    """Texts that name figures; a price or a size of too many decimals is told apart from one between two steps."""
    terms = contract.terms
    if reason is Reason.PRICE_ABOVE_BAND:
        return answer[0], f"Limit price can't be higher than {_at(contract, terms.price_up)}."
    if reason is Reason.PRICE_BELOW_BAND:
        return answer[0], f"Limit price can't be lower than {_at(contract, terms.price_down)}."
    if reason is Reason.NOTIONAL_BELOW_MINIMUM:
        least = decimal_text(terms.min_notional)
        return -4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only)"
    if reason is Reason.SIZE_OFF_LOT and _decimals(command.lots) > places_of(terms.lot):
        return BAD_PRECISION
    if reason is Reason.PRICE_OFF_TICK:
        prices = (command.price, getattr(command, "trigger", None))
        if max(map(_decimals, prices)) > places_of(terms.tick):
            return BAD_PRECISION
    if reason is Reason.LEVERAGE_OUT_OF_RANGE:
        return answer[0], f"Leverage {command.leverage} is not valid"
    return answer


def _at(contract: Contract, share: int) -> str:
    """The mark times a share, as a price."""
    return fixed(contract.mark * share // UNIT, places_of(contract.tick))


def _decimals(value: Any) -> int:
    """How many decimals a text has that count."""
    return len(value.partition(".")[2].rstrip("0")) if isinstance(value, str) else 0
