"""A leveraged trader who buys every dip: fine in a quiet market, ruined by a crash. The demo's example."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class DipBuyer(Strategy):
    """Buys when the mark falls below its average of the last minute, takes profit above it; never cuts a loss.

    Each purchase takes three tenths of what the account could hold at its leverage, up to nine tenths of it.
    """

    every = Nanos(2 * SECOND)

    def __init__(
        self, dip: Decimal = Decimal("0.0002"), step: Decimal = Decimal("0.3"), full: Decimal = Decimal("0.9")
    ) -> None:
        self.dip = dip
        self.step = step
        self.full = full
        self._marks: deque[Decimal] = deque(maxlen=30)

    def on_timer(self, context: Context) -> None:
        """Compare the mark with its average and act."""
        for instrument in context.instruments:
            mark = context.mark(instrument)
            if mark is not None:
                self._marks.append(mark)
                self._act(context, instrument, mark, sum(self._marks, Decimal(0)) / len(self._marks))

    def _act(self, context: Context, instrument: str, mark: Decimal, average: Decimal) -> None:
        held = context.position(instrument)
        capacity = max(Decimal(0), context.equity()) * context.leverage(instrument) / mark
        if mark < average * (1 - self.dip) and held < capacity * self.full:
            size = context.whole_lots(instrument, capacity * self.step)
            if size > 0:
                context.buy(instrument, size)
        elif mark > average * (1 + self.dip) and held > 0:
            context.sell(instrument, held, reduce_only=True)
