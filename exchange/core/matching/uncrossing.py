"""The uniform-price auction: the one price at which what crosses in the book trades, and the trades.

The price is the one at which most lots trade; of these the one with the least surplus; of these the one nearest to the
reference (the last price, else the mark); of these the lowest. MARKET takes no part. Both sides pay the taker's fee.
Source of the fee: OKX, "Call Auction mechanism"; Coinbase Exchange, "What is Auction Mode?".
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import NamedTuple

from events.commands import Side
from events.facts import AuctionUncrossed, Fact, Traded
from events.units import UNIT, Atoms, Lots, MarkUnits, Ticks
from exchange.core.book import BookSide, Order
from exchange.core.contract import Contract
from exchange.core.fees import fee_rates
from exchange.core.matching.making import ready_maker
from exchange.core.state import Position, State


class Clearing(NamedTuple):
    """Where an auction stands: its price, ticks, the lots that trade at it, and what more is bought, or sold (< 0)."""

    price: int
    lots: int
    surplus: int


class _Stretch(NamedTuple):
    """Prices from low to high, ticks, at which the same lots are bought and sold."""

    low: int
    high: int
    bought: int
    sold: int


def reference(contract: Contract) -> int:
    """What an auction's price is near to, mark units: the last price, or the mark where nothing traded yet."""
    return contract.feed.traded * contract.tick or contract.mark


def clearing(contract: Contract) -> Clearing | None:
    """The price of an auction that ended now, None where nothing crosses. Looks at what crosses, once."""
    if not contract.book.crosses:
        return None
    target, tick = reference(contract), contract.tick
    best: tuple[int, int, int, int] | None = None
    found = Clearing(0, 0, 0)
    for low, high, bought, sold in _stretches(contract):
        near = min(max(-((tick - 2 * target) // (2 * tick)), low), high)
        key = -min(bought, sold), abs(bought - sold), abs(near * tick - target), near
        if best is None or key < best:
            best, found = key, Clearing(near, min(bought, sold), bought - sold)
    return found


def _stretches(contract: Contract) -> Iterator[_Stretch]:
    """From the best ask up to the best bid: the prices of orders, and what lies between two of them."""
    book = contract.book
    low, high = book.asks.best, book.bids.best
    assert low is not None
    assert high is not None
    asks, bids = _depth(book.asks, high), _depth(book.bids, low)
    bought, sold, before = sum(bids.values()), 0, low - 1
    for price in sorted(asks | bids):
        if before + 1 < price and before >= low:
            yield _Stretch(before + 1, price - 1, bought, sold)
        sold += asks.get(price, 0)
        yield _Stretch(price, price, bought, sold)
        bought -= bids.get(price, 0)
        before = price


def _depth(side: BookSide, limit: int) -> dict[int, int]:
    """The lots of traders at each price up to the limit; of reduce-only orders, best first, what there is to reduce."""
    sign, depth, left = side.sign, dict[int, int](), dict[Position, int]()
    levels = side.levels
    prices = levels.irange(minimum=limit, reverse=True) if sign > 0 else levels.irange(maximum=limit)
    for price in prices:
        lots = 0
        for order in levels[price].of_traders():
            size = order.lots
            if order.reduce_only:
                holder, held = order.holder, order.holder.lots
                room = left.get(holder, abs(held) if held * sign < 0 else 0)
                size = min(size, room)
                left[holder] = room - size
            lots += size
        depth[price] = lots
    return depth


def uncrossed(contract: Contract) -> AuctionUncrossed | None:
    """That what crosses trades now, at which price; None where nothing crosses."""
    if (found := clearing(contract)) is None:
        return None
    price, lots, surplus = found
    return AuctionUncrossed(contract.id, Ticks(price), Lots(lots), Lots(surplus), MarkUnits(reference(contract)))


def uncross(state: State, contract: Contract, end: int) -> Generator[Fact, None, bool]:
    """Trade at the auction's price what crosses, best price and then oldest first, until about the record `end`, what
    follows for linked orders counted.

    Returns whether all of it has traded. Reduce-only orders that have nothing left to reduce expire, as makers do.
    """
    assert contract.uncrossing is not None
    price = contract.uncrossing[0]
    bids, asks = _queue(contract.book.bids, price), _queue(contract.book.asks, price)
    while (bid := next(bids, None)) is not None and (ask := next(asks, None)) is not None:
        if state.seq + len(state.pending) >= end:
            return False
        most = yield from ready_maker(state, bid, ask.holder)
        lots = (yield from ready_maker(state, ask, bid.holder)) if most else 0
        if lots:
            yield _trade(state, contract, price, min(lots, most), bid, ask)
    return True


def _queue(side: BookSide, price: int) -> Iterator[Order]:
    """The traders' orders of a side that trade at the price, each again as long as something of it is open.

    An iceberg whose next part joined the back of the queue waits for its turn.
    """
    while side.best is not None and side.best * side.sign >= price * side.sign:
        for order in list(islice(side.levels[side.best].of_traders(), AT_ONCE)):
            while order.lots:
                yield order
                if order.lots and order.shown and side.levels[order.price].queue[-1] is order:
                    break


AT_ONCE = 4096
"""So many orders of a level are taken out of its queue at once: a batch trades with no more."""


def _trade(state: State, contract: Contract, price: int, lots: int, bid: Order, ask: Order) -> Traded:
    """The fact of a trade of the auction: the seller stands as the maker, the buyer as the taker."""
    value = contract.value_of(price, lots)
    paid = [-(-value * fee_rates(state, order.holder)[1] // UNIT) for order in (ask, bid)]
    return Traded(
        instrument=contract.id,
        side=Side.BUY,
        price=Ticks(price),
        lots=Lots(lots),
        value=Atoms(value),
        maker=ask.account,
        maker_order=ask.number,
        maker_fee=Atoms(paid[0]),
        taker=bid.account,
        taker_order=bid.number,
        taker_fee=Atoms(paid[1]),
        leg=bid.holder.leg,
    )
