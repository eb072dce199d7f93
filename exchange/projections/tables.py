"""A session as tables for other tools: trades, orders, positions, equity, funding and marks, row by row.

Amounts, prices and sizes are 10^-8 of their unit, times nanoseconds since the epoch; how they are written down is the
writer's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from events import facts as f
from events.commands import MARKET, AccountId, OrderNumber, Side
from events.instruments import InstrumentId
from events.record import Batch, Record
from exchange.core.margin.model import requirement, unrealised
from exchange.core.state import Account, Position, State

UNITS = 10**8


class Column(Enum):
    """What a column holds."""

    TIME = "time"
    NUMBER = "number"
    TEXT = "text"
    DECIMAL = "decimal"


_T, _N, _X, _D = Column.TIME, Column.NUMBER, Column.TEXT, Column.DECIMAL

TABLES: dict[str, dict[str, Column]] = {
    "trades": {
        "at": _T, "record": _N, "instrument": _X, "side": _X, "price": _D, "size": _D, "value": _D, "maker": _X,
        "maker_order": _N, "maker_fee": _D, "taker": _X, "taker_order": _N, "taker_fee": _D,
    },
    "orders": {
        "at": _T, "record": _N, "account": _X, "number": _N, "instrument": _X, "event": _X, "side": _X, "price": _D,
        "size": _D, "time_in_force": _X, "why": _X, "type": _X, "trigger": _D, "source": _X, "reduce_only": _X,
        "client": _X,
    },
    "positions": {
        "at": _T, "record": _N, "account": _X, "position": _X, "mode": _X, "leverage": _N, "size": _D,
        "entry_value": _D, "isolated_margin": _D, "mark": _D, "unrealised_pnl": _D,
    },
    "equity": {"at": _T, "record": _N, "account": _X, "asset": _X, "balance": _D, "equity": _D, "maintenance": _D},
    "funding": {"at": _T, "record": _N, "account": _X, "instrument": _X, "leg": _X, "amount": _D},
    "marks": {"at": _T, "record": _N, "instrument": _X, "mark": _D},
}  # fmt: skip
"""The columns of each table. Side is the taker's; a position is given after each batch that changed it, equity every so
often. An order's type, trigger price and source, whether it only reduces and its client id are given where it is
accepted or begins to wait; what there is none of is empty.
"""

Row = tuple[str, tuple[Any, ...]]
"""Name of the table, and a value a column, None for nothing."""


class Tables:
    """Makes rows of batches that were applied to `state` just before. `every` is how far equity samples are apart, ns,
    0 for none.
    """

    def __init__(self, state: State, every: int) -> None:
        self._state = state
        self._every = every
        self._next_sample = 0
        self._orders: dict[tuple[AccountId, OrderNumber], tuple[InstrumentId, Side, int]] = {}

    def rows(self, batch: Batch) -> Iterator[Row]:
        """The rows of a batch, in the order of its facts; then the positions that it changed, then equity if it is
        time.
        """
        changed: dict[Position, int] = {}
        for record in batch.records[1:]:
            fact = record.message
            if make := _ROWS.get(type(fact)):
                yield from make(self, batch, record)
            for name, instrument in _touched(fact):
                account = self._state.accounts[name]
                changed.update((position, record.seq) for position in account.legs(instrument))
        for position, seq in changed.items():
            yield "positions", (batch.at, seq, *_position(position))
        if self._every and batch.at >= self._next_sample:
            self._next_sample = batch.at - batch.at % self._every + self._every
            for account in self._state.accounts.values():
                yield from ((name, (batch.at, batch.last_seq, *row)) for name, row in _equity(account))

    def traded(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A trade."""
        fact: Any = record.message
        price, size = self._scaled(fact.instrument, fact.price, fact.lots)
        sides = (fact.maker, fact.maker_order, fact.maker_fee, fact.taker, fact.taker_order, fact.taker_fee)
        head = (batch.at, record.seq, fact.instrument, fact.side.value)
        yield "trades", (*head, price, size, fact.value, *sides)
        for key in ((fact.maker, fact.maker_order), (fact.taker, fact.taker_order)):
            self._filled(key, fact.lots)

    def accepted(self, batch: Batch, record: Record) -> Iterator[Row]:
        """An order that was accepted."""
        fact: Any = record.message
        self._orders[fact.account, fact.number] = (fact.instrument, fact.side, fact.lots)
        kind = "market" if fact.price is None else "limit"
        yield self._order(batch, record, "accepted", fact.lots, price=fact.price, type=kind, **_how(fact))

    def waits(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A conditional order that waits."""
        fact: Any = record.message
        self._orders[fact.account, fact.number] = (fact.instrument, fact.side, fact.lots)
        kind, source, prices = fact.trigger_kind.value, fact.source.value, (fact.price, fact.trigger)
        yield self._order(batch, record, "waits", fact.lots, *prices, type=kind, source=source, **_how(fact))

    def amended_waiting(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A conditional order that waits for something else, or with another size or price."""
        fact: Any = record.message
        instrument, side, _ = self._orders[fact.account, fact.number]
        self._orders[fact.account, fact.number] = (instrument, side, fact.lots)
        yield self._order(batch, record, "amended", fact.lots, fact.price, fact.trigger)

    def armed(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A conditional order that its entry armed, for so many lots in all."""
        fact: Any = record.message
        yield self._order(batch, record, "armed", fact.lots)

    def triggered(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A conditional order that fired."""
        fact: Any = record.message
        yield self._order(batch, record, "triggered", fact.lots)

    def amended(self, batch: Batch, record: Record) -> Iterator[Row]:
        """An order that has another price or size, of the whole order."""
        fact: Any = record.message
        instrument, side, _ = self._orders[fact.account, fact.number]
        self._orders[fact.account, fact.number] = (instrument, side, fact.left)
        yield self._order(batch, record, "amended", fact.lots, fact.price)

    def shrunk(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A reduce-only order that shrank with its position: what is left open of it."""
        fact: Any = record.message
        instrument, side, _ = self._orders[fact.account, fact.number]
        self._orders[fact.account, fact.number] = (instrument, side, fact.left)
        yield self._order(batch, record, "shrunk", fact.left)

    def changed(self, batch: Batch, record: Record) -> Iterator[Row]:
        """An order that rests from now on, or ended."""
        fact: Any = record.message
        why = fact.why.value if isinstance(fact, f.OrderExpired) else None
        yield self._order(batch, record, _EVENTS[type(fact)], fact.lots, why=why)
        if not isinstance(fact, f.OrderRested):
            del self._orders[fact.account, fact.number]

    def _order(
        self, batch: Batch, record: Record, event: str, lots: int, price: int | None = None, trigger: int | None = None,
        **more: str | None,
    ) -> Row:  # fmt: skip
        """A row of an order; prices are ticks."""
        fact: Any = record.message
        instrument, side, _ = self._orders[fact.account, fact.number]
        price, size = self._scaled(instrument, price, lots)
        values = {
            "at": batch.at, "record": record.seq, "account": fact.account, "number": fact.number,
            "instrument": instrument, "event": event, "side": side.value, "price": price, "size": size,
            "trigger": self._scaled(instrument, trigger, 0)[0], **more,
        }  # fmt: skip
        return "orders", tuple(values.get(name) for name in TABLES["orders"])

    def funding(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A position's funding."""
        fact: Any = record.message
        yield "funding", (batch.at, record.seq, fact.account, fact.instrument, fact.leg.value, fact.amount)

    def mark(self, batch: Batch, record: Record) -> Iterator[Row]:
        """A mark."""
        fact: Any = record.message
        yield "marks", (batch.at, record.seq, fact.instrument, fact.mark)

    def _filled(self, key: tuple[AccountId, OrderNumber], lots: int) -> None:
        if (order := self._orders.get(key)) is not None:
            instrument, side, left = order
            if left > lots:
                self._orders[key] = (instrument, side, left - lots)
            else:
                del self._orders[key]

    def _scaled(self, instrument: InstrumentId, price: int | None, lots: int) -> tuple[int | None, int]:
        contract = self._state.contracts[instrument]
        return None if price is None else price * contract.tick, lots * contract.lot


def _how(fact: Any) -> dict[str, Any]:
    """How an order was placed."""
    reduces = "yes" if fact.reduce_only else "no"
    return {"time_in_force": fact.time_in_force.value, "reduce_only": reduces, "client": fact.client or None}


def _touched(fact: Any) -> Iterator[tuple[AccountId, InstrumentId]]:
    """Whose positions the fact may have changed."""
    if (instrument := getattr(fact, "instrument", None)) is not None and type(fact) in _CHANGES:
        for field in ("account", "maker", "taker", "against"):
            name = getattr(fact, field, MARKET)
            if name != MARKET:
                yield name, instrument


def _position(position: Position) -> tuple[Any, ...]:
    contract = position.contract
    size = position.lots * contract.lot
    amounts = (position.entry_value, position.isolated, contract.mark, unrealised(position) // UNITS)
    return (position.account, position.name, position.mode.value, position.leverage, size, *amounts)


def _equity(account: Account) -> Iterator[Row]:
    for asset, wallet in account.wallets.items():
        isolated = [requirement(position) for position in wallet.positions if position.is_isolated]
        cross = [position for position in wallet.positions if position.lots and not position.is_isolated]
        balance = wallet.balance + sum(position.isolated for position in wallet.positions)
        equity = wallet.balance * UNITS + sum(map(unrealised, cross)) + sum(margin.equity for margin in isolated)
        pool = 0 if wallet.multi else requirement(wallet).maintenance
        maintenance = pool + sum(margin.maintenance for margin in isolated)
        yield "equity", (account.name, asset, balance, equity // UNITS, -(-maintenance // UNITS))


_EVENTS: dict[type, str] = {f.OrderRested: "rested", f.OrderCancelled: "cancelled", f.OrderExpired: "expired"}

_CHANGES = {
    f.Traded, f.TakenOver, f.Deleveraged, f.LegsNetted, f.LossShared, f.FundingPaid, f.PositionSettled, f.MarginMoved,
    f.LeverageSet, f.MarginModeSet,
}  # fmt: skip

_ROWS: dict[type, Any] = {
    f.Traded: Tables.traded,
    f.OrderAccepted: Tables.accepted,
    f.TriggerPlaced: Tables.waits,
    f.TriggerAmended: Tables.amended_waiting,
    f.TriggerArmed: Tables.armed,
    f.OrderTriggered: Tables.triggered,
    f.OrderRested: Tables.changed,
    f.OrderAmended: Tables.amended,
    f.OrderShrunk: Tables.shrunk,
    f.OrderCancelled: Tables.changed,
    f.OrderExpired: Tables.changed,
    f.FundingPaid: Tables.funding,
    f.MarkPriceMoved: Tables.mark,
}
