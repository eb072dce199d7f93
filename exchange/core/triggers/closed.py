"""Conditional orders that end with their position, whoever closes it.

The change that closes a position, or turns it to the other side, takes them from where they wait, so that no price and
no queue finds them any more; the same batch says that they expired, as many as it has room for, and a `Proceed` the
rest. Source: Binance USD-M, time in force GTE_GTC; Bybit, "Set Trading Stop": the system cancels these orders if the
position is closed; OKX, `cxlOnClosePos`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from events.facts import Expiry, Fact, OrderExpired
from exchange.core.state import State


def end_with_positions(state: State, most: int) -> Iterator[Fact]:
    """Let so many orders expire whose position was closed, in the order in which that happened."""
    for trigger, seq in list(islice(state.orphans.items(), max(0, most))):
        placed = trigger.placed
        state.cause = seq
        yield OrderExpired(placed.account, placed.number, placed.lots, Expiry.POSITION_CLOSED)
