"""Rules of the facts about the session as a whole: its opening, time, prices, and what falls due by them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import INSURANCE, MARKET
from events.rules import FundingPrice
from exchange.audit import triggers
from exchange.audit.books import Books
from exchange.audit.clock import funding_rate, next_time, settlement_price
from exchange.audit.contract import NOTHING, Contract, rate
from exchange.audit.guards import released
from exchange.audit.phases import OPENING, stopped
from exchange.audit.pools import is_due, is_warned, margin, owes_too_much

FUNDING, SETTLEMENT, INTEREST = "funding", "settlement", "interest"


def session_opened(books: Books, fact: f.SessionOpened) -> None:
    """Rules, instruments, the participants of the house, and the first timers."""
    books.hold("a session is opened once", books.pack is None, fact)
    books.pack, books.options = fact.pack, fact.options
    books.contracts = {terms.id: Contract(terms, fact.pack) for terms in fact.pack.instruments}
    books.collateral = {rule.asset: rule for rule in fact.pack.collateral}
    books.pairs = {pair.id: pair for pair in fact.pack.spot}
    books.house = tuple(dict.fromkeys((MARKET, INSURANCE, *map(books.fund, books.contracts))))
    for name in books.house:
        books.add_account(name)
    for contract in books.contracts.values():
        if contract.terms.expiry:
            books.timers[SETTLEMENT, contract.terms.id] = contract.terms.expiry
        elif books.computes_funding:
            books.timers[FUNDING, contract.terms.id] = next_time(books.now, contract.terms.funding_interval)
        if fact.options.opening_auction:
            books.timers[OPENING, contract.terms.id] = books.now
    if fact.pack.interest_interval and books.collateral:
        books.timers[INTEREST, ""] = next_time(books.now, fact.pack.interest_interval)


def nothing(_books: Books, _fact: f.Fact) -> None:
    """It only says something."""


def trading(books: Books, instrument: str) -> Contract:
    """An instrument that has not expired."""
    contract = books.contracts[instrument]
    books.hold("the instrument has not expired", not contract.is_expired, instrument)
    return contract


def market_advanced(books: Books, fact: f.MarketAdvanced) -> None:
    """History goes on in the instrument that was named, row after row."""
    trading(books, fact.instrument)
    command = books.command
    if isinstance(command, c.AdvanceMarket):
        books.check("first row", command.first_row if books.row is None else books.row + 1, fact.first_row)
        books.hold("rows asked for", fact.first_row <= fact.last_row <= command.last_row, fact)
        books.row = fact.last_row
    triggers.market_advanced(books, fact)


def funding_due(books: Books, fact: f.FundingDue) -> None:
    """At the price that the venue takes, at the rate that was given or that the premium comes to; summing to zero."""
    contract = trading(books, fact.instrument)
    by_index = books.rules.funding_price is FundingPrice.INDEX
    books.check("mark of the funding", contract.index if by_index else contract.mark, fact.mark)
    at = books.timers.get((FUNDING, fact.instrument))
    if at is not None and at <= books.now:
        known = fact.mark and contract.average.is_known
        expected = funding_rate(contract, at, books.rules) if known else NOTHING
        books.check("rate of the premium", expected, Fraction(fact.rate, fact.over))
        books.timers[FUNDING, fact.instrument] = next_time(books.now, contract.terms.funding_interval)
    elif isinstance(books.command, c.ApplyFunding):
        books.check("rate asked for", books.command.rate, fact.rate)
    contract.average.restart(books.now if at is None or at > books.now else at)
    if not fact.mark:
        return
    total = 0
    for p in contract.holders:
        amount = floor(-contract.notional(p.lots, fact.mark) * rate(fact.rate) / fact.over)
        books.owed.setdefault((p.account, p.name), []).append((p.lots, amount))
        total += amount
    books.hold("funding sums to zero but for rounding", -len(contract.holders) <= total <= 0, total)


def funding_paid(books: Books, fact: f.FundingPaid) -> None:
    """As it fell due: positions settle before they change."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    owed = books.owed.get((p.account, p.name))
    books.check("lots and funding, as when it fell due", owed.pop(0) if owed else None, (p.lots, fact.amount))
    books.pay(p.account, p.wallet, fact.amount)
    books.report.remainders[p.terms.settle] -= fact.amount


def settlement_due(books: Books, fact: f.SettlementDue) -> None:
    """At expiry, at the index: whoever holds the contract or has an order in it is settled."""
    contract = trading(books, fact.instrument)
    expiry = books.timers.pop((SETTLEMENT, fact.instrument), None)
    books.hold("it expired", expiry is not None and expiry <= books.now, fact)
    books.check("settlement price", settlement_price(contract), fact.price)
    contract.is_expired = True
    stopped(books, contract)
    released(books, fact.instrument)
    for positions in books.positions.values():
        for p in positions.values():
            if p.contract is contract and (p.lots or p.orders or p.waiting):
                books.settling[p.account, p.name] = fact.price


def position_settled(books: Books, fact: f.PositionSettled) -> None:
    """What it is worth, rounded down, less what it cost; the fee on that worth, rounded up."""
    p = books.position(fact.account, fact.instrument, fact.leg)
    price = books.settling.pop((p.account, p.name), None)
    books.check("settlement price", price, fact.price)
    books.check("orders of what settles", {}, p.orders | p.waiting)
    worth, asset = floor(p.contract.worth(p.lots, fact.price)), p.terms.settle
    fee = 0 if p.owner.is_exempt else ceil(abs(worth) * rate(p.terms.settlement_fee))
    books.check("PnL at settlement, rounded down", worth - p.entry, fact.amount, asset)
    books.check("fee of the settlement, rounded up", fee, fact.fee, asset)
    books.report.fees[asset] += fee
    books.report.remainders[asset] -= worth
    books.touch(p.account, p.wallet)
    books.pay(p.account, p.wallet, fact.amount - fee)
    p.contract.open_interest -= max(0, p.lots)
    books.settled[fact.instrument] += p.lots
    p.lots = p.entry = 0
    p.contract.holders.pop(p, None)
    if p.contract.scales:
        books.touch_all(p.contract.holders)
    if p.is_isolated and books.wallets[p.account][p.name] > 0:
        books.pay(p.account, asset, books.wallets[p.account].pop(p.name))


def interest_due(books: Books, fact: f.InterestDue) -> None:
    """Debts in multi-asset mode that cost interest have to pay it."""
    at = books.timers.get((INTEREST, ""))
    books.hold("a time of interest passed", at is not None and at <= books.now, fact)
    owing = [
        (account.name, asset)
        for account in books.accounts.values()
        for asset, rule in books.collateral.items()
        if account.multi and rule.interest and books.wallets[account.name][asset] < 0
    ]
    books.interest.update(owing)
    made_up = at if owing and at is not None else books.now
    books.timers[INTEREST, ""] = next_time(made_up, books.rules.interest_interval)


def exchange_due(books: Books, fact: f.ExchangeDue) -> None:
    """A debt beyond its limit, named once."""
    may = books.accounts[fact.account].multi and fact.account not in books.exchanging
    books.hold("only whose debts are beyond a limit is named", may and owes_too_much(books, fact.account), fact)
    books.exchanging[fact.account] = None


def liquidation_due(books: Books, fact: f.LiquidationDue) -> None:
    """Only who is due, and once."""
    key = fact.account, fact.pool
    found = margin(books, *key)
    books.hold("only who is due is named, once", is_due(books, *key) and key not in books.queue, found)
    books.hold("who is due was warned", key in books.warned or not is_warned(books, *key), found)
    books.queue[key] = None


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.SessionOpened: session_opened,
    f.Refused: nothing,
    f.TimeAdvanced: nothing,
    f.MarketAdvanced: market_advanced,
    f.FundingDue: funding_due,
    f.FundingPaid: funding_paid,
    f.SettlementDue: settlement_due,
    f.PositionSettled: position_settled,
    f.InterestDue: interest_due,
    f.ExchangeDue: exchange_due,
    f.LiquidationDue: liquidation_due,
}
"""Fact -> what it has to agree with, and what it changes."""
