"""The auction's price against every price there is, and its trades against a matching by hand."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import facts as f
from events.commands import AccountId, OrderNumber, SessionOptions
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.matching.uncrossing import Clearing, clearing
from tests.scenario import scenario
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.words import BUY, EASY, GOLD, SELL, TICK, instrument, place, proceed


class Asked(NamedTuple):
    """An order of the auction: +1 for a bid; holder is whose position it reduces, None where it is not reduce-only."""

    sign: int
    price: int
    lots: int
    holder: int | None


@dataclass(eq=False)
class Holder:
    """A position, as far as a reduce-only order asks for it."""

    lots: int


HELD = (7, -5, 0)
"""The positions that reduce-only orders are for, lots."""

asked = st.builds(
    Asked, st.sampled_from((1, -1)), st.integers(80, 120), st.integers(1, 9), st.sampled_from((None, None, 0, 1, 2))
)
books = st.lists(asked, max_size=14)
references = st.integers(70 * TICK, 130 * TICK) | st.integers(70, 130).map(lambda ticks: ticks * TICK)


def contract_of(orders: list[Asked], reference: int) -> Contract:
    """A contract under auction with these orders in its book."""
    contract = Contract(instrument(GOLD), EASY, SessionOptions())
    contract.set_mark(reference)
    holders = [Holder(lots) for lots in HELD]
    for number, (sign, price, lots, holder) in enumerate(orders, 1):
        held = None if holder is None else holders[holder]
        order = Order(
            AccountId("ann"), OrderNumber(number), GOLD, sign, price, lots, held is not None, 0, 0, True, held
        )
        (contract.book.bids if sign > 0 else contract.book.asks).rest(order)
    return contract


def size(orders: list[Asked], sign: int, price: int) -> int:
    """What would trade at a price of a side: of reduce-only orders not more than there is to reduce."""
    mine = [order for order in orders if order.sign == sign and (order.price - price) * sign >= 0]
    lots = sum(order.lots for order in mine if order.holder is None)
    for number, held in enumerate(HELD):
        lots += min(sum(order.lots for order in mine if order.holder == number), max(0, -held * sign))
    return lots


def best(orders: list[Asked], reference: int) -> Clearing | None:
    """Every price is tried."""
    bids, asks = ([order.price for order in orders if order.sign == sign] for sign in (1, -1))
    if not bids or not asks or max(bids) < min(asks):
        return None
    found = []
    for price in range(min(asks), max(bids) + 1):
        bought, sold = size(orders, 1, price), size(orders, -1, price)
        key = -min(bought, sold), abs(bought - sold), abs(price * TICK - reference), price
        found.append((key, Clearing(price, min(bought, sold), bought - sold)))
    return min(found)[1]


@given(books, references)
@settings(max_examples=500)
def test_the_price_is_the_best_of_all_prices(orders: list[Asked], reference: int) -> None:
    assert clearing(contract_of(orders, reference)) == best(orders, reference)


@pytest.mark.parametrize("seed", range(40))
def test_the_price_is_the_best_of_all_prices_in_larger_books(seed: int) -> None:
    dice = Random(seed)
    wide, many = dice.choice((3, 40, 400)), dice.choice((5, 50, 300))
    orders = [
        Asked(
            dice.choice((1, -1)), 500 + dice.randint(-wide, wide), dice.randint(1, 20), dice.choice((None, None, 0, 1))
        )
        for _ in range(many)
    ]
    reference = dice.randint(400 * TICK, 600 * TICK)
    assert clearing(contract_of(orders, reference)) == best(orders, reference)


plain = st.lists(
    st.builds(Asked, st.sampled_from((1, -1)), st.integers(90, 110), st.integers(1, 9), st.none()), max_size=12
)


@given(plain, st.sampled_from((1, 3, 4096)))
@settings(max_examples=60, deadline=None)
def test_what_trades_is_what_a_matching_by_hand_gives_however_it_is_parted(orders: list[Asked], limit: int) -> None:
    session = scenario().given(phase(AUCTION))
    for number, order in enumerate(orders, 1):
        side, by = (BUY, "maker") if order.sign > 0 else (SELL, "taker")
        session.given(place(number, side, price=order.price, lots=order.lots, by=by))
    facts = session.run(phase(CONTINUOUS))
    while session.state.due:
        facts += session.run(proceed(limit))
    uncrossed = best(orders, 100 * TICK)
    trades = [(fact.taker_order, fact.maker_order, fact.lots) for fact in facts if isinstance(fact, f.Traded)]
    assert trades == ([] if uncrossed is None else by_hand(orders, uncrossed.price))
    assert {fact.price for fact in facts if isinstance(fact, f.Traded)} <= {uncrossed and uncrossed.price}
    assert sum(lots for _, _, lots in trades) == (uncrossed.lots if uncrossed else 0)
    assert not session.state.contracts[GOLD].book.crosses


def by_hand(orders: list[Asked], price: int) -> list[tuple[int, int, int]]:
    """Bid, ask and lots of every trade: the best prices first, of them the oldest."""
    queues = []
    for sign in (1, -1):
        mine = [(n, order) for n, order in enumerate(orders, 1) if order.sign == sign]
        reached = [(n, order) for n, order in mine if (order.price - price) * sign >= 0]
        queues.append([[n, order.lots] for n, order in sorted(reached, key=lambda entry: -entry[1].price * sign)])
    bids, asks = queues
    trades = []
    while bids and asks:
        lots = min(bids[0][1], asks[0][1])
        trades.append((bids[0][0], asks[0][0], lots))
        for queue in (bids, asks):
            queue[0][1] -= lots
            if not queue[0][1]:
                queue.pop(0)
    return trades
