"""The figures of an account: equity and margins of its pools, available and withdrawable balance, debts.

In multi-asset mode amounts are those of the valuation asset: what counts of each balance x index, rounded down to a
grain per asset, what positions gain in an asset x index likewise, what each position requires x index rounded up.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from events.commands import Side
from events.rules import DueAt
from events.units import UNIT
from exchange.audit.books import MULTI, SIGN, Books, Margin, Order, Position
from exchange.audit.contract import NOTHING, down, rate, up


def margin(books: Books, account: str, pool: str) -> Margin:
    """Equity, initial and maintenance margin of a pool; kept until something in it changes."""
    key = account, pool
    if key not in books.figures:
        books.figures[key] = _computed(books, account, pool)
    return books.figures[key]


def _computed(books: Books, account: str, pool: str) -> Margin:
    if pool == MULTI:
        return _of_many(books, account)
    parts = [position_margin(books, p) for p in carried(books, account, pool)]
    own = Margin(Fraction(books.wallets[account][pool]), NOTHING, NOTHING)
    return Margin(*(sum(amounts, NOTHING) for amounts in zip(own, *parts, strict=True)))


def carried(books: Books, account: str, pool: str) -> list[Position]:
    """The open positions that a pool answers for."""
    mine = books.positions[account]
    if pool in mine:
        return [mine[pool]] if mine[pool].lots else []
    assets = list(books.collateral) if pool == MULTI else [pool]
    return [p for asset in assets for p in books.held(account, asset)]


def position_margin(books: Books, p: Position) -> Margin:
    """Unrealised PnL, initial and maintenance margin of a position."""
    contract, worth = p.contract, p.contract.at_mark(p.lots)
    initial = contract.initial(abs(worth), p.leverage)
    backing = _backing(books, p) if contract.closing_fee else 0
    return Margin(worth - p.entry, initial, contract.maintenance(p.lots, p.entry, backing, p.leverage))


def _backing(books: Books, p: Position) -> int:
    """What a position can lose, atoms: its isolated wallet, or its part of the cross wallet by entry value."""
    wallet = books.wallets[p.account][p.wallet]
    if p.is_isolated:
        return wallet
    total = sum(abs(other.entry) for other in books.held(p.account, p.terms.settle))
    return floor(Fraction(wallet * abs(p.entry), total)) if total else 0


def index_of(books: Books, asset: str) -> Fraction:
    """What one of the asset is worth in the valuation asset; 0 while nobody said."""
    name = books.collateral[asset].index
    return Fraction(books.indices.get(name, 0), UNIT) if name else Fraction(1)


def counted(books: Books, asset: str, balance: int) -> Fraction:
    """What counts of a balance in the valuation asset: each tier's haircut off its own slice, a debt in full."""
    left, floor_, total = max(0, balance), 0, Fraction(min(0, balance))
    for tier in books.collateral[asset].tiers:
        part = min(left, tier.cap - floor_) if tier.cap else left
        total += part * (1 - rate(tier.haircut))
        left, floor_ = left - part, tier.cap
    return down(total * index_of(books, asset))


def _of_many(books: Books, account: str) -> Margin:
    equity = initial = maintenance = NOTHING
    for asset in books.collateral:
        index, profit = index_of(books, asset), NOTHING
        for p in books.held(account, asset):
            own = position_margin(books, p)
            profit += own.equity
            initial += up(own.initial * index)
            maintenance += up(own.maintenance * index)
        equity += counted(books, asset, books.wallets[account][asset]) + down(profit * index)
    return Margin(equity, initial, maintenance)


def is_due(books: Books, account: str, pool: str) -> bool:
    """Whether a pool has to be liquidated: equity <= maintenance, < where so ruled; below zero without a position."""
    equity, _, maintenance = margin(books, account, pool)
    if not carried(books, account, pool):
        return equity < 0
    return equity < maintenance or (equity == maintenance and books.rules.due_at is DueAt.AT_MAINTENANCE)


def is_warned(books: Books, account: str, pool: str) -> bool:
    """Whether a pool's owner is warned from now on: MM / equity at the warning ratio or beyond, with a position open;
    of one who is warned, at the ratio of recovery or beyond, where the rules state one.
    """
    equity, _, maintenance = margin(books, account, pool)
    rules, was_warned = books.rules.liquidation, (account, pool) in books.warned
    ratio = rate(rules.recovery if was_warned and rules.recovery else rules.warning)
    return ratio > 0 and bool(carried(books, account, pool)) and equity * ratio <= maintenance


def owes_too_much(books: Books, account: str) -> bool:
    """Whether a debt in multi-asset mode is beyond its limit while there is something to give for it."""
    known = [asset for asset in books.collateral if index_of(books, asset)]
    balances = {asset: books.wallets[account][asset] for asset in known}
    gives = any(balance > 0 for balance in balances.values())
    return gives and any(balance < -books.collateral[asset].debt_limit for asset, balance in balances.items())


def reserve(p: Position, order: Order) -> tuple[Fraction, Fraction]:
    """What an open order adds to the notional of its side, and holds back beside it: open loss and fees."""
    if order.reduce_only or order.price is None:
        return NOTHING, NOTHING
    notional = lot_notional(p, order.price * p.terms.tick)
    fee = up(notional * rate(p.terms.taker_fee)) if order.fee is None else order.fee
    return order.lots * notional, order.lots * (order.loss + fee)


def lot_notional(p: Position, price: int) -> Fraction:
    """What one lot at a price in mark units adds to notional, rounded up to a grain."""
    return up(p.contract.notional(1, price))


def open_loss(p: Position, side: Side, price: int) -> Fraction:
    """What a fill of one lot at this price would lose at once against the mark, rounded up to a grain, or nothing."""
    sign, contract = SIGN[side], p.contract
    paid = contract.gain * lot_notional(p, price)
    return max(NOTHING, up(sign * (paid - contract.worth(1, contract.mark))))


def contribution(p: Position) -> Fraction:
    """What a position and its orders add to available balance, mostly less than 0.

    max(|N + bids|, |N - asks|) as initial margin, less what an isolated wallet holds of it; open losses and fees.
    """
    size, worth, extra = p.contract.gain * p.contract.at_mark(p.lots), dict.fromkeys(Side, NOTHING), NOTHING
    for order in p.orders.values():
        notional, beside = reserve(p, order)
        worth[order.side] += notional
        extra += beside
    need = p.contract.initial(max(abs(size + worth[Side.BUY]), abs(size - worth[Side.SELL])), p.leverage)
    own = p.contract.initial(abs(size), p.leverage) if p.is_isolated else p.contract.gain * size - p.entry
    return own - need - extra


def available(books: Books, account: str, asset: str) -> Fraction:
    """Wallet + cross unrealised PnL - initial margin - order reserves; below zero where the pool is short.

    In multi-asset mode that of all wallets together, in the valuation asset.
    """
    if books.accounts[account].multi:
        return sum((_free_of(books, account, each) for each in books.collateral), NOTHING)
    return books.wallets[account][asset] + _contributed(books, account, asset)


def _contributed(books: Books, account: str, asset: str) -> Fraction:
    mine = books.positions[account].values()
    return sum((contribution(p) for p in mine if (p.lots or p.orders) and p.terms.settle == asset), NOTHING)


def _free_of(books: Books, account: str, asset: str) -> Fraction:
    rest = down(_contributed(books, account, asset) * index_of(books, asset))
    return counted(books, asset, books.wallets[account][asset]) + rest


def profit(books: Books, account: str, asset: str) -> Fraction:
    """Unrealised profit of the pool of an asset, which cannot be withdrawn; not below 0."""
    wallets = books.wallets[account]
    if not books.accounts[account].multi:
        return max(NOTHING, margin(books, account, asset).equity - wallets[asset])
    balances = sum((counted(books, each, wallets[each]) for each in books.collateral), NOTHING)
    return max(NOTHING, margin(books, account, MULTI).equity - balances)


def may_leave(books: Books, account: str, asset: str, amount: int) -> bool:
    """Whether so many atoms of a wallet are needed by no position and no order: min(available, without profits)."""
    wallets = books.wallets[account]
    if not books.accounts[account].multi:
        return amount <= available(books, account, asset) - profit(books, account, asset)
    kept = profit(books, account, asset)
    wallets[asset] -= amount
    left = available(books, account, asset)
    wallets[asset] += amount
    return amount <= wallets[asset] and left >= kept
