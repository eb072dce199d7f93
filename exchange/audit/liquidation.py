"""Rules of the facts of a liquidation, in the order in which they happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import facts as f
from events.commands import INSURANCE, LIQUIDATION_ORDER
from events.instruments import Inverse
from events.rules import LiquidationStyle
from events.units import UNIT
from exchange.audit.books import MULTI, SIGN, Books, Order, Position
from exchange.audit.contract import NOTHING, rate
from exchange.audit.guards import holds_up, room
from exchange.audit.pools import carried, index_of, is_due, is_warned, margin, position_margin
from exchange.audit.trading import remove

GRAIN = Fraction(1, UNIT)
"""The unit of margin arithmetic, in atoms."""


def margin_called(books: Books, fact: f.MarginCalled) -> None:
    """At the warning ratio or beyond, once; figures rounded to atoms, against the account."""
    key = fact.account, fact.pool
    equity, _, maintenance = margin(books, *key)
    may = is_warned(books, *key) and key not in books.warned and key not in books.queue
    books.hold("who is warned is at the warning ratio, once", may, fact)
    asset = books.asset_of(*key)
    books.check("equity, rounded down", floor(equity), fact.equity, asset)
    books.check("maintenance margin, rounded up", ceil(maintenance), fact.maintenance, asset)
    books.warned[key] = None


def margin_recovered(books: Books, fact: f.MarginRecovered) -> None:
    """Warned before, and short of the ratio of recovery now, that of the warning where there is none."""
    key = fact.account, fact.pool
    may = key in books.warned and key not in books.queue and not is_warned(books, *key)
    books.hold("who recovered was warned, and is short of the warning ratio", may, fact)
    del books.warned[key]


def started(books: Books, fact: f.LiquidationStarted) -> None:
    """A pool of the queue, which is still due; its figures rounded to atoms, against the account."""
    key = fact.account, fact.pool
    equity, _, maintenance = margin(books, *key)
    may = key in books.queue and is_due(books, *key) and books.running is None
    books.hold("what starts is due", may, fact)
    books.check("what it would have to wait for", {}, holds_up(books, *key))
    asset = books.asset_of(*key)
    books.check("equity, rounded down", floor(equity), fact.equity, asset)
    books.check("maintenance margin, rounded up", ceil(maintenance), fact.maintenance, asset)
    books.running, books.step = fact, _step(books, key) if equity > 0 else None
    backstop = rate(books.rules.liquidation.backstop)
    books.hands_over = backstop > 0 and equity < maintenance * backstop


def _step(books: Books, key: tuple[str, str]) -> int | None:
    """The step of the auction of a pool, none where it is over."""
    rules, last = books.rules.liquidation, books.auctions.get(key)
    if rules.style is not LiquidationStyle.AUCTION:
        return None
    step = last[0] + 1 + (books.now - last[1]) // rules.auction_interval if last else 0
    return step if step < rules.auction_steps else None


def _limit(books: Books, p: Position, bankrupt: int) -> int:
    """The limit of a forced order, ticks: the bankruptcy price, or that of the auction's step where that is better."""
    up, rules = ceil if p.lots > 0 else floor, books.rules.liquidation
    limit = up(Fraction(bankrupt, p.terms.tick))
    if books.step is None:
        return limit
    off = rate(rules.auction_start + books.step * rules.auction_rise)
    price = Fraction(p.contract.mark, p.terms.tick) * (1 - off if p.lots > 0 else 1 + off)
    return max(limit, up(price)) if p.lots > 0 else min(limit, up(price))


def auction_stepped(books: Books, fact: f.AuctionStepped) -> None:
    """It left its pool due; the next one comes after the interval."""
    running, key = books.running, (fact.account, fact.pool)
    may = running is not None and (running.account, running.pool) == key and is_due(books, *key)
    books.hold("its pool is being liquidated and still due", may, fact)
    books.check("step of the auction", books.step, fact.step)
    books.check("time of the next step", books.now + books.rules.liquidation.auction_interval, fact.until)
    books.auctions[key], books.stepped = (fact.step, fact.until), True


def _drop(books: Books, account: str, is_cut_off: bool) -> None:
    """What a step of an auction, or a full batch, left of a forced order is gone; nothing else leaves anything."""
    p = books.placed.get((account, LIQUIDATION_ORDER))
    if p is not None:
        books.hold("all of the forced order was closed", is_cut_off or books.step is not None, p.orders)
        remove(books, p, LIQUIDATION_ORDER)


def bankruptcy(books: Books, p: Position) -> tuple[int, int]:
    """Value, and price in mark units, at which closing uses up the position's share of its pool: against the account.

    A worth of entry value - isolated wallet, or in cross worth at the mark - equity x MM / sum of MM; where forced
    fills pay the taker fee, that fits in too. The worth is rounded up, the price up for a long and down for a short.
    """
    fee = rate(p.terms.taker_fee) if books.rules.liquidation_pays_taker_fee else NOTHING
    if p.is_isolated:
        left = Fraction(p.entry - books.wallets[p.account][p.wallet])
    else:
        left = p.contract.at_mark(p.lots) - _share(books, p)
    least = 1 if isinstance(p.terms, Inverse) else 0
    value = max(least, ceil(left / (1 - fee)) if p.entry > 0 else floor(-left / (1 + fee)))
    price = p.contract.price_of(abs(p.lots), value)
    return value, ceil(price) if p.lots > 0 else floor(price)


def _share(books: Books, p: Position) -> Fraction:
    """What a position has of its pool's equity, by maintenance margin, in its settle asset."""

    def index(asset: str) -> Fraction:
        return index_of(books, asset) if p.owner.multi else Fraction(1)

    pool = carried(books, p.account, p.pool)
    margins = {other: position_margin(books, other).maintenance * index(other.terms.settle) for other in pool}
    equity = margin(books, p.account, p.pool).equity
    return equity * margins[p] / sum(margins.values(), NOTHING) / index(p.terms.settle)


def order_placed(books: Books, fact: f.LiquidationOrderPlaced) -> None:
    """All of a position, or what brings it into the bracket below, limited at its bankruptcy price."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    books.hold("its pool is being liquidated", is_running(books, p) and not books.hands_over, fact)
    if books.rules.liquidation.style is not LiquidationStyle.FULL:
        _check_fees_charged(books, p.account, p.pool)
        books.closed.clear()
        books.hold("its pool is still due", is_due(books, p.account, p.pool), fact)
    if books.rules.liquidation.style in (LiquidationStyle.SLICES, LiquidationStyle.AUCTION):
        books.sliced |= _wanted(books, p) < abs(p.lots)
    books.capped |= _asked(books, p) < _wanted(books, p)
    price = bankruptcy(books, p)[1]
    books.check("lots of the forced order", (-1 if p.lots > 0 else 1) * _asked(books, p), SIGN[fact.side] * fact.lots)
    books.check("mark of the forced order", p.contract.mark, fact.mark)
    books.check("bankruptcy price", price, fact.bankruptcy)
    books.check("limit of the forced order", _limit(books, p, price), fact.limit)
    _drop(books, p.account, is_cut_off=False)
    books.layers = list(books.rules.liquidation.last_resort)
    if p.terms.liquidation_cap:
        p.contract.liquidated = p.terms.liquidation_cap - room(books, p.contract) + fact.lots
        p.contract.liquidated_at = books.now
    p.orders[LIQUIDATION_ORDER] = Order(fact.side, fact.lots, fact.limit, reduce_only=True)
    books.placed[p.account, LIQUIDATION_ORDER] = p


def _asked(books: Books, p: Position) -> int:
    """How many lots a forced order closes: what is wanted, as far as the cap of the instrument goes."""
    return min(_wanted(books, p), room(books, p.contract))


def _wanted(books: Books, p: Position) -> int:
    """How many lots a forced order closes: all; the fewest that leave the notional below the bracket's floor; a part of
    what is large, out of the cooldown.
    """
    size, rules = abs(p.lots), books.rules.liquidation
    if rules.style in (LiquidationStyle.FULL, LiquidationStyle.AUCTION):
        return size
    notional = abs(p.contract.at_mark(p.lots))
    if rules.style is LiquidationStyle.SLICES:
        is_large = notional > rules.slice_above and books.now >= p.owner.cooldown
        return ceil(size * rate(rules.slice)) if is_large else size
    bracket = [bracket for bracket in p.terms.brackets if bracket.floor <= notional][-1]
    if not bracket.floor:
        return size
    kept = floor((bracket.floor - GRAIN) / abs(p.contract.worth(1, p.contract.mark)))
    return size - min(kept, size - 1)


def is_running(books: Books, p: Position) -> bool:
    """Whether the position's pool is being liquidated."""
    running = books.running
    return running is not None and (running.account, running.pool) == (p.account, p.pool)


def evened_out(books: Books, fact: f.LiquidationFeeCharged | f.DeficitCovered) -> None:
    """The fee on what was closed in the book, at most what is left; or all that is missing."""
    running, asset = books.running, books.asset_of(fact.account, fact.pool)
    pools = [(fact.account, fact.pool)]
    if books.accounts[fact.account].multi and fact.pool in books.collateral:
        pools.append((fact.account, MULTI))
    may = running is not None and (running.account, running.pool) in pools
    books.hold("its pool is being liquidated", may, fact)
    left, amount = _left_in(books, fact.account, fact.pool), -fact.amount
    if isinstance(fact, f.LiquidationFeeCharged):
        left, amount = min(left, _fees(books).get((asset, fact.fund), 0)), fact.amount
        _forget_closed(books, asset, fact.fund)
    else:
        own = books.positions[fact.account].get(fact.pool)
        books.check("the fund that covers it", books.fund(own.terms.id) if own else INSURANCE, fact.fund)
    books.check("fee or deficit", left, amount, asset)
    books.hold("fee or deficit is more than nothing", fact.amount > 0, fact)
    books.pay(fact.account, fact.pool, -amount)
    books.pay(fact.fund, asset, amount)
    if isinstance(fact, f.DeficitCovered):
        books.report.deficits[asset] += fact.amount


def _fees(books: Books) -> Counter[tuple[str, str]]:
    """The liquidation fees on what was closed in the book and is not charged yet, by asset and fund."""
    fees = Counter[tuple[str, str]]()
    for p, value in books.closed.items():
        fees[p.terms.settle, books.fund(p.terms.id)] += ceil(value * rate(p.terms.liquidation_fee))
    return +fees


def _forget_closed(books: Books, asset: str, fund: str) -> None:
    """A fee is charged once."""
    for p in [p for p in books.closed if (p.terms.settle, books.fund(p.terms.id)) == (asset, fund)]:
        del books.closed[p]


def _check_fees_charged(books: Books, account: str, pool: str) -> None:
    """Of each liquidation fee as much was charged as there was left to pay it from."""
    for (asset, _), fee in _fees(books).items():
        left = _left_in(books, account, asset if pool == MULTI else pool)
        books.check("liquidation fee that was not charged", 0, max(0, min(fee, left)), asset)


def _left_in(books: Books, account: str, pool: str) -> int:
    """What a pool has left, atoms; in multi-asset mode a wallet, at most the equity of all while a position is open."""
    equity = margin(books, account, pool).equity
    if not books.accounts[account].multi or pool not in books.collateral:
        return floor(equity)
    balance, index = books.wallets[account][pool], index_of(books, pool)
    if not carried(books, account, MULTI):
        return balance
    return min(balance, floor(margin(books, account, MULTI).equity / index)) if index else 0


def cooldown_started(books: Books, fact: f.CooldownStarted) -> None:
    """After a slice, for the time of the pack."""
    running = books.running
    may = books.sliced and running is not None and running.account == fact.account
    books.hold("a slice was taken", may, fact)
    books.check("end of the cooldown", books.now + books.rules.liquidation.cooldown, fact.until)
    books.accounts[fact.account].cooldown = fact.until
    books.sliced, books.cools = False, True


def ended(books: Books, fact: f.LiquidationEnded) -> None:
    """Closed, with nothing below zero, or reduced or cured and no longer due but after slices and caps; the pool is its
    owner's again. Or as much was reduced as a full batch had room for.
    """
    key, closed = (fact.account, fact.pool), fact.outcome is f.LiquidationOutcome.CLOSED
    started = fact.outcome is not f.LiquidationOutcome.CURED
    equity, wallets = margin(books, *key).equity, books.wallets[fact.account]
    is_over = equity >= 0 and not carried(books, *key) if closed else not is_due(books, *key)
    is_full = books.report.records - books.began >= books.room - 2 - len(_fees(books))
    waits = not any(room(books, p.contract) for p in carried(books, *key))
    goes_on = books.cools or books.capped or books.stepped or is_full or waits
    done = is_over or (fact.outcome is f.LiquidationOutcome.REDUCED and goes_on)
    _drop(books, fact.account, is_full and fact.outcome is f.LiquidationOutcome.REDUCED)
    if not books.stepped:
        books.auctions.pop(key, None)
    _check_fees_charged(books, *key)
    books.hold("a slice has its cooldown", not books.sliced, fact)
    books.hold("it ends closed or cured, not below zero", done, equity)
    books.check("equity at the end, rounded down", floor(equity), fact.equity, books.asset_of(*key))
    books.check("whether it had started", started, books.running is not None)
    books.hold("it waits for nothing", key not in books.put_off, fact)
    books.check("place in the queue", None, books.queue.pop(key, "none"))
    books.report.liquidations[fact.outcome.value] += 1
    books.running, books.step = None, None
    books.cools = books.capped = books.stepped = False
    books.closed.clear()
    books.touch(*key)
    if fact.pool in books.positions[fact.account] and not carried(books, *key):
        books.pay(fact.account, books.asset_of(*key), wallets.pop(fact.pool, 0))


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.MarginCalled: margin_called,
    f.MarginRecovered: margin_recovered,
    f.LiquidationStarted: started,
    f.LiquidationOrderPlaced: order_placed,
    f.LiquidationFeeCharged: evened_out,
    f.DeficitCovered: evened_out,
    f.AuctionStepped: auction_stepped,
    f.CooldownStarted: cooldown_started,
    f.LiquidationEnded: ended,
}
"""Fact -> what it has to agree with, and what it changes."""
