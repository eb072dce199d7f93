"""Rules of the facts by which an order rests or ends: what is left is what is open, and every end has a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import commands as c
from events import facts as f
from events.facts import Expiry
from events.instructions import SelfTrade
from exchange.audit import icebergs, links, triggers
from exchange.audit.amending import amended_away, as_named
from exchange.audit.books import SIGN, Books, Order, Position
from exchange.audit.handling import ends_in
from exchange.audit.lines import joins
from exchange.audit.reduce_only import of_exceeding
from exchange.audit.trading import bound, order_of, remove

EITHER = {
    True: (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH),
    False: (SelfTrade.EXPIRE_MAKER, SelfTrade.EXPIRE_BOTH),
}
"""Whether it is the taker that expires -> the rules by which it does."""


def rested(books: Books, fact: f.OrderRested) -> None:
    """What rests is what is open."""
    p, order = order_of(books, fact.account, fact.number)
    books.check("lots still open", order.lots, fact.lots)
    order.rests = True
    order.since = books.report.records
    joins(p, fact.number, order)
    icebergs.rested(order)
    if order.reduce_only:
        p.reducing[fact.number] = order
        books.unmeasured[p] = None


def ended(books: Books, fact: f.OrderCancelled | f.OrderExpired) -> None:
    """What ends is what is open, or waits."""
    if isinstance(fact, f.OrderCancelled):
        as_named(books, fact)
    links.ended(books, fact)
    if isinstance(fact, f.OrderExpired) and triggers.refused(books, fact):
        return
    if (one := books.waiters.named.get((fact.account, fact.number))) is not None:
        ends_in(books, fact, one.placed.instrument)
        triggers.ended(books, fact, one)
        return
    p, order = order_of(books, fact.account, fact.number)
    books.check("lots still open", order.lots, fact.lots)
    ends_in(books, fact, p.terms.id)
    frozen = p.contract.auction is not None and isinstance(fact, f.OrderCancelled)
    books.hold("nobody takes back what trades in an auction", not frozen, fact)
    p.contract.to_trade = None
    if isinstance(fact, f.OrderCancelled) and isinstance(books.command, c.AmendOrder):
        amended_away(books, books.command, order)
    if isinstance(fact, f.OrderExpired) and (rule := BY_REASON.get(fact.why)):
        rule(books, p, fact.number, order)
    remove(books, p, fact.number)


def of_self_trade(books: Books, p: Position, number: int, order: Order) -> None:
    """The taker of the moment, or what it would meet: both of one account, and the taker's rule says which."""
    books.hold("there is a taker whose account would trade with itself", books.taking is not None, order)
    assert books.taking is not None
    of, takes, taker = books.taking
    is_taker = (p, number) == (of, takes)
    meets = is_taker or (order.side is not taker.side and _reaches(taker, order))
    books.hold("they are of one account, and would meet", p.account == of.account and meets, order)
    books.hold("the taker's self-trade prevention says so", taker.self_trade in EITHER[is_taker], taker)


def of_good_till(books: Books, _p: Position, _number: int, order: Order) -> None:
    """Once its time is over."""
    books.hold("the time of the order is over", 0 < order.until <= books.now, order)


def of_price_protection(books: Books, p: Position, _number: int, order: Order) -> None:
    """A market order, where those are bounded."""
    books.hold("a bound holds the market order", order.price is None and bound(books, p) is not None, order)


def _reaches(taker: Order, maker: Order) -> bool:
    if maker.price is None or taker.price is None:
        return maker.price is not None
    return (taker.price - maker.price) * SIGN[taker.side] >= 0


BY_REASON: dict[Expiry, Callable[[Books, Position, int, Order], None]] = {
    Expiry.SELF_TRADE: of_self_trade,
    Expiry.GOOD_TILL: of_good_till,
    Expiry.PRICE_PROTECTION: of_price_protection,
    Expiry.EXCEEDS_POSITION: of_exceeding,
}
"""Why an order expired -> what that has to agree with."""

RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.OrderRested: rested,
    f.OrderCancelled: ended,
    f.OrderExpired: ended,
}
"""Fact -> what it has to agree with, and what it changes."""
