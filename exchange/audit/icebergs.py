"""Rules of icebergs: how much of itself an order shows, and that its parts stand in the queue like orders."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from events import commands as c
from events import facts as f
from events.commands import TimeInForce
from exchange.audit.books import Books, Order, Position
from exchange.audit.lines import joins


def accepted(books: Books, p: Position, fact: f.OrderAccepted, order: Order) -> None:
    """It shows what was asked for: all of itself, or parts that are large and few enough of an order that may rest."""
    asked = books.command.visible if isinstance(books.command, c.PlaceOrder) else 0
    books.check("lots that it shows at a time", asked, fact.visible)
    if not fact.visible:
        return
    rests = fact.price is not None and fact.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
    books.hold("an iceberg may rest", rests, fact)
    allowed = p.terms.min_lots <= fact.visible <= order.total
    books.hold("a part is an order's least at least, its own at most", allowed, fact)
    in_few_parts(books, order, fact.lots, fact.visible)
    order.visible = fact.visible


def in_few_parts(books: Books, order: Order, lots: int, visible: int) -> None:
    """The whole order, what is executed of it too, has no more parts than the venue allows."""
    books.hold("no more parts than allowed", ceil(Fraction(lots, visible)) <= books.rules.max_iceberg_parts, order)


def rested(order: Order) -> None:
    """It shows its first part, or all that is open."""
    order.shown = min(order.visible, order.lots)


def amended(books: Books, order: Order, fact: f.OrderAmended) -> None:
    """What is shown is never more than what is left; out of the book it shows nothing.

    A part is no larger than its order, unless the order shrank with its position before.
    """
    order.shown = min(order.shown, fact.left) if fact.keeps_priority else 0
    if order.visible:
        fits = order.visible <= fact.lots or order.total < order.visible
        books.hold("a part is no larger than its order", fits, order)
        in_few_parts(books, order, fact.lots, order.visible)


def before_trade(books: Books, order: Order, lots: int) -> None:
    """No trade takes more than what is shown."""
    if order.visible and order.rests:
        books.hold("no more trades at once than is shown", lots <= order.shown, order)


def after_trade(books: Books, p: Position, number: int, order: Order, lots: int) -> None:
    """Where what is shown has traded the next part joins the line, with this record."""
    if not order.rests or not order.visible:
        return
    order.shown -= lots
    if order.lots and not order.shown:
        rested(order)
        order.since = books.report.records
        joins(p, number, order)
