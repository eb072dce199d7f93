"""What conditional orders are asked by: which kind, and which price they wait for."""

from __future__ import annotations

from enum import Enum

from events.units import UNIT, Rate

CALLBACK_MIN, CALLBACK_MAX = Rate(UNIT // 1000), Rate(UNIT // 10)
"""How far a trailing stop follows its price, at least and at most. Source: Binance USD-M, `callbackRate`."""


class TriggerKind(Enum):
    """What a conditional order waits for.

    stop: a price that has come to the trigger from the side where it loses, a buy from below, a sell from above.
    take_profit: from the other side. trailing_stop: a price that turned back from its extreme by the callback.
    """

    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"


class PriceSource(Enum):
    """Whose price a trigger waits for: the mark, or the last trade of the instrument."""

    MARK = "mark"
    LAST = "last"
