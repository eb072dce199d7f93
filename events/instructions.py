"""Instructions that an order carries beside side, size and price."""

from __future__ import annotations

from enum import Enum


class SelfTrade(Enum):
    """What prevents a trade of an account with itself; the taker's word rules: what is open of it, of the maker it
    meets, or of both expires. A fill-or-kill order needs none: it is killed where it would meet its own account.

    Source: Binance USD-M, "Self Trade Prevention (STP) FAQ".
    """

    NONE = "none"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"


class Arming(Enum):
    """When the orders that are attached to an entry begin to wait for their prices: with its first fill, for as much as
    it traded so far, or once all of it traded.

    Sources: first_fill: Binance USD-M, "Limit TP/SL Order (Strategy Order)": a partial fill is enough; Bybit, "How to
    Set Up and Modify Your TP/SL". full_fill: Binance Spot, New Order List OTOCO.
    """

    FIRST_FILL = "first_fill"
    FULL_FILL = "full_fill"


class PriceMatch(Enum):
    """Which price of the book a limit order takes when it is decided: the best, or the 5th, 10th or 20th best, of the
    opposite side or of its own queue.

    Source: Binance, Public API Definitions, "Price Match".
    """

    NONE = "none"
    OPPONENT = "opponent"
    OPPONENT_5 = "opponent_5"
    OPPONENT_10 = "opponent_10"
    OPPONENT_20 = "opponent_20"
    QUEUE = "queue"
    QUEUE_5 = "queue_5"
    QUEUE_10 = "queue_10"
    QUEUE_20 = "queue_20"
