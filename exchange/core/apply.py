"""The only place where state changes: a table from fact to what it changes. Nothing here can refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.commands import INSURANCE, LIQUIDATION_ORDER, MARKET, FundingSource, Side
from events.instruments import Leg, MarginMode
from exchange.core.book import Order
from exchange.core.fees import count_volume, fee_rates
from exchange.core.funding import restart, sample
from exchange.core.liquidation.watch import index_moved, mark_moved
from exchange.core.liquidation.waterfall import close, pool_of
from exchange.core.margin.pretrade import order_sums
from exchange.core.posting import end_isolated, post_trade
from exchange.core.state import Account, Due, DueKind, MultiPool, Pool, Position, State, Wallet
from exchange.core.timers import set_first, took_effect

BUY = Side.BUY
NET = Leg.NET


def on_session_opened(state: State, fact: f.SessionOpened) -> None:
    """Instruments, assets, timers and the two participants of the house come to be."""
    state.open(fact.pack, fact.options)
    set_first(state)


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
    _touch(state, wallet.pool)


def on_transferred(state: State, fact: f.Transferred) -> None:
    """One wallet loses what the other gains."""
    for account, amount in ((fact.account, -fact.amount), (fact.to, fact.amount)):
        wallet = state.keep_wallet(state.accounts[account], fact.asset)
        wallet.balance += amount
        _touch(state, wallet.pool)


def on_exchanged(state: State, fact: f.Exchanged) -> None:
    """The account and MARKET exchange; the fee stays with the venue."""
    for account, asset, amount in (
        (fact.account, fact.asset, -fact.amount),
        (fact.account, fact.into, fact.received),
        (MARKET, fact.asset, fact.amount),
        (MARKET, fact.into, -fact.received - fact.fee),
    ):
        wallet = state.keep_wallet(state.accounts[account], asset)
        wallet.balance += amount
        _touch(state, wallet.pool)
    state.ledger[fact.into].fees += fact.fee


def on_debts_exchanged(state: State, fact: f.DebtsExchanged) -> None:
    """The entry leaves the queue; what is still owed is looked at again."""
    pool = state.multis[fact.account]
    assert pool.exchange is not None
    del state.due[pool.exchange]
    pool.exchange = None
    _touch(state, pool)


def on_interest_due(state: State, _fact: f.InterestDue) -> None:
    """Every debt that costs interest waits to pay it."""
    took_effect(state, DueKind.INTEREST)
    owing = {
        wallet: None
        for pool in state.multis.values()
        for asset, wallet in pool.wallets.items()
        if wallet.balance < 0 and asset in pool.assets and pool.assets[asset].interest
    }
    _owe(state, DueKind.INTEREST, "", Due(state.seq, owing=owing))  # type: ignore[arg-type]


def _owe(state: State, kind: DueKind, instrument: str, due: Due) -> None:
    """Put work that waits for positions or wallets into the queue, if it waits for any."""
    if due.owing:
        key = (state.now, int(kind), instrument, "", state.seq)
        state.due[key] = state.owed[key] = due


def _is_settled(state: State, kind: DueKind, instrument: str, holder: Position | Wallet) -> None:
    """The oldest such entry waits no more for the position or wallet."""
    key, due = next(
        (key, due) for key, due in state.owed.items() if key[1] == kind and key[2] == instrument and holder in due.owing
    )
    del due.owing[holder]
    if not due.owing:
        del state.owed[key], state.due[key]


def on_interest_paid(state: State, fact: f.InterestPaid) -> None:
    """The debt grows by its interest."""
    wallet = state.accounts[fact.account].wallets[fact.asset]
    wallet.balance -= fact.amount
    wallet.books.interest += fact.amount
    _touch(state, wallet.pool)
    _is_settled(state, DueKind.INTEREST, "", wallet)


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


def on_position_mode_set(state: State, fact: f.PositionModeSet) -> None:
    """The account, which holds nothing by rule, takes the mode."""
    state.accounts[fact.account].hedges = fact.hedges


def on_collateral_mode_set(state: State, fact: f.CollateralModeSet) -> None:
    """All wallets answer together, or each for itself."""
    account = state.accounts[fact.account]
    account.multi = (account.multi or MultiPool(account, state.assets)) if fact.multi else None
    if account.multi:
        state.multis[fact.account] = account.multi
    elif (pool := state.multis.pop(fact.account, None)) and pool.exchange:
        del state.due[pool.exchange]
    for wallet in account.wallets.values():
        wallet.multi = account.multi
        _touch(state, wallet.pool)


def on_auto_add_margin_set(state: State, fact: f.AutoAddMarginSet) -> None:
    """The position gets margin added when it falls due, or not."""
    for position in _legs(state, fact.account, fact.instrument):
        position.auto_add = fact.on


def on_margin_moved(state: State, fact: f.MarginMoved) -> None:
    """Cross wallet and isolated wallet exchange the amount."""
    position = _kept(state, fact.account, fact.instrument, fact.leg)
    position.wallet.balance -= fact.amount
    position.isolated += fact.amount
    _touch(state, position.wallet.pool)
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
    _is_settled(state, DueKind.FUNDING, fact.instrument, position)


def on_position_settled(state: State, fact: f.PositionSettled) -> None:
    """The position is gone; its wallet takes the PnL, and what an isolated one held unless below zero."""
    position = _kept(state, fact.account, fact.instrument, fact.leg)
    wallet, contract = position.wallet, position.contract
    contract.clearing += position.entry_value
    wallet.books.remainders -= position.entry_value + fact.amount
    wallet.books.fees += fact.fee
    if position.lots > 0:
        contract.open_interest -= position.lots
    position.lots = position.entry_value = 0
    contract.holders.pop(position, None)
    if position.is_isolated:
        position.isolated += fact.amount - fact.fee
        if position.isolated > 0:
            end_isolated(position)
    else:
        wallet.balance += fact.amount - fact.fee
    _touch(state, position)
    _touch(state, wallet.pool)
    _is_settled(state, DueKind.SETTLEMENT, fact.instrument, position)


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
    if contract.index and state.options.funding is FundingSource.PREMIUM:
        sample(contract, state.now)
    mark_moved(state, contract)


def on_index_price_moved(state: State, fact: f.IndexPriceMoved) -> None:
    """The index moves; the premium is counted, and the watch sees whose box it left."""
    contract = state.contracts.get(fact.instrument)
    if contract is not None:
        contract.index = fact.index
        if contract.mark and state.options.funding is FundingSource.PREMIUM:
            sample(contract, state.now)
    for asset in state.assets.values():
        if asset.pair is not None and asset.pair.id == fact.instrument:
            asset.index = fact.index
            index_moved(state, asset)


def on_settlement_due(state: State, fact: f.SettlementDue) -> None:
    """The contract trades no more; whoever holds it, or has an order in it, waits to be settled."""
    took_effect(state, DueKind.SETTLEMENT, fact.instrument)
    contract = state.contracts[fact.instrument]
    contract.expired = True
    owing = {position: None for position in contract.positions if position.lots or position.open_orders}
    _owe(state, DueKind.SETTLEMENT, fact.instrument, Due(state.seq, 0, fact.price, owing))  # type: ignore[arg-type]


def on_funding_due(state: State, fact: f.FundingDue) -> None:
    """Every holder of the instrument owes, or is owed."""
    contract = state.contracts[fact.instrument]
    took_effect(state, DueKind.FUNDING, fact.instrument)
    restart(contract, state.now)
    if fact.mark:
        due = Due(state.seq, fact.rate, fact.mark, dict(contract.holders))  # type: ignore[arg-type]
        _owe(state, DueKind.FUNDING, fact.instrument, due)


def on_exchange_due(state: State, fact: f.ExchangeDue) -> None:
    """The account's debts wait to be exchanged."""
    key = (state.now, int(DueKind.EXCHANGE), fact.account, "", state.seq)
    state.multis[fact.account].exchange = key
    state.due[key] = Due(state.seq)


def on_liquidation_due(state: State, fact: f.LiquidationDue) -> None:
    """The pool enters the queue and is closed to its owner."""
    key = (state.now, int(DueKind.LIQUIDATION), fact.account, fact.pool, state.seq)
    close(pool_of(state.accounts[fact.account], fact.pool), key)
    state.due[key] = Due(state.seq)


def on_taken_over(state: State, fact: f.TakenOver) -> None:
    """The account trades with the insurance fund at the bankruptcy value."""
    contract = state.contracts[fact.instrument]
    sign = 1 if fact.side is BUY else -1
    post_trade(
        state, _kept(state, fact.account, fact.instrument, fact.leg), sign, fact.lots, fact.value, 0, forced=True
    )
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
        assert isinstance(pool, Position)
        pool.isolated -= amount
        asset = pool.wallet.asset
    state.keep_wallet(state.accounts[INSURANCE], asset).balance += amount


def on_liquidation_ended(state: State, fact: f.LiquidationEnded) -> None:
    """The pool leaves the queue and is its owner's again."""
    pool = pool_of(state.accounts[fact.account], fact.pool)
    assert pool.due is not None
    del state.due[pool.due]
    close(pool, None)
    if isinstance(pool, Position):
        if not pool.lots:
            end_isolated(pool)
        _touch(state, pool.wallet.pool)
    _touch(state, pool)


APPLY: dict[type[f.Fact], Callable[[State, Any], None]] = {
    f.SessionOpened: on_session_opened,
    f.Refused: on_nothing,
    f.TimeAdvanced: on_nothing,
    f.MarketAdvanced: on_market_advanced,
    f.MarkPriceMoved: on_mark_price_moved,
    f.IndexPriceMoved: on_index_price_moved,
    f.FundingDue: on_funding_due,
    f.SettlementDue: on_settlement_due,
    f.InterestDue: on_interest_due,
    f.ExchangeDue: on_exchange_due,
    f.LiquidationDue: on_liquidation_due,
    f.AccountOpened: on_account_opened,
    f.Deposited: on_deposited,
    f.Withdrawn: on_withdrawn,
    f.Transferred: on_transferred,
    f.Exchanged: on_exchanged,
    f.DebtsExchanged: on_debts_exchanged,
    f.InterestPaid: on_interest_paid,
    f.LeverageSet: on_leverage_set,
    f.MarginModeSet: on_margin_mode_set,
    f.PositionModeSet: on_position_mode_set,
    f.CollateralModeSet: on_collateral_mode_set,
    f.AutoAddMarginSet: on_auto_add_margin_set,
    f.MarginMoved: on_margin_moved,
    f.FundingPaid: on_funding_paid,
    f.PositionSettled: on_position_settled,
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
