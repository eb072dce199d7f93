"""Orders and trades of a session: what became of each order, what each fill cost beside the quote, what it settled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any

from events import facts as f
from events.commands import AccountId
from events.instruments import InstrumentId
from exchange.core.apply import APPLY
from exchange.core.contract import Contract
from exchange.core.matching.made_up import BOOKLESS
from exchange.core.state import State
from replay.report.accounts import AccountReport, Dot
from replay.report.deals import DEALS, IS_FORCED, Deal, How, deals_of
from replay.report.fills import NO_QUOTE, Key, Markouts, OpenOrder, Quote, Role, points_of, quote_of
from replay.report.money import Parts

ROLES = {How.MAKER: Role.MAKER, How.TAKER: Role.TAKER, How.FORCED: Role.FORCED}
"""Deals that are fills: those in the book."""


class Trading:
    """Follows the orders and trades of the accounts; every fact that it looks at it applies itself."""

    def __init__(self, state: State, accounts: Mapping[AccountId, AccountReport]) -> None:
        self.state = state
        self.accounts = accounts
        self.open: dict[Key, OpenOrder] = {}
        self._forced: dict[AccountId, Quote] = {}
        self._markouts: dict[InstrumentId, Markouts] = {}

    def take(self, fact: Any) -> None:
        """Apply a fact of orders or trades, and count it."""
        _TAKE[type(fact)](self, fact)

    def pass_time(self, until: int) -> None:
        """Nothing happened in any book until then: whatever is due by then is compared with the mid as it is."""
        for instrument, markouts in self._markouts.items():
            due = markouts.next()
            if due is not None and due <= until:
                markouts.settle(until, quote_of(self.state.contracts[instrument]).mid)

    def market(self, fact: f.MarketAdvanced) -> None:
        """History's rows go into the book: up to each time at which a fill is to be compared with the mid, and on."""
        columns, first = self.state.columns[fact.chunk], fact.first_row
        contract = self.state.contracts[fact.instrument]
        markouts = self._markouts.get(fact.instrument)
        if contract.book.by_trades and any(kind not in BOOKLESS for kind in columns.kind[first : fact.last_row + 1]):
            markouts = None  # the book that was made up goes with the first of these rows, and all at once
        while markouts is not None and (due := markouts.next()) is not None:
            row = bisect_right(columns.at, due, first, fact.last_row + 1)
            if row > fact.last_row:
                break
            if row > first:
                contract.feed.advance(columns, first, row - 1)
                first = row
            markouts.settle(due, quote_of(contract).mid)
        APPLY[f.MarketAdvanced](self.state, f.MarketAdvanced(fact.instrument, fact.chunk, first, fact.last_row))

    def accepted(self, fact: f.OrderAccepted) -> None:
        """An order is about to meet the book."""
        APPLY[f.OrderAccepted](self.state, fact)
        if its := self.accounts.get(fact.account):
            its.orders.placed += 1
            quote = quote_of(self.state.contracts[fact.instrument])
            self.open[Key(fact.account, fact.number)] = OpenOrder(fact.instrument, quote, fact.lots)

    def rested(self, fact: f.OrderRested) -> None:
        """It joined the queue."""
        APPLY[f.OrderRested](self.state, fact)
        if order := self.open.get(Key(fact.account, fact.number)):
            order.rested_at, order.has_traded = self.state.now, False

    def amended(self, fact: f.OrderAmended) -> None:
        """It has another size or price, and unless it keeps its place it meets the book anew."""
        APPLY[f.OrderAmended](self.state, fact)
        if order := self.open.get(Key(fact.account, fact.number)):
            self.accounts[fact.account].orders.amended += 1
            order.left = fact.left
            if not fact.keeps_priority:
                order.rested_at = None
                order.quote = quote_of(self.state.contracts[InstrumentId(order.instrument)])

    def shrunk(self, fact: f.OrderShrunk) -> None:
        """It has less to do."""
        APPLY[f.OrderShrunk](self.state, fact)
        if order := self.open.get(Key(fact.account, fact.number)):
            order.left = fact.left

    def ended(self, fact: f.OrderCancelled | f.OrderExpired) -> None:
        """It ended before it was filled, or waited for a price that never came."""
        APPLY[type(fact)](self.state, fact)
        self.open.pop(Key(fact.account, fact.number), None)
        if (its := self.accounts.get(fact.account)) is None:
            return
        if isinstance(fact, f.OrderExpired):
            its.orders.expired[fact.why.value] += 1
        else:
            its.orders.cancelled += 1

    def placed(self, fact: f.TriggerPlaced) -> None:
        """A conditional order waits."""
        APPLY[f.TriggerPlaced](self.state, fact)
        if its := self.accounts.get(fact.account):
            its.orders.conditional += 1

    def forced(self, fact: f.LiquidationOrderPlaced) -> None:
        """A forced order is about to meet the book."""
        self._forced[fact.account] = quote_of(self.state.contracts[fact.instrument])
        APPLY[f.LiquidationOrderPlaced](self.state, fact)

    def dealt(self, fact: Any) -> None:
        """Positions trade."""
        contract = self.state.contracts[fact.instrument]
        deals = [deal for deal in deals_of(self.state, fact) if deal.position.account in self.accounts]
        quote = quote_of(contract) if deals else NO_QUOTE
        APPLY[type(fact)](self.state, fact)
        for deal in deals:
            self._count(contract, deal)
            if deal.how in ROLES:
                self._fill(contract, deal, ROLES[deal.how], fact.price, quote)

    def _count(self, contract: Contract, deal: Deal) -> None:
        """The money of a deal, and the round trip that it belongs to."""
        its, realised = self.accounts[deal.position.account], deal.realised
        parts = its.part(contract.settle, contract.id)
        _add_fee(parts, deal)
        if deal.how in IS_FORCED:
            parts.liquidated += realised
        elif deal.how is How.DELEVERAGED:
            parts.deleveraged += realised
        else:
            parts.realised += realised
        trips = its.trips(contract.id, deal.position.name)
        trips.trade(self.state.now, deal.before.lots, deal.after.lots, deal.lots, realised, deal.fee)

    def _fill(self, contract: Contract, deal: Deal, role: Role, price: int, quote: Quote) -> None:
        """A fill beside the quote, and how long it waited in the queue."""
        name, now = deal.position.account, self.state.now
        its = self.accounts[name].of(contract.id)
        key = Key(name, deal.number)
        order = self.open.get(key)
        asked = order.quote if order else self._forced.get(name, NO_QUOTE)
        figures = its.in_role(role)
        figures.add(deal.sign, price, deal.lots, deal.value, asked, quote)
        if asked.mid:
            its.slips.add(points_of(deal.sign, 2 * price, asked.mid), deal.lots)
        its.dots.add(Dot(now, price, deal.sign * deal.lots, role))
        if contract.id not in self._markouts:
            self._markouts[contract.id] = Markouts()
        self._markouts[contract.id].add(now, figures, deal.sign, price, deal.lots)
        if order is not None:
            self._wait(key, order, role, deal.lots)

    def _wait(self, key: Key, order: OpenOrder, role: Role, lots: int) -> None:
        """An order traded: it may be the first time since it rests, and the last."""
        queue = self.accounts[key.account].of(InstrumentId(order.instrument)).queue
        order.left -= lots
        waited = None if order.rested_at is None or role is not Role.MAKER else self.state.now - order.rested_at
        if waited is not None and not order.has_traded:
            queue.first.add(waited)
            order.has_traded = True
        if not order.left:
            if waited is not None:
                queue.whole.add(waited)
            self.accounts[key.account].orders.filled += 1
            del self.open[key]


def _add_fee(parts: Parts, deal: Deal) -> None:
    if deal.how in IS_FORCED:
        parts.forced_fees += deal.fee
    elif deal.how is How.MAKER:
        parts.maker_fees += deal.fee
    else:
        parts.taker_fees += deal.fee


_TAKE: dict[type, Callable[[Trading, Any], None]] = {
    f.MarketAdvanced: Trading.market,
    f.OrderAccepted: Trading.accepted,
    f.OrderRested: Trading.rested,
    f.OrderAmended: Trading.amended,
    f.OrderShrunk: Trading.shrunk,
    f.OrderCancelled: Trading.ended,
    f.OrderExpired: Trading.ended,
    f.TriggerPlaced: Trading.placed,
    f.LiquidationOrderPlaced: Trading.forced,
    **dict.fromkeys(DEALS, Trading.dealt),
}
"""Fact -> how it is applied and counted."""

TRADING = frozenset(_TAKE)
"""The facts of orders and trades."""
