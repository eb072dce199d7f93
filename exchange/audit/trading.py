"""Rules of the facts about orders and trades."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import MARKET, Side, TimeInForce
from events.instructions import SelfTrade
from events.instruments import Inverse, Leg
from events.units import UNIT
from exchange.audit import icebergs, links, triggers
from exchange.audit.books import DAY, SIGN, Books, Order, Position
from exchange.audit.contract import NOTHING, rate, up
from exchange.audit.handling import lives_until
from exchange.audit.lines import check_turn, leaves
from exchange.audit.phases import can_rest, in_turn, may_trade, takes_orders
from exchange.audit.pools import available, lot_notional, margin, open_loss


def order_accepted(books: Books, fact: f.OrderAccepted) -> None:
    """The position or the balance carries it."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    sign = SIGN[fact.side]
    books.hold("the leg is one of its account's mode", p.owner.hedges == (fact.leg is not Leg.NET), fact)
    books.hold("the instrument trades", trades(p) and can_rest(p.contract, fact), fact)
    closes = fact.leg is not Leg.NET and fact.leg.sign != sign
    books.hold("the price is within the band of the mark", is_in_band(p, fact), fact)
    if isinstance(books.command, c.PlaceOrder):
        most = p.terms.market_max_lots if fact.price is None else 0
        allowed = p.terms.min_lots <= fact.lots <= (most or p.terms.max_lots)
        books.hold("the size is one that the instrument allows", allowed, fact)
        books.check("whether it only reduces", books.command.reduce_only or closes, fact.reduce_only)
        books.check("until when it lives", lives_until(books, p, fact), fact.good_till)
    else:
        triggers.accepted(books, fact)
    before = available(books, p.account, p.terms.settle)
    order = p.orders[fact.number] = placed(books, p, fact.side, fact.lots, fact.price, fact.reduce_only)
    order.self_trade = fact.self_trade
    order.until = fact.good_till
    if fact.good_till:
        books.good_till[p.account, fact.number] = fact.good_till
    icebergs.accepted(books, p, fact, order)
    order.post_only = fact.time_in_force is TimeInForce.POST_ONLY
    books.placed[p.account, fact.number] = p
    if fact.client:
        _name(books, p, fact)
    books.taking = p, fact.number, order
    is_carried(books, p, order, before)


def trades(p: Position) -> bool:
    """Whether its instrument can be traded."""
    return not p.contract.is_expired and takes_orders(p.contract) and p.contract.mark > 0


def is_carried(books: Books, p: Position, order: Order, before: Fraction) -> None:
    """The position carries an order that only reduces, the balance, which was `before` without it, any other."""
    carried = available(books, p.account, p.terms.settle) >= min(before, NOTHING)
    reduces = p.lots * SIGN[order.side] < 0
    books.hold("the position or the balance carries the order", reduces if order.reduce_only else carried, order)


def _name(books: Books, p: Position, fact: f.OrderAccepted) -> None:
    """A client id is one of what is open."""
    books.hold("the client id is well formed", re.fullmatch(r"[.A-Z:/a-z0-9_-]{1,36}", fact.client) is not None, fact)
    books.hold("no open order has the client id", (p.account, fact.client) not in books.clients, fact)
    books.clients[p.account, fact.client] = fact.number
    p.orders[fact.number].client = fact.client


def placed(books: Books, p: Position, side: Side, lots: int, price: int | None, reduce_only: bool) -> Order:
    """An order at this moment, price in ticks: its open loss and what it holds back for fees are fixed now."""
    order = Order(side, lots, price, reduce_only, total=lots)
    if price is not None:
        at = price * p.terms.tick
        order.loss, order.fee = open_loss(p, side, at), _put_aside(books, p, SIGN[side], at)
    return order


def overdue(books: Books) -> list[tuple[str, int]]:
    """The open orders whose time is over."""
    return [order for order, until in books.good_till.items() if until <= books.now]


def is_in_band(p: Position, fact: f.OrderAccepted) -> bool:
    """Whether a limit price is near enough to the mark, where the instrument asks for that."""
    if fact.price is None:
        return True
    off = Fraction(fact.price * p.terms.tick, p.contract.mark)
    if fact.side is Side.BUY:
        return not p.terms.price_up or off <= rate(p.terms.price_up)
    return off >= rate(p.terms.price_down)


def bound(books: Books, p: Position) -> Fraction | None:
    """How far from the mark market orders trade, None where they trade anywhere."""
    stated = [of for of in (p.terms.market_take_bound, books.options.max_slippage) if of]
    return rate(min(stated)) if stated else None


def _put_aside(books: Books, p: Position, sign: int, price: int) -> Fraction:
    """What one lot holds back for fees: the taker fee, and where the venue counts it in that for closing."""
    notional = lot_notional(p, price)
    closing = up(p.contract.fee_put_aside(sign, notional, p.leverage))
    return up(notional * rate(books.fee_rates(p)[1])) + closing


def order_of(books: Books, account: str, number: int) -> tuple[Position, Order]:
    """An open order and the position that it is for."""
    p = books.placed.get((account, number))
    books.hold(f"order {number} of {account} is open", p is not None, "no such order")
    assert p is not None
    return p, p.orders[number]


def remove(books: Books, p: Position, number: int) -> None:
    """An order is gone."""
    order = p.orders[number]
    if client := order.client:
        del books.clients[p.account, client]
    leaves(p, number, order)
    del p.orders[number], books.placed[p.account, number]
    p.reducing.pop(number, None)
    books.good_till.pop((p.account, number), None)


def traded(books: Books, fact: f.Traded) -> None:
    """One value, at the maker's price; fees by each side's rates, rounded up; both sides posted, the maker first."""
    contract, sign = books.contracts[fact.instrument], SIGN[fact.side]
    terms, asset = contract.terms, contract.terms.settle
    forced = fact.taker_order == 0 and fact.taker not in books.house
    books.hold("the instrument has not expired", not contract.is_expired, fact)
    books.hold("the phase lets this trade happen", may_trade(contract, fact), fact)
    books.hold("lots and price are above 0", fact.lots > 0 and fact.price > 0, fact)
    books.check("value of the trade", contract.value(fact.lots, fact.price), fact.value, asset)
    books.check("whether a liquidation is under way", books.running is not None, forced)
    if fact.taker in books.house and fact.taker != MARKET:
        books.hold("the fund sells at the mark or better", is_fair_offer(books, fact), fact)
    check_turn(books, contract, fact)
    making = order_of(books, fact.maker, fact.maker_order)[0] if fact.maker_order else None
    maker, taker = making or books.position(fact.maker, terms.id), books.position(fact.taker, terms.id, fact.leg)
    sides = (maker, fact.maker_order, fact.maker_fee, -sign), (taker, fact.taker_order, fact.taker_fee, sign)
    grown = 0
    for p, number, fee, direction in sides:
        books.hold("the position is in this instrument", p.contract is contract, fact)
        is_forced = forced and direction == sign
        takes_part = direction == sign or contract.auction is not None
        paid = _rate(books, p, takes_part) if number else NOTHING
        paid = rate(terms.taker_fee) if is_forced and books.rules.liquidation_pays_taker_fee else paid
        books.check("fee, rounded up", ceil(fact.value * paid), fee, asset)
        if number or is_forced:
            _fill(books, p, number, direction, fact)
        grown += post(books, p, direction * fact.lots, fact.value, fee, is_forced)
    contract.open_interest += grown
    for p in (maker, taker):
        _count(books, p, fact)
    triggers.traded(books, fact)
    links.traded(books, fact)
    if forced:
        books.closed[taker] += fact.value
    if fact.taker_order and fact.maker == fact.taker and contract.auction is None:
        may = books.taking is not None and books.taking[2].self_trade is SelfTrade.NONE
        books.hold("self-trade prevention lets an account meet itself", may, fact)
    if fact.taker_order and fact.maker != fact.taker and contract.auction is None:
        equity = margin(books, taker.account, taker.pool).equity
        books.hold("no fill breaks the pool of its taker", equity >= 0, equity)


def is_fair_offer(books: Books, fact: f.Traded) -> bool:
    """Whether a trade of the fund lessens what it holds, at the mark or better."""
    p, sign = books.position(books.fund(fact.instrument), fact.instrument), SIGN[fact.side]
    better = (p.contract.mark - fact.price * p.terms.tick) * sign
    may = books.offering == fact.instrument and fact.taker == p.account
    return may and better >= 0 and 0 < fact.lots <= -p.lots * sign


def _rate(books: Books, p: Position, takes: bool) -> Fraction:
    return rate(books.fee_rates(p)[1 if takes else 0])


def _count(books: Books, p: Position, fact: f.Traded) -> None:
    """Volume is counted in the quote asset: the value of a linear contract, the contract value of an inverse one."""
    terms, value = p.terms, fact.value
    if isinstance(terms, Inverse):
        value = floor(Fraction(fact.lots * terms.lot * terms.contract_value, UNIT))  # type: ignore[assignment]
    p.owner.volumes[books.now // DAY] += value


def _fill(books: Books, p: Position, number: int, sign: int, fact: f.Traded) -> None:
    _, order = order_of(books, p.account, number)
    better = 0 if order.price is None else (order.price - fact.price) * sign
    betters = fact.side is order.side or p.contract.auction is not None
    may = SIGN[order.side] == sign and (better == 0 or (better > 0 and betters))
    may = may and fact.lots <= (min(order.lots, -p.lots * sign) if order.reduce_only else order.lots)
    books.hold("side, limit and lots of the order allow the trade", may, order)
    books.hold("no order trades past its time", not 0 < order.until <= books.now, order)
    if order.price is None and number and (most := bound(books, p)) is not None:
        off = (Fraction(fact.price * p.terms.tick, p.contract.mark) - 1) * sign
        books.hold("a market order trades within its bound of the mark", off <= most, off)
    if p.contract.auction is not None:
        books.hold("the best price and the oldest order trade first", in_turn(p.contract, order), order)
    icebergs.before_trade(books, order, fact.lots)
    order.lots -= fact.lots
    icebergs.after_trade(books, p, number, order, fact.lots)
    if not order.lots:
        remove(books, p, number)


def post(books: Books, p: Position, lots: int, value: int, fee: int, forced: bool = False) -> int:
    """Post one side of a trade: what it closes, then what it opens; returns what it adds to open interest.

    The caller counts that once both sides are posted: the margin of neither side goes by what the trade makes of it.
    """
    sign, size, asset = (1 if lots > 0 else -1), abs(lots), p.terms.settle
    closed = min(size, abs(p.lots)) if p.lots * sign < 0 else 0
    books.touch(p.account, p.wallet)
    books.touch(p.account, asset)
    books.report.fees[asset] += fee
    held, now = p.lots, p.lots + lots
    if closed:
        value_closed, fee_closed = floor(Fraction(value * closed, size)), floor(Fraction(fee * closed, size))
        _close(books, p, sign, closed, value_closed, fee_closed, forced)
        value, fee = value - value_closed, fee - fee_closed
    if size > closed:
        margin = p.contract.margin_given(sign, value, p.leverage) if p.is_isolated else 0
        p.entry += sign * p.contract.gain * value
        books.pay(p.account, asset, -margin)
        books.pay(p.account, p.wallet, margin - fee)
    _hold_lots(books, p, held, now)
    return max(0, now) - max(0, held)


def _close(books: Books, p: Position, sign: int, closed: int, value: int, fee: int, forced: bool) -> None:
    """The part of the entry value that is closed leaves; an isolated wallet releases its part, and settles out of it.

    The closes of a liquidation release nothing.
    """
    part, wallets = Fraction(closed, abs(p.lots)), books.wallets[p.account]
    cost = (1 if p.entry > 0 else -1) * floor(abs(p.entry) * part)
    result = -sign * p.contract.gain * value - cost - fee
    freed = max(0, floor(wallets[p.wallet] * part) + result) if p.is_isolated and not forced else 0
    p.entry -= cost
    books.pay(p.account, p.wallet, result - freed)
    books.pay(p.account, p.terms.settle, freed)


def _hold_lots(books: Books, p: Position, held: int, now: int) -> None:
    contract, p.lots = p.contract, now
    if p.reducing:
        books.unmeasured[p] = None
    if p.waiting:
        books.waiters.traded[p] = None
    books.hold("a leg stays on its side", now * p.leg.sign >= 0, now)
    if not now:
        contract.holders.pop(p, None)
    elif not held:
        contract.holders[p] = None
    if contract.scales:
        books.touch_all(contract.holders)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.OrderAccepted: order_accepted,
    f.Traded: traded,
}
"""Fact -> what it has to agree with, and what it changes."""
