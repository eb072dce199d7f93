"""What a batch changed that anybody may see, looked up in the state right after it was decided.

Of a book only the prices are looked up that the batch can have changed; all of it where nobody can say which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from events import facts as f
from events.commands import MARKET, AccountId, FundingSource, OrderNumber, Side
from events.instruments import InstrumentId
from events.observations import Kind, Observations
from events.record import Batch
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.funding import computed_rate
from exchange.core.state import State

DIFF, SNAPSHOT, PRINT, MARK, ORDERS = (int(k) for k in (Kind.DIFF, Kind.SNAPSHOT, Kind.PRINT, Kind.MARK, Kind.ORDERS))

ALL = 1 << 40
"""More levels than any book has."""

Levels = list[tuple[int, int]]
"""Prices, ticks, with what the book shows there, lots; 0 for nothing."""


class Sight(NamedTuple):
    """What is seen of an instrument: levels, all of the book or those that may have changed; open interest, lots; the
    funding rate to come, a Rate to be divided by `over`, and when that is, ns (0: not known).
    """

    whole: bool
    bids: Levels
    asks: Levels
    open_interest: int
    rate: int
    over: int
    next_funding: int


class _Touched:
    """The prices of an instrument that a batch may have changed, of both sides; or all of them."""

    __slots__ = ("prices", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.prices: dict[int, dict[int, None]] = {1: {}, -1: {}}

    def add(self, sign: int, price: int) -> None:
        self.prices[sign][price] = None


Key = tuple[AccountId, OrderNumber]


class Looker:
    """Remembers where orders stand, so that it knows which price one leaves. A state that it has not met, since the
    session was built anew, it looks at as a whole.
    """

    def __init__(self) -> None:
        self._state: State | None = None
        self._orders: dict[Key, tuple[InstrumentId, int, int]] = {}
        self._kinds: dict[InstrumentId, tuple[bool, bool]] = {}
        self._touched: dict[InstrumentId, _Touched] = {}

    def look(self, state: State, batch: Batch, columns: Observations | None) -> dict[InstrumentId, Sight]:
        """What the batch, decided just now, changed of each instrument."""
        if state is not self._state:
            return self._meet(state)
        self._touched = {}
        for record in batch.records[1:]:
            fact = record.message
            if (see := _SEES.get(type(fact))) is not None:
                see(self, state, fact, columns)
        return {name: _sight(state, state.contracts[name], touched) for name, touched in self._touched.items()}

    def _meet(self, state: State) -> dict[InstrumentId, Sight]:
        self._state = state
        self._orders = {
            (account.name, order.number): (order.instrument, order.sign, order.price)
            for account in state.accounts.values()
            for order in account.orders.values()
        }
        self._kinds = {name: _kind(contract) for name, contract in state.contracts.items()}
        whole = _Touched()
        whole.whole = True
        return {name: _sight(state, contract, whole) for name, contract in state.contracts.items()}

    def _of(self, instrument: InstrumentId) -> _Touched:
        touched = self._touched.get(instrument)
        if touched is None:
            touched = self._touched[instrument] = _Touched()
        return touched

    def accepted(self, _state: State, fact: f.OrderAccepted, _columns: Any) -> None:
        """An order with a price may come to rest."""
        if fact.price is not None:
            sign = 1 if fact.side is Side.BUY else -1
            self._orders[fact.account, fact.number] = (fact.instrument, sign, fact.price)

    def changed(self, _state: State, fact: f.OrderRested | f.OrderShrunk, _columns: Any) -> None:
        """An order came to rest, or shrank."""
        self._touch((fact.account, fact.number))

    def amended(self, _state: State, fact: f.OrderAmended, _columns: Any) -> None:
        """An order may stand at another price from now on."""
        key = (fact.account, fact.number)
        self._touch(key)
        if key in self._orders:
            instrument, sign, _ = self._orders[key]
            self._orders[key] = (instrument, sign, fact.price)

    def ended(self, _state: State, fact: f.OrderCancelled | f.OrderExpired, _columns: Any) -> None:
        """An order is gone."""
        self._touch((fact.account, fact.number))
        self._orders.pop((fact.account, fact.number), None)

    def traded(self, state: State, fact: f.Traded, _columns: Any) -> None:
        """Both orders, and MARKET's level, lost lots."""
        touched = self._of(fact.instrument)
        maker = -1 if fact.side is Side.BUY else 1
        touched.add(maker, fact.price)
        if fact.crossed is not None:
            touched.add(-maker, fact.crossed)
        for key in ((fact.maker, fact.maker_order), (fact.taker, fact.taker_order)):
            if key[0] != MARKET and key in self._orders:
                self._touch(key)
                if key[1] not in state.accounts[key[0]].orders:
                    del self._orders[key]

    def _touch(self, key: Key) -> None:
        if (place := self._orders.get(key)) is not None:
            self._of(place[0]).add(place[1], place[2])

    def advanced(self, state: State, fact: f.MarketAdvanced, columns: Observations | None) -> None:
        """History's rows were applied."""
        touched, contract = self._of(fact.instrument), state.contracts[fact.instrument]
        kind = _kind(contract)
        if columns is None or kind != self._kinds[fact.instrument] or kind[1]:
            touched.whole = True
        else:
            _rows(columns, fact.first_row, fact.last_row, touched)
        self._kinds[fact.instrument] = kind

    def noted(self, _state: State, fact: Any, _columns: Any) -> None:
        """A price moved, or funding fell due: there is no more to look up than what comes beside the book."""
        if fact.instrument in self._kinds:
            self._of(fact.instrument)


_SEES: dict[type, Callable[[Looker, State, Any, Observations | None], None]] = {
    f.MarketAdvanced: Looker.advanced,
    f.OrderAccepted: Looker.accepted,
    f.OrderRested: Looker.changed,
    f.OrderShrunk: Looker.changed,
    f.OrderAmended: Looker.amended,
    f.OrderCancelled: Looker.ended,
    f.OrderExpired: Looker.ended,
    f.Traded: Looker.traded,
    f.TakenOver: Looker.noted,
    f.Deleveraged: Looker.noted,
    f.MarkPriceMoved: Looker.noted,
    f.IndexPriceMoved: Looker.noted,
    f.FundingDue: Looker.noted,
}
"""Fact -> what it may have changed."""


def _kind(contract: Contract) -> tuple[bool, bool]:
    """Whether MARKET's volume counts, and whether it is made up of history's trades: all of it changes with these."""
    return contract.book.stale, contract.book.by_trades


def _rows(columns: Observations, first: int, last: int, touched: _Touched) -> None:
    """The prices that rows of a chunk name; all of them where a row begins the book anew, or tells orders apart."""
    kinds = columns.kind[first : last + 1]
    if SNAPSHOT in kinds or ORDERS in kinds or columns.print_order:
        touched.whole = True
        return
    bids, asks = touched.prices[1], touched.prices[-1]
    if DIFF in kinds:
        for row in range(first, last + 1):
            if columns.kind[row] == DIFF:
                i = columns.index[row]
                start, middle, end = columns.asks_end[i - 1] if i else 0, columns.bids_end[i], columns.asks_end[i]
                bids.update(dict.fromkeys(columns.level_price[start:middle]))
                asks.update(dict.fromkeys(columns.level_price[middle:end]))
    if PRINT in kinds:
        printed = [columns.print_price[columns.index[r]] for r in range(first, last + 1) if columns.kind[r] == PRINT]
        bids.update(dict.fromkeys(printed))
        asks.update(dict.fromkeys(printed))


def _sight(state: State, contract: Contract, touched: _Touched) -> Sight:
    book = contract.book
    bids, asks = touched.prices[1], touched.prices[-1]
    whole = touched.whole or len(bids) + len(asks) > len(book.bids.history.stated) + len(book.asks.history.stated) + 64
    if whole:
        seen = book.depth(book.bids, ALL), book.depth(book.asks, ALL)
    else:
        seen = (
            [(price, book.shown_at(book.bids, price)) for price in bids],
            [(price, book.shown_at(book.asks, price)) for price in asks],
        )
    return Sight(whole, *seen, contract.open_interest, *_funding(state, contract))


def _funding(state: State, contract: Contract) -> tuple[int, int, int]:
    """The funding rate to come, what divides it, and when it is paid."""
    if state.options.funding is not FundingSource.PREMIUM or contract.terms.expiry:
        return contract.feed.rate, 1, contract.feed.next_funding
    pack = state.pack
    assert pack is not None
    rate, over = computed_rate(contract, state.now, pack.premium_hours, pack.rate_hours)
    return (
        rate,
        over,
        next((at for at, kind, name in state.timers if kind == DueKind.FUNDING and name == contract.id), 0),
    )
