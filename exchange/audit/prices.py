"""Rules of the facts about marks and index prices: as they were stated, or as far as the pack lets them move."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import commands as c
from events import facts as f
from events.guards import Bound, PriceKind
from events.phases import TradingPhase
from events.triggers import PriceSource
from exchange.audit.books import Books
from exchange.audit.clock import index_moved, premium
from exchange.audit.contract import Contract, rate
from exchange.audit.guards import released, stood
from exchange.audit.session import trading

MARK, INDEX = PriceKind.MARK, PriceKind.INDEX


def nearest(price: int, around: int, share: Fraction) -> int:
    """The price, or the last whole one on its side within a share of another; 0 of either bounds nothing."""
    if not (around and share):
        return price
    return max(ceil(around * (1 - share)), price) if price < around else min(floor(around * (1 + share)), price)


def allowed(books: Books, instrument: str, price: PriceKind, stated: int) -> tuple[int, Bound | None]:
    """Where a price that was stated may go, and what bounds it last."""
    guards = books.guards
    if price is INDEX:
        known = books.contracts.get(instrument)
        before = known.index if known else books.indices.get(instrument, 0)
        slowed = nearest(stated, before, rate(guards.index_step))
        return slowed, Bound.STEP if slowed != stated else None
    contract = books.contracts[instrument]
    banded = nearest(stated, contract.index, rate(guards.mark_band))
    slowed = nearest(banded, contract.mark, rate(guards.mark_step))
    if slowed != banded:
        return slowed, Bound.STEP
    return banded, Bound.BAND if banded != stated else None


def price_bounded(books: Books, fact: f.PriceBounded) -> None:
    """What was stated lies beyond; what is allowed comes next."""
    expected = allowed(books, fact.instrument, fact.price, fact.stated)
    books.check("price allowed, and what bounds it", expected, (fact.allowed, fact.by))
    books.hold("it was out of bounds", fact.stated != fact.allowed and books.bounded is None, fact)
    books.bounded = fact


def _check_bounds(books: Books, instrument: str, price: PriceKind, moved: int, asked: int | None) -> None:
    """As it was asked for, as it was bounded just before, or within the bounds as it is."""
    bounded, books.bounded = books.bounded, None
    if bounded is None:
        books.check("price asked for", moved if asked is None else asked, moved)
        books.check("price allowed", allowed(books, instrument, price, moved)[0], moved)
        return
    books.check("whose price was bounded", (bounded.instrument, bounded.price), (instrument, price))
    books.check("price allowed", bounded.allowed, moved)
    books.check("price asked for", bounded.stated if asked is None else asked, bounded.stated)


def mark_price_moved(books: Books, fact: f.MarkPriceMoved) -> None:
    """The mark measures whoever holds the instrument."""
    contract = trading(books, fact.instrument)
    asked = books.command.mark if isinstance(books.command, c.SetMarkPrice) else None
    books.hold("the mark is above 0", fact.mark > 0, fact)
    _check_bounds(books, fact.instrument, MARK, fact.mark, asked)
    stood(books, contract, fact.mark)
    books.touch_all(contract.holders)
    if contract.phase is TradingPhase.CONTINUOUS:
        released(books, fact.instrument)
    _count_premium(books, contract)
    books.waiters.moved(fact.instrument, PriceSource.MARK, fact.mark)


def index_price_moved(books: Books, fact: f.IndexPriceMoved) -> None:
    """The index values collateral, and counts for premium and settlement."""
    books.hold("the index is above 0", fact.index > 0, fact)
    asked = books.command.index if isinstance(books.command, c.SetIndexPrice) else None
    if fact.instrument in books.contracts:
        contract = trading(books, fact.instrument)
        _check_bounds(books, fact.instrument, INDEX, fact.index, asked)
        contract.index = fact.index
        _count_premium(books, contract)
        if contract.terms.settlement_window:
            index_moved(contract, books.now)
        return
    books.hold("there is such a pair", fact.instrument in books.pairs, fact)
    _check_bounds(books, fact.instrument, INDEX, fact.index, asked)
    books.indices[fact.instrument] = fact.index
    for rule in books.collateral.values():
        if rule.index == fact.instrument:
            for account in books.accounts.values():
                if account.multi:
                    books.touch(account.name, rule.asset)


def _count_premium(books: Books, contract: Contract) -> None:
    if books.computes_funding and not contract.terms.expiry and contract.mark and contract.index:
        contract.average.add(premium(contract), books.now)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.PriceBounded: price_bounded,
    f.MarkPriceMoved: mark_price_moved,
    f.IndexPriceMoved: index_price_moved,
}
"""Fact -> what it has to agree with, and what it changes."""
