"""What is open of an order as the naive exchange keeps it, and the parts in which a taker meets icebergs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from events.commands import TimeInForce
from events.instructions import SelfTrade


@dataclass
class NaiveOrder:
    """What is open of an order, and the whole size of it, what traded of it included.

    rank says when it, or the part of it that is shown, joined the queue at its price; 0 while it is not in the book.
    amended is how often it was. Of an iceberg, visible is a part, and shown what is left of the present one.
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
    visible: int = 0
    rank: int = 0
    amended: int = 0
    shown: int = 0

    @property
    def name(self) -> tuple[str, int]:
        """What facts call it."""
        return self.account, self.number

    @property
    def offered(self) -> int:
        """What a taker meets of it at once."""
        return self.shown if self.visible else self.lots

    def uses_up(self, lots: int) -> bool:
        """So much of what an iceberg shows trades: whether that is all of it, so that the next part joins the queue."""
        if not self.shown:
            return False
        self.shown -= lots
        return not self.shown

    def join(self, rank: int) -> None:
        """It stands at the back of the queue, with all of it or a part."""
        self.rank = rank
        self.shown = min(self.visible, self.lots)


def parts(queue: list[NaiveOrder]) -> Iterator[tuple[NaiveOrder, int]]:
    """A queue as a taker meets it: at each price what is shown, then the parts that follow, each in its turn."""
    for _, orders in groupby(queue, key=lambda order: order.price):
        turn = [(order, order.offered, order.lots) for order in orders]
        while turn:
            order, part, left = turn.pop(0)
            yield order, part
            if left := left - part:
                turn.append((order, min(order.visible, left), left))
