"""A taker's part: its walk through the book, one fill at a time, and whether a fill-or-kill order fills whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from events.commands import MARKET, PlaceOrder, Side, TimeInForce
from events.facts import Expiry, Fact, OrderExpired
from events.instructions import SelfTrade
from events.units import UNIT, Lots
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.fees import fee_rates
from exchange.core.margin.pretrade import carries_fill
from exchange.core.matching.making import ready_maker, trade
from exchange.core.owed import settle_first
from exchange.core.state import Position, State

BUY = Side.BUY
FOK = TimeInForce.FOK
ALLOWED = SelfTrade.NONE
EXPIRE_TAKER, EXPIRE_MAKER = SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_MAKER


Front = tuple[int, Order | None, int]
"""What a taker meets: a price, the order there (None: MARKET), and the lots that it shows."""


def first_met(contract: Contract, command: PlaceOrder) -> Front | None:
    """What an order would meet first, None where it meets nobody within its limit."""
    book, price = contract.book, command.price
    if command.side is BUY:
        return book.front(book.asks, contract.outermost(1) if price is None else price)  # type: ignore[arg-type]
    return book.front(book.bids, contract.outermost(-1) if price is None else price)  # type: ignore[arg-type]


def take(
    state: State, position: Position, command: PlaceOrder, lots: int, reduces: bool, front: Front | None
) -> Generator[Fact, None, tuple[int, Expiry]]:
    """Walk an accepted order of so many lots through the book: what is left of it, and why that would expire."""
    contract, sign = position.contract, 1 if command.side is BUY else -1
    position = state.accounts[command.account].positions[position.name]
    prevents = command.self_trade is not ALLOWED
    while lots and front is not None:
        if prevents and front[1] is not None and front[1].account == command.account:
            yield from _prevented(command.self_trade, front[1])
            if command.self_trade is not EXPIRE_MAKER:
                return lots, Expiry.SELF_TRADE
            front = first_met(contract, command)
            continue
        if reduces and (position.lots * sign >= 0 or _is_own(position, front[1])):
            return lots, Expiry.NOTHING_TO_REDUCE
        most = min(lots, abs(position.lots)) if reduces else lots
        traded = yield from _meet(state, position, command, most, front)
        if traded is None:
            return lots, Expiry.MARGIN_EXHAUSTED
        lots -= traded
        front = first_met(contract, command) if lots else None
    return lots, unmet(contract, command) if lots else Expiry.IMMEDIATE


def unmet(contract: Contract, command: PlaceOrder) -> Expiry:
    """Why what met nobody expires: for lack of orders, or because a market order trades no further from the mark.

    Source: Binance, "What Are Market Order and Limit Order Price Cap and Floor Ratio".
    """
    if command.price is not None:
        return Expiry.IMMEDIATE
    book = contract.book
    is_met = book.front(book.asks if command.side is BUY else book.bids, None) is not None
    return Expiry.PRICE_PROTECTION if is_met else Expiry.IMMEDIATE


def fills_whole(state: State, position: Position, command: PlaceOrder, reduces: bool) -> bool:
    """Whether all of a fill-or-kill order trades right now: the book has it, its makers may trade it, margin carries
    it. Where it would meet an order of its own account, the fills together do not say what each does to margin: no.
    """
    contract, left = position.contract, int(command.lots)
    if reduces and left > abs(position.lots):
        return False
    book, sign = contract.book, 1 if command.side is BUY else -1
    limit = contract.outermost(sign) if command.price is None else command.price
    taker_fee = fee_rates(state, position)[1]
    held: dict[Position, int] = {}
    value = fee = 0
    for price, maker, size in book.walk(book.asks if sign > 0 else book.bids, limit):  # type: ignore[arg-type]
        lots = min(size, left)
        if maker is not None:
            if 0 < maker.until <= state.now:
                continue
            if maker.account == command.account:
                return False
            before = held.setdefault(maker.holder, maker.holder.lots)
            lots = min(lots, max(0, sign * before)) if maker.reduce_only else lots
            held[maker.holder] = before - sign * lots
        part = contract.value_of(price, lots)
        value += part
        fee += -(-part * taker_fee // UNIT)
        left -= lots
        if not left:
            return carries_fill(position, sign, int(command.lots), value, fee)
    return False


def _meet(
    state: State, position: Position, command: PlaceOrder, lots: int, front: tuple[int, Order | None, int]
) -> Generator[Fact, None, int | None]:
    """One fill of a taker at the front of the book. Returns its lots, 0 where the maker only left, None where margin
    ends it.
    """
    contract = position.contract
    price, maker, size = front
    sign = 1 if command.side is BUY else -1
    if maker is not None:
        size = yield from ready_maker(state, maker, taker=position)
        if not size:
            return 0
    elif state.owed:
        yield from settle_first(state, MARKET)
    size = min(size, lots)
    value = contract.value_of(price, size)
    taker_fee = fee_rates(state, position)[1] if state.fee_tiers else contract.taker_fee
    fee = -(-value * taker_fee // UNIT)
    if command.time_in_force is not FOK and not carries_fill(position, sign, size, value, fee):
        return None
    yield trade(
        state, contract, command.side, price, size, maker, command.account, command.number, fee, leg=command.leg
    )
    return size


def _prevented(rule: SelfTrade, maker: Order) -> Iterator[Fact]:
    """A taker meets an order of its own account: the maker expires where the rule says so."""
    if rule is not EXPIRE_TAKER:
        yield OrderExpired(maker.account, maker.number, Lots(maker.lots), Expiry.SELF_TRADE)


def _is_own(position: Position, maker: Order | None) -> bool:
    """Whether the order meets one of its own position. Such a trade reduces nothing: no reduce-only order makes it."""
    return maker is not None and maker.holder is position
