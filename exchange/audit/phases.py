"""Rules of the facts about trading phases: who ends which, and at what price an auction uncrosses.

The auction's price is looked for by trying every price at which anything can change, each with sums of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

from events import commands as c
from events import facts as f
from events.commands import MARKET, Side, TimeInForce
from events.phases import TradingPhase
from events.record import Batch
from exchange.audit.books import SIGN, Books, Order
from exchange.audit.contract import Contract
from exchange.audit.guards import released

if TYPE_CHECKING:
    from exchange.audit.books import Position

BREAKER, PHASE, OPENING = "breaker", "phase", "opening"
FIRST = (-(2**100), 0)
"""Before everybody in price and time."""

CONTINUOUS, HALTED, AUCTION = TradingPhase.CONTINUOUS, TradingPhase.HALTED, TradingPhase.AUCTION


ANSWERS = (f.Refused, f.TradingPhaseSet, f.AuctionUncrossed)
"""What may follow on the operator's word."""


class Offer(NamedTuple):
    """What stands in the book of an instrument: an order and its position, price in ticks."""

    price: int
    order: Order
    position: Position


def takes_orders(contract: Contract) -> bool:
    """Whether the phase takes orders and amendments: continuous trading, and an auction until it uncrosses."""
    return contract.phase is CONTINUOUS or (contract.phase is AUCTION and contract.auction is None)


def can_rest(contract: Contract, fact: f.OrderAccepted) -> bool:
    """Whether the order is one that may rest, where there is an auction."""
    rests = fact.price is not None and fact.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
    return rests or contract.phase is not AUCTION


def may_trade(contract: Contract, fact: f.Traded) -> bool:
    """Whether the phase lets a trade happen: an auction's own, history's in a halt of the breaker, and no other."""
    auction = contract.auction
    if auction is not None:
        if contract.to_trade is not None:
            contract.to_trade -= fact.lots
        of_orders = fact.maker_order > 0 and fact.taker_order > 0 and fact.crossed is None
        return of_orders and fact.side is Side.BUY and fact.price == auction.price
    return contract.phase is CONTINUOUS or (contract.halted > 0 and fact.taker == MARKET)


def in_turn(contract: Contract, order: Order) -> bool:
    """Whether nobody of its side who traded before stands behind the order in price and time."""
    sign, before = SIGN[order.side], contract.turns[SIGN[order.side]]
    contract.turns[sign] = _rank(order)
    return _rank(order) >= before


def _rank(order: Order) -> tuple[int, int]:
    assert order.price is not None
    return -SIGN[order.side] * order.price, order.since


def tripped(books: Books, fact: f.BreakerTripped) -> None:
    """By the mark that just moved, from the mark of the window that is furthest; for the time of the pack."""
    contract = books.contracts[fact.instrument]
    books.check("mark that a breaker tripped on", (contract.trips, contract.mark), (fact.reference, fact.mark))
    books.hold("the mark leapt", contract.trips > 0 and contract.phase is CONTINUOUS, fact)
    books.check("end of the halt", books.now + books.guards.breaker.halt, fact.until)
    contract.trips = 0
    _begin(books, contract, HALTED)
    contract.halted = books.timers[BREAKER, fact.instrument] = fact.until


def reset(books: Books, fact: f.BreakerReset) -> None:
    """At the end of the halt, where no auction follows."""
    contract = books.contracts[fact.instrument]
    until = books.timers.pop((BREAKER, fact.instrument), None)
    books.hold("the halt is over", until is not None and until <= books.now, fact)
    reopens = books.guards.breaker.auction > 0 and not contract.is_expired
    books.hold("no auction follows on the halt", not reopens, fact)
    _begin(books, contract, CONTINUOUS)


def phase_set(books: Books, fact: f.TradingPhaseSet) -> None:
    """By the operator, or by the time of the phase before, or once all that crossed has traded."""
    contract = _trading(books, fact.instrument)
    books.check("phase and its end", _following(books, contract), (fact.phase, fact.until))
    _check_done(books, contract)
    crosses = fact.phase is CONTINUOUS and uncrossing(books, contract) is not None
    books.hold("nothing crosses where trading is continuous", not crosses, fact)
    stopped(books, contract)
    _begin(books, contract, fact.phase)
    if fact.until:
        books.timers[PHASE, fact.instrument] = fact.until


def check_end_of_batch(books: Books, batch: Batch) -> None:
    """Sessions open with the auctions that they want, and what the operator asks for is said, or refused."""
    books.check("contracts that no auction opened", [], [name for timer, name in books.timers if timer == OPENING])
    if isinstance(books.command, c.SetTradingPhase):
        said = [record.message for record in batch.records if isinstance(record.message, ANSWERS)]
        books.hold("the phase that was asked for begins", bool(said), books.command)


def uncrossed(books: Books, fact: f.AuctionUncrossed) -> None:
    """Where trading is to be continuous and something crosses, at the one price."""
    contract = _trading(books, fact.instrument)
    books.check("what is to follow", (CONTINUOUS, 0), _following(books, contract))
    _check_done(books, contract)
    if fact.instrument in books.waiters.unseen:
        nearby = fact.reference == contract.mark or fact.reference % contract.terms.tick == 0
        books.hold("the reference is a price", fact.reference > 0 and nearby, fact)
    else:
        last = books.waiters.lasts.get(fact.instrument, 0)
        books.check("reference", last * contract.terms.tick or contract.mark, fact.reference)
    found = fact.price, fact.lots, fact.surplus
    books.check("price, lots and surplus of the auction", uncrossing(books, contract, fact.reference), found)
    stopped(books, contract)
    _begin(books, contract, AUCTION)
    contract.auction, contract.turns = fact, {1: FIRST, -1: FIRST}
    reduces = any(o.order.reduce_only for side in _offers(books, contract) for o in side)
    contract.to_trade = None if reduces else fact.lots


def _following(books: Books, contract: Contract) -> tuple[TradingPhase, int]:
    """What comes next: an auction where a session opens with one; where an auction uncrosses or a time is over, by
    that; else as the operator says.
    """
    name, command = contract.terms.id, books.command
    if books.timers.pop((OPENING, name), None) is not None:
        return AUCTION, books.now + books.options.opening_auction
    if contract.auction is not None or books.timers.get((PHASE, name), books.now + 1) <= books.now:
        return CONTINUOUS, 0
    if books.timers.get((BREAKER, name), books.now + 1) <= books.now:
        return AUCTION, books.now + books.guards.breaker.auction
    asked = isinstance(command, c.SetTradingPhase) and command.instrument == name
    books.hold("the operator asked for it", asked, books.fact)
    assert isinstance(command, c.SetTradingPhase)
    lasts = not command.until or (command.until > books.now and command.phase is not CONTINUOUS)
    books.hold("a phase ends later, and continuous trading does not", lasts, command)
    return command.phase, command.until


def _check_done(books: Books, contract: Contract) -> None:
    """Where an auction was under way, all of it traded, nobody could go on at its price, and nobody was passed over."""
    auction = contract.auction
    if auction is None:
        return
    books.hold("as many lots traded as was said", not contract.to_trade, contract.to_trade)
    bids, asks = _offers(books, contract)
    left = [o for o in bids if o.price >= auction.price], [o for o in asks if o.price <= auction.price]
    books.hold("all that crossed at the auction's price traded", not (left[0] and left[1]), left)
    passed = [o for o in (*bids, *asks) if _rank(o.order) < contract.turns[SIGN[o.order.side]]]
    books.check("who was passed over", [], passed)


def uncrossing(books: Books, contract: Contract, reference: int = 0) -> tuple[int, int, int] | None:
    """Price, lots and surplus of an auction that ended now, None where nothing crosses."""
    bids, asks = _offers(books, contract)
    if not (bids and asks and bids[0].price >= asks[0].price):
        return None
    low, high = asks[0].price, bids[0].price
    near = Fraction(reference, contract.terms.tick)
    prices = {o.price + step for o in (*bids, *asks) for step in (-1, 0, 1)} | {floor(near), ceil(near)}
    tried = []
    buyers, sellers = _Side(bids, 1), _Side(asks, -1)
    for price in sorted(price for price in prices if low <= price <= high):
        bought, sold = buyers.size(price), sellers.size(price)
        tried.append((-min(bought, sold), abs(bought - sold), abs(price - near), price, bought - sold))
    lots, _, _, price, surplus = min(tried)
    return price, -lots, surplus


class _Side:
    """The orders of a side: sums of the plain ones, best first, and the reduce-only ones by position."""

    def __init__(self, offers: list[Offer], sign: int) -> None:
        plain = [o for o in offers if not o.order.reduce_only]
        self.sign = sign
        self.prices = [-sign * o.price for o in plain]
        self.sums = [0, *accumulate(o.order.lots for o in plain)]
        self.reducing: dict[Position, list[Offer]] = {}
        for o in offers:
            if o.order.reduce_only:
                self.reducing.setdefault(o.position, []).append(o)

    def size(self, price: int) -> int:
        """The lots that trade at a price; of the reduce-only ones of a position not more than there is to reduce."""
        lots = self.sums[bisect_right(self.prices, -self.sign * price)]
        for p, offers in self.reducing.items():
            wanted = sum(o.order.lots for o in offers if (o.price - price) * self.sign >= 0)
            lots += min(wanted, max(0, -p.lots * self.sign))
        return lots


def _offers(books: Books, contract: Contract) -> tuple[list[Offer], list[Offer]]:
    """The bids and the asks that stand in the book of an instrument, each best first."""
    found = list(_standing(books, contract))
    sides = ([o for o in found if o.order.side is side] for side in (Side.BUY, Side.SELL))
    bids, asks = (sorted(side, key=lambda o: _rank(o.order)) for side in sides)
    return bids, asks


def _standing(books: Books, contract: Contract) -> Iterator[Offer]:
    for (_, number), p in books.placed.items():
        if p.contract is contract and (order := p.orders[number]).rests:
            assert order.price is not None
            yield Offer(order.price, order, p)


def _trading(books: Books, instrument: str) -> Contract:
    contract = books.contracts[instrument]
    books.hold("the instrument has not expired", not contract.is_expired, instrument)
    return contract


def stopped(books: Books, contract: Contract) -> None:
    """No phase ends by itself any more, and nothing crosses on; an expired instrument's halt has its end still."""
    books.timers.pop((PHASE, contract.terms.id), None)
    if not contract.is_expired:
        books.timers.pop((BREAKER, contract.terms.id), None)
    contract.auction = None


def _begin(books: Books, contract: Contract, phase: TradingPhase) -> None:
    """What is not continuous starts the breaker's window anew; what is lets liquidations go on."""
    contract.phase, contract.halted = phase, 0
    if phase is CONTINUOUS:
        released(books, contract.terms.id)
    else:
        contract.past = []
        books.waiters.hold_back(contract.terms.id)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.BreakerTripped: tripped,
    f.BreakerReset: reset,
    f.TradingPhaseSet: phase_set,
    f.AuctionUncrossed: uncrossed,
}
"""Fact -> what it has to agree with, and what it changes."""
