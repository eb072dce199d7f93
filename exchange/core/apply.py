"""The only place where state changes: a table from fact to what it changes. Nothing here can refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.commands import INSURANCE, LIQUIDATION_ORDER, MARKET, Impact, Side
from events.instruments import Leg, MarginMode
from exchange.core.book import Order
from exchange.core.fees import count_volume, fee_rates
from exchange.core.ledger import Books
from exchange.core.liquidation.watch import mark_moved
from exchange.core.liquidation.waterfall import pool_of
from exchange.core.margin.pretrade import order_sums
from exchange.core.posting import end_isolated, post_trade
from exchange.core.state import Account, Contract, Due, DueKind, Pool, Position, State, Wallet

BUY = Side.BUY
NET = Leg.NET


def on_session_opened(state: State, fact: f.SessionOpened) -> None:
    """Instruments, assets and the two participants of the house come to be."""
    state.pack, state.options = fact.pack, fact.options
    state.keeps_impact = fact.options.impact is Impact.CONSUME
    state.fee_tiers = fact.pack.fee_tiers
    for terms in fact.pack.instruments:
        state.contracts[terms.id] = Contract(terms, fact.pack, fact.options)
        state.ledger.setdefault(terms.settle, Books(terms.settle))
    for name in (MARKET, INSURANCE):
        state.accounts[name] = Account(name)


def on_nothing(_state: State, _fact: f.Fact) -> None:
    """Some facts only say something."""


def on_account_opened(state: State, fact: f.AccountOpened) -> None:
    """The account exists."""
    state.accounts[fact.account] = Account(fact.account)


def on_deposited(state: State, fact: f.Deposited) -> None:
    """The wallet gains what entered."""
    _enter(state, fact.account, fact.asset, fact.amount)


def on_withdrawn(state: State, fact: f.Withdrawn) -> None:
    """The wallet loses what left."""
    _enter(state, fact.account, fact.asset, -fact.amount)


def _enter(state: State, account: str, asset: str, amount: int) -> None:
    wallet = state.keep_wallet(state.accounts[account], asset)  # type: ignore[index, arg-type]
    wallet.balance += amount
    wallet.books.entered += amount
    _touch(state, wallet)


def _touch(state: State, pool: Pool) -> None:
    if not pool.exempt:
        state.dirty[pool] = state.seq


def _kept(state: State, account: str, instrument: str, leg: Leg = Leg.NET) -> Position:
    return state.keep_position(state.accounts[account], state.contracts[instrument], leg)  # type: ignore[index]


def _legs(state: State, account: str, instrument: str) -> list[Position]:
    """The positions whose mode and leverage are one: both legs, or the only one, kept from now on."""
    legs = (Leg.LONG, Leg.SHORT) if state.accounts[account].hedges else (Leg.NET,)  # type: ignore[index]
    return [_kept(state, account, instrument, leg) for leg in legs]


def on_leverage_set(state: State, fact: f.LeverageSet) -> None:
    """The position takes the leverage."""
    for position in _legs(state, fact.account, fact.instrument):
        position.set_leverage(fact.leverage)
        _touch(state, position.pool)


def on_margin_mode_set(state: State, fact: f.MarginModeSet) -> None:
    """The position takes the mode."""
    for position in _legs(state, fact.account, fact.instrument):
        position.is_isolated = fact.mode is MarginMode.ISOLATED


def on_margin_moved(state: State, fact: f.MarginMoved) -> None:
    """Cross wallet and isolated wallet exchange the amount."""
    position = _kept(state, fact.account, fact.instrument, fact.leg)
    position.wallet.balance -= fact.amount
    position.isolated += fact.amount
    _touch(state, position.wallet)
    _touch(state, position)


def on_funding_paid(state: State, fact: f.FundingPaid) -> None:
    """The position's wallet gains or loses; what rounding leaves over is booked."""
    position = _kept(state, fact.account, fact.instrument, fact.leg)
    if position.is_isolated:
        position.isolated += fact.amount
    else:
        position.wallet.balance += fact.amount
    position.wallet.books.remainders -= fact.amount
    _touch(state, position.pool)
    key, due = next(
        (key, due) for key, due in state.funding_due.items() if key[2] == fact.instrument and position in due.owing
    )
    del due.owing[position]
    if not due.owing:
        del state.funding_due[key], state.due[key]


def on_order_accepted(state: State, fact: f.OrderAccepted) -> None:
    """The order's number is used; it is not in the book yet."""
    account = state.accounts[fact.account]
    account.last_number = fact.number
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
    account.orders[fact.number] = Order(
        fact.account, fact.number, fact.instrument, sign, fact.price, fact.lots, fact.reduce_only, notional, extra,
        holder=position,
    )  # fmt: skip


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


def on_order_ended(state: State, fact: f.OrderCancelled | f.OrderExpired) -> None:
    """The order leaves the book and gives its margin back."""
    account = state.accounts[fact.account]
    order = account.orders.get(fact.number)
    if order is not None:
        _reduce(account, order, order.lots)


def _reduce(account: Account, order: Order, lots: int) -> None:
    """An open order loses lots; at 0 it is gone."""
    position = order.holder
    if order.rests:
        position.contract.book.fill(order, lots)
        if order.sign > 0:
            position.bids -= order.notional * lots
        else:
            position.asks -= order.notional * lots
        position.extra -= order.extra * lots
    else:
        order.lots -= lots
    if not order.lots:
        position.open_orders -= 1
        del account.orders[order.number]


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
        _reduce(maker, order, lots)
    else:
        making = maker.positions.get(fact.instrument) or state.keep_position(maker, contract)
        book.take_market(book.asks if sign > 0 else book.bids, fact.price, lots)
    if fact.taker_order and (taking := taker.orders.get(fact.taker_order)) is not None:
        _reduce(taker, taking, lots)
    if fact.crossed is not None:
        book.take_market(book.bids if sign > 0 else book.asks, fact.crossed, lots)
    forced = fact.taker_order == LIQUIDATION_ORDER and fact.taker != MARKET
    position = taker.positions.get(fact.instrument) if fact.leg is NET else None
    if position is None:
        position = state.keep_position(taker, contract, fact.leg)
    post_trade(state, making, -sign, lots, value, fact.maker_fee, False)
    post_trade(state, position, sign, lots, value, fact.taker_fee, forced)
    if state.fee_tiers:
        count_volume(state, making, lots, value)
        count_volume(state, position, lots, value)


def on_market_advanced(state: State, fact: f.MarketAdvanced) -> None:
    """History's rows go into MARKET's book."""
    state.contracts[fact.instrument].feed.advance(state.columns[fact.chunk], fact.first_row, fact.last_row)


def on_mark_price_moved(state: State, fact: f.MarkPriceMoved) -> None:
    """The mark moves; the watch sees whose trigger it reached."""
    contract = state.contracts[fact.instrument]
    contract.set_mark(fact.mark)
    mark_moved(state, contract)


def on_funding_due(state: State, fact: f.FundingDue) -> None:
    """Every holder of the instrument owes, or is owed."""
    holders = state.contracts[fact.instrument].holders
    if holders:
        key = (state.now, int(DueKind.FUNDING), fact.instrument, "", state.seq)
        due = Due(state.seq, fact.rate, fact.mark, dict(holders))
        state.due[key] = state.funding_due[key] = due


def on_liquidation_due(state: State, fact: f.LiquidationDue) -> None:
    """The pool enters the queue and is closed to its owner."""
    key = (state.now, int(DueKind.LIQUIDATION), fact.account, fact.pool, state.seq)
    pool_of(state.accounts[fact.account], fact.pool).due = key
    state.due[key] = Due(state.seq)


def on_taken_over(state: State, fact: f.TakenOver) -> None:
    """The account trades with the insurance fund at the bankruptcy value."""
    contract = state.contracts[fact.instrument]
    sign = 1 if fact.side is BUY else -1
    post_trade(state, _kept(state, fact.account, fact.instrument, fact.leg), sign, fact.lots, fact.value, 0, forced=True)
    fund = state.keep_position(state.accounts[INSURANCE], contract)
    post_trade(state, fund, -sign, fact.lots, fact.value, 0, forced=False)


def on_liquidation_fee_charged(state: State, fact: f.LiquidationFeeCharged) -> None:
    """The pool pays the fund."""
    _pay_fund(state, fact.account, fact.pool, fact.amount)


def on_deficit_covered(state: State, fact: f.DeficitCovered) -> None:
    """The fund pays the pool."""
    _pay_fund(state, fact.account, fact.pool, -fact.amount)


def _pay_fund(state: State, account: str, name: str, amount: int) -> None:
    pool = pool_of(state.accounts[account], name)  # type: ignore[index]
    if isinstance(pool, Wallet):
        pool.balance -= amount
        asset = pool.asset
    else:
        pool.isolated -= amount
        asset = pool.wallet.asset
    state.keep_wallet(state.accounts[INSURANCE], asset).balance += amount


def on_liquidation_ended(state: State, fact: f.LiquidationEnded) -> None:
    """The pool leaves the queue and is its owner's again."""
    pool = pool_of(state.accounts[fact.account], fact.pool)
    assert pool.due is not None
    del state.due[pool.due]
    pool.due = None
    if isinstance(pool, Position):
        if not pool.lots:
            end_isolated(pool)
        _touch(state, pool.wallet)
    _touch(state, pool)


APPLY: dict[type[f.Fact], Callable[[State, Any], None]] = {
    f.SessionOpened: on_session_opened,
    f.Refused: on_nothing,
    f.TimeAdvanced: on_nothing,
    f.MarketAdvanced: on_market_advanced,
    f.MarkPriceMoved: on_mark_price_moved,
    f.FundingDue: on_funding_due,
    f.LiquidationDue: on_liquidation_due,
    f.AccountOpened: on_account_opened,
    f.Deposited: on_deposited,
    f.Withdrawn: on_withdrawn,
    f.LeverageSet: on_leverage_set,
    f.MarginModeSet: on_margin_mode_set,
    f.MarginMoved: on_margin_moved,
    f.FundingPaid: on_funding_paid,
    f.OrderAccepted: on_order_accepted,
    f.OrderRested: on_order_rested,
    f.OrderCancelled: on_order_ended,
    f.OrderExpired: on_order_ended,
    f.Traded: on_traded,
    f.LiquidationStarted: on_nothing,
    f.LiquidationOrderPlaced: on_nothing,
    f.TakenOver: on_taken_over,
    f.LiquidationFeeCharged: on_liquidation_fee_charged,
    f.DeficitCovered: on_deficit_covered,
    f.LiquidationEnded: on_liquidation_ended,
}
"""Fact -> what it changes."""
