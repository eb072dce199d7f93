"""Tape: the read model of all that is public, folded from durable batches, and who listens to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from events import facts as f
from events.commands import MARKET, Side
from events.instruments import InstrumentId, RulePack
from events.observations import Kind, Observations
from events.record import Batch
from exchange.core.state import State
from gateway.serving.calendar import Calendar
from gateway.serving.models import Moment
from gateway.serving.tape.candles import INTERVALS, Candle
from gateway.serving.tape.depth import Top
from gateway.serving.tape.instrument import Dumped, History, InstrumentTape, Price
from gateway.serving.tape.look import Levels, Looker, Sight
from gateway.serving.tape.quotes import Forced, Funding
from gateway.serving.tape.seen import DepthSeen, ForcedSeen, FundingSeen, QuoteSeen, Seen, TopSeen, TradeSeen
from gateway.serving.tape.ticker import Ticker
from gateway.serving.tape.trades import Trade, trade_id

PRINT, MARK = int(Kind.PRINT), int(Kind.MARK)

Hear = Callable[[Seen], None]


class _Held(msgspec.Struct, array_like=True):
    now: int
    instruments: dict[InstrumentId, Dumped]


class Tape:
    """Public data of every instrument of the pack. `look` is the eye that a Venue takes; all times that it gives are
    shown ones, ms. history gives minutes before the session's start.
    """

    name, version = "tape", 1

    def __init__(self, pack: RulePack, calendar: Calendar | None = None, history: History | None = None) -> None:
        self.now = 0
        self.instruments = {terms.id: InstrumentTape(terms, history) for terms in pack.instruments}
        self._calendar = calendar or Calendar()
        self._looker = Looker()
        self._listeners: dict[int, Hear] = {}
        self._names = count(1)
        self._filled = 0
        self._last: tuple[Any, ...] = ()
        self._forced: dict[tuple[Any, InstrumentId], Forced] = {}

    # What can be asked

    def __getitem__(self, instrument: InstrumentId) -> InstrumentTape:
        """The tape of one instrument."""
        return self.instruments[instrument]

    def depth(self, instrument: InstrumentId, limit: int) -> tuple[int, Levels, Levels]:
        """The last record that the book is of, and so many of the best levels of both sides, best first."""
        depth = self.instruments[instrument].depth
        return depth.last, *depth.levels(limit)

    def top(self, instrument: InstrumentId) -> Top:
        """The best prices."""
        return self.instruments[instrument].depth.top()

    def trades(self, instrument: InstrumentId, limit: int) -> list[Trade]:
        """So many of the newest trades, oldest first."""
        trades = self.instruments[instrument].trades
        return [trades[i] for i in range(max(0, len(trades) - limit), len(trades))]

    def candles(
        self, instrument: InstrumentId, interval: str, start: int | None = None, end: int | None = None,
        limit: int = 500, *, price: Price = Price.LAST, now: int = 0,
    ) -> list[Candle]:  # fmt: skip
        """Candles, oldest first: at most so many from `start` on, or else the newest ones up to `end`. Both bound when
        candles begin and are included. The running one runs until now.
        """
        ladder = self.instruments[instrument].ladders[price]
        return ladder.candles(INTERVALS[interval], start, end, limit, max(now, self.now))

    def ticker(self, instrument: InstrumentId, now: int = 0) -> Ticker | None:
        """The last 24 hours, None where nothing was traded yet."""
        return self.instruments[instrument].ticker(max(now, self.now))

    def next_funding(self, instrument: InstrumentId) -> int:
        """When funding is paid next, 0 where nobody knows."""
        at = self.instruments[instrument].quotes.next_funding
        return self._calendar.shown_ms(at) if at else 0

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Have all that happens in public told, in order. Returns what ends it. A listener neither waits nor raises."""
        name = next(self._names)
        self._listeners[name] = hear
        return lambda: self._listeners.pop(name, None) and None

    def look(self, state: State, batch: Batch, columns: Observations | None) -> dict[InstrumentId, Sight]:
        """See what a batch changed, right after it was decided."""
        return self._looker.look(state, batch, columns)

    # What happened

    def fold(self, moment: Moment) -> None:
        """Take a durable batch into account."""
        batch = moment.batch
        self.now = max(self.now, self._calendar.shown_ms(batch.at))
        self._last = ()
        self._filled = _filled(batch)
        for record in batch.records[1:]:
            fact = record.message
            if (take := _TAKES.get(type(fact))) is not None:
                take(self, fact, record.seq, moment)
        for (_, instrument), forced in self._forced.items():
            self._keep_forced(instrument, forced)
        self._forced.clear()
        for instrument, sight in (moment.seen or {}).items():
            self._see(instrument, sight, batch.last_seq)

    def advanced(self, fact: f.MarketAdvanced, seq: int, moment: Moment) -> None:
        """History's rows: its prints, less what traders' orders got of them, index and funding."""
        columns = moment.columns
        if columns is None:
            return
        of_it = self.instruments[fact.instrument]
        rows = range(fact.first_row, fact.last_row + 1)
        if MARK in columns.kind[rows.start : rows.stop]:
            for row in rows:
                if columns.kind[row] == MARK:
                    i, quotes = columns.index[row], of_it.quotes
                    quotes.rate, quotes.over = columns.mark_rate[i], 1
                    quotes.next_funding = columns.mark_next_funding[i] or quotes.next_funding
                    if index := columns.mark_index[i]:
                        of_it.quoted(self.now, index=index)
        prints = _prints(columns, rows, self._filled)
        for place, (at, price, lots, side) in enumerate(prints):
            self._traded(of_it, seq, place, self._calendar.shown_ms(at), price, lots, side > 0, (at, price, side))

    def traded(self, fact: f.Traded, seq: int, _moment: Moment) -> None:
        """A trade of a trader's."""
        of_it = self.instruments[fact.instrument]
        self._traded(
            of_it, seq, 0, self.now, fact.price, fact.lots, fact.side is Side.BUY,
            (fact.taker, fact.taker_order, fact.price), fact.value,
        )  # fmt: skip
        if (forced := self._forced.get((fact.taker, fact.instrument))) is not None and not fact.taker_order:
            self._forced[fact.taker, fact.instrument] = forced._replace(
                executed=forced.executed + fact.lots, value=forced.value + fact.value, last_lots=fact.lots
            )

    def _traded(
        self, of_it: InstrumentTape, seq: int, place: int, at: int, price: int, lots: int, bought: bool,
        key: tuple[Any, ...], value: int | None = None,
    ) -> None:  # fmt: skip
        name = trade_id(seq, place)
        trades = of_it.trades
        if trades and trades[-1].at > at:
            at = trades[-1].at
        key = (of_it.terms.id, at, *key)
        part = trades[-1].part if self._last == key else name
        self._last = key
        trade = Trade(name, at, price, lots, of_it.value_of(price, lots) if value is None else value, bought, part)
        of_it.traded(trade)
        self._tell(TradeSeen(of_it.terms.id, at, trade))

    def marked(self, fact: f.MarkPriceMoved, _seq: int, _moment: Moment) -> None:
        """A mark price moved."""
        self.instruments[fact.instrument].quoted(self.now, mark=fact.mark)
        self._quoted(fact.instrument)

    def indexed(self, fact: f.IndexPriceMoved, _seq: int, _moment: Moment) -> None:
        """An index price moved; those of spot pairs are nobody's."""
        if fact.instrument in self.instruments:
            self.instruments[fact.instrument].quoted(self.now, index=fact.index)
            self._quoted(fact.instrument)

    def _quoted(self, instrument: InstrumentId) -> None:
        of_it = self.instruments[instrument]
        of_it.records.sample(of_it.quotes, self.now)
        self._tell(QuoteSeen(instrument, self.now))

    def funded(self, fact: f.FundingDue, _seq: int, _moment: Moment) -> None:
        """Funding fell due."""
        funding = Funding(self.now, fact.rate, fact.over, fact.mark)
        self.instruments[fact.instrument].records.fundings.append(funding)
        self._tell(FundingSeen(fact.instrument, self.now, funding))

    def forced(self, fact: f.LiquidationOrderPlaced, _seq: int, _moment: Moment) -> None:
        """A forced order meets the book: what it trades follows."""
        key = (fact.account, fact.instrument)
        if (before := self._forced.pop(key, None)) is not None:
            self._keep_forced(fact.instrument, before)
        self._forced[key] = Forced(self.now, 1 if fact.side is Side.BUY else -1, fact.lots, fact.limit)

    def _keep_forced(self, instrument: InstrumentId, forced: Forced) -> None:
        self.instruments[instrument].records.forced.append(forced)
        self._tell(ForcedSeen(instrument, forced.at, forced))

    def _see(self, instrument: InstrumentId, sight: Sight, last: int) -> None:
        """What was seen of the state when the batch was decided."""
        of_it = self.instruments[instrument]
        quotes, depth = of_it.quotes, of_it.depth
        quotes.open_interest, quotes.rate, quotes.over = sight.open_interest, sight.rate, sight.over
        quotes.next_funding = sight.next_funding or quotes.next_funding
        before = depth.top()
        change = depth.see(sight, last, self.now)
        if change is None:
            return
        self._tell(DepthSeen(instrument, self.now, change))
        if (top := depth.top()) != before:
            self._tell(TopSeen(instrument, self.now, top, last))

    def _tell(self, seen: Seen) -> None:
        for hear in tuple(self._listeners.values()):
            hear(seen)

    # What is kept

    def dump(self) -> bytes:
        """All of it but the books, which are looked at anew."""
        held = _Held(self.now, {name: of_it.dump() for name, of_it in self.instruments.items()})
        return msgspec.msgpack.encode(held)

    def load(self, data: bytes) -> None:
        """Hold what was dumped."""
        held = msgspec.msgpack.decode(data, type=_Held)
        self.now = held.now
        for name, dumped in held.instruments.items():
            self.instruments[name].load(dumped)


_TAKES: dict[type, Callable[[Tape, Any, int, Moment], None]] = {
    f.MarketAdvanced: Tape.advanced,
    f.Traded: Tape.traded,
    f.MarkPriceMoved: Tape.marked,
    f.IndexPriceMoved: Tape.indexed,
    f.FundingDue: Tape.funded,
    f.LiquidationOrderPlaced: Tape.forced,
}
"""Fact -> what it adds to the tape."""


def _filled(batch: Batch) -> int:
    """The lots that prints of history gave to traders' orders."""
    facts = (record.message for record in batch.records[1:])
    return sum(fact.lots for fact in facts if type(fact) is f.Traded and fact.taker == MARKET and fact.crossed is None)


def _prints(columns: Observations, rows: range, filled: int) -> list[tuple[int, int, int, int]]:
    """History's prints among rows: time, price, lots, side. What traders got of the last ones is a trade of theirs."""
    if PRINT not in columns.kind[rows.start : rows.stop]:
        return []
    found = []
    for row in reversed(rows):
        if columns.kind[row] == PRINT:
            i = columns.index[row]
            part = min(filled, columns.print_lots[i])
            filled -= part
            if lots := columns.print_lots[i] - part:
                found.append((columns.at[row], columns.print_price[i], lots, columns.print_side[i]))
    return found[::-1]
