"""How facts change the rows of the blotter: a table from fact to what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import AccountId, PlaceOrder, PlaceTrigger, Side
from events.instructions import PriceMatch
from events.instruments import InstrumentId, Inverse, Leg, RulePack, instrument_of
from events.linked import PlaceLinked
from events.record import Batch
from events.units import Nanos
from gateway.serving.blotter_book import KEPT_MAX, AccountBook, trade
from gateway.serving.blotter_rows import FORCED, Amendment, Fill, IncomeKind, Move, OrderRow, Status

BUY, SELL = Side.BUY, Side.SELL
PLACING = (PlaceOrder, PlaceTrigger)


class Folding:
    """The books of all accounts but the house's, and the batch that is folded."""

    def __init__(self, pack: RulePack, kept_max: int = KEPT_MAX) -> None:
        self.books: dict[AccountId, AccountBook] = {}
        self.batch = Batch(0, Nanos(0), [])
        self.forced: dict[AccountId, OrderRow] = {}
        self._kept_max = kept_max
        self._house = {c.MARKET, c.INSURANCE, *c.funds_of(pack).values()}
        self._terms = {terms.id: terms for terms in pack.instruments}

    def book(self, account: AccountId) -> AccountBook | None:
        """The rows of an account, None for the house."""
        if (book := self.books.get(account)) is None and account not in self._house:
            book = self.books[account] = AccountBook(self._kept_max)
        return book

    def asked(self, number: int) -> PlaceOrder | PlaceTrigger | None:
        """Who asked in this batch for the order of that number."""
        command = self.batch.records[0].message
        if isinstance(command, c.SubmitBatch):
            items: tuple[Any, ...] = command.items
        elif isinstance(command, PlaceLinked):
            items = (command.entry, *command.linked)
        else:
            items = (command,)
        return next((item for item in items if isinstance(item, PLACING) and item.number == number), None)

    def accepted(self, seq: int, fact: f.OrderAccepted) -> None:
        """An order is new, or a conditional one became one."""
        book = self.book(fact.account)
        if book is None:
            return
        row = book.orders.get(fact.number)
        if row is not None and row.kind is not None:
            row.price, row.lots, row.status = fact.price, fact.lots, Status.OPEN
            row.updated_at, row.record = self.batch.at, seq
            return
        asked, at = self.asked(fact.number), self.batch.at
        row = OrderRow(
            fact.number, fact.instrument, fact.side, fact.lots, fact.price, fact.time_in_force, fact.reduce_only,
            at, at, seq, Status.OPEN, fact.leg, fact.client, asked.request if asked else "", fact.self_trade,
            fact.good_till, asked.price_match if asked else PriceMatch.NONE, fact.visible,
        )  # fmt: skip
        book.place(row)

    def waits(self, seq: int, fact: f.TriggerPlaced) -> None:
        """A conditional order is new."""
        book = self.book(fact.account)
        if book is None:
            return
        asked, at = self.asked(fact.number), self.batch.at
        row = OrderRow(
            fact.number, fact.instrument, fact.side, fact.lots, fact.price, fact.time_in_force, fact.reduce_only,
            at, at, seq, Status.WAITING, fact.leg, fact.client, asked.request if asked else "", fact.self_trade,
            fact.good_till, fact.price_match, 0, 0, 0, fact.trigger_kind, fact.trigger, fact.source, fact.callback,
            fact.closes, fact.protects, fact.with_position, fact.linked, fact.entry,
        )  # fmt: skip
        book.place(row)

    def armed(self, seq: int, fact: f.TriggerArmed) -> None:
        """Its entry traded."""
        if row := self._row(seq, fact):
            row.lots = fact.lots

    def fired(self, seq: int, fact: f.OrderTriggered) -> None:
        """A conditional order fired."""
        if row := self._row(seq, fact):
            row.lots, row.fired_at = fact.lots, self.batch.at

    def rested(self, seq: int, fact: f.OrderRested) -> None:
        """It is in the book."""
        self._row(seq, fact)

    def amended(self, seq: int, fact: f.OrderAmended) -> None:
        """Another price or size."""
        if row := self._row(seq, fact):
            before = row.price or 0, row.lots
            row.price, row.lots, row.amendments = fact.price, fact.lots, row.amendments + 1
            sizes = before[0], fact.price, before[1], fact.lots, row.amendments
            book, of = self.books[fact.account], (row.number, row.instrument, row.client)
            book.amendments.append(Amendment(seq, self.batch.at, *of, *sizes))

    def amended_waiting(self, seq: int, fact: f.TriggerAmended) -> None:
        """It waits for something else."""
        if row := self._row(seq, fact):
            row.lots, row.trigger, row.price, row.callback = fact.lots, fact.trigger, fact.price, fact.callback
            row.amendments += 1

    def shrunk(self, seq: int, fact: f.OrderShrunk) -> None:
        """Less of it."""
        if row := self._row(seq, fact):
            row.lots -= fact.lots

    def cancelled(self, seq: int, fact: f.OrderCancelled) -> None:
        """Taken back."""
        if row := self._row(seq, fact):
            self.books[fact.account].end(row, Status.CANCELLED)

    def expired(self, seq: int, fact: f.OrderExpired) -> None:
        """Ended by rule."""
        if row := self._row(seq, fact):
            row.why, row.reason = fact.why, fact.reason
            self.books[fact.account].end(row, Status.EXPIRED)

    def _row(self, seq: int, fact: Any) -> OrderRow | None:
        book = self.books.get(fact.account)
        row = book.open.get(fact.number) if book else None
        if row is not None:
            row.updated_at, row.record = self.batch.at, seq
        return row

    # Trades

    def traded(self, seq: int, fact: f.Traded) -> None:
        """Both sides of a trade."""
        sign = 1 if fact.side is BUY else -1
        at = seq, fact.instrument, fact.price, fact.lots, fact.value
        if (book := self.books.get(fact.maker)) is not None:
            row = book.open.get(fact.maker_order)
            self._fill(book, row, at, -sign, row.leg if row else Leg.NET, fact.maker_fee, is_maker=True)
        if (book := self.books.get(fact.taker)) is not None:
            row = book.open.get(fact.taker_order) if fact.taker_order else self.forced.get(fact.taker)
            self._fill(book, row, at, sign, fact.leg, fact.taker_fee)

    def taken_over(self, seq: int, fact: f.TakenOver) -> None:
        """The fund took a position's lots."""
        self._closed(seq, fact, fact.account, 1 if fact.side is BUY else -1, fact.leg, fact.fee)

    def deleveraged(self, seq: int, fact: f.Deleveraged) -> None:
        """Two positions closed each other."""
        sign = 1 if fact.side is BUY else -1
        self._closed(seq, fact, fact.account, sign, fact.leg, fact.fee)
        self._closed(seq, fact, fact.against, -sign, fact.against_leg, 0, alone=True)

    def netted(self, seq: int, fact: f.LegsNetted) -> None:
        """Both legs lose lots."""
        self._closed(seq, fact, fact.account, -1, Leg.LONG, 0, alone=True)
        self._closed(seq, fact, fact.account, 1, Leg.SHORT, 0, alone=True)

    def _closed(
        self, seq: int, fact: Any, account: AccountId, sign: int, leg: Leg, fee: int, alone: bool = False
    ) -> None:
        """A close that met no order: the price is that of its value, on whole ticks."""
        if (book := self.books.get(account)) is not None:
            terms = self._terms[fact.instrument]
            per = terms.atoms_per_tick_lot * fact.lots
            price = per // max(1, fact.value) if isinstance(terms, Inverse) else fact.value // per
            row = None if alone else self.forced.get(account)
            self._fill(book, row, (seq, fact.instrument, price, fact.lots, fact.value), sign, leg, fee)

    def _fill(
        self, book: AccountBook, row: OrderRow | None, of: tuple[int, Any, int, int, int], sign: int, leg: Leg,
        fee: int, is_maker: bool = False,
    ) -> None:  # fmt: skip
        seq, instrument, price, lots, value = of
        terms, at = self._terms[instrument], self.batch.at
        held = book.position(instrument, leg)
        realized = trade(held, -1 if isinstance(terms, Inverse) else 1, sign, lots, value, fee, at)
        number = executed = total = 0
        if row is not None:
            row.executed += lots
            row.value += value
            row.updated_at, row.record = at, seq
            number, executed, total = row.number, row.executed, row.value
        side = BUY if sign > 0 else SELL
        book.fills.append(
            Fill(seq, at, number, instrument, side, price, lots, value, fee, realized, is_maker, leg, executed, total)
        )
        book.gain(seq, at, IncomeKind.REALIZED_PNL, terms.settle, realized, instrument, seq)
        book.gain(seq, at, IncomeKind.COMMISSION, terms.settle, -fee, instrument, seq)
        if row is not None and row.executed >= row.lots:
            book.end(row, Status.FILLED)

    def forced_placed(self, seq: int, fact: f.LiquidationOrderPlaced) -> None:
        """A liquidation closes with an order of its own."""
        self.end_forced()
        if (book := self.book(fact.account)) is not None:
            at = self.batch.at
            row = OrderRow(
                FORCED + seq, fact.instrument, fact.side, fact.lots, fact.limit, c.TimeInForce.IOC, True, at, at, seq,
                leg=fact.leg, client=f"autoclose-{seq}",
            )  # fmt: skip
            book.place(row)
            self.forced[fact.account] = row

    def end_forced(self) -> None:
        """What forced orders did not close in their batch expired."""
        for account, row in self.forced.items():
            if row.is_live:
                self.books[account].end(row, Status.EXPIRED)
        self.forced.clear()

    # Money

    def settled(self, seq: int, fact: f.PositionSettled) -> None:
        """A dated contract ended."""
        if (book := self.books.get(fact.account)) is not None:
            held, at, asset = book.position(fact.instrument, fact.leg), self.batch.at, self._asset(fact.instrument)
            held.lots = held.entry_value = held.cost = 0
            held.updated_at = at
            book.gain(seq, at, IncomeKind.SETTLEMENT, asset, fact.amount, fact.instrument)
            book.gain(seq, at, IncomeKind.COMMISSION, asset, -fact.fee, fact.instrument)

    def funding(self, seq: int, fact: f.FundingPaid) -> None:
        """A position's funding."""
        if (book := self.books.get(fact.account)) is not None:
            book.position(fact.instrument, fact.leg).cost -= fact.amount
            asset = self._asset(fact.instrument)
            book.gain(seq, self.batch.at, IncomeKind.FUNDING, asset, fact.amount, fact.instrument)

    def shared(self, _seq: int, fact: f.LossShared) -> None:
        """A winner's part of a loss: his wallet has it once he realises what is left of his profit."""
        if (book := self.books.get(fact.account)) is not None:
            book.position(fact.instrument, fact.leg).entry_value += fact.amount

    def moved(self, seq: int, fact: f.MarginMoved) -> None:
        """Margin moved."""
        if (book := self.book(fact.account)) is not None:
            is_asked = isinstance(self.batch.records[0].message, c.AddMargin | c.RemoveMargin)
            asset = self._asset(fact.instrument)
            book.moves.append(Move(seq, self.batch.at, fact.instrument, fact.leg, asset, fact.amount, is_asked))

    def opened(self, _seq: int, fact: f.AccountOpened) -> None:
        """An account is there."""
        self.book(fact.account)

    def deposited(self, seq: int, fact: f.Deposited) -> None:
        """Money came in."""
        self._gain(seq, fact.account, IncomeKind.TRANSFER, fact.asset, fact.amount)

    def withdrawn(self, seq: int, fact: f.Withdrawn) -> None:
        """Money went out."""
        self._gain(seq, fact.account, IncomeKind.TRANSFER, fact.asset, -fact.amount)

    def transferred(self, seq: int, fact: f.Transferred) -> None:
        """Money changed its owner."""
        self._gain(seq, fact.account, IncomeKind.TRANSFER, fact.asset, -fact.amount)
        self._gain(seq, fact.to, IncomeKind.TRANSFER, fact.asset, fact.amount)

    def exchanged(self, seq: int, fact: f.Exchanged) -> None:
        """One asset for another."""
        self._gain(seq, fact.account, IncomeKind.EXCHANGE, fact.asset, -fact.amount)
        self._gain(seq, fact.account, IncomeKind.EXCHANGE, fact.into, fact.received)

    def interest(self, seq: int, fact: f.InterestPaid) -> None:
        """A debt's interest."""
        self._gain(seq, fact.account, IncomeKind.INTEREST, fact.asset, -fact.amount)

    def charged(self, seq: int, fact: f.LiquidationFeeCharged) -> None:
        """A liquidation's fee."""
        self._of_pool(seq, fact.account, fact.pool, -fact.amount)

    def covered(self, seq: int, fact: f.DeficitCovered) -> None:
        """The fund covered a deficit."""
        self._of_pool(seq, fact.account, fact.pool, fact.amount)

    def _of_pool(self, seq: int, account: AccountId, pool: str, amount: int) -> None:
        instrument = instrument_of(pool)
        terms = self._terms.get(InstrumentId(instrument))
        asset, of = (terms.settle, instrument) if terms else (pool, "")
        self._gain(seq, account, IncomeKind.INSURANCE, asset, amount, of)

    def _gain(self, seq: int, account: AccountId, kind: IncomeKind, asset: str, amount: int, of: str = "") -> None:
        if (book := self.book(account)) is not None:
            book.gain(seq, self.batch.at, kind, asset, amount, of)

    def _asset(self, instrument: Any) -> str:
        return self._terms[instrument].settle


FOLD: dict[type, Callable[[Folding, int, Any], None]] = {
    f.OrderAccepted: Folding.accepted,
    f.TriggerPlaced: Folding.waits,
    f.TriggerArmed: Folding.armed,
    f.TriggerAmended: Folding.amended_waiting,
    f.OrderTriggered: Folding.fired,
    f.OrderRested: Folding.rested,
    f.OrderAmended: Folding.amended,
    f.OrderShrunk: Folding.shrunk,
    f.OrderCancelled: Folding.cancelled,
    f.OrderExpired: Folding.expired,
    f.Traded: Folding.traded,
    f.TakenOver: Folding.taken_over,
    f.Deleveraged: Folding.deleveraged,
    f.LegsNetted: Folding.netted,
    f.LiquidationOrderPlaced: Folding.forced_placed,
    f.PositionSettled: Folding.settled,
    f.FundingPaid: Folding.funding,
    f.LossShared: Folding.shared,
    f.MarginMoved: Folding.moved,
    f.AccountOpened: Folding.opened,
    f.Deposited: Folding.deposited,
    f.Withdrawn: Folding.withdrawn,
    f.Transferred: Folding.transferred,
    f.Exchanged: Folding.exchanged,
    f.InterestPaid: Folding.interest,
    f.LiquidationFeeCharged: Folding.charged,
    f.DeficitCovered: Folding.covered,
}
"""Fact -> what it changes. What is not here changes no row."""
