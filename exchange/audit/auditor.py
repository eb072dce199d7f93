"""Observes the batches of a session in order, record by record, and what must hold at the end of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import Side
from events.instructions import PriceMatch
from events.instruments import Leg
from events.observations import Observations
from events.record import Batch, Record
from exchange.audit import (
    amending,
    endings,
    gate,
    guards,
    handling,
    last_resort,
    links,
    liquidation,
    money,
    phases,
    pools,
    prices,
    reduce_only,
    session,
    trading,
    triggers,
)
from exchange.audit.books import BATCH_FACTS, LEAST_FACTS, MULTI, AuditError, Books, Margin, Position, Report

RULES = {
    **session.RULES,
    **prices.RULES,
    **guards.RULES,
    **phases.RULES,
    **gate.RULES,
    **money.RULES,
    **trading.RULES,
    **triggers.RULES,
    **links.RULES,
    **amending.RULES,
    **handling.RULES,
    **endings.RULES,
    **reduce_only.RULES,
    **liquidation.RULES,
    **last_resort.RULES,
}

BEFORE_A_REFUSAL = (
    f.FundingDue, f.FundingPaid, f.SettlementDue, f.PositionSettled, f.InterestDue, f.InterestPaid, f.OrderExpired,
    f.BreakerReset, f.TradingPhaseSet, f.AuctionUncrossed, f.WithdrawalsClosed, f.WithdrawalsOpened,
    f.LiquidationWindowEnded,
    f.AuctionStepReached,
    f.CountdownsReached, f.CountdownEnded, f.TriggerArmed,
)  # fmt: skip
"""What fell due before the command was decided; with nothing else a refusal shares a batch."""

NAMED = f.LiquidationDue, f.ExchangeDue, f.MarginCalled, f.MarginRecovered
"""What is said of pools when a batch ends; of those whom an earlier one had no room for, before their own command."""

ANYBODY = (f.FundingPaid, f.PositionSettled, f.InterestPaid, f.LossShared)
"""What settles for other accounts while a liquidation is under way."""

Asked = dict[type[f.Fact], tuple[type[c.Command] | tuple[type[c.Command], ...], tuple[str, ...]]]

ASKED: Asked = {
    f.SessionOpened: (c.OpenSession, ("rules_version", "pack", "options")),
    f.AccountOpened: (c.OpenAccount, ("account",)),
    f.Deposited: (c.Deposit, ("account", "asset", "amount")),
    f.Withdrawn: (c.Withdraw, ("account", "asset", "amount")),
    f.Transferred: (c.Transfer, ("account", "asset", "amount", "to")),
    f.LeverageSet: (c.SetLeverage, ("account", "instrument", "leverage")),
    f.MarginModeSet: (c.SetMarginMode, ("account", "instrument", "mode")),
    f.PositionModeSet: (c.SetPositionMode, ("account", "hedges")),
    f.CollateralModeSet: (c.SetCollateralMode, ("account", "multi")),
    f.AutoAddMarginSet: (c.SetAutoAddMargin, ("account", "instrument", "on")),
    f.TriggerPlaced: (
        c.PlaceTrigger,
        (
            *("account", "number", "instrument", "side", "trigger_kind", "lots", "trigger", "price", "time_in_force"),
            *("source", "callback", "closes", "protects", "leg", "client", "self_trade"),
            *("price_match", "with_position"),
        ),
    ),
    f.OrderAmended: (c.AmendOrder, ("account",)),
    f.TriggerAmended: (c.AmendOrder, ("account",)),
    f.OrderCancelled: ((c.CancelOrder, c.AmendOrder, c.CancelAll), ("account",)),
    f.AllCancelled: (c.CancelAll, ("account", "instrument")),
    f.CountdownSet: (c.SetCountdown, ("account", "instrument")),
    f.MarketAdvanced: (c.AdvanceMarket, ("instrument", "chunk")),
}  # fmt: skip
"""Facts that only commands of these kinds lead to, and what they have in common with them."""

MAY_BE_ASKED: Asked = {
    f.MarkPriceMoved: (c.SetMarkPrice, ("instrument",)),
    f.IndexPriceMoved: (c.SetIndexPrice, ("instrument",)),
    f.Exchanged: (c.ExchangeAsset, ("account", "asset", "amount", "into")),
    f.OrderAccepted: (
        c.PlaceOrder,
        ("account", "number", "instrument", "side", "lots", "price", "time_in_force", "leg", "client", "self_trade"),
    ),
}  # fmt: skip
"""Facts that come about in other ways too."""


NO_MATCH = PriceMatch.NONE
"""The price is that which was asked for, not one of the book."""

OF_ANYBODY = f.Expiry.NOTHING_TO_REDUCE, f.Expiry.SETTLEMENT, f.Expiry.GOOD_TILL
"""Why orders of others expire meanwhile."""

LAPSES_AT_ONCE = 1024
"""So many orders past their time expire before a command, with what follows for those that they are linked to; those
beyond wait for a Proceed.
"""

MONEY, LOTS = "money", "lots"


def _room(command: c.Command) -> int:
    """How many facts make a command's batch full."""
    room = command.room if isinstance(command, c.Proceed) else 0
    return min(BATCH_FACTS, max(LEAST_FACTS, room)) if room else BATCH_FACTS


def _lapses(fact: object) -> bool:
    """Whether it is one of the facts that are said of so many orders before a command."""
    return isinstance(fact, f.TriggerArmed) or getattr(fact, "why", None) in (f.Expiry.GOOD_TILL, f.Expiry.LINKED)


def audit(batches: Iterable[Batch]) -> Report:
    """Audit a whole log, from its first batch on. Raises AuditError."""
    auditor = Auditor()
    for batch in batches:
        auditor.observe(batch)
    return auditor.report


class Auditor:
    """Observes the batches of a session in order; what it knows is open for comparison.

    A pool is named by its asset or, where a position is isolated, by its position, or `multi`; queue holds those that
    are due. An isolated wallet is named by its position, a cross wallet by its asset. columns are the chunks of history
    that it is shown: without them it takes the session's word for which conditional orders trades in history reached.
    """

    def __init__(self, columns: Mapping[c.ChunkId, Observations] | None = None) -> None:
        self.books = Books(columns)
        self._of_account: dict[str, Counter[tuple[str, str]]] = {}
        self._held: Counter[tuple[str, str]] = Counter()

    @property
    def report(self) -> Report:
        """What was audited so far."""
        return self.books.report

    @property
    def wallets(self) -> dict[str, Counter[str]]:
        """Atoms by account and wallet."""
        return self.books.wallets

    @property
    def positions(self) -> dict[str, dict[str, Position]]:
        """Positions by account and name."""
        return self.books.positions

    @property
    def queue(self) -> dict[tuple[str, str], None]:
        """The pools that are due: (account, pool)."""
        return self.books.queue

    @property
    def marks(self) -> dict[str, int]:
        """Mark prices by instrument, 0 while unknown."""
        return {name: contract.mark for name, contract in self.books.contracts.items()}

    @property
    def changed(self) -> list[tuple[str, str]]:
        """The pools that the last record may have changed: (account, pool)."""
        return [key for key in self.books.changed if self.books.answers(*key)]

    def pools(self) -> list[tuple[str, str]]:
        """Every pool that answers for something: (account, pool)."""
        named = ((name, (*self.wallets[name], *self.positions[name], MULTI)) for name in self.wallets)
        return [(name, pool) for name, all_ in named for pool in dict.fromkeys(all_) if self.books.answers(name, pool)]

    def margin(self, account: str, pool: str) -> Margin:
        """Equity, initial and maintenance margin of a pool."""
        return pools.margin(self.books, account, pool)

    def is_due(self, account: str, pool: str) -> bool:
        """Whether the pool has to be liquidated."""
        return pools.is_due(self.books, account, pool)

    def available(self, account: str, asset: str) -> Fraction:
        """Available balance; below zero where the pool is short."""
        return pools.available(self.books, account, asset)

    def room(self, account: str, instrument: str, side: Side, lots: int, price: int, leg: Leg = Leg.NET) -> Fraction:
        """Available balance if an order rested too, price in ticks."""
        p = self.books.position(account, instrument, leg)
        p.orders[-1] = trading.placed(self.books, p, side, lots, price, reduce_only=False)
        left = self.available(account, p.terms.settle)
        del p.orders[-1]
        return left

    def asset_of(self, account: str, pool: str) -> str:
        """What the figures of a pool are counted in."""
        return self.books.asset_of(account, pool)

    def observe(self, batch: Batch) -> None:
        """Take one more batch. Raises AuditError."""
        for _ in self.records(batch):
            pass

    def records(self, batch: Batch) -> Iterator[Record]:
        """Take one more batch record by record; each is handed on once it was observed. Raises AuditError."""
        books, before = self.books, None
        books.report.batches += 1
        books.now, books.row, books.began, books.taking = batch.at, None, batch.first_seq, None
        handling.begin(books, batch.command)
        books.room = _room(batch.command)
        for record in batch.records:
            books.changed.clear()
            books.check("number of the record", books.report.records + 1, record.seq)
            books.report.records = record.seq
            if record is not batch.records[0]:
                self._observe(record.message, before)
                before = record.message
            yield record
        books.fact = None
        books.check("liquidation under way when a batch ends", None, books.running)
        books.check("bounded price that did not move when a batch ends", None, books.bounded)
        if not isinstance(batch.records[-1].message, f.Refused) and books.pack is not None:
            gate.check(books)
        is_refused = isinstance(batch.records[-1].message, f.Refused)
        triggers.check_end_of_batch(books, has_room=len(batch.records) < books.room and not is_refused)
        handling.check_end_of_batch(books, batch)
        phases.check_end_of_batch(books, batch)
        links.check_end_of_batch(books, len(batch.records) >= books.room - 2)
        leapt = [name for name, contract in books.contracts.items() if contract.trips]
        books.check("marks that leapt and tripped nothing", [], leapt)
        self._check_timers(batch)
        is_full = len(batch.records) >= books.room
        self._check_due(is_full)
        reduce_only.check_end_of_batch(books, is_full or isinstance(batch.records[-1].message, f.Refused))
        self._check_money()
        for key in [key for key in books.auctions if key not in books.queue and not pools.is_due(books, *key)]:
            del books.auctions[key]
        books.touched.clear()
        books.lacking.clear()

    def _observe(self, fact: Any, before: Any) -> None:
        books, kind = self.books, type(fact)
        books.fact = fact
        books.report.facts[kind.__name__] += 1
        handling.next_item(books, fact)
        late = isinstance(before, NAMED) and (before.account, getattr(before, "pool", MULTI)) in books.late
        alone = kind is not f.Refused or before is None or late or isinstance(before, BEFORE_A_REFUSAL)
        first = kind is f.TriggersReached and isinstance(before, f.Refused)
        last = kind in NAMED or late or first or not isinstance(before, (*NAMED, f.Refused))
        books.hold("a refusal stands alone, who is due is said last", alone and last, (before, fact))
        books.hold("what was left of a loss is shared", not books.shares or kind is f.LossShared, fact)
        self._check_asked(fact)
        account = getattr(fact, "account", None)
        if account in books.accounts and books.running is not None and account != books.running.account:
            settles = getattr(fact, "why", None) in OF_ANYBODY
            books.hold("a liquidation leaves other accounts alone", kind in ANYBODY or settles, fact)
        try:
            RULES[kind](books, fact)
            books.waiters.end_with_positions()
        except (LookupError, ZeroDivisionError) as error:
            what = "what it names is there, and its figures can be computed"
            raise AuditError(books.report.records, what, "this to hold", f"{fact} ({error!r})") from error

    def _check_asked(self, fact: Any) -> None:
        books, kind = self.books, type(fact)
        asked, fields = ASKED.get(kind) or MAY_BE_ASKED.get(kind) or (None, ())
        if asked is not None and kind in ASKED:
            names = " or ".join(one.__name__ for one in (asked if isinstance(asked, tuple) else (asked,)))
            books.hold(f"{kind.__name__} follows from {names}", isinstance(books.command, asked), fact)
        if asked is not None and isinstance(books.command, asked):
            matches = kind is f.OrderAccepted and getattr(books.command, "price_match", NO_MATCH) is not NO_MATCH
            for name in fields:
                if matches and name == "price":
                    books.hold("an order that matches a price has one", getattr(fact, name) is not None, fact)
                    continue
                unit = str(getattr(fact, "asset", "")) if name == "amount" else ""
                books.check(f"{name} as asked for", getattr(books.command, name), getattr(fact, name), unit)

    def _check_timers(self, batch: Batch) -> None:
        """What falls due by time is said before anything else, unless the sender was refused at the door."""
        if len(batch.records) > 1 and not isinstance(batch.records[1].message, f.Refused | f.SessionOpened):
            late = {timer: at for timer, at in self.books.timers.items() if at <= self.books.now}
            self.books.check("what fell due by time and was not said", {}, late)
            said = sum(_lapses(record.message) for record in batch.records)
            if said < LAPSES_AT_ONCE and not isinstance(self.books.command, c.Proceed):
                self.books.check("orders past their time that did not expire", [], trading.overdue(self.books))
            first = handling.earliest(self.books)
            self.books.hold("countdowns that ran out were said", first is None or first > self.books.now, first)

    def _check_due(self, is_full: bool) -> None:
        """Who is due or warned was named, but for those whom a full batch had no room for: they are named later."""
        books = self.books
        late, books.late = books.late, {}
        for key in late | books.touched:
            account, pool = key
            if books.accounts[account].is_exempt or key in books.queue or not books.answers(*key):
                continue
            missing = self._unnamed(account, pool)
            books.hold(f"what of {account} is {missing}, {pool}, was named", not missing or is_full, key)
            if missing:
                books.late[key] = None

    def _unnamed(self, account: str, pool: str) -> str:
        """What a pool that is not in the queue is and was not named as."""
        books = self.books
        if pools.is_due(books, account, pool):
            return "due"
        if pools.is_warned(books, account, pool) != ((account, pool) in books.warned):
            return "warned, or no longer"
        owes = pool == MULTI and account not in books.exchanging and pools.owes_too_much(books, account)
        return "beyond the limit of its debts" if owes else ""

    def _check_money(self) -> None:
        """Per asset what entered is in wallets, fees, interest, remainders, or was paid for positions; sizes sum to 0.

        Only accounts that the batch touched are added up anew.
        """
        books = self.books
        for name in dict.fromkeys(account for account, _ in books.touched):
            self._held.subtract(self._of_account.get(name, {}))
            self._of_account[name] = held = self._holdings(name)
            self._held.update(held)
        report = books.report
        for (what, name), amount in self._held.items():
            if what == LOTS:
                books.check(f"sum of all sizes in {name}", 0, amount + books.settled[name])
            else:
                kept = amount + report.fees[name] + report.interest[name] + report.remainders[name]
                books.check("money that there is of an asset", report.entered[name], kept, name)

    def _holdings(self, name: str) -> Counter[tuple[str, str]]:
        books, held = self.books, Counter[tuple[str, str]]()
        for wallet, amount in books.wallets[name].items():
            held[MONEY, books.asset_of(name, wallet)] += amount
        for p in books.positions[name].values():
            if p.lots:
                held[MONEY, p.terms.settle] -= p.entry
                held[LOTS, p.terms.id] += p.lots
        return held
