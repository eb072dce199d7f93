"""An order of the naive exchange."""

from __future__ import annotations

from dataclasses import dataclass

from events.commands import TimeInForce
from events.instructions import SelfTrade


@dataclass
class NaiveOrder:
    """What is open of an order, and the whole size of it, what traded of it included.

    rank says when it joined the queue at its price; 0 while it is not in the book. amended is how often it was.
    """

    account: str
    number: int
    sign: int
    price: int
    lots: int
    reduces: bool
    self_trade: SelfTrade
    client: str
    force: TimeInForce
    size: int
    until: int
    rank: int = 0
    amended: int = 0

    @property
    def name(self) -> tuple[str, int]:
        """What facts call it."""
        return self.account, self.number
