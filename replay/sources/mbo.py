"""Databento's MBO records -> events of single orders.

Source: databento.com/docs, "Market by order (MBO)", "MBO snapshots" and "Common fields, enums and types". A record adds
an order (A), cancels some of one (C), modifies its price and size (M) or clears the book (R). Trades (T) and the fills
of the orders that they met (F) leave the book as it is: the C or M that follows changes it. The flag F_LAST ends an
event of an instrument. A modification of an unknown order adds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from events.instruments import Instrument
from events.observations import Action
from events.units import SECOND
from replay.sources.cells import MEND, Cells
from replay.sources.columns import LEVELS_MAX
from replay.sources.mbo_records import BUY, GAP, LAST, NEITHER, SELL, SNAPSHOT, TOP, Record, records
from replay.sources.order_events import Change, EventRows, Print
from replay.sources.report import Report
from replay.sources.rows import Rows

OPEN_MAX = SECOND
"""An event is over when a record comes so much later, ns, whatever its flags say."""


class Orders:
    """The events of one instrument. Where rows are not `is_named` by a symbol, all have to be of one instrument id."""

    def __init__(self, instrument: Instrument, is_named: bool = True) -> None:
        self._instrument = instrument
        self._number = 0
        self._has_gap = False
        self._is_named = is_named
        self._report = Report("", strict=False)
        self._open: list[Record] = []
        self._book = _Book()
        self._rows = EventRows()

    def add(self, cells: Cells, report: Report) -> Iterator[Rows]:
        """The events that end in this block."""
        self._report = report
        if not self._is_named and len(cells.lines):
            self._number = self._number or int(cells.numbers["instrument_id"][0])
        for record in records(cells, self._instrument, report, self._number):
            if self._open and self._is_over(record):
                self._end(is_cut=True)
            self._open.append(record)
            self._look_for_gap(record)
            if record.flags & LAST:
                self._end()
        yield from self._rows.take()

    def finish(self) -> Iterator[Rows]:
        """The last event, as far as it is there."""
        if self._open:
            self._end(is_cut=True)
        yield from self._rows.take()

    def _is_over(self, record: Record) -> bool:
        """Whether the event at hand has to be over, although nothing said so."""
        last = self._open[-1]
        return record.at > last.at + OPEN_MAX or (len(self._open) >= LEVELS_MAX and not last.flags & SNAPSHOT)

    def _look_for_gap(self, record: Record) -> None:
        """Tell, once for each run of records that say so, that the book may be wrong."""
        had, self._has_gap = self._has_gap, bool(record.flags & GAP)
        if self._has_gap and not had:
            what = "records are missing ahead of it, and the book may be wrong until its next snapshot; mind the gap"
            self._tell(record, "gap_in_records", what)

    def _end(self, *, is_cut: bool = False) -> None:
        """Make rows of the event at hand."""
        event, self._open = self._open, []
        last = event[-1]
        if is_cut:
            self._tell(last, "unfinished_event", "its event does not end, and is used as it is; fetch the file again")
        prints = self._book.met(prints_of(event, self._book.last_price))
        changes = [change for record in event for change in self._changes(record)]
        self._rows.add(last.line, last.at, last.transacted, prints, changes)

    def _changes(self, record: Record) -> Iterator[Change]:
        """What a record does to the book."""
        book, action, order = self._book, record.action, record.order
        is_whole = bool(record.flags & SNAPSHOT)
        if action == "R":
            yield book.clear(record.side)
        elif is_whole and not book.is_whole:
            yield book.clear(NEITHER)
        book.is_whole = is_whole
        if action == "C" and order not in book.orders:
            self._tell(record, "unknown_order", f"order {order} is cancelled and was not there; fetch the file again")
        elif action == "C":
            yield from book.cancel(record)
        elif action in ("A", "M"):
            if record.flags & TOP:
                yield book.clear(record.side)
            elif action == "A" and order in book.orders:
                self._tell(record, "known_order", f"order {order} is added and was there; {MEND}")
            if record.price and record.lots:
                yield book.put(record)

    def _tell(self, record: Record, reason: str, what: str) -> None:
        self._report.defect(record.line, reason, f"{self._instrument.id}: {what}")


class _Book:
    """The orders that are open, as the records say: side, price and lots by id; and what prints took of them that no
    record has taken out yet.
    """

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, int, int]] = {}
        self._printed: dict[int, int] = {}
        self.is_whole = False
        self.last_price = 0

    def clear(self, side: int) -> Change:
        """A side, or both, begins anew."""
        keep = {} if side == NEITHER else {name: held for name, held in self.orders.items() if held[0] != side}
        self.orders = keep
        self._printed = {name: lots for name, lots in self._printed.items() if name in keep}
        return Change(Action.CLEAR, 0, side, 0, 0)

    def met(self, prints: list[Print]) -> list[Print]:
        """The prints of an event. An order that was not there when it began met none of them."""
        for n, one in enumerate(prints):
            self.last_price = one.price
            if one.order in self.orders:
                self._printed[one.order] = self._printed.get(one.order, 0) + one.lots
            else:
                prints[n] = one._replace(order=0)
        return prints

    def cancel(self, record: Record) -> Iterator[Change]:
        """Some of an order is gone; what is left is stated, where that is not what prints left of it."""
        side, price, lots = self.orders.pop(record.order)
        left = max(lots - record.lots, 0)
        if left:
            self.orders[record.order] = (side, price, left)
        if left != max(lots - self._printed.pop(record.order, 0), 0):
            yield Change(Action.CHANGE, record.order, side, price, left)

    def put(self, record: Record) -> Change:
        """An order is new, or has another price or size."""
        is_new = record.action == "A" and record.order not in self.orders
        self._printed.pop(record.order, None)
        if record.order:
            self.orders[record.order] = (record.side, record.price, record.lots)
        action = Action.ADD if is_new else Action.CHANGE
        return Change(action, record.order, record.side, record.price, record.lots)


def prints_of(event: Sequence[Record], last_price: int) -> list[Print]:
    """What traded in an event, at each price the orders that were filled, in their order, and then what met none of
    the displayed ones.

    A fill is of a resting order, so the taker is on the other side. Where nobody was the taker, as in an auction, fills
    of both sides may be there for one volume: those of the side that has more are taken. Where that tells nothing,
    the taker bought if the price is at or above that of the trade before.
    """
    found: list[Print] = []
    for price in dict.fromkeys(record.price for record in event if record.action in ("T", "F")):
        trades = [record for record in event if record.action == "T" and record.price == price]
        fills = [record for record in event if record.action == "F" and record.price == price]
        volume = sum(trade.lots for trade in trades)
        filled = {side: sum(fill.lots for fill in fills if fill.side == side) for side in (BUY, SELL)}
        side = next((trade.side for trade in trades if trade.side), NEITHER)
        if not side and filled[BUY] != filled[SELL]:
            side = BUY if filled[SELL] > filled[BUY] else SELL
        side = side or (BUY if price >= last_price else SELL)
        met = [fill for fill in fills if fill.side in (-side, NEITHER)]
        found += [Print(fill.line, price, fill.lots, side, fill.order) for fill in met]
        if (rest := volume - sum(fill.lots for fill in met)) > 0:
            found.append(Print(trades[-1].line, price, rest, side))
        last_price = price
    return found
