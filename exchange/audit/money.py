"""Rules of the facts about an account's money, modes and leverage."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import MARKET
from events.instruments import MarginMode
from events.rules import LeverageChange, ModeSwitch
from events.units import UNIT
from exchange.audit.books import Books, Position
from exchange.audit.contract import NOTHING, rate
from exchange.audit.pools import available, index_of, is_due, margin, may_leave, owes_too_much


def account_opened(books: Books, fact: f.AccountOpened) -> None:
    """A new name, with nothing in it."""
    books.add_account(fact.account)


def deposited(books: Books, fact: f.Deposited) -> None:
    """Money from outside."""
    books.hold("what enters is more than nothing", fact.amount > 0, fact)
    books.pay(fact.account, fact.asset, fact.amount)
    books.report.entered[fact.asset] += fact.amount


def withdrawn(books: Books, fact: f.Withdrawn) -> None:
    """Money that nothing needs, to the outside."""
    _leaves(books, fact)
    books.pay(fact.account, fact.asset, -fact.amount)
    books.report.entered[fact.asset] -= fact.amount


def transferred(books: Books, fact: f.Transferred) -> None:
    """Money that nothing needs, to another account."""
    _leaves(books, fact)
    books.hold("it goes to another trader", fact.to != fact.account and not books.accounts[fact.to].is_exempt, fact)
    books.pay(fact.account, fact.asset, -fact.amount)
    books.pay(fact.to, fact.asset, fact.amount)


def _leaves(books: Books, fact: f.Withdrawn | f.Transferred) -> None:
    books.hold("money may leave", ("gate", "") not in books.timers, fact)
    may = fact.amount > 0 and may_leave(books, fact.account, fact.asset, fact.amount)
    books.hold("a withdrawal leaves what is needed", may, fact)


def exchanged(books: Books, fact: f.Exchanged) -> None:
    """At the index, rounded down, less the fees of both spot pairs, rounded up; MARKET is the other side."""
    given, taken = index_of(books, fact.asset), index_of(books, fact.into)
    may = given > 0 and taken > 0 and fact.asset != fact.into
    books.hold("both prices are known, and the assets not the same", may, fact)
    gross = floor(fact.amount * given / taken)
    fee = ceil(gross * (_fee(books, fact.asset) + _fee(books, fact.into)))
    books.check("fee of the exchange, rounded up", fee, fact.fee, fact.into)
    books.check("received for it, rounded down", gross - fee, fact.received, fact.into)
    before, debt = available(books, fact.account, fact.asset), -books.wallets[fact.account][fact.into]
    asked = isinstance(books.command, c.ExchangeAsset)
    if asked:
        most = books.wallets[fact.account][fact.asset]
        alone = not books.accounts[fact.account].multi
        may = may_leave(books, fact.account, fact.asset, fact.amount) if alone else fact.amount <= most
        books.hold("what is given is free", fact.amount > 0 and may, fact)
    else:
        _covers(books, fact, debt)
    books.pay(fact.account, fact.asset, -fact.amount)
    books.pay(fact.account, fact.into, fact.received)
    books.pay(MARKET, fact.asset, fact.amount)
    books.pay(MARKET, fact.into, -fact.received - fact.fee)
    books.report.fees[fact.into] += fact.fee
    if asked and books.accounts[fact.account].multi:
        left = available(books, fact.account, fact.asset)
        books.hold("positions and orders stay covered", left >= min(before, NOTHING), left)


def _fee(books: Books, asset: str) -> Fraction:
    pair = books.pairs.get(books.collateral[asset].index)
    return rate(pair.fee) if pair else NOTHING


def _covers(books: Books, fact: f.Exchanged, debt: int) -> None:
    """All that there is, or the least that pays the whole debt."""
    there = books.wallets[fact.account][fact.asset]
    price = index_of(books, fact.asset) / index_of(books, fact.into)
    fees = _fee(books, fact.asset) + _fee(books, fact.into)
    gross = ceil(debt / (1 - fees))
    least = min(there, ceil(gross / price))
    books.hold("a debt is paid out of a balance", debt > 0 and there > 0, fact)
    books.check("the least that pays the debt, or all that there is", least, fact.amount, fact.asset)


def debts_exchanged(books: Books, fact: f.DebtsExchanged) -> None:
    """Nothing beyond a limit is left, or nothing to give for it."""
    books.check("it was due", None, books.exchanging.pop(fact.account, "not due"))
    books.hold("no debt beyond its limit is left", not owes_too_much(books, fact.account), fact)
    books.touch(fact.account, next(iter(books.collateral)))


def interest_paid(books: Books, fact: f.InterestPaid) -> None:
    """What is owed x the rate, rounded up."""
    key = fact.account, fact.asset
    books.hold("interest was due", books.interest[key] > 0, fact)
    books.interest[key] -= 1
    debt = max(0, -books.wallets[fact.account][fact.asset])
    owed = ceil(debt * rate(books.collateral[fact.asset].interest))
    books.check("interest on the debt, rounded up", owed, fact.amount, fact.asset)
    books.pay(fact.account, fact.asset, -fact.amount)
    books.report.interest[fact.asset] += fact.amount


def leverage_set(books: Books, fact: f.LeverageSet) -> None:
    """The leverage of both legs; where one of them is isolated and open, a lower one only if the venue allows it."""
    legs = books.legs(fact.account, fact.instrument)
    keeps = fact.leverage >= legs[0].leverage or books.rules.leverage_change is not LeverageChange.WHEN_FLAT
    flat = not any(p.is_isolated and p.lots for p in legs)
    books.hold("leverage of an open isolated position is not lowered", keeps or flat, fact)
    books.hold("leverage on offer", 1 <= fact.leverage <= legs[0].terms.brackets[0].max_leverage, fact)
    legs[0].setting.leverage = fact.leverage
    books.touch_all(legs)


def margin_mode_set(books: Books, fact: f.MarginModeSet) -> None:
    """Without orders, and without a position unless the venue lets modes switch then."""
    legs = books.legs(fact.account, fact.instrument)
    may = all(not (p.orders or p.waiting) for p in legs)
    may = may and (books.rules.mode_switch is ModeSwitch.WHEN_OPEN or all(not p.lots for p in legs))
    books.hold("what is open where a mode is set", may, fact)
    isolated = fact.mode is MarginMode.ISOLATED
    books.hold("multi-asset mode is cross", not (isolated and books.accounts[fact.account].multi), fact)
    books.touch_all(legs)
    legs[0].setting.is_isolated = isolated
    books.touch_all(legs)
    books.forget_warnings(fact.account)


def auto_add_margin_set(books: Books, fact: f.AutoAddMarginSet) -> None:
    """For both legs."""
    books.position(fact.account, fact.instrument).setting.auto_add = fact.on


def position_mode_set(books: Books, fact: f.PositionModeSet) -> None:
    """One position or two legs: nothing may be open."""
    mine = books.positions[fact.account].values()
    books.hold("nothing is open", not any(p.lots or p.orders or p.waiting for p in mine), fact)
    books.accounts[fact.account].hedges = fact.hedges


def collateral_mode_set(books: Books, fact: f.CollateralModeSet) -> None:
    """All cross, and enough of it, to join; without orders, and each wallet on its own, to part."""
    account, mine = books.accounts[fact.account], books.positions[fact.account].values()
    books.hold("the venue has collateral", bool(books.collateral), fact)
    joins, parts = fact.multi and not account.multi, account.multi and not fact.multi
    books.hold("isolated positions stay out", not joins or not any(p.is_isolated and p.lots for p in mine), fact)
    books.hold("orders are out", not parts or not any(p.orders or p.waiting for p in mine), fact)
    account.multi = fact.multi
    books.forget_warnings(fact.account)
    if parts:
        books.exchanging.pop(fact.account, None)
    for asset in books.collateral:
        books.touch(fact.account, asset)
        alone = not parts or not (is_due(books, fact.account, asset) or books.wallets[fact.account][asset] < 0)
        books.hold("each wallet answers for its own", alone, asset)
    if joins:
        free = available(books, fact.account, books.rules.valuation)
        books.hold("all wallets together carry all", free >= 0, free)


def margin_moved(books: Books, fact: f.MarginMoved) -> None:
    """Between the cross wallet and an isolated one: what is free, what brings it back, what goes with its mode."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    books.hold("its position is isolated and open", p.is_isolated and p.lots != 0, fact)
    wallet, amount = books.wallets[fact.account], fact.amount
    if isinstance(books.command, c.SetMarginMode):
        given = p.contract.margin_given(1 if p.lots > 0 else -1, abs(p.entry), p.leverage)
        expected = given if books.command.mode is MarginMode.ISOLATED else -wallet[p.wallet]
        books.check("margin that goes with the mode", expected, amount, p.terms.settle)
    elif isinstance(books.command, c.SetLeverage):
        lack = p.contract.margin_given(1 if p.lots > 0 else -1, abs(p.entry), p.leverage) - wallet[p.wallet]
        books.check("margin that goes with the leverage", lack, amount, p.terms.settle)
        resets = books.rules.leverage_change is LeverageChange.RESETS_MARGIN
        may = may_leave(books, p.account, p.terms.settle, amount) if amount > 0 else resets
        books.hold("margin that goes with the leverage is free", may, fact)
    elif amount > 0:
        may = may_leave(books, p.account, p.terms.settle, amount)
        books.hold("margin moved is free, and its position isolated", may, fact)
        if isinstance(books.command, c.AddMargin):
            books.check("margin asked for", books.command.amount, amount, p.terms.settle)
        else:
            _brings_back(books, p, amount)
    else:
        equity, initial, _ = margin(books, p.account, p.pool)
        may = -amount <= min(equity - initial, Fraction(wallet[p.wallet]))
        books.hold("margin moved is free, and its position isolated", may, fact)
    books.pay(p.account, p.terms.settle, -amount)
    books.pay(p.account, p.wallet, amount)


def _brings_back(books: Books, p: Position, amount: int) -> None:
    """The initial margin, or what makes the position safe, up to where it is fully paid, or all that is free."""
    books.hold("margin is added where that was wanted", p.setting.auto_add, amount)
    books.hold("margin is added to what is due", is_due(books, p.account, p.pool), amount)
    equity, initial, maintenance = margin(books, p.account, p.pool)
    unpaid = abs(p.entry) - books.wallets[p.account][p.wallet]
    wanted = min(unpaid, max(ceil(initial), ceil(maintenance - equity + Fraction(1, UNIT))))
    enough = amount == wanted or not may_leave(books, p.account, p.terms.settle, amount + 1)
    books.hold("it is the initial margin, or all that is free", amount <= wanted and enough, (wanted, amount))


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.AccountOpened: account_opened,
    f.Deposited: deposited,
    f.Withdrawn: withdrawn,
    f.Transferred: transferred,
    f.Exchanged: exchanged,
    f.DebtsExchanged: debts_exchanged,
    f.InterestPaid: interest_paid,
    f.LeverageSet: leverage_set,
    f.MarginModeSet: margin_mode_set,
    f.AutoAddMarginSet: auto_add_margin_set,
    f.PositionModeSet: position_mode_set,
    f.CollateralModeSet: collateral_mode_set,
    f.MarginMoved: margin_moved,
}
"""Fact -> what it has to agree with, and what it changes."""
