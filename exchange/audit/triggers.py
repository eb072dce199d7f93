"""Rules of the facts about conditional orders: placed, reached by their prices, all of them, and fired in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import MARKET
from events.facts import Expiry
from events.instructions import PriceMatch
from events.instruments import Leg
from events.observations import Kind
from events.phases import TradingPhase
from events.triggers import PriceSource
from exchange.audit import links
from exchange.audit.books import SIGN, Books, Position
from exchange.audit.contract import rate
from exchange.audit.handling import lives_until, ran_out
from exchange.audit.waiting import Waiting

CONTINUOUS, AUCTION = TradingPhase.CONTINUOUS, TradingPhase.AUCTION
LAST, MARK = PriceSource.LAST, PriceSource.MARK


def placed(books: Books, fact: f.TriggerPlaced) -> None:
    """It waits for a price that is known and has not come; a trailing stop without activation begins with that."""
    p, waiters = books.position(fact.account, fact.instrument, fact.leg), books.waiters
    books.hold("the leg is one of its account's mode", p.owner.hedges == (fact.leg is not Leg.NET), fact)
    books.hold("the instrument trades", may_wait(p), fact)
    sized = fact.lots == 0 and fact.reduce_only and fact.price is None if fact.closes else fact.lots > 0
    sized = fact.lots == 0 and fact.reduce_only and not fact.closes if fact.entry else sized
    books.hold("it has a size, or closes the position at any price", sized, fact)
    mine = [one for leg in books.legs(fact.account, fact.instrument) for one in leg.waiting.values()]
    most = books.rules.max_triggers
    books.hold("the account may have one more", not most or len(mine) < most, len(mine))
    one = Waiting(fact, p, books.report.records)
    others = [other for other in p.waiting.values() if not other.orphaned]
    twins = [other for other in others if other.placed.closes and other.placed.side is fact.side]
    alone = not fact.closes or all(other.from_below != one.from_below for other in twins)
    books.hold("no other one closes the position in that direction", alone, fact)
    to_close = fact.reduce_only and _closable(p, one) > 0
    books.hold("what ends with a position has one to reduce", to_close or not fact.with_position, fact)
    links.placed(books, fact)
    books.check("until when it lives", lives_until(books, p, fact), fact.good_till)
    if fact.good_till:
        books.good_till[fact.account, fact.number] = fact.good_till
    if fact.client:
        books.hold("nothing that is open has the client id", (p.account, fact.client) not in books.clients, fact)
        books.clients[p.account, fact.client] = fact.number
    waiters.named[fact.account, fact.number] = p.waiting[fact.number] = one
    if not fact.entry:
        _waits(books, one)


def may_wait(p: Position) -> bool:
    """Whether conditional orders of its instrument are taken, also while an auction of it uncrosses."""
    takes = p.contract.phase in (CONTINUOUS, AUCTION)
    return not p.contract.is_expired and takes and p.contract.mark > 0


def _waits(books: Books, one: Waiting) -> None:
    """It waits for its price from the moment that it was placed."""
    fact, waiters = one.placed, books.waiters
    has_not_come(books, one)
    if fact.source is MARK or fact.instrument not in waiters.unseen:
        price = _price(books, one)
        books.hold("its price is known, and does not fire it at once", price > 0 and one.meets(price) is None, price)
    waiters.watched(fact.instrument, fact.source).add(one)


def has_not_come(books: Books, one: Waiting) -> None:
    """The price that it waits for has not come, as far as the auditor knows it."""
    placed = one.placed
    if placed.source is MARK or placed.instrument not in books.waiters.unseen:
        price = _price(books, one)
        books.hold("its price has not come yet", not one.has_come(price), price)


def _price(books: Books, one: Waiting) -> int:
    """The price that it waits for, as it is; 0 while unknown."""
    if one.placed.source is MARK:
        return one.position.contract.mark
    return books.waiters.lasts.get(one.placed.instrument, 0)


def market_advanced(books: Books, fact: f.MarketAdvanced) -> None:
    """History's trades are last prices, one after the other, as far as the auditor is shown them."""
    rows = books.columns.get(fact.chunk)
    if rows is None:
        books.waiters.unseen[fact.instrument] = None
        return
    for row in range(fact.first_row, fact.last_row + 1):
        if rows.kind[row] == Kind.PRINT:
            last_moved(books, fact.instrument, rows.print_price[rows.index[row]])


def traded(books: Books, fact: f.Traded) -> None:
    """A trade is the last price, unless it is a print of history's that is told so already."""
    if fact.taker != MARKET or fact.crossed is not None:
        last_moved(books, fact.instrument, fact.price)


def last_moved(books: Books, instrument: str, price: int) -> None:
    """The last price is this, ticks."""
    books.waiters.lasts[instrument] = price
    books.waiters.moved(instrument, LAST, price)


def reached(books: Books, fact: f.TriggersReached) -> None:
    """All whose prices came, in this batch or while trading was not continuous, in the order in which they did."""
    books.hold("trading is continuous", books.contracts[fact.instrument].phase is CONTINUOUS, fact)
    waiters = books.waiters
    ones = waiters.reached.pop(fact.instrument, {})
    if fact.instrument not in waiters.unseen:
        books.check("orders that were reached", len(ones), fact.orders)
    waiters.firing.setdefault(fact.instrument, deque()).extend(ones)


def triggered(books: Books, fact: f.OrderTriggered) -> None:
    """Who was reached first, for its size or all that it closes."""
    one = _fires(books, fact.account, fact.number, fact)
    links.fires(books, one)
    lots = _closable(one.position, one) if one.placed.closes else one.size
    books.check("lots of the order", lots, fact.lots)
    books.hold("it has something to close", lots > 0, fact)
    torn = one.placed.instrument not in books.waiters.unseen and _is_torn(books, one)
    books.hold("it is not protected from this price", not (one.placed.protects and torn), fact)
    drop(books, one)
    books.waiters.fired, one.lots = one, fact.lots


def accepted(books: Books, fact: f.OrderAccepted) -> None:
    """What was not asked for just now is the conditional order that fired."""
    one, books.waiters.fired = books.waiters.fired, None
    books.hold("it was asked for, or fired", one is not None, fact)
    assert one is not None
    p = one.position
    closed = [pool for pool in (p.pool, p.terms.settle) if (p.account, pool) in books.queue]
    books.check("pools of it that are due", [], closed)
    books.check("lots as it fired", one.lots, fact.lots)
    if one.placed.price_match is PriceMatch.NONE:
        books.check("price as placed", one.placed.price, fact.price)
    else:
        books.hold("an order that matches a price has one", fact.price is not None, fact)
    for name in ("account", "number", "instrument", "side", "time_in_force", "reduce_only", "leg"):
        books.check(f"{name} as placed", getattr(one.placed, name), getattr(fact, name))
    for name in ("client", "self_trade", "good_till"):
        books.check(f"{name} as placed", getattr(one.placed, name), getattr(fact, name))


def refused(books: Books, fact: f.OrderExpired) -> bool:
    """Whether what expires is the one that fired, as a rule spoke against it."""
    one = books.waiters.fired
    is_it = one is not None and (one.placed.account, one.placed.number) == (fact.account, fact.number)
    said = fact.why is Expiry.REFUSED_WHEN_TRIGGERED
    books.check("whether it was refused when it fired", is_it, said)
    books.check("whether a rule is named", said, fact.reason is not None)
    if is_it:
        books.waiters.fired = None
    return is_it


def ended(books: Books, fact: f.OrderCancelled | f.OrderExpired, one: Waiting) -> None:
    """One that waits ends: whole, and for a reason."""
    books.check("lots that wait", one.size, fact.lots)
    if isinstance(fact, f.OrderExpired):
        holds = ENDS[fact.why](books, one) if fact.why in ENDS else False
        books.hold("there is a reason for it to expire", holds, fact)
    drop(books, one)


def drop(books: Books, one: Waiting) -> None:
    """It waits no more, and its client id is free."""
    if one.placed.client:
        del books.clients[one.placed.account, one.placed.client]
    books.good_till.pop((one.placed.account, one.placed.number), None)
    books.waiters.drop(one)


def _fires(books: Books, account: str, number: int, fact: object) -> Waiting:
    """The conditional order, whose turn it is."""
    one = books.waiters.named.get((account, number))
    books.hold("it waits", one is not None, fact)
    assert one is not None
    instrument = one.placed.instrument
    if instrument not in books.waiters.unseen:
        first = books.waiters.next(instrument)
        books.hold("its price was reached, and it is its turn", first is one, fact)
    return one


def _closable(p: Position, one: Waiting) -> int:
    return max(0, -p.lots * SIGN[one.placed.side])


def _is_torn(books: Books, one: Waiting) -> bool:
    """Whether mark and last price are further apart than the instrument allows."""
    terms, last = one.position.terms, books.waiters.lasts.get(one.placed.instrument, 0)
    mark = one.position.contract.mark
    return bool(terms.trigger_protect and last) and abs(Fraction(last * terms.tick, mark) - 1) > rate(
        terms.trigger_protect
    )


def _is_protected(books: Books, one: Waiting) -> bool:
    _fires(books, one.placed.account, one.placed.number, one)
    return one.placed.protects and (one.placed.instrument in books.waiters.unseen or _is_torn(books, one))


def _closes_nothing(books: Books, one: Waiting) -> bool:
    _fires(books, one.placed.account, one.placed.number, one)
    return one.placed.closes and not _closable(one.position, one)


def _is_liquidated(books: Books, one: Waiting) -> bool:
    running = books.running
    return running is not None and (running.account, running.pool) == (one.position.account, one.position.pool)


def _settles(books: Books, one: Waiting) -> bool:
    return (one.position.account, one.position.name) in books.settling


ENDS: dict[Expiry, Callable[[Books, Waiting], bool]] = {
    Expiry.PRICE_PROTECTION: _is_protected,
    Expiry.NOTHING_TO_REDUCE: _closes_nothing,
    Expiry.LIQUIDATION: _is_liquidated,
    Expiry.SETTLEMENT: _settles,
    Expiry.GOOD_TILL: lambda books, one: 0 < one.placed.good_till <= books.now,
    Expiry.POSITION_CLOSED: lambda _, one: one.orphaned,
    Expiry.LINKED: lambda _books, _one: True,
    Expiry.COUNTDOWN: lambda books, one: ran_out(books, one.placed.account, one.placed.instrument),
}
"""Why a conditional order that waits may expire -> whether it has to."""

RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.TriggerPlaced: placed,
    f.TriggersReached: reached,
    f.OrderTriggered: triggered,
}
"""Fact -> what it has to agree with, and what it changes."""


def check_end_of_batch(books: Books, has_room: bool) -> None:
    """What was reached was said, what fired was decided, and what ended with its position was, where there was room."""
    left = [one.placed for one in books.waiters.orphans] if has_room else []
    books.check("orders that ended with their position and were not said to", [], left)
    seen = [name for name in books.waiters.reached if name not in books.waiters.unseen]
    seen = [name for name in seen if books.contracts[name].phase is CONTINUOUS]
    books.check("instruments whose reached orders were not said", [], seen)
    books.check("conditional order that fired and was not decided", None, books.waiters.fired)


def asked(books: Books) -> bool:
    """Whether the batch's command is for an order of its own."""
    return isinstance(books.command, c.PlaceOrder)
