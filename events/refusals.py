"""Why a command was refused: a closed list, each reason named after the rule that was broken.

The order of the list is the order of precedence: where a command breaks several rules, the first one is named.
"""

from __future__ import annotations

from enum import Enum, unique


@unique
class Reason(Enum):
    """A rule that a command broke."""

    SESSION_ALREADY_OPEN = "session_already_open"
    SESSION_NOT_OPEN = "session_not_open"
    BAD_RULE_PACK = "bad_rule_pack"
    RULES_VERSION_UNKNOWN = "rules_version_unknown"
    RESERVED_ACCOUNT_NAME = "reserved_account_name"
    UNKNOWN_ACCOUNT = "unknown_account"
    TEXT_NOT_PRINTABLE_ASCII = "text_not_printable_ascii"
    ACCOUNT_EXISTS = "account_exists"
    UNKNOWN_ASSET = "unknown_asset"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    UNKNOWN_ORDER = "unknown_order"
    ORDER_NUMBER_USED = "order_number_used"
    CLIENT_ID_MALFORMED = "client_id_malformed"
    CLIENT_ID_IN_USE = "client_id_in_use"
    PRICE_NOT_POSITIVE = "price_not_positive"
    PRICE_OFF_TICK = "price_off_tick"
    SIZE_NOT_POSITIVE = "size_not_positive"
    SIZE_OFF_LOT = "size_off_lot"
    SIZE_BELOW_MINIMUM = "size_below_minimum"
    SIZE_ABOVE_MAXIMUM = "size_above_maximum"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    MARKET_ORDER_CANNOT_REST = "market_order_cannot_rest"
    LEG_UNLIKE_POSITION_MODE = "leg_unlike_position_mode"
    LEVERAGE_OUT_OF_RANGE = "leverage_out_of_range"
    NOT_COLLATERAL = "not_collateral"
    SAME_ON_BOTH_SIDES = "same_on_both_sides"
    LIQUIDATION_IN_PROGRESS = "liquidation_in_progress"
    WITHDRAWALS_ARE_CLOSED = "withdrawals_are_closed"
    INSTRUMENT_HAS_NO_FUNDING = "instrument_has_no_funding"
    INSTRUMENT_EXPIRED = "instrument_expired"
    TRADING_HALTED = "trading_halted"
    NO_MARK_PRICE = "no_mark_price"
    MULTI_ASSET_IS_CROSS = "multi_asset_is_cross"
    NO_INDEX_PRICE = "no_index_price"
    NOTIONAL_BELOW_MINIMUM = "notional_below_minimum"
    TOO_MANY_OPEN_ORDERS = "too_many_open_orders"
    REDUCE_ONLY_WOULD_INCREASE = "reduce_only_would_increase"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    POSITION_LIMIT_AT_LEVERAGE = "position_limit_at_leverage"
    OPEN_ORDERS_OR_POSITION = "open_orders_or_position"
    POSITION_NOT_ISOLATED = "position_not_isolated"
    NO_POSITION = "no_position"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    ROWS_OUT_OF_RANGE = "rows_out_of_range"
    NOTHING_DUE = "nothing_due"
