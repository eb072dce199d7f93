"""Price match: an order that takes its price from the book when it is decided."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from events.commands import PlaceOrder, Side
from events.instructions import PriceMatch
from events.refusals import Reason
from events.units import Ticks
from exchange.core.contract import Contract
from exchange.core.matching.checks import name_refusal
from exchange.core.state import Account

RANKS: Final = {
    PriceMatch.OPPONENT: (-1, 1),
    PriceMatch.OPPONENT_5: (-1, 5),
    PriceMatch.OPPONENT_10: (-1, 10),
    PriceMatch.OPPONENT_20: (-1, 20),
    PriceMatch.QUEUE: (1, 1),
    PriceMatch.QUEUE_5: (1, 5),
    PriceMatch.QUEUE_10: (1, 10),
    PriceMatch.QUEUE_20: (1, 20),
}
"""Whether it is a price of the order's own side, and the how many-th best."""


def matched(account: Account, contract: Contract, command: PlaceOrder) -> PlaceOrder | Reason:
    """The order with the price that it takes, or the rule that it breaks."""
    if refusal := name_refusal(account, command):
        return refusal
    if command.price is not None:
        return Reason.PRICE_MATCH_WITH_PRICE
    return priced(contract, command)


def priced(contract: Contract, command: PlaceOrder) -> PlaceOrder | Reason:
    """The order with the price of the book that it takes, or the rule that it has none."""
    own, rank = RANKS[command.price_match]
    book = contract.book
    side = book.bids if (command.side is Side.BUY) == (own > 0) else book.asks
    prices = side.best_prices(rank, book.stale)
    return replace(command, price=Ticks(prices[-1])) if len(prices) == rank else Reason.NO_PRICE_TO_MATCH
