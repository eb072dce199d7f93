"""Rules of amendments: as asked, of an order that rests; it keeps its place in the queue, or stands anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import commands as c
from events import facts as f
from events.rules import AmendPriority
from exchange.audit import icebergs
from exchange.audit.books import Books, Order, Position
from exchange.audit.lines import leaves
from exchange.audit.pools import available
from exchange.audit.trading import is_carried, order_of, placed, trades
from exchange.audit.triggers import has_not_come, may_wait
from exchange.audit.waiting import Waiting


def order_amended(books: Books, fact: f.OrderAmended) -> None:
    """What is executed of the order stays so; where it is not just smaller, the balance carries what is open."""
    p, order = order_of(books, fact.account, fact.number)
    books.hold("the order rests, and the instrument trades", order.rests and trades(p), fact)
    as_named(books, fact)
    if isinstance(command := books.command, c.AmendOrder):
        books.check("price as asked for", order.price if command.price is None else command.price, fact.price)
        books.check("size as asked for", order.total if command.lots is None else command.lots, fact.lots)
    done = order.total - order.lots
    books.check("lots left open", fact.lots - done, fact.left)
    books.hold("it changes", (fact.price, fact.lots) != (order.price, order.total), order)
    books.hold("more than what is executed, at a price", fact.left > 0 and fact.price > 0, fact)
    books.hold("it may be amended once more", order.amendments < books.rules.max_amendments, order)
    is_smaller = fact.price == order.price and fact.lots < order.total
    keeps = is_smaller and books.rules.amend_priority is AmendPriority.WHEN_SMALLER
    books.check("whether it keeps its priority", keeps, fact.keeps_priority)
    before = available(books, p.account, p.terms.settle)
    icebergs.amended(books, order, fact)
    order.amendments += 1
    order.lots, order.total = fact.left, fact.lots
    if not keeps:
        _stands_anew(books, p, fact, order)
        is_carried(books, p, order, before)


def _stands_anew(books: Books, p: Position, fact: f.OrderAmended, order: Order) -> None:
    """It may take now, at its new price; what it holds back is that of the moment."""
    leaves(p, fact.number, order)
    new = placed(books, p, order.side, order.lots, fact.price, order.reduce_only)
    order.price, order.loss, order.fee = new.price, new.loss, new.fee
    order.rests = False
    p.reducing.pop(fact.number, None)
    books.taking = p, fact.number, order


def trigger_amended(books: Books, fact: f.TriggerAmended) -> None:
    """It waits for its price, which has not come to what it waits for now; only that makes it younger."""
    as_named(books, fact)
    one = books.waiters.named.get((fact.account, fact.number))
    books.hold("it waits, and the instrument trades", one is not None and may_wait(one.position), fact)
    assert one is not None
    placed, instrument = one.placed, one.placed.instrument
    reached = {**books.waiters.reached.get(instrument, {}), **dict.fromkeys(books.waiters.firing.get(instrument, ()))}
    seen = instrument not in books.waiters.unseen
    books.hold("it is linked to nothing", not (placed.linked or placed.entry), fact)
    books.hold("no price has reached it", not one.orphaned and not (seen and one in reached), fact)
    if isinstance(command := books.command, c.AmendOrder):
        for name in ("lots", "trigger", "price"):
            asked = getattr(command, name)
            books.check(f"{name} as asked for", getattr(placed, name) if asked is None else asked, getattr(fact, name))
        books.check("callback as asked for", command.callback or placed.callback, fact.callback)
    _has_it(books, one, fact)
    books.hold("it may be amended once more", one.amendments < books.rules.max_amendments, one.amendments)
    keeps = (fact.trigger, fact.callback) == (placed.trigger, placed.callback)
    books.check("whether it keeps its priority", keeps, fact.keeps_priority)
    one.amendments += 1
    one.serial = one.serial if keeps else books.report.records
    was = {name: getattr(placed, name) for name in placed.__struct_fields__}
    now = {name: getattr(fact, name) for name in ("lots", "trigger", "price", "callback")}
    one.placed = f.TriggerPlaced(**(was | now))
    has_not_come(books, one)
    books.waiters.watched(instrument, placed.source).add(one)


def _has_it(books: Books, one: Waiting, fact: f.TriggerAmended) -> None:
    """What changed is something that it has."""
    placed = one.placed
    before, after = ((x.lots, x.trigger, x.price, x.callback) for x in (placed, fact))
    books.hold("it changes", before != after, fact)
    books.hold("it has a size, or closes the position", fact.lots == 0 if placed.closes else fact.lots > 0, fact)
    books.hold("a limit price stays one", (fact.price is None) == (placed.price is None), fact)
    books.hold("only a trailing stop has a callback", one.trails == (fact.callback > 0), fact)
    trails = one.trails and one.extreme is not None
    books.hold("what trails is activated", not trails or fact.trigger == placed.trigger, fact)


def as_named(books: Books, fact: f.OrderCancelled | f.OrderAmended | f.TriggerAmended) -> None:
    """It is the order that the command names: by its number or, where that is 0, by its client id."""
    if isinstance(command := books.command, c.CancelOrder | c.AmendOrder):
        named = command.number or books.clients.get((fact.account, command.client))
        books.check("order that the command names", named, fact.number)


def amended_away(books: Books, command: c.AmendOrder, order: Order) -> None:
    """An amendment ends an order whose new size is executed, or one that is post-only."""
    done = isinstance(command.lots, int) and command.lots <= order.total - order.lots
    books.hold("its new size is executed, or it is post-only and would take", done or order.post_only, order)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.OrderAmended: order_amended,
    f.TriggerAmended: trigger_amended,
}
"""Fact -> what it has to agree with, and what it changes."""
