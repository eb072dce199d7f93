"""An auditor: folds a log with arithmetic of its own, and says where a record does not add up.

It shares no code with the core: balances, exact entry values, order reserves and margins are computed anew, by
fractions of atoms. Source of every rule: `docs/margin.md`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from events import facts as f
from events.commands import INSURANCE, MARKET, Side
from events.instruments import Instrument, MarginMode
from events.record import Batch
from events.units import UNIT

EXEMPT = (MARKET, INSURANCE)
SIGN = {Side.BUY: 1, Side.SELL: -1}


class AuditError(Exception):
    """A record that does not add up; the message names its number and the figures that differ."""


class Margin(NamedTuple):
    """A pool, or a position in it, at the present marks."""

    equity: Fraction
    initial: Fraction
    maintenance: Fraction


@dataclass(slots=True)
class Report:
    """What was audited: numbers of batches and records, facts by kind, liquidations by outcome; atoms by asset."""

    batches: int = 0
    records: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    liquidations: Counter[str] = field(default_factory=Counter)
    entered: Counter[str] = field(default_factory=Counter)
    fees: Counter[str] = field(default_factory=Counter)
    remainders: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Order:
    """What is open of an order, forced ones too; loss is the open loss of one lot, fixed when it was placed."""

    side: Side
    lots: int
    price: int | None
    reduce_only: bool
    loss: Fraction = Fraction()


@dataclass(slots=True)
class Position:
    """An account in an instrument: pool that answers for it, signed lots, exact entry value, open orders by number."""

    account: str
    terms: Instrument
    leverage: int
    pool: str
    lots: int = 0
    entry: int = 0
    orders: dict[int, Order] = field(default_factory=dict)


def audit(batches: Iterable[Batch]) -> Report:
    """Audit a whole log, from its first batch on. Raises AuditError."""
    auditor = Auditor()
    for batch in batches:
        auditor.observe(batch)
    return auditor.report


def _worth(terms: Instrument, lots: int, price: int) -> Fraction:
    """Value of lots at a price in mark units, signed like the lots."""
    return Fraction(lots * terms.lot * price, UNIT)


class Auditor:
    """Observes the batches of a session in order; what it knows is open for comparison.

    A pool is named by its asset or, where a position is isolated, by its instrument; queue holds those that are due.
    """

    def __init__(self) -> None:
        self.report = Report()
        self.terms: dict[str, Instrument] = {}
        self.marks: Counter[str] = Counter()
        self.wallets: dict[str, Counter[str]] = {}
        self.positions: dict[str, dict[str, Position]] = {}
        self.queue: dict[tuple[str, str], None] = {}
        self._leverage = 0
        self._owed: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self._touched: dict[str, None] = {}
        self._running: f.LiquidationStarted | None = None
        self._closed: Counter[str] = Counter()

    def observe(self, batch: Batch) -> None:
        """Take one more batch. Raises AuditError."""
        self.report.batches += 1
        for record, before in zip(batch.records, [None, None, *batch.facts], strict=False):
            self._check("number of the record", self.report.records + 1, record.seq)
            self.report.records = record.seq
            if record.seq != batch.first_seq:
                self._observe(record.message, before)
        self._check("liquidation under way when a batch ends", None, self._running)
        self._check_due()
        self._check_money()

    def margin(self, account: str, pool: str) -> Margin:
        """Equity, initial and maintenance margin of a pool."""
        parts = [self._margin(p) for p in self._open(account, pool)]
        own = Margin(Fraction(self.wallets[account][pool]), Fraction(), Fraction())
        return Margin(*(sum(amounts, Fraction()) for amounts in zip(own, *parts, strict=True)))

    def is_due(self, account: str, pool: str) -> bool:
        """Whether the pool has to be liquidated: equity <= maintenance, or below zero without a position."""
        equity, _, maintenance = self.margin(account, pool)
        return equity <= maintenance if self._open(account, pool) else equity < 0

    def available(self, account: str, asset: str) -> Fraction:
        """Wallet + cross unrealised PnL - initial margin - order reserves; below zero where the pool is short."""
        parts = [self._contribution(p) for p in self.positions[account].values() if p.terms.settle == asset]
        return sum(parts, Fraction(self.wallets[account][asset]))

    def _open(self, account: str, pool: str) -> list[Position]:
        return [p for p in self.positions[account].values() if p.lots and p.pool == pool]

    def _size(self, p: Position) -> Fraction:
        return _worth(p.terms, p.lots, self.marks[p.terms.id])

    def _margin(self, p: Position) -> Margin:
        """Requirements round up, to grains: 10^-8 atoms."""
        notional = abs(self._size(p))
        bracket = [b for b in p.terms.brackets if b.floor <= notional][-1]
        initial, maintenance = ceil(notional * UNIT / p.leverage), ceil(notional * bracket.mmr) - bracket.cum * UNIT
        return Margin(self._size(p) - p.entry, Fraction(initial, UNIT), Fraction(maintenance, UNIT))

    def _contribution(self, p: Position) -> Fraction:
        size, worth, extra = self._size(p), dict.fromkeys(Side, Fraction()), Fraction()
        for order in p.orders.values():
            if not order.reduce_only and order.price is not None:
                own = _worth(p.terms, order.lots, order.price * p.terms.tick)
                worth[order.side] += own
                extra += order.lots * order.loss + own * p.terms.taker_fee / UNIT
        need = max(abs(size + worth[Side.BUY]), abs(size - worth[Side.SELL])) / p.leverage
        return (abs(size) / p.leverage if p.pool in self.terms else size - p.entry) - need - extra

    def _bankruptcy(self, p: Position) -> tuple[int, int]:
        """Value, and price in mark units, at which its share of the pool's equity is used up: long up, short down."""
        pool, notional = self.margin(p.account, p.pool), abs(self._size(p))
        share = pool.equity * self._margin(p).maintenance / pool.maintenance
        value = max(0, ceil(notional - share) if p.lots > 0 else floor(notional + share))
        price = Fraction(value * UNIT, abs(p.lots) * p.terms.lot)
        return value, ceil(price) if p.lots > 0 else floor(price)

    def _check(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            raise AuditError(f"record {self.report.records}: {what}: expected {expected}, found {found}")

    def _hold(self, what: str, holds: bool, found: object) -> None:
        self._check(what, "this to hold", "this to hold" if holds else found)

    def _check_due(self) -> None:
        for account in [name for name in self._touched if name not in EXEMPT]:
            pools = {*self.wallets[account], *(p.pool for p in self.positions[account].values())}
            due = {pool for pool in pools if (account, pool) not in self.queue and self.is_due(account, pool)}
            self._check(f"what of {account} is due and was not named", set(), due)
        self._touched.clear()

    def _check_money(self) -> None:
        held, lots = Counter(self.report.fees), Counter[str]()
        held.update(self.report.remainders)
        for account, positions in self.positions.items():
            for pool, amount in self.wallets[account].items():
                held[self._asset(pool)] += amount
            for name, p in positions.items():
                held[p.terms.settle] -= p.entry
                lots[name] += p.lots
        self._check("money, by asset", {**dict.fromkeys(held, 0), **self.report.entered}, dict(held))
        self._check("sizes, by instrument", dict.fromkeys(lots, 0), dict(lots))

    def _asset(self, pool: str) -> str:
        return self.terms[pool].settle if pool in self.terms else pool

    def _observe(self, fact: Any, before: Any) -> None:
        kind, account, why = type(fact), getattr(fact, "account", None), getattr(fact, "why", None)
        self.report.facts[kind.__name__] += 1
        alone = kind is not f.Refused or isinstance(before, f.FundingPaid | None)
        last = kind is f.LiquidationDue or not isinstance(before, f.LiquidationDue | f.Refused)
        self._hold("a refusal stands alone, who is due is said last", alone and last, (before, fact))
        if account in self.wallets:
            self._touched[account] = None
            may = self._running is None or account == self._running.account
            may = may or kind is f.FundingPaid or why is f.Expiry.NOTHING_TO_REDUCE
            self._hold("a liquidation leaves other accounts alone", may, fact)
        RULES[kind](self, fact)

    def _opened(self, fact: f.SessionOpened | f.AccountOpened) -> None:
        if isinstance(fact, f.SessionOpened):
            self._leverage, self.terms = fact.pack.default_leverage, {t.id: t for t in fact.pack.instruments}
        for name in EXEMPT if isinstance(fact, f.SessionOpened) else (fact.account,):
            self._hold("the name is free", name not in self.wallets, name)
            self.wallets[name] = Counter()
            leverages = {t.id: min(self._leverage, t.brackets[0].max_leverage) for t in self.terms.values()}
            self.positions[name] = {t.id: Position(name, t, leverages[t.id], t.settle) for t in self.terms.values()}

    def _entered(self, fact: f.Deposited | f.Withdrawn) -> None:
        amount, key = fact.amount if isinstance(fact, f.Deposited) else -fact.amount, (fact.account, fact.asset)
        free, profit = self.available(*key), self.margin(*key).equity - self.wallets[fact.account][fact.asset]
        self._hold("a withdrawal leaves what is needed", amount > 0 or -amount <= min(free, free - profit), fact)
        self.wallets[fact.account][fact.asset] += amount
        self.report.entered[fact.asset] += amount

    def _set(self, fact: f.LeverageSet | f.MarginModeSet) -> None:
        p = self.positions[fact.account][fact.instrument]
        if isinstance(fact, f.LeverageSet):
            p.leverage = fact.leverage
        else:
            self._check("what is open where a mode is set", (0, {}), (p.lots, p.orders))
            p.pool = p.terms.id if fact.mode is MarginMode.ISOLATED else p.terms.settle

    def _margin_moved(self, fact: f.MarginMoved) -> None:
        p, wallets = self.positions[fact.account][fact.instrument], self.wallets[fact.account]
        margin = self.margin(p.account, p.pool)
        free = min(margin.equity - margin.initial, Fraction(wallets[p.pool]))
        free = self.available(p.account, p.terms.settle) if fact.amount > 0 else free
        may = p.pool in self.terms and p.lots != 0 and abs(fact.amount) <= free
        self._hold("margin moved is free, and its position isolated", may, fact)
        wallets[p.terms.settle] -= fact.amount
        wallets[p.pool] += fact.amount

    def _marked(self, fact: f.MarkPriceMoved) -> None:
        self.marks[fact.instrument] = fact.mark
        self._touched.update({name: None for name, of in self.positions.items() if of[fact.instrument].lots})

    def _funding_due(self, fact: f.FundingDue) -> None:
        self._check("mark of the funding", self.marks[fact.instrument], fact.mark)
        total, holders = 0, [p for of in self.positions.values() if (p := of[fact.instrument]).lots]
        for p in holders:
            amount = floor(-self._size(p) * fact.rate / UNIT)
            self._owed[p.account, p.terms.id].append((p.lots, amount))
            total += amount
        self._hold("funding sums to zero but for rounding", -len(holders) <= total <= 0, total)

    def _funding_paid(self, fact: f.FundingPaid) -> None:
        p = self.positions[fact.account][fact.instrument]
        owed = self._owed[p.account, p.terms.id]
        self._check("lots and funding, as when it fell due", owed.pop(0) if owed else None, (p.lots, fact.amount))
        self.wallets[p.account][p.pool] += fact.amount
        self.report.remainders[p.terms.settle] -= fact.amount

    def _order_accepted(self, fact: f.OrderAccepted) -> None:
        p, mark = self.positions[fact.account][fact.instrument], self.marks[fact.instrument]
        price, none = mark if fact.price is None else fact.price * p.terms.tick, Fraction()
        loss = max(none, SIGN[fact.side] * _worth(p.terms, 1, price - mark))
        before = self.available(p.account, p.terms.settle)
        p.orders[fact.number] = Order(fact.side, fact.lots, fact.price, fact.reduce_only, loss)
        carried, reduces = self.available(p.account, p.terms.settle) >= min(before, none), p.lots * SIGN[fact.side] < 0
        self._hold("the position or the balance carries the order", reduces if fact.reduce_only else carried, fact)

    def _order_left(self, fact: f.OrderRested | f.OrderCancelled | f.OrderExpired) -> None:
        p, order = self._order(fact.account, fact.number)
        self._check("lots still open", order.lots, fact.lots)
        if not isinstance(fact, f.OrderRested):
            del p.orders[fact.number]

    def _order(self, account: str, number: int) -> tuple[Position, Order]:
        found = [(p, p.orders[number]) for p in self.positions[account].values() if number in p.orders]
        self._check(f"open orders {number} of {account}", 1, len(found))
        return found[0]

    def _traded(self, fact: f.Traded) -> None:
        terms, sign = self.terms[fact.instrument], SIGN[fact.side]
        maker, taker = (self.positions[account][terms.id] for account in (fact.maker, fact.taker))
        forced = fact.taker_order == 0 and fact.taker != MARKET
        self._check("value of the trade", _worth(terms, fact.lots, fact.price * terms.tick), fact.value)
        self._check("whether a liquidation is under way", self._running is not None, forced)
        for p, number, fee, rate, direction in (
            (maker, fact.maker_order, fact.maker_fee, terms.maker_fee, -sign),
            (taker, fact.taker_order, fact.taker_fee, terms.taker_fee, sign),
        ):
            self._check("fee, rounded up", ceil(Fraction(fact.value * rate, UNIT)) if number else 0, fee)
            if number or (forced and direction == sign):
                self._fill(p, number, direction, fact)
            self._post(p, direction * fact.lots, fact.value, fee, forced and direction == sign)
        self._closed[terms.id] += fact.value if forced else 0
        if fact.taker_order and maker is not taker:
            equity = self.margin(taker.account, taker.pool).equity
            self._hold("no fill breaks the pool of its taker", equity >= 0, equity)

    def _fill(self, p: Position, number: int, sign: int, fact: f.Traded) -> None:
        _, order = self._order(p.account, number)
        better = 0 if order.price is None else (order.price - fact.price) * sign
        may = SIGN[order.side] == sign and (better == 0 or (better > 0 and fact.side is order.side))
        may = may and fact.lots <= (min(order.lots, -p.lots * sign) if order.reduce_only else order.lots)
        self._hold("side, limit and lots of the order allow the trade", may, order)
        order.lots -= fact.lots
        if not order.lots:
            del p.orders[number]

    def _post(self, p: Position, lots: int, value: int, fee: int, forced: bool = False) -> None:
        """Post one side of a trade: what it closes, then what it opens."""
        sign, size, closed, wallets = (1 if lots > 0 else -1), abs(lots), 0, self.wallets[p.account]
        self._touched[p.account] = None
        self.report.fees[p.terms.settle] += fee
        if p.lots * sign < 0:
            closed = min(size, abs(p.lots))
            share, part = Fraction(closed, size), Fraction(closed, abs(p.lots))
            value_closed, fee_closed, entry = floor(value * share), floor(fee * share), floor(abs(p.entry) * part)
            result = sign * (entry - value_closed) - fee_closed
            freed = max(0, floor(wallets[p.pool] * part) + result) if p.pool in self.terms and not forced else 0
            wallets[p.pool] += result - freed
            wallets[p.terms.settle] += freed
            p.entry, value, fee = p.entry + sign * entry, value - value_closed, fee - fee_closed
        p.lots += lots
        if size > closed:
            margin = ceil(Fraction(value, p.leverage)) if p.pool in self.terms else 0
            p.entry += sign * value
            wallets[p.terms.settle] -= margin
            wallets[p.pool] += margin - fee

    def _due(self, fact: f.LiquidationDue) -> None:
        key = fact.account, fact.pool
        self._hold("only who is due is named, once", self.is_due(*key) and key not in self.queue, self.margin(*key))
        self.queue[key] = None

    def _started(self, fact: f.LiquidationStarted) -> None:
        key, (equity, _, maintenance) = (fact.account, fact.pool), self.margin(fact.account, fact.pool)
        self._hold("what starts is due", key in self.queue and self.is_due(*key) and self._running is None, fact)
        self._check("equity, maintenance", (floor(equity), ceil(maintenance)), (fact.equity, fact.maintenance))
        self._running = fact

    def _order_placed(self, fact: f.LiquidationOrderPlaced) -> None:
        p = self.positions[fact.account][fact.instrument]
        bankruptcy, up = self._bankruptcy(p)[1], ceil if p.lots > 0 else floor
        expected = -p.lots, self.marks[p.terms.id], bankruptcy, up(Fraction(bankruptcy, p.terms.tick))
        found = SIGN[fact.side] * fact.lots, fact.mark, fact.bankruptcy, fact.limit
        self._check("lots, mark, bankruptcy, limit", expected, found)
        p.orders[0] = Order(fact.side, fact.lots, fact.limit, reduce_only=True)

    def _taken_over(self, fact: f.TakenOver) -> None:
        p, lots = self.positions[fact.account][fact.instrument], SIGN[fact.side] * fact.lots
        self._check("lots, bankruptcy", (-p.lots, *self._bankruptcy(p)), (lots, fact.value, fact.bankruptcy))
        del p.orders[0]
        self._post(p, lots, fact.value, 0, forced=True)
        self._post(self.positions[INSURANCE][fact.instrument], -lots, fact.value, 0)

    def _settled(self, fact: f.LiquidationFeeCharged | f.DeficitCovered) -> None:
        left, amount = floor(self.margin(fact.account, fact.pool).equity), -fact.amount
        if isinstance(fact, f.LiquidationFeeCharged):
            fees = [Fraction(value * self.terms[name].liquidation_fee, UNIT) for name, value in self._closed.items()]
            left, amount = min(left, sum(map(ceil, fees))), fact.amount
        self._check("fee or deficit", (left, True), (amount, fact.amount > 0))
        self.wallets[fact.account][fact.pool] -= amount
        self.wallets[INSURANCE][self._asset(fact.pool)] += amount

    def _ended(self, fact: f.LiquidationEnded) -> None:
        key, closed = (fact.account, fact.pool), fact.outcome is f.LiquidationOutcome.CLOSED
        equity = self.margin(*key).equity
        done = equity >= 0 and not self._open(*key) if closed else not self.is_due(*key)
        self._hold("it ends closed or cured, not below zero", done, equity)
        self._check("equity, started", (floor(equity), closed), (fact.equity, self._running is not None))
        self._check("place in the queue", None, self.queue.pop(key, "none"))
        self.report.liquidations[fact.outcome.value] += 1
        self._running = None
        self._closed.clear()
        if fact.pool in self.terms and not self._open(*key):
            self.wallets[fact.account][self._asset(fact.pool)] += self.wallets[fact.account].pop(fact.pool, 0)


RULES: dict[type[f.Fact], Callable[[Auditor, Any], None]] = {
    **dict.fromkeys((f.Refused, f.TimeAdvanced, f.MarketAdvanced), lambda _auditor, _fact: None),
    **dict.fromkeys((f.SessionOpened, f.AccountOpened), Auditor._opened),
    **dict.fromkeys((f.Deposited, f.Withdrawn), Auditor._entered),
    **dict.fromkeys((f.LeverageSet, f.MarginModeSet), Auditor._set),
    f.MarginMoved: Auditor._margin_moved,
    f.MarkPriceMoved: Auditor._marked,
    f.FundingDue: Auditor._funding_due,
    f.FundingPaid: Auditor._funding_paid,
    f.OrderAccepted: Auditor._order_accepted,
    **dict.fromkeys((f.OrderRested, f.OrderCancelled, f.OrderExpired), Auditor._order_left),
    f.Traded: Auditor._traded,
    f.LiquidationDue: Auditor._due,
    f.LiquidationStarted: Auditor._started,
    f.LiquidationOrderPlaced: Auditor._order_placed,
    f.TakenOver: Auditor._taken_over,
    **dict.fromkeys((f.LiquidationFeeCharged, f.DeficitCovered), Auditor._settled),
    f.LiquidationEnded: Auditor._ended,
}
"""Fact -> what it has to agree with, and what it changes."""
