"""Lines of LOBSTER -> columns: an event of orders or a print each, in ticks and lots."""

from __future__ import annotations

from events.instruments import Instrument
from events.observations import Action, Kind, Observations
from events.units import UNIT, decimal_text

DOLLAR = 10_000
"""Prices are in units of 10^-4 dollars."""


class Misfit(Exception):
    """A number that the rule pack does not allow, and the reason by which it is counted."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class Assembler:
    """Makes chunks of one instrument; a line is begun, then filled, and may be undone."""

    ROWS_A_LINE_MAX = 3

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._price, self._size = UNIT // DOLLAR, UNIT
        self._lines: list[int] = []
        self._chunk = Observations(instrument.id)
        self._line = self._at = 0
        self._marks = (0, 0, 0, 0)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._lines)

    def begin(self, line: int, at: int) -> None:
        """A line of the file begins."""
        chunk = self._chunk
        self._line, self._at = line, at
        self._marks = len(self._lines), len(chunk.print_price), len(chunk.orders_end), len(chunk.order_id)

    def add(self, action: Action, order: int = 0, side: int = 0, price: int = 0, size: int = 0) -> None:
        """A message about an order; those that follow each other in a line are one event."""
        ticks, lots = self._ticks(price), self._lots(size)
        chunk, (rows, _, _, _) = self._chunk, self._marks
        if len(self._lines) == rows or chunk.kind[-1] != Kind.ORDERS:
            self._row(Kind.ORDERS, len(chunk.orders_end))
            chunk.orders_end.append(len(chunk.order_id))
        chunk.orders_end[-1] += 1
        chunk.order_action.append(int(action))
        chunk.order_id.append(order)
        chunk.order_side.append(side)
        chunk.order_price.append(ticks)
        chunk.order_lots.append(lots)

    def trade(self, price: int, size: int, side: int, order: int) -> None:
        """A print; side is the taker's."""
        ticks, lots = self._ticks(price), self._lots(size)
        if not (ticks and lots):
            raise Misfit("zero_price" if lots else "zero_size", "a trade of nothing, or for nothing")
        chunk = self._chunk
        self._row(Kind.PRINT, len(chunk.print_price))
        chunk.print_price.append(ticks)
        chunk.print_lots.append(lots)
        chunk.print_side.append(side)
        chunk.print_order.append(order)

    def undo(self) -> None:
        """Forget the line that was begun."""
        chunk, (rows, prints, events, messages) = self._chunk, self._marks
        del self._lines[rows:], chunk.kind[rows:], chunk.at[rows:], chunk.transacted[rows:], chunk.index[rows:]
        del chunk.print_price[prints:], chunk.print_lots[prints:], chunk.print_side[prints:], chunk.print_order[prints:]
        del chunk.orders_end[events:], chunk.order_action[messages:], chunk.order_id[messages:]
        del chunk.order_side[messages:], chunk.order_price[messages:], chunk.order_lots[messages:]

    def chunk(self) -> tuple[Observations, list[int]]:
        """The rows so far, with their lines; the next chunk begins."""
        chunk, lines = self._chunk, self._lines
        self._chunk, self._lines = Observations(self._instrument.id), []
        return chunk, lines

    def _row(self, kind: Kind, index: int) -> None:
        self._lines.append(self._line)
        chunk = self._chunk
        chunk.kind.append(int(kind))
        chunk.at.append(self._at)
        chunk.transacted.append(self._at)
        chunk.index.append(index)

    def _ticks(self, price: int) -> int:
        ticks, rest = divmod(price * self._price, self._instrument.tick)
        if rest or price < 0:
            unit = f"a whole number of ticks of {decimal_text(self._instrument.tick)}"
            raise Misfit("off_tick", f"{self._instrument.id}: price {decimal_text(price * self._price)} is not {unit}")
        return ticks

    def _lots(self, size: int) -> int:
        lots, rest = divmod(size * self._size, self._instrument.lot)
        if rest:
            unit = f"a whole number of lots of {decimal_text(self._instrument.lot)}"
            raise Misfit("off_lot", f"{self._instrument.id}: size {size} is not {unit}")
        return lots
