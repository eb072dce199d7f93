"""Changes by facts of an order's life, and by the trade."""

from __future__ import annotations

from msgspec.structs import replace

from events import facts as f
from events.commands import LIQUIDATION_ORDER, MARKET, Side
from events.instruments import Leg
from exchange.core import iceberg
from exchange.core.book import Order
from exchange.core.changes import links, reducing
from exchange.core.changes.triggers import drop, end_bound, last_moved
from exchange.core.fees import count_volume, fee_rates
from exchange.core.margin.pretrade import order_sums
from exchange.core.posting import post_trade
from exchange.core.state import Account, State

BUY = Side.BUY
NET = Leg.NET


def on_order_accepted(state: State, fact: f.OrderAccepted) -> None:
    """The order's number is used; it is not in the book yet."""
    account = state.accounts[fact.account]
    account.last_number = max(account.last_number, fact.number)
    if state.links:
        links.on_accepted(state, fact)
    contract, leg = state.contracts[fact.instrument], fact.leg
    position = account.positions.get(fact.instrument) if leg is NET else None
    if position is None:
        position = state.keep_position(account, contract, leg)
    if fact.price is None:
        return
    sign = 1 if fact.side is BUY else -1
    notional = extra = 0
    if not fact.reduce_only:
        taker_fee = fee_rates(state, position)[1] if state.fee_tiers else contract.taker_fee
        notional, extra = order_sums(position, sign, fact.price * contract.tick, taker_fee)
    position.open_orders += 1
    if fact.client:
        account.clients[fact.client] = fact.number
    account.orders[fact.number] = Order(
        fact.account, fact.number, fact.instrument, sign, fact.price, fact.lots, fact.reduce_only, notional, extra,
        False, position, fact.client, fact.time_in_force, fact.lots, 0, fact.self_trade, fact.good_till, fact.visible,
    )  # fmt: skip
    if fact.good_till:
        state.keep_good_till(account.orders[fact.number])


def on_order_rested(state: State, fact: f.OrderRested) -> None:
    """The order joins the book and holds back margin."""
    account = state.accounts[fact.account]
    order = account.orders[fact.number]
    book = state.contracts[order.instrument].book
    position = order.holder
    order.lots = lots = fact.lots
    order.rests = True
    if order.sign > 0:
        book.bids.rest(order)
        position.bids += order.notional * lots
    else:
        book.asks.rest(order)
        position.asks += order.notional * lots
    position.extra += order.extra * lots
    if order.reduce_only and position.contract.shrinks:
        reducing.rests(state, order)


def on_order_amended(state: State, fact: f.OrderAmended) -> None:
    """The order shrinks where it stands, first by what it hides; or it leaves, and another one of its number is about
    to meet the book.
    """
    account = state.accounts[fact.account]
    order = account.orders[fact.number]
    if state.links:
        links.on_amended(state, fact)
    amendments = order.amendments + 1
    if fact.keeps_priority:
        _reduce(state, account, order, order.lots - fact.left)
        order.total, order.amendments, order.shown = fact.lots, amendments, min(order.shown, order.lots)
        return
    position = order.holder
    _reduce(state, account, order, order.lots)
    notional = extra = 0
    if not order.reduce_only:
        price, taker_fee = fact.price * position.contract.tick, fee_rates(state, position)[1]
        notional, extra = order_sums(position, order.sign, price, taker_fee)
    account.orders[fact.number] = replace(
        order, price=fact.price, lots=fact.left, total=fact.lots, notional=notional, extra=extra, rests=False,
        amendments=amendments, shown=0,
    )  # fmt: skip
    position.open_orders += 1
    if order.client:
        account.clients[order.client] = order.number
    if order.until:
        state.keep_good_till(order)


def on_order_shrunk(state: State, fact: f.OrderShrunk) -> None:
    """The order is smaller, and was never larger; what it hides goes first."""
    account = state.accounts[fact.account]
    order = account.orders[fact.number]
    _reduce(state, account, order, fact.lots)
    order.total -= fact.lots
    order.shown = min(order.shown, order.lots)


def on_order_ended(state: State, fact: f.OrderCancelled | f.OrderExpired) -> None:
    """The order leaves the book and gives its margin back, or a conditional one waits no more."""
    account = state.accounts[fact.account]
    order = account.orders.get(fact.number)
    if order is not None:
        _reduce(state, account, order, order.lots)
    elif (trigger := account.triggers.get(fact.number)) is not None:
        drop(state, account, trigger)
    if state.links or state.pending:
        links.on_ended(state, fact)


def _reduce(state: State, account: Account, order: Order, lots: int) -> None:
    """An open order loses lots; at 0 it is gone."""
    position = order.holder
    if order.rests:
        position.contract.book.fill(order, lots)
        if order.sign > 0:
            position.bids -= order.notional * lots
        else:
            position.asks -= order.notional * lots
        position.extra -= order.extra * lots
        if order.reduce_only and position.contract.shrinks:
            reducing.loses(state, order, lots)
    else:
        order.lots -= lots
    if not order.lots:
        position.open_orders -= 1
        del account.orders[order.number]
        if order.client:
            del account.clients[order.client]
        if order.until:
            state.drop_good_till(order)


def on_traded(state: State, fact: f.Traded) -> None:
    """Both sides are posted; the maker's order, the taker's and MARKET's level lose the lots."""
    contract = state.contracts[fact.instrument]
    sign = 1 if fact.side is BUY else -1
    lots, value = fact.lots, fact.value
    maker, taker = state.accounts[fact.maker], state.accounts[fact.taker]
    book = contract.book
    if fact.maker_order:
        order = maker.orders[fact.maker_order]
        making = order.holder
        _reduce(state, maker, order, lots)
        if order.shown:
            iceberg.traded(book.asks if sign > 0 else book.bids, order, lots)
    else:
        making = maker.positions.get(fact.instrument) or state.keep_position(maker, contract)
        book.take_market(book.asks if sign > 0 else book.bids, fact.price, lots)
    if fact.taker_order and (taking := taker.orders.get(fact.taker_order)) is not None:
        _reduce(state, taker, taking, lots)
        if taking.shown:
            iceberg.traded(book.bids if sign > 0 else book.asks, taking, lots)
    if fact.crossed is not None:
        book.take_market(book.bids if sign > 0 else book.asks, fact.crossed, lots)
    forced = fact.taker_order == LIQUIDATION_ORDER and fact.taker != MARKET
    position = taker.positions.get(fact.instrument) if fact.leg is NET else None
    if position is None:
        position = state.keep_position(taker, contract, fact.leg)
    grown = post_trade(state, making, -sign, lots, value, fact.maker_fee, False)
    contract.open_interest += grown + post_trade(state, position, sign, lots, value, fact.taker_fee, forced)
    if making.bound or position.bound:
        end_bound(state, making, position)
    if fact.taker != MARKET or fact.crossed is not None:  # else history brought the trade, and its print said the price
        feed, price = contract.feed, fact.price
        feed.traded = price
        if not feed.lasts.low < price < feed.lasts.high:
            last_moved(state, contract, price)
    if state.links:
        links.on_traded(state, fact)
    if state.fee_tiers:
        count_volume(state, making, lots, value)
        count_volume(state, position, lots, value)
