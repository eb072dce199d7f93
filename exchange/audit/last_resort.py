"""Rules of what the book did not take: netted legs, the fund's share, ranked positions, shared losses, offers.

Written from the specification in `docs/margin.md`; ranks are compared as the core records them, in whole 2^-64.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import facts as f
from events.commands import LIQUIDATION_ORDER, MARKET
from events.instruments import Leg
from events.rules import Layer
from exchange.audit.books import SIGN, Books, Position
from exchange.audit.contract import NOTHING, Contract, rate
from exchange.audit.liquidation import bankruptcy, is_running
from exchange.audit.pools import margin
from exchange.audit.trading import post, remove

RANKS = 10**8 << 64
"""Ranks are compared as whole numbers of 1 / RANKS, rounded down."""


def part(p: Position, value: int, lots: int) -> int:
    """What so many lots are of the value of all: up where the account receives it, down where it pays."""
    share = Fraction(value * lots, abs(p.lots))
    return ceil(share) if p.entry > 0 else floor(share)


def left_over(p: Position) -> int:
    """The lots of the forced order that the book did not take; without one, all of the position."""
    order = p.orders.get(LIQUIDATION_ORDER)
    return order.lots if order else abs(p.lots)


def affordable(books: Books, p: Position, value: int) -> int:
    """How many lots, all of them at this value, leave the fund's equity at 0 or above."""
    size, sign = abs(p.lots), 1 if p.entry > 0 else -1
    gain = p.contract.at_mark(p.lots) - sign * value
    equity = margin(books, books.fund(p.terms.id), p.terms.settle).equity
    if gain >= 0:
        return size if equity + gain >= 0 else 0
    return max(0, min(size, floor(equity * size / -gain)))


def next_layer(books: Books, p: Position) -> tuple[Layer | None, int]:
    """Which of the pack's layers is next to take of the forced order, and how many lots.

    The fund's turn comes once, for what it can bear; after the last layer, none, it takes what is left.
    """
    may = LIQUIDATION_ORDER in p.orders and books.step is None
    books.hold("a forced order is left to the last resort", may, p.name)
    while books.layers and books.layers[0] is not Layer.ADL:
        is_funds = books.layers.pop(0) is Layer.FUND
        if is_funds and (lots := min(left_over(p), affordable(books, p, bankruptcy(books, p)[0]))):
            return Layer.FUND, lots
    return (Layer.ADL if books.layers else None), left_over(p)


def taken_over(books: Books, fact: f.TakenOver) -> None:
    """What the fund can bear, or all that no other layer took, at the bankruptcy price; all of it at the backstop."""
    p, lots = books.position(fact.account, fact.instrument, fact.leg), SIGN[fact.side] * fact.lots
    books.hold("its pool is being liquidated", is_running(books, p), fact)
    value, price = bankruptcy(books, p)
    layer, expected = (None, abs(p.lots)) if books.hands_over else next_layer(books, p)
    books.hold("the fund is next in the last resort", layer is not Layer.ADL, fact)
    books.check("lots taken over", (-1 if p.lots > 0 else 1) * expected, lots)
    books.check("bankruptcy value", part(p, value, fact.lots), fact.value, p.terms.settle)
    books.check("bankruptcy price", price, fact.bankruptcy)
    _check_fee(books, p, fact)
    count_deficit(books, p, fact)
    _shrink(books, p, fact.lots)
    grown = post(books, p, lots, fact.value, fact.fee, forced=True)
    fund = books.position(books.fund(fact.instrument), fact.instrument)
    p.contract.open_interest += grown + post(books, fund, -lots, fact.value, 0)
    if layer is None and not books.hands_over and Layer.SOCIALISED in books.rules.liquidation.last_resort:
        books.shares = _shares(books, p.contract)


def _check_fee(books: Books, p: Position, fact: f.TakenOver | f.Deleveraged) -> None:
    """The taker fee, rounded up, where the venue charges it for a liquidation."""
    paid = rate(p.terms.taker_fee) if books.rules.liquidation_pays_taker_fee else NOTHING
    books.check("fee, rounded up", ceil(fact.value * paid), fact.fee, p.terms.settle)


def count_deficit(books: Books, p: Position, fact: f.TakenOver | f.Deleveraged) -> None:
    """What whoever takes the lots pays for them beyond their worth at the mark, rounded up."""
    lots = -SIGN[fact.side] * fact.lots
    paid = (1 if lots > 0 else -1) * p.contract.gain * fact.value
    books.report.deficits[p.terms.settle] += max(0, ceil(paid - p.contract.at_mark(lots)))


def _shrink(books: Books, p: Position, lots: int) -> None:
    """The forced order loses lots; at 0 it is gone."""
    if (order := p.orders.get(LIQUIDATION_ORDER)) is not None:
        order.lots -= lots
        books.hold("no more is closed than was asked for", order.lots >= 0, lots)
        if not order.lots:
            remove(books, p, LIQUIDATION_ORDER)


def rank(books: Books, p: Position) -> int:
    """What it is ranked by, computed anew only once something of its pool changed."""
    known = books.ranks.setdefault((p.account, p.pool), {})
    if p.name not in known:
        known[p.name] = _ranked_by(books, p)
    return known[p.name]


def _ranked_by(books: Books, p: Position) -> int:
    """PnL % x effective leverage, of a loss PnL % / effective leverage; last where nothing is left in the pool."""
    equity, worth = margin(books, p.account, p.pool).equity, p.contract.at_mark(p.lots)
    if equity <= 0 or not p.entry or not worth:
        return -RANKS * RANKS
    profit, leverage = (worth - p.entry) / abs(p.entry), abs(worth) / equity
    return floor((profit * leverage if profit > 0 else profit / leverage) * RANKS)


def deleveraged(books: Books, fact: f.Deleveraged) -> None:
    """Against the first in the queue, as much as it holds; against MARKET where nobody is left in it."""
    p, sign = books.position(fact.account, fact.instrument, fact.leg), SIGN[fact.side]
    books.hold("its pool is being liquidated", is_running(books, p), fact)
    books.hold("deleveraging is next in the last resort", next_layer(books, p)[0] is Layer.ADL, fact)
    queue = [
        o
        for o in p.contract.holders
        if o.lots * sign > 0
        and not o.owner.is_exempt
        and o.account != p.account
        and (o.account, o.pool) not in books.queue
    ]
    first = min(queue, key=lambda o: (-rank(books, o), o.account, o.name), default=None)
    other = books.position(fact.against, fact.instrument, fact.against_leg)
    books.check("who is deleveraged first", first.account if first else MARKET, other.account)
    books.hold("the position is the first in the queue", first is None or first is other, fact)
    left = left_over(p)
    books.check("lots deleveraged", min(left, abs(first.lots)) if first else left, fact.lots)
    value, price = bankruptcy(books, p)
    books.check("bankruptcy value", part(p, value, fact.lots), fact.value, p.terms.settle)
    books.check("bankruptcy price", price, fact.bankruptcy)
    _check_fee(books, p, fact)
    count_deficit(books, p, fact)
    _shrink(books, p, fact.lots)
    grown = post(books, p, sign * fact.lots, fact.value, fact.fee, forced=True)
    p.contract.open_interest += grown + post(books, other, -sign * fact.lots, fact.value, 0)


def netted(books: Books, fact: f.LegsNetted) -> None:
    """Both legs lose the lots of the smaller one, at their value at the mark, rounded down to an atom."""
    long, short = (books.position(fact.account, fact.instrument, leg) for leg in (Leg.LONG, Leg.SHORT))
    books.hold("its pool is being liquidated", is_running(books, long), fact)
    books.check("lots of the smaller leg", min(long.lots, -short.lots), fact.lots)
    value = floor(abs(long.contract.at_mark(fact.lots)))
    books.check("value at the mark", value, fact.value, long.terms.settle)
    grown = post(books, long, -fact.lots, fact.value, 0, forced=True)
    long.contract.open_interest += grown + post(books, short, fact.lots, fact.value, 0, forced=True)


def _shares(books: Books, contract: Contract) -> list[tuple[Position, int]]:
    """What winners have to pay of what the fund lacks: each its part by profit, rounded up, of what is left to pay.

    In the order in which they came to hold the contract; who is due is none of them.
    """
    fund = books.fund(contract.terms.id)
    profits = {p: floor(contract.at_mark(p.lots) - p.entry) for p in contract.holders}
    winners = [p for p in contract.holders if not p.owner.is_exempt and (p.account, p.pool) not in books.queue]
    winners = [p for p in winners if profits[p] > 0]
    total = sum(profits[p] for p in winners)
    left = max(0, min(total, -floor(margin(books, fund, contract.terms.settle).equity)))
    shares = []
    for p in winners:
        amount = min(left, ceil(Fraction(left * profits[p], total)))
        shares.append((p, amount))
        left, total = left - amount, total - profits[p]
    return [(p, amount) for p, amount in shares if amount]


def shared(books: Books, fact: f.LossShared) -> None:
    """A winner pays its part of what the fund lacks out of its profit."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    books.hold("a loss is left to be shared", bool(books.shares), fact)
    winner, amount = books.shares.pop(0)
    books.check("which winner pays", (winner.account, winner.name), (p.account, p.name))
    books.check("its part of the loss", amount, fact.amount, p.terms.settle)
    p.entry += fact.amount
    books.pay(books.fund(fact.instrument), p.terms.settle, fact.amount)
    books.touch(p.account, p.pool)
    books.touch(p.account, p.terms.settle)


def offered(books: Books, fact: f.FundOffered) -> None:
    """What the fund holds; the trades that follow are at the mark or better."""
    held = books.position(books.fund(fact.instrument), fact.instrument).lots
    books.check("what the fund holds", held, fact.lots)
    books.offering = fact.instrument


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.TakenOver: taken_over,
    f.Deleveraged: deleveraged,
    f.LegsNetted: netted,
    f.LossShared: shared,
    f.FundOffered: offered,
}
"""Fact -> what it has to agree with, and what it changes."""
