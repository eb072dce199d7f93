"""The liquidation of one pool: orders cancelled, positions closed in the book down to bankruptcy, the rest taken over.

1. the due test is made again: a pool that recovered meanwhile is left alone, one that has to wait is put off;
2. the pool's open orders expire, conditional ones too;
3. positions meet the book with immediate-or-cancel orders limited at their bankruptcy price: whole ones, most
maintenance margin first, or, where the pack says steps, down into the bracket below, the one first whose closing loses
least for the maintenance margin that it releases, and so on until the pool is no longer due; or, where it says slices,
with a share of what is large, and at the next turn with what is left;
4. what the book does not take goes to the layers that the pack states, at the bankruptcy price: to the insurance fund
as far as it can bear it, to the ranked positions of the other side, and without any layer all of it to the fund;
5. the liquidation fee goes to the fund, at most what the pool has left.
Source: `docs/margin.md`, section "Liquidation"; Binance USD-M liquidation protocol for fee and fund.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from events.commands import INSURANCE, LIQUIDATION_ORDER, MARKET, AccountId, Side
from events.facts import (
    CooldownStarted,
    DeficitCovered,
    Deleveraged,
    Expiry,
    Fact,
    LiquidationEnded,
    LiquidationFeeCharged,
    LiquidationOrderPlaced,
    LiquidationOutcome,
    LiquidationStarted,
    LossShared,
    MarginMoved,
    OrderExpired,
    TakenOver,
    Traded,
)
from events.instruments import Leg
from events.rules import Layer, LiquidationStyle
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Ticks
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.debts import cover, is_over
from exchange.core.gate import closes_on
from exchange.core.liquidation.adl import first_in_queue
from exchange.core.liquidation.auction import discount, limit_of, stepped
from exchange.core.liquidation.bankruptcy import bankruptcy_price, bankruptcy_value
from exchange.core.liquidation.cap import room
from exchange.core.liquidation.closing import by_loss, lots_to_bracket_below, net_legs, order_of_closing
from exchange.core.liquidation.guard import put_off
from exchange.core.liquidation.insurance import lots_affordable
from exchange.core.liquidation.pools import pool_of
from exchange.core.margin.model import (
    available_atoms,
    cross_equity,
    equity_of,
    falls_short,
    is_due,
    is_open,
    notional,
    requirement,
    solvency,
    unrealised,
    withdrawable_atoms,
)
from exchange.core.matching.cancelling import open_of
from exchange.core.matching.making import ready_maker, trade
from exchange.core.owed import settle_first
from exchange.core.state import Account, Due, DueKey, MultiPool, Pool, Position, State, Wallet

Fees = dict[tuple[str, AccountId], int]
"""Liquidation fees, atoms, by asset and by the fund that they go to."""


def liquidate(state: State, key: DueKey, due: Due) -> Iterator[Fact]:
    """Liquidate the pool that this entry of the queue names."""
    _, _, name, pool_name, _ = key
    account = state.accounts[name]  # type: ignore[index]
    pool = pool_of(account, pool_name)
    state.cause = due.seq
    yield from settle_first(state, account.name)
    if (waits := put_off(state, pool)) and is_due(pool):
        yield waits
        yield from closes_on(state, pool)
        return
    if isinstance(pool, Position) and pool.auto_add and pool.lots and is_due(pool):
        yield from _add_margin(pool)
    equity, maintenance = solvency(pool)
    if not falls_short(pool, equity, maintenance):
        yield _ended(pool, LiquidationOutcome.CURED)
        return
    yield LiquidationStarted(*pool.id, Atoms(equity // UNIT), Atoms(-(-maintenance // UNIT)))
    state.cause = state.seq
    yield from _expire_orders(account, pool)
    assert state.pack is not None
    rules, fees = state.pack.liquidation, Fees()
    if rules.backstop and requirement(pool).equity * UNIT < requirement(pool).maintenance * rules.backstop:
        closing = _hand_over(state, pool)
    elif rules.style is LiquidationStyle.FULL:
        closing = _close_all(state, pool, due, fees)
    elif rules.style is LiquidationStyle.STEPS:
        closing = _reduce(state, pool, due, fees)
    elif rules.style is LiquidationStyle.SLICES:
        closing = _close_slices(state, account, pool, due, fees)
    else:
        closing = _auction(state, pool, due, fees)
    is_whole = rules.style in (LiquidationStyle.FULL, LiquidationStyle.STEPS)
    for fact in closing:
        yield fact
        if type(fact) is Deleveraged and is_whole and state.seq >= state.full - 2 - len(fees) and is_open(pool):
            yield from _settle_up(state, pool, fees)
            break
    outcome = LiquidationOutcome.REDUCED if is_open(pool) else LiquidationOutcome.CLOSED
    yield _ended(pool, outcome)


def _close_all(state: State, pool: Pool, due: Due, fees: Fees) -> Iterator[Fact]:
    """Close every position whole, then even out what is left. `fees` are those that its fills call for so far."""
    for position in order_of_closing(pool):
        if lots := min(abs(position.lots), room(state, position.contract)):
            yield from _close(state, pool, position, lots, fees)
            state.cause = due.seq
    yield from _settle_up(state, pool, fees)


def _reduce(state: State, pool: Pool, due: Due, fees: Fees) -> Iterator[Fact]:
    """Net the legs, then close slice after slice until the pool, which is due at first, no longer is."""
    began = state.seq
    yield from net_legs(pool)
    if not is_open(pool):
        yield from _settle_up(state, pool, fees)
    while (state.seq == began or is_due(pool)) and (
        position := next((p for p in by_loss(pool) if room(state, p.contract)), None)
    ):
        lots = min(lots_to_bracket_below(position), room(state, position.contract))
        yield from _close(state, pool, position, lots, fees)
        state.cause = due.seq
        yield from _settle_up(state, pool, fees)


def _close_slices(state: State, account: Account, pool: Pool, due: Due, fees: Fees) -> Iterator[Fact]:
    """One order for each position until the pool is no longer due: for a share of what is large, but in the cooldown.

    Source: Hyperliquid, "Liquidations", section "Partial Liquidations".
    """
    assert state.pack is not None
    rules = state.pack.liquidation
    sliced = False
    for position in order_of_closing(pool):
        if not is_due(pool):
            break
        if not (most := room(state, position.contract)):
            continue
        lots = size = abs(position.lots)
        if state.now >= account.cooldown and notional(position) > rules.slice_above * UNIT:
            lots = -(-size * rules.slice // UNIT)
            sliced |= lots < size
        yield from _close(state, pool, position, min(lots, most), fees)
        state.cause = due.seq
        yield from _settle_up(state, pool, fees)
    if sliced:
        yield CooldownStarted(account.name, Nanos(state.now + rules.cooldown))
    if not is_open(pool):
        yield from _settle_up(state, pool, fees)


def _auction(state: State, pool: Pool, due: Due, fees: Fees) -> Iterator[Fact]:
    """One order for each position at the limit of this step, until the pool is no longer due; the rest waits."""
    assert state.pack is not None
    off = discount(state, pool)
    for position in order_of_closing(pool):
        if not is_due(pool):
            break
        yield from _close(state, pool, position, abs(position.lots), fees, off)
        state.cause = due.seq
        yield from _settle_up(state, pool, fees)
    if not is_open(pool):
        yield from _settle_up(state, pool, fees)
    elif is_due(pool):
        yield stepped(state, pool, state.pack.liquidation)


def _hand_over(state: State, pool: Pool) -> Iterator[Fact]:
    """The fund takes over every position at its bankruptcy price, without asking the book."""
    for position in order_of_closing(pool):
        yield from settle_first(state, state.fund(position.contract).name)
        yield _taken_over(position, bankruptcy_value(pool, position), abs(position.lots))
    yield from _settle_up(state, pool, Fees())


def _settle_up(state: State, pool: Pool, fees: Fees) -> Iterator[Fact]:
    """Charge liquidation fees as far as the pool bears them, and forget them; what is below zero without a position is
    covered.
    """
    if isinstance(pool, MultiPool):
        if not is_open(pool):
            yield from cover(pool, [wallet for wallet in pool.wallets.values() if is_over(pool, wallet, 0)])
        for name, wallet in list(pool.wallets.items()):
            left = wallet.balance
            if is_open(pool):
                index = pool.assets[name].index
                left = min(left, equity_of(pool) // index) if index else 0
            own = {key: fee for key, fee in fees.items() if key[0] == name}
            yield from _even_out(wallet, left, own, is_open(pool), INSURANCE)
    else:
        covers = state.funds[pool.contract.id] if isinstance(pool, Position) else INSURANCE
        yield from _even_out(pool, equity_of(pool) // UNIT, fees, is_open(pool), covers)
    fees.clear()


def _even_out(pool: Wallet | Position, left: int, fees: Fees, holds: bool, covers: AccountId) -> Iterator[Fact]:
    """A fund brings what is below zero back to zero, or funds take the liquidation fees, at most what is left, atoms.

    While the pool still holds a position nothing is covered yet.
    """
    if left < 0 and not holds:
        yield DeficitCovered(*pool.id, Atoms(-left), covers)
    for (_, fund), fee in fees.items():
        if (charged := min(fee, left)) > 0:
            yield LiquidationFeeCharged(*pool.id, Atoms(charged), fund)
            left -= charged


def _add_margin(position: Position) -> Iterator[Fact]:
    """Add as much as the position's initial margin, or what it takes, if that makes the position safe; else nothing.

    At most what is available, and up to where the position is fully paid.
    Source: Bybit, "Auto Margin Replenishment".
    """
    wallet, margin = position.wallet, requirement(position)
    lack = -(-(margin.maintenance - margin.equity + 1) // UNIT)
    most = min(abs(position.entry_value) - position.isolated, available_atoms(wallet), withdrawable_atoms(wallet))
    amount = 0 if wallet.due else min(most, max(lack, -(-margin.initial // UNIT)))
    twin = position.twin(wallet)
    twin.isolated += amount
    if amount > 0 and not is_due(twin):
        yield MarginMoved(position.account, position.contract.id, Atoms(amount), position.leg)


def _ended(pool: Pool, outcome: LiquidationOutcome) -> Fact:
    return LiquidationEnded(*pool.id, outcome, Atoms(equity_of(pool) // UNIT))


def _expire_orders(account: Account, pool: Pool) -> Iterator[Fact]:
    for number, lots in open_of(account, lambda position: position.pool is pool):
        yield OrderExpired(account.name, number, lots, Expiry.LIQUIDATION)


def _close(
    state: State, pool: Pool, position: Position, lots: int, fees: Fees, off: int | None = None
) -> Iterator[Fact]:
    """Close so many lots of a position; the fee that its fills in the book call for joins the others.

    In a step of an auction, `off` is the discount on the mark, and what the book does not take stays.
    """
    contract = position.contract
    side = Side.SELL if position.lots > 0 else Side.BUY
    bankruptcy = bankruptcy_price(position, bankruptcy_value(pool, position))
    limit = -(-bankruptcy // contract.tick) if side is Side.SELL else bankruptcy // contract.tick
    if off is not None:
        limit = limit_of(position, limit, off)
    yield LiquidationOrderPlaced(
        position.account, contract.id, side, Lots(lots), Ticks(limit), MarkUnits(contract.mark),
        MarkUnits(bankruptcy), position.leg,
    )  # fmt: skip
    state.cause = state.seq
    kept = abs(position.lots) - lots
    closed = yield from _sweep(state, position, side, limit, lots)
    if fee := -(-closed * contract.terms.liquidation_fee // UNIT):
        payee = position.wallet.asset, state.funds[contract.id]
        fees[payee] = fees.get(payee, 0) + fee
    if abs(position.lots) > kept and off is None:
        yield from settle_first(state, state.fund(contract).name)
        yield from _last_resort(state, pool, position, kept)


def _last_resort(state: State, pool: Pool, position: Position, kept: int) -> Iterator[Fact]:
    """What the book does not take goes to the pack's layers in order, at the bankruptcy price; the rest to the fund."""
    assert state.pack is not None
    layers = state.pack.liquidation.last_resort
    for layer in layers:
        left = abs(position.lots) - kept
        if not left:
            return
        if layer is Layer.FUND:
            value = bankruptcy_value(pool, position)
            if lots := min(left, lots_affordable(state, position, value)):
                yield _taken_over(position, value, lots)
        elif layer is Layer.ADL:
            yield from _deleverage(state, pool, position, left)
    if left := abs(position.lots) - kept:
        yield _taken_over(position, bankruptcy_value(pool, position), left)
        if Layer.SOCIALISED in layers:
            yield from _share_loss(state, position.contract)


def _taken_over(position: Position, value: int, lots: int) -> TakenOver:
    """The fund takes so many lots at the bankruptcy price; value is the whole position's there."""
    side = Side.SELL if position.lots > 0 else Side.BUY
    price, part = MarkUnits(bankruptcy_price(position, value)), Atoms(_part(position, value, lots))
    fee = _forced_fee(position, part)
    return TakenOver(position.account, position.contract.id, side, Lots(lots), part, price, position.leg, fee)


def _forced_fee(position: Position, value: int) -> Atoms:
    """The taker fee on a value, where a liquidation pays it, rounded up."""
    return Atoms(-(-value * position.contract.rules.forced_fee // UNIT))


def _part(position: Position, value: int, lots: int) -> int:
    """What so many lots are of a position's value, rounded for the account: up where it receives it, else down."""
    size = abs(position.lots)
    return -(-value * lots // size) if position.entry_value > 0 else value * lots // size


def _deleverage(state: State, pool: Pool, position: Position, left: int) -> Iterator[Fact]:
    """Close against the ranked positions of the other side, the first in the queue first, then against MARKET."""
    contract = position.contract
    sign, side = (-1, Side.SELL) if position.lots > 0 else (1, Side.BUY)
    while left:
        other = first_in_queue(state, contract, sign, position.account)
        said = state.seq
        yield from settle_first(state, MARKET if other is None else other.account)
        if other is not None and state.seq > said:
            continue
        lots = left if other is None else min(left, abs(other.lots))
        value = bankruptcy_value(pool, position)
        part = Atoms(_part(position, value, lots))
        yield Deleveraged(
            position.account, contract.id, side, Lots(lots), part, MarkUnits(bankruptcy_price(position, value)),
            MARKET if other is None else other.account, position.leg, Leg.NET if other is None else other.leg,
            _forced_fee(position, part),
        )  # fmt: skip
        left -= lots


def _share_loss(state: State, contract: Contract) -> Iterator[Fact]:
    """The winners of the contract pay what the fund lacks, each by its profit: at most all of it."""
    fund = state.wallet(state.fund(contract), contract.settle)
    lack = -(cross_equity(fund) // UNIT)
    winners = [(p, unrealised(p) // UNIT) for p in contract.holders if not p.exempt and not p.pool.due]
    winners = [(p, profit) for p, profit in winners if profit > 0]
    total = sum(profit for _, profit in winners)
    lack = min(lack, total)
    for position, profit in winners:
        if lack <= 0:
            return
        amount = min(lack, -(-lack * profit // total))
        lack, total = lack - amount, total - profit
        yield LossShared(position.account, contract.id, Atoms(amount), position.leg)


def _sweep(state: State, position: Position, side: Side, limit: int, left: int) -> Generator[Fact, None, int]:
    """Trade so many lots of the position against the book down to the limit. Returns the value closed, atoms."""
    contract = position.contract
    resting = contract.book.bids if side is Side.SELL else contract.book.asks
    closed = 0
    while left and (front := contract.book.front(resting, limit)) is not None:
        price, maker, lots = front
        if maker is not None:
            lots = yield from ready_maker(state, maker)
        else:
            yield from settle_first(state, MARKET)
        if lots := min(lots, left):
            left -= lots
            fact = _forced_trade(state, side, price, lots, maker, position)
            closed += fact.value
            yield fact
    return closed


def _forced_trade(state: State, side: Side, price: int, lots: int, maker: Order | None, position: Position) -> Traded:
    contract = position.contract
    fee = _forced_fee(position, contract.value_of(price, lots))
    return trade(state, contract, side, price, lots, maker, position.account, LIQUIDATION_ORDER, fee, leg=position.leg)
