"""Who stands in line at which price, from the facts alone, and whether a trade took the first of it.

Where MARKET's volume stands among the orders of a level is history's to say, and so are the prints: of it is known that
it trades at no price while an order stands at a better one, and that no print passes an order over that could trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from events.commands import MARKET, Side

if TYPE_CHECKING:
    from events.facts import Traded
    from exchange.audit.books import Books, Order, Position
    from exchange.audit.contract import Contract

Name = tuple[str, int]
"""An order: its account and number."""

SIGN = {Side.BUY: 1, Side.SELL: -1}
OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class Line:
    """The resting orders of a side, best price first, of a price the one that came first."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[int, dict[Name, None]] = {}
        self._prices: list[int] = []

    def join(self, price: int, name: Name) -> None:
        """An order comes to the back of its price, wherever it stood at that price before."""
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = {}
            heappush(self._prices, -price * self._sign)
        level.pop(name, None)
        level[name] = None

    def leave(self, price: int, name: Name) -> None:
        """An order is no longer in line."""
        level = self._levels[price]
        del level[name]
        if not level:
            del self._levels[price]

    def best(self) -> int | None:
        """The best price at which an order stands."""
        while self._prices:
            price = -self._prices[0] * self._sign
            if price in self._levels:
                return price
            heappop(self._prices)
        return None

    def first(self) -> Name | None:
        """The order that trades first."""
        best = self.best()
        return None if best is None else next(iter(self._levels[best]))

    def before(self, price: int, name: Name) -> Iterator[Name]:
        """The orders that trade before this one, which stands at that price."""
        for better in sorted((p for p in self._levels if (p - price) * self._sign > 0), reverse=self._sign > 0):
            yield from self._levels[better]
        for one in self._levels[price]:
            if one == name:
                return
            yield one


def joins(p: Position, number: int, order: Order) -> None:
    """What is open of the order stands at the back of its price from now on."""
    assert order.price is not None
    p.contract.lines[order.side].join(order.price, (p.account, number))


def leaves(p: Position, number: int, order: Order) -> None:
    """The order stands in its line no more."""
    if order.rests:
        assert order.price is not None
        p.contract.lines[order.side].leave(order.price, (p.account, number))


def check_turn(books: Books, contract: Contract, fact: Traded) -> None:
    """The maker is the first in line, outside of auctions, which have turns of their own."""
    if contract.auction is not None:
        return
    line = contract.lines[OTHER[fact.side]]
    first, name = line.first(), (fact.maker, fact.maker_order)
    if not fact.maker_order:
        best = line.best()
        passed = best is not None and (fact.price - best) * SIGN[fact.side] > 0
        books.hold("MARKET's volume trades where no order stands at a better price", not passed, best)
    elif first != name:
        may = fact.taker == MARKET and all(_is_spent(books, one) for one in line.before(fact.price, name))
        books.hold("the first in line trades first", may, first)


def _is_spent(books: Books, name: Name) -> bool:
    """Whether an order that stands in line could not trade: it only reduces, and there is nothing left to."""
    p = books.placed[name]
    order = p.orders[name[1]]
    return order.reduce_only and p.lots * SIGN[order.side] >= 0
